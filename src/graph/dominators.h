/* Who alone keeps what alive: immediate dominators below a virtual root whose edges lead to the roots, and
 * the sums over all that a vertex dominates (retained sizes). */
#ifndef HST_GRAPH_DOMINATORS_H
#define HST_GRAPH_DOMINATORS_H

#include "graph/graph.h"

#define HST_GRAPH_ROOT (UINT32_MAX - 1) /* the virtual root */

struct hst_dominators {
    uint32_t count;
    uint32_t *above; /* the immediate dominator; HST_GRAPH_ROOT; HST_GRAPH_NONE: it is not reached */
    uint32_t *order; /* the vertices that are reached, each behind its dominator */
    uint32_t reached;
};

/* ret_dominators is the caller's to release. */
enum hst_status hst_dominators_find(const struct hst_graph *graph, const uint32_t *roots, size_t root_count,
                                    struct hst_dominators *ret_dominators) HST_MUST_CHECK;
void hst_dominators_release(struct hst_dominators *dominators);
/* The sum of weights of a vertex and of all that it dominates; 0 for what is not reached. ret_sums: count
 * long. */
void hst_dominators_sum(const struct hst_dominators *dominators, const uint64_t *weights, uint64_t *ret_sums);

#endif
