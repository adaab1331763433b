/* Samples in the order of their arrival -> samples thread by thread, each as often as a format's columns need
 * them, through a temporary file: a run of any length takes a bounded buffer a thread. */
#ifndef HST_EXPORT_SPOOL_H
#define HST_EXPORT_SPOOL_H

#include "base/buffer.h"
#include "base/status.h"
#include "event/sample.h"
#include "export/exporter.h"

struct hst_spool_lane {
    struct hst_buffer pending; /* the samples after the last chunk */
    uint64_t last_time_ns;
    uint64_t samples, weight_ns;
    uint32_t first_chunk, last_chunk;
};
struct hst_spool_chunk {
    uint64_t offset;
    uint32_t length, next;
};

struct hst_spool {
    struct hst_spool_lane *lanes; /* one a thread */
    size_t lane_count;
    struct hst_spool_chunk *chunks;
    size_t chunk_count, chunk_capacity;
    int fd; /* -1 until a lane's buffer was full for the first time */
    uint64_t file_bytes;
};

enum hst_status hst_spool_init(struct hst_spool *spool, size_t thread_count) HST_MUST_CHECK;
void hst_spool_release(struct hst_spool *spool);
/* An hst_export_visitor; context is the spool. */
enum hst_status hst_spool_add(void *spool, const struct hst_sample *sample);
/* Visits the samples of one thread, in the order in which they were added. */
enum hst_status hst_spool_read(struct hst_spool *spool, uint32_t thread, hst_export_visitor *visit,
                               void *context) HST_MUST_CHECK;

#endif
