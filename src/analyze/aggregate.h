/* Samples -> sums: how much of the run each distinct (thread, stack, state, flags, detail) stands for. The
 * basis of every report and of every export that does not need the order of samples; bounded by what is
 * distinct. */
#ifndef HST_ANALYZE_AGGREGATE_H
#define HST_ANALYZE_AGGREGATE_H

#include "base/map.h"
#include "base/status.h"
#include "event/sample.h"

struct hst_aggregate_row {
    uint32_t thread, stack;
    uint8_t state, flags;
    uint16_t detail;
    uint64_t samples;
    uint64_t weight_ns;
    double weight_ns_squared; /* sum of the samples' squared weights: what an interval needs (share.h) */
};

struct hst_aggregate {
    struct hst_aggregate_row *rows;
    size_t count, capacity;
    struct hst_map index;
};

void hst_aggregate_init(struct hst_aggregate *aggregate);
void hst_aggregate_release(struct hst_aggregate *aggregate);
/* A hst_sample_visitor (store/run_reader.h); context is a struct hst_aggregate *. */
enum hst_status hst_aggregate_add(void *aggregate, const struct hst_sample *sample);
/* Adds what another aggregate summed: ids must be of the same profile. */
enum hst_status hst_aggregate_merge(struct hst_aggregate *aggregate,
                                    const struct hst_aggregate_row *row) HST_MUST_CHECK;
/* The row that a sample was or would be added to; NULL when there is none. */
const struct hst_aggregate_row *hst_aggregate_find(const struct hst_aggregate *aggregate,
                                                   const struct hst_sample *sample);

#endif
