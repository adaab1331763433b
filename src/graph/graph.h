/* A directed graph in compressed form: the edges of vertex i lead to targets[first[i]] up to
 * targets[first[i + 1]].  Vertices and edges are 32-bit numbers.  Who owns the arrays is the maker's
 * business; what the vertices mean, nobody here knows. */
#ifndef HST_GRAPH_GRAPH_H
#define HST_GRAPH_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define HST_GRAPH_NONE UINT32_MAX

struct hst_graph {
    uint32_t count;
    const uint32_t *first; /* count + 1, ascending */
    const uint32_t *targets;
};

/* Whether first ascends from 0 and every target is a vertex: to be asked of what was read from a file. All
 * else here wants a graph that is sound, and roots that are vertices; a root may be named twice. */
int hst_graph_is_sound(const struct hst_graph *graph);
/* The same edges backwards; the sources of a vertex are in ascending order. Both arrays are the caller's to
 * hst_free. */
enum hst_status hst_graph_reverse(const struct hst_graph *graph, uint32_t **ret_first,
                                  uint32_t **ret_targets) HST_MUST_CHECK;
/* Marks in reached (a byte a vertex, 0 before) what can be reached from the roots without passing a vertex
 * that is blocked (a byte a vertex; NULL: none is). A blocked vertex is not reached itself. */
enum hst_status hst_graph_reach(const struct hst_graph *graph, const uint32_t *roots, size_t root_count,
                                const uint8_t *blocked, uint8_t *reached) HST_MUST_CHECK;
/* For every vertex the one before it on a shortest path from the roots: itself for a root, HST_GRAPH_NONE
 * when no path leads there. Of several it is the first met, in order of roots and edges. ret_before: count
 * long. */
enum hst_status hst_graph_shortest(const struct hst_graph *graph, const uint32_t *roots, size_t root_count,
                                   uint32_t *ret_before) HST_MUST_CHECK;

#endif
