/* A heap -> the objects that retain most, and the tree of who alone keeps whom. */
#ifndef HST_ANALYZE_HEAP_TOP_H
#define HST_ANALYZE_HEAP_TOP_H

#include "analyze/heap_view.h"

/* A child with nearly all that its parent retains is the same finding: such a chain is one row, and its
 * deeper end is what a person wants to hear of. */
#define HST_HEAP_FOLD 0.95

struct hst_heap_top_row {
    uint32_t begin, end; /* of the chain; often the same */
};
/* The count rows with most retained bytes, most first; without sys.modules, which holds
 * everything, and what retains less than least_bytes. *ret_rows
 * is the caller's to hst_free. */
enum hst_status hst_heap_top_find(struct hst_heap_view *view, size_t count, uint64_t least_bytes,
                                  struct hst_heap_top_row **ret_rows, size_t *ret_count) HST_MUST_CHECK;

/* A row of the printed tree: one object, or many children of one object that are alike. */
struct hst_heap_branch {
    uint32_t depth;
    uint32_t object;  /* HST_HEAP_NONE: a group */
    uint32_t type;    /* of all objects of a group; HST_HEAP_NONE: several */
    uint64_t objects; /* of a group; 1 */
    uint64_t bytes, retained;
};
struct hst_heap_tree {
    struct hst_heap_branch *rows;
    size_t count, capacity;
};
/* The tree below an object (HST_GRAPH_ROOT: all), depth levels of it; at most width objects of one parent,
 * the others by type. */
enum hst_status hst_heap_tree_init(struct hst_heap_tree *tree, struct hst_heap_view *view, uint32_t object,
                                   uint32_t depth, size_t width) HST_MUST_CHECK;
void hst_heap_tree_release(struct hst_heap_tree *tree);

#endif
