/* Sums samples by what is equal in them. */
#include "analyze/aggregate.h"

#include <string.h>

#include "base/memory.h"

void hst_aggregate_init(struct hst_aggregate *aggregate) { *aggregate = (struct hst_aggregate){0}; }

void hst_aggregate_release(struct hst_aggregate *aggregate)
{
    hst_free(aggregate->rows);
    hst_map_release(&aggregate->index);
    hst_aggregate_init(aggregate);
}

static int same_kind(const struct hst_aggregate_row *row, const struct hst_sample *sample)
{
    return row->thread == sample->thread && row->stack == sample->stack && row->state == sample->state &&
           row->flags == sample->flags && row->detail == sample->detail;
}

/* Where the search for a sample's row begins; it goes on key by key until the row or nothing is found. */
static uint64_t first_key(const struct hst_sample *sample)
{
    uint64_t who = (uint64_t)sample->thread << 32 | sample->stack;
    uint64_t how = (uint64_t)sample->state << 24 | (uint64_t)sample->flags << 16 | sample->detail;
    return hst_mix64(who) ^ how;
}

const struct hst_aggregate_row *hst_aggregate_find(const struct hst_aggregate *aggregate,
                                                   const struct hst_sample *sample)
{
    for (uint64_t key = first_key(sample);; key++) {
        uint32_t found = hst_map_find(&aggregate->index, key);
        if (found == HST_MAP_ABSENT)
            return NULL;
        if (same_kind(&aggregate->rows[found], sample))
            return &aggregate->rows[found];
    }
}

/* The row that the sample belongs to, made when there is none; NULL when memory is out. */
static struct hst_aggregate_row *row_for(struct hst_aggregate *aggregate, const struct hst_sample *sample)
{
    for (uint64_t key = first_key(sample);; key++) {
        uint32_t found = hst_map_find(&aggregate->index, key);
        if (found == HST_MAP_ABSENT) {
            found = (uint32_t)aggregate->count;
            if (!HST_RESERVE(aggregate->rows, aggregate->capacity, aggregate->count + 1) ||
                !hst_map_set(&aggregate->index, key, found))
                return NULL;
            aggregate->rows[aggregate->count++] = (struct hst_aggregate_row){.thread = sample->thread,
                                                                             .stack = sample->stack,
                                                                             .state = sample->state,
                                                                             .flags = sample->flags,
                                                                             .detail = sample->detail};
        }
        if (same_kind(&aggregate->rows[found], sample))
            return &aggregate->rows[found];
    }
}

enum hst_status hst_aggregate_add(void *context, const struct hst_sample *sample)
{
    struct hst_aggregate_row *row = row_for(context, sample);
    if (row == NULL)
        return HST_E_NOMEM;
    row->samples++;
    row->weight_ns += sample->weight_ns;
    row->weight_ns_squared += (double)sample->weight_ns * (double)sample->weight_ns;
    return HST_OK;
}

enum hst_status hst_aggregate_merge(struct hst_aggregate *aggregate, const struct hst_aggregate_row *row)
{
    const struct hst_sample kind = {.thread = row->thread,
                                    .stack = row->stack,
                                    .state = row->state,
                                    .flags = row->flags,
                                    .detail = row->detail};
    struct hst_aggregate_row *sum = row_for(aggregate, &kind);
    if (sum == NULL)
        return HST_E_NOMEM;
    sum->samples += row->samples;
    sum->weight_ns += row->weight_ns;
    sum->weight_ns_squared += row->weight_ns_squared;
    return HST_OK;
}
