/* Groups of vertices that all reach each other (strongly connected components), and the edge that holds such
 * a group together. */
#ifndef HST_GRAPH_COMPONENTS_H
#define HST_GRAPH_COMPONENTS_H

#include "graph/graph.h"

struct hst_components {
    uint32_t count;    /* of components */
    uint32_t *of;      /* vertex -> component; a component is numbered before those that lead to it */
    uint32_t *first;   /* count + 1: component -> its vertices */
    uint32_t *members; /* of each component in ascending order */
};

enum hst_status hst_components_find(const struct hst_graph *graph,
                                    struct hst_components *ret_components) HST_MUST_CHECK;
void hst_components_release(struct hst_components *components);
/* 1: more than one vertex, or one with an edge to itself. */
int hst_component_is_cyclic(const struct hst_graph *graph, const struct hst_components *components,
                            uint32_t component);
/* The edges (places in targets) of a shortest cycle in the component, in order; their number, at most max are
 * written. 0: there is none. Where looking for the shortest of all would take long, it is the shortest
 * through some of the members. */
enum hst_status hst_component_cycle(const struct hst_graph *graph, const struct hst_components *components,
                                    uint32_t component, uint32_t *ret_edges, size_t max,
                                    size_t *ret_count) HST_MUST_CHECK;
/* An edge (place in targets) without which the component has no cycle; HST_GRAPH_NONE: no single one is
 * enough, or the component has more than limit vertices and it was not looked for. */
enum hst_status hst_component_breaker(const struct hst_graph *graph, const struct hst_components *components,
                                      uint32_t component, size_t limit, uint32_t *ret_edge) HST_MUST_CHECK;

#endif
