/* Who refers to an object, and by what kinds of paths the roots reach the objects of a type. */
#ifndef HST_ANALYZE_HEAP_REFS_H
#define HST_ANALYZE_HEAP_REFS_H

#include "analyze/heap_path.h"

/* The edges that lead to an object, at most max of them, that of the shortest path first; *ret_total: how
 * many there are. *ret_edges is the caller's to hst_free. */
enum hst_status hst_heap_referrers_find(struct hst_heap_view *view, uint32_t object, size_t max,
                                        uint32_t **ret_edges, size_t *ret_count,
                                        size_t *ret_total) HST_MUST_CHECK;

/* Shortest paths that differ in keys and indexes alone are one. */
struct hst_heap_merged_row {
    struct hst_heap_step *steps; /* one of the paths */
    size_t step_count;
    uint64_t objects, bytes, retained; /* of the objects at its end; retained one by one */
};
struct hst_heap_merged {
    struct hst_heap_merged_row *rows; /* most objects first */
    size_t count;
    uint64_t objects, unreached;
};
enum hst_status hst_heap_merged_init(struct hst_heap_merged *merged, struct hst_heap_view *view,
                                     uint32_t type) HST_MUST_CHECK;
void hst_heap_merged_release(struct hst_heap_merged *merged);

#endif
