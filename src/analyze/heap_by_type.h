/* A heap by type: how many objects, what they take, what would be freed with all of them. */
#ifndef HST_ANALYZE_HEAP_BY_TYPE_H
#define HST_ANALYZE_HEAP_BY_TYPE_H

#include "analyze/heap_view.h"

struct hst_heap_type_row {
    uint32_t type;
    uint64_t objects, bytes;
    uint64_t retained; /* of all objects of the type together; exact, or at least */
    int exact;
};

struct hst_heap_by_type {
    struct hst_heap_type_row *rows; /* without types that have no object */
    size_t count;
    uint64_t objects, bytes;
};

enum hst_heap_sort { HST_HEAP_SORT_BYTES, HST_HEAP_SORT_RETAINED, HST_HEAP_SORT_OBJECTS, HST_HEAP_SORT_NAME };
extern const char *const hst_heap_sort_names[]; /* by enum hst_heap_sort; ends with NULL */

/* exact: of so many rows, in the order asked for, the retained size is found by what cannot be reached
 * without the type's objects; of the rest it is what its objects dominate one by one. Such a walk costs as
 * much as a look at the whole heap, each. */
enum hst_status hst_heap_by_type_init(struct hst_heap_by_type *types, struct hst_heap_view *view,
                                      enum hst_heap_sort sort, size_t exact) HST_MUST_CHECK;
void hst_heap_by_type_release(struct hst_heap_by_type *types);
/* What cannot be reached without the objects that are marked (a byte each), with them. */
enum hst_status hst_heap_set_retained(struct hst_heap_view *view, const uint8_t *marked,
                                      uint64_t *ret_bytes) HST_MUST_CHECK;

#endif
