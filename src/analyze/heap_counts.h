/* A heap -> how many objects each type has, which outlives it; and two of these -> what grew. */
#ifndef HST_ANALYZE_HEAP_COUNTS_H
#define HST_ANALYZE_HEAP_COUNTS_H

#include "model/heap.h"

struct hst_heap_count {
    uint64_t objects, bytes;
};
struct hst_heap_counts {
    struct hst_strings names;    /* of types; those of one name are one */
    struct hst_heap_count *rows; /* by the id of the name */
    size_t count;
    struct hst_heap_count all;
};
enum hst_status hst_heap_counts_init(struct hst_heap_counts *counts,
                                     const struct hst_heap *heap) HST_MUST_CHECK;
void hst_heap_counts_release(struct hst_heap_counts *counts);

struct hst_heap_grown {
    const char *type; /* lives as long as the later counts */
    struct hst_heap_count now;
    int64_t objects, bytes; /* more than before; one of them is more than 0 */
};
/* Most bytes first. Names that are new are added to before. *ret_rows: to hst_free. */
enum hst_status hst_heap_counts_grown(struct hst_heap_counts *before, const struct hst_heap_counts *after,
                                      struct hst_heap_grown **ret_rows, size_t *ret_count) HST_MUST_CHECK;

#endif
