/* What is asked of a graph by looking at every edge once: whether it holds together, its edges backwards,
 * what is reached, and by which shortest way.  No recursion: a list is as deep as it is long. */
#include "graph/graph.h"

#include <string.h>

#include "base/memory.h"

int hst_graph_is_sound(const struct hst_graph *graph)
{
    if (graph->count == HST_GRAPH_NONE || graph->first[0] != 0)
        return 0;
    for (uint32_t v = 0; v < graph->count; v++)
        if (graph->first[v] > graph->first[v + 1])
            return 0;
    for (uint32_t e = 0; e < graph->first[graph->count]; e++)
        if (graph->targets[e] >= graph->count)
            return 0;
    return 1;
}

enum hst_status hst_graph_reverse(const struct hst_graph *graph, uint32_t **ret_first, uint32_t **ret_targets)
{
    size_t count = graph->count;
    uint32_t edges = graph->first[count];
    /* Vertex v is counted at v + 2 and filled at v + 1, which ends as the place where v + 1 begins. */
    HST_CLEANUP_FREE uint32_t *first = hst_alloc_zero(count + 2, sizeof *first);
    HST_CLEANUP_FREE uint32_t *sources = hst_alloc(edges, sizeof *sources);
    if (first == NULL || sources == NULL)
        return HST_E_NOMEM;
    for (uint32_t e = 0; e < edges; e++)
        first[(size_t)graph->targets[e] + 2]++;
    for (size_t v = 2; v < count + 2; v++)
        first[v] += first[v - 1];
    for (uint32_t v = 0; v < count; v++)
        for (uint32_t e = graph->first[v]; e < graph->first[v + 1]; e++)
            sources[first[(size_t)graph->targets[e] + 1]++] = v;
    *ret_first = HST_TAKE(first);
    *ret_targets = HST_TAKE(sources);
    return HST_OK;
}

enum hst_status hst_graph_reach(const struct hst_graph *graph, const uint32_t *roots, size_t root_count,
                                const uint8_t *blocked, uint8_t *reached)
{
    HST_CLEANUP_FREE uint32_t *queue = hst_alloc(graph->count, sizeof *queue);
    size_t length = 0;
    if (queue == NULL)
        return HST_E_NOMEM;
    for (size_t r = 0; r < root_count; r++) {
        if (reached[roots[r]] || (blocked != NULL && blocked[roots[r]]))
            continue;
        reached[roots[r]] = 1;
        queue[length++] = roots[r];
    }
    for (size_t at = 0; at < length; at++) {
        uint32_t end = graph->first[queue[at] + 1];
        for (uint32_t e = graph->first[queue[at]]; e < end; e++) {
            uint32_t target = graph->targets[e];
            if (reached[target] || (blocked != NULL && blocked[target]))
                continue;
            reached[target] = 1;
            queue[length++] = target;
        }
    }
    return HST_OK;
}

enum hst_status hst_graph_shortest(const struct hst_graph *graph, const uint32_t *roots, size_t root_count,
                                   uint32_t *ret_before)
{
    HST_CLEANUP_FREE uint32_t *queue = hst_alloc(graph->count, sizeof *queue);
    size_t length = 0;
    if (queue == NULL)
        return HST_E_NOMEM;
    memset(ret_before, 0xff, graph->count * sizeof *ret_before); /* HST_GRAPH_NONE */
    for (size_t r = 0; r < root_count; r++) {
        if (ret_before[roots[r]] != HST_GRAPH_NONE)
            continue;
        ret_before[roots[r]] = roots[r];
        queue[length++] = roots[r];
    }
    for (size_t at = 0; at < length; at++) {
        uint32_t end = graph->first[queue[at] + 1];
        for (uint32_t e = graph->first[queue[at]]; e < end; e++) {
            uint32_t target = graph->targets[e];
            if (ret_before[target] != HST_GRAPH_NONE)
                continue;
            ret_before[target] = queue[at];
            queue[length++] = target;
        }
    }
    return HST_OK;
}
