/* Two snapshots of a program -> what is new, gone and grown: by type, and by who holds what is new. */
#ifndef HST_ANALYZE_HEAP_COMPARE_H
#define HST_ANALYZE_HEAP_COMPARE_H

#include "analyze/heap_match.h"
#include "analyze/heap_view.h"

struct hst_heap_change {
    const char *type; /* lives as long as the comparison */
    uint64_t objects_before, objects_after, bytes_before, bytes_after;
    uint64_t new_objects, gone_objects;
};
/* An object that was there before, and what of one type came below it. */
struct hst_heap_accumulation {
    uint32_t holder; /* of the later heap; HST_GRAPH_ROOT: no object alone */
    uint32_t type;   /* of the later heap */
    uint64_t objects, retained;
};
struct hst_heap_compare {
    struct hst_heap_type_names names;
    struct hst_heap_change *changes; /* by bytes, the largest growth first, what shrank last */
    size_t change_count;
    struct hst_heap_accumulation *holders; /* most retained bytes first */
    size_t holder_count;
};
enum hst_status hst_heap_compare_init(struct hst_heap_compare *compare, const struct hst_heap *before,
                                      struct hst_heap_view *after) HST_MUST_CHECK;
void hst_heap_compare_release(struct hst_heap_compare *compare);

#endif
