/* A view -> its stacks merged from the outermost frame inward, with the time of every node and of all below
 * it. The other questions (totals, callers) are walks over this tree, so that a stack 100,000 deep costs its
 * frames once, however many samples it has. */
#ifndef HST_ANALYZE_TREE_H
#define HST_ANALYZE_TREE_H

#include "analyze/view.h"

enum hst_tree_detail {
    HST_TREE_FUNCTIONS, /* frames of one function under the same callers are one node */
    HST_TREE_LINES,     /* a node for each of their lines */
};

struct hst_tree_node {
    uint32_t parent, first_child, next_sibling; /* node ids; 0 = none, the root is 0 */
    uint32_t function, line;                    /* line: 0 with HST_TREE_FUNCTIONS */
    struct hst_sum self, total;
    uint64_t library_ns; /* part of self that was spent in folded or hidden frames below */
    uint64_t waiting_ns; /* part of self that the thread spent blocked, idle or waiting for the GIL */
};

struct hst_tree {
    struct hst_tree_node *nodes; /* [0] is the root: total = all; a parent's id is less than its children's */
    size_t count, capacity;
    struct hst_sum no_frame; /* rows without a Python frame */
};

enum hst_status hst_tree_init(struct hst_tree *tree, const struct hst_view *view,
                              enum hst_tree_detail detail) HST_MUST_CHECK;
void hst_tree_release(struct hst_tree *tree);
/* Children in order of total, largest first. */
enum hst_status hst_tree_sort(struct hst_tree *tree) HST_MUST_CHECK;

/* Calls enter when the walk comes to a node and leave when all below it is done; not for the root. */
typedef void hst_tree_visitor(void *context, const struct hst_tree *tree, uint32_t node);
void hst_tree_walk(const struct hst_tree *tree, hst_tree_visitor *enter, hst_tree_visitor *leave,
                   void *context);

#endif
