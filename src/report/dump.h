/* A dump -> text for people, or JSON. */
#ifndef HST_REPORT_DUMP_H
#define HST_REPORT_DUMP_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/status.h"
#include "model/dump.h"
#include "report/style.h"

struct hst_dump_view {
    int variables;
    int columns; /* mark the part of each line that runs (3.11 and later) */
};

/* Reads the sources from where dump->root says that they are. */
enum hst_status hst_dump_text(const struct hst_dump *dump, const struct hst_dump_view *view,
                              const struct hst_style *style, struct hst_buffer *into) HST_MUST_CHECK;
/* New, the caller's to json_decref; NULL: out of memory. */
json_t *hst_dump_json(const struct hst_dump *dump, const struct hst_dump_view *view);
/* "running", "gil_wait" ... */
const char *hst_dump_state_name(enum hst_state state);

#endif
