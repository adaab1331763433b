/* What grew in a process from one round to the next -> a table for people, and a line of JSON. */
#ifndef HST_REPORT_HEAP_GROWTH_OUT_H
#define HST_REPORT_HEAP_GROWTH_OUT_H

#include <jansson.h>

#include "analyze/heap_counts.h"
#include "base/buffer.h"
#include "report/style.h"

struct hst_heap_round {
    uint64_t number, elapsed_ns; /* since the first snapshot */
    uint64_t pause_ns;
    uint64_t run; /* that it was kept as; 0: it was not */
    struct hst_heap_count all;
    int64_t objects, bytes; /* more than in the round before */
    const struct hst_heap_grown *rows;
    size_t count, shown; /* rows to print */
};
enum hst_status hst_heap_round_text(const struct hst_heap_round *round, const struct hst_style *style,
                                    struct hst_buffer *out) HST_MUST_CHECK;
/* New; NULL: out of memory. */
json_t *hst_heap_round_json(const struct hst_heap_round *round);

#endif
