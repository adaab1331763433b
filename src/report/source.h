/* A source file on this disk -> its lines, and whether they can still be those that ran. */
#ifndef HST_REPORT_SOURCE_H
#define HST_REPORT_SOURCE_H

#include "base/buffer.h"
#include "base/status.h"
#include "model/run.h"

#define HST_SOURCE_BYTES_MAX (16u << 20)

struct hst_source {
    struct hst_buffer bytes;
    const char **lines; /* [0] is line 1; terminated */
    size_t count, capacity;
    int newer; /* changed after the run began */
};

/* A relative file is looked for in the run's folder. */
enum hst_status hst_source_init(struct hst_source *source, const char *file,
                                const struct hst_run_info *info) HST_MUST_CHECK;
void hst_source_release(struct hst_source *source);
/* Line by its number; "" when there is none. */
const char *hst_source_line(const struct hst_source *source, uint32_t line);

#endif
