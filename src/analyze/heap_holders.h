/* What a set of objects that came together under one dominator is, in words of the program: the type that
 * says most, and the one object that refers to most of them. */
#ifndef HST_ANALYZE_HEAP_HOLDERS_H
#define HST_ANALYZE_HEAP_HOLDERS_H

#include "analyze/heap_view.h"

struct hst_heap_gathering {
    uint32_t type;    /* what they are, or what they wrap; HST_HEAP_NONE: the set is empty */
    uint32_t wrapped; /* the type that wraps it; the same where none does */
    uint32_t holder;  /* the dominator, or who refers to at least half of the type's; HST_HEAP_NONE: nobody */
    uint32_t example; /* the largest of them, or what is in it */
    uint64_t objects; /* of the type's in the set */
    uint64_t retained;
};
/* objects: children of above (HST_GRAPH_ROOT: of the virtual root). Needs CHILDREN. */
enum hst_status hst_heap_gathering_find(struct hst_heap_view *view, uint32_t above, const uint32_t *objects,
                                        size_t count,
                                        struct hst_heap_gathering *ret_gathering) HST_MUST_CHECK;

#endif
