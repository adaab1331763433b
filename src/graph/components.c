/* Components by Tarjan's search, with its own stack of branches; cycles by breadth-first search from members.
 * What is asked of one component takes time and memory by its size, not by the graph's, and no more than it
 * has to: in a heap most of the objects are often one component. */
#include "graph/components.h"

#include <string.h>

#include "base/memory.h"

enum { AHEAD = 8 }; /* so many edges ahead memory is asked for: most of the time goes into waiting */

/* Tarjan's search. A vertex that is open (its component is not known yet) stands on a stack; of, until the
 * end, is 0 for a vertex that was not met, the lowest height on the stack that an open one is known to lead
 * to, and UINT32_MAX - component for a closed one, which is more than any height. */
struct search {
    const struct hst_graph *graph;
    uint32_t *of;
    uint32_t *open; /* height - 1 -> vertex */
    uint32_t height, component_count;
    struct branch {
        uint32_t vertex, edge, end;
    } * branches; /* from the start to where the search is */
    size_t branch_count, branch_capacity;
};

static int enter(struct search *search, uint32_t vertex)
{
    if (!HST_RESERVE(search->branches, search->branch_capacity, search->branch_count + 1))
        return 0;
    const struct hst_graph *graph = search->graph;
    uint32_t edge = graph->first[vertex], end = graph->first[vertex + 1];
    for (uint32_t e = edge; e < end && e - edge < AHEAD; e++) {
        __builtin_prefetch(&search->of[graph->targets[e]]);
        __builtin_prefetch(&graph->first[graph->targets[e]]);
    }
    search->branches[search->branch_count++] = (struct branch){vertex, edge, end};
    search->open[search->height++] = vertex;
    search->of[vertex] = search->height;
    return 1;
}

/* All edges of the newest branch were followed. The vertex that leads to nothing lower than itself is the one
 * by which its component was entered. */
static void leave(struct search *search)
{
    uint32_t vertex = search->branches[--search->branch_count].vertex, *of = search->of;
    if (search->open[of[vertex] - 1] == vertex) {
        uint32_t bottom = of[vertex] - 1;
        while (search->height > bottom)
            of[search->open[--search->height]] = UINT32_MAX - search->component_count;
        search->component_count++;
    } else {
        uint32_t before = search->branches[search->branch_count - 1].vertex;
        of[before] = of[vertex] < of[before] ? of[vertex] : of[before];
    }
}

static enum hst_status search_from(struct search *search, uint32_t start)
{
    const struct hst_graph *graph = search->graph;
    if (!enter(search, start))
        return HST_E_NOMEM;
    while (search->branch_count > 0) {
        struct branch *last = &search->branches[search->branch_count - 1];
        if (last->edge == last->end) {
            leave(search);
            continue;
        }
        uint32_t target = graph->targets[last->edge++], met = search->of[target];
        if (met == 0) {
            if (!enter(search, target))
                return HST_E_NOMEM;
        } else if (met < search->of[last->vertex]) {
            search->of[last->vertex] = met;
        }
    }
    return HST_OK;
}

/* Members in ascending order, by counting: component c is counted at c + 2 and filled at c + 1. */
static enum hst_status group(uint32_t count, struct hst_components *components)
{
    uint32_t *first = components->first = hst_alloc_zero((size_t)components->count + 2, sizeof *first);
    if (first == NULL)
        return HST_E_NOMEM;
    for (uint32_t v = 0; v < count; v++)
        first[(size_t)components->of[v] + 2]++;
    for (size_t c = 2; c < (size_t)components->count + 2; c++)
        first[c] += first[c - 1];
    for (uint32_t v = 0; v < count; v++)
        components->members[first[(size_t)components->of[v] + 1]++] = v;
    return HST_OK;
}

enum hst_status hst_components_find(const struct hst_graph *graph, struct hst_components *ret_components)
{
    HST_CLEANUP(hst_components_release)
    struct hst_components found = {.of = hst_alloc_zero(graph->count, sizeof *found.of),
                                   .members = hst_alloc(graph->count, sizeof *found.members)};
    if (found.of == NULL || found.members == NULL)
        return HST_E_NOMEM;
    struct search search = {.graph = graph, .of = found.of, .open = found.members};
    enum hst_status status = HST_OK;
    for (uint32_t v = 0; v < graph->count && status == HST_OK; v++)
        if (search.of[v] == 0)
            status = search_from(&search, v);
    hst_free(search.branches);
    HST_TRY(status);
    for (uint32_t v = 0; v < graph->count; v++)
        found.of[v] = UINT32_MAX - found.of[v];
    found.count = search.component_count;
    HST_TRY(group(graph->count, &found));
    *ret_components = found;
    found = (struct hst_components){0};
    return HST_OK;
}

void hst_components_release(struct hst_components *components)
{
    hst_free(components->of);
    hst_free(components->first);
    hst_free(components->members);
    *components = (struct hst_components){0};
}

/* A component and its vertices by their place among its members. */
struct part {
    const struct hst_graph *graph;
    const uint32_t *of, *members;
    uint32_t component, size;
};

static struct part part_of(const struct hst_graph *graph, const struct hst_components *components,
                           uint32_t component)
{
    uint32_t first = components->first[component];
    return (struct part){graph, components->of, components->members + first, component,
                         components->first[component + 1] - first};
}

static uint32_t part_find(const struct part *part, uint32_t vertex)
{
    uint32_t low = 0, high = part->size - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (part->members[middle] < vertex)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int is_inside(const struct part *part, uint32_t edge)
{
    return part->of[part->graph->targets[edge]] == part->component;
}

int hst_component_is_cyclic(const struct hst_graph *graph, const struct hst_components *components,
                            uint32_t component)
{
    struct part part = part_of(graph, components, component);
    if (part.size > 1)
        return 1;
    for (uint32_t e = graph->first[part.members[0]]; e < graph->first[part.members[0] + 1]; e++)
        if (graph->targets[e] == part.members[0])
            return 1;
    return 0;
}

/* Breadth-first searches for the way back to their start. */
struct step {
    uint32_t vertex, edge; /* and the edge that led to it */
    uint32_t before;       /* the step that it began at */
    uint32_t length;       /* of the way from the start */
};
struct round {
    struct step *steps;
    uint32_t *met; /* place among the members -> 1 + the last start from which it was met; 0: none */
    size_t step_count, step_capacity;
    size_t looked_at; /* edges, in all searches */
};

/* While no more edges than this were looked at, other members are tried for a shorter cycle: so it is a
 * shortest of all in any component that a person would look through. */
enum { EDGES_LOOKED_AT = 1 << 20 };

static void round_release(struct round *round)
{
    hst_free(round->steps);
    hst_free(round->met);
}

static int round_add(struct round *round, struct step step)
{
    if (!HST_RESERVE(round->steps, round->step_capacity, round->step_count + 1))
        return 0;
    round->steps[round->step_count++] = step;
    return 1;
}

/* The cycle that edge closes, from its end to its begin. */
static void write_cycle(const struct round *round, uint32_t last, uint32_t edge, uint32_t *ret_edges,
                        size_t max)
{
    for (size_t i = (size_t)round->steps[last].length + 1; i-- > 0;) {
        if (i < max)
            ret_edges[i] = edge;
        edge = round->steps[last].edge;
        last = round->steps[last].before;
    }
}

/* A shortest cycle through start, if it has fewer edges than *best: its length is put there. */
static enum hst_status look_for_shorter(const struct part *part, struct round *round, uint32_t start,
                                        size_t *best, uint32_t *ret_edges, size_t max)
{
    const struct hst_graph *graph = part->graph;
    round->step_count = 0;
    if (!round_add(round, (struct step){.vertex = start}))
        return HST_E_NOMEM;
    for (uint32_t at = 0; at < round->step_count; at++) {
        struct step step = round->steps[at];
        if ((size_t)step.length + 1 >= *best)
            return HST_OK;
        round->looked_at += graph->first[step.vertex + 1] - graph->first[step.vertex];
        for (uint32_t e = graph->first[step.vertex]; e < graph->first[step.vertex + 1]; e++) {
            uint32_t target = graph->targets[e];
            if (target == start) {
                *best = (size_t)step.length + 1;
                write_cycle(round, at, e, ret_edges, max);
                return HST_OK;
            }
            uint32_t *met = is_inside(part, e) ? &round->met[part_find(part, target)] : NULL;
            if (met == NULL || *met == start + 1)
                continue;
            *met = start + 1;
            if (!round_add(round, (struct step){target, e, at, step.length + 1}))
                return HST_E_NOMEM;
        }
    }
    return HST_OK;
}

enum hst_status hst_component_cycle(const struct hst_graph *graph, const struct hst_components *components,
                                    uint32_t component, uint32_t *ret_edges, size_t max, size_t *ret_count)
{
    struct part part = part_of(graph, components, component);
    size_t best = SIZE_MAX;
    HST_CLEANUP(round_release) struct round round = {.met = hst_alloc_zero(part.size, sizeof *round.met)};
    if (round.met == NULL)
        return HST_E_NOMEM;
    for (uint32_t i = 0; i < part.size && (i == 0 || round.looked_at < EDGES_LOOKED_AT); i++)
        HST_TRY(look_for_shorter(&part, &round, part.members[i], &best, ret_edges, max));
    *ret_count = best != SIZE_MAX ? best : 0;
    return HST_OK;
}

/* What is needed to take vertices away that nothing leads to, until none is left or the rest are cycles. */
struct peeling {
    uint32_t *without; /* member -> an edge of it that does not count */
    uint32_t *leading; /* member -> edges that lead to it */
    uint32_t *queue;
};

static void peeling_release(struct peeling *peeling)
{
    hst_free(peeling->without);
    hst_free(peeling->leading);
    hst_free(peeling->queue);
}

static int is_acyclic(const struct part *part, const struct peeling *peeling)
{
    const struct hst_graph *graph = part->graph;
    uint32_t length = 0;
    memset(peeling->leading, 0, part->size * sizeof *peeling->leading);
    for (uint32_t i = 0; i < part->size; i++)
        for (uint32_t v = part->members[i], e = graph->first[v]; e < graph->first[v + 1]; e++)
            if (e != peeling->without[i] && is_inside(part, e))
                peeling->leading[part_find(part, graph->targets[e])]++;
    for (uint32_t i = 0; i < part->size; i++)
        if (peeling->leading[i] == 0)
            peeling->queue[length++] = i;
    for (uint32_t at = 0; at < length; at++) {
        uint32_t i = peeling->queue[at];
        for (uint32_t v = part->members[i], e = graph->first[v]; e < graph->first[v + 1]; e++) {
            if (e == peeling->without[i] || !is_inside(part, e))
                continue;
            uint32_t target = part_find(part, graph->targets[e]);
            if (--peeling->leading[target] == 0)
                peeling->queue[length++] = target;
        }
    }
    return length == part->size;
}

/* One edge that breaks all cycles is an edge of every cycle. So it is looked for in one, and only if the
 * component has none without all edges of that. */
static uint32_t look_for_breaker(const struct part *part, const struct peeling *peeling,
                                 const uint32_t *cycle, size_t count)
{
    const uint32_t *targets = part->graph->targets;
    memset(peeling->without, 0xff, part->size * sizeof *peeling->without); /* HST_GRAPH_NONE */
    for (size_t i = 0; i < count; i++)
        peeling->without[part_find(part, targets[cycle[i]])] = cycle[(i + 1) % count];
    if (!is_acyclic(part, peeling))
        return HST_GRAPH_NONE;
    memset(peeling->without, 0xff, part->size * sizeof *peeling->without);
    for (size_t i = 0; i < count; i++) {
        uint32_t *without = &peeling->without[part_find(part, targets[cycle[(i + count - 1) % count]])];
        *without = cycle[i];
        if (is_acyclic(part, peeling))
            return cycle[i];
        *without = HST_GRAPH_NONE;
    }
    return HST_GRAPH_NONE;
}

enum hst_status hst_component_breaker(const struct hst_graph *graph, const struct hst_components *components,
                                      uint32_t component, size_t limit, uint32_t *ret_edge)
{
    struct part part = part_of(graph, components, component);
    size_t count = 0;
    *ret_edge = HST_GRAPH_NONE;
    if (part.size > limit)
        return HST_OK;
    HST_CLEANUP_FREE uint32_t *cycle = hst_alloc(part.size, sizeof *cycle);
    HST_CLEANUP(peeling_release)
    struct peeling peeling = {.without = hst_alloc(part.size, sizeof *peeling.without),
                              .leading = hst_alloc(part.size, sizeof *peeling.leading),
                              .queue = hst_alloc(part.size, sizeof *peeling.queue)};
    if (cycle == NULL || peeling.without == NULL || peeling.leading == NULL || peeling.queue == NULL)
        return HST_E_NOMEM;
    HST_TRY(hst_component_cycle(graph, components, component, cycle, part.size, &count));
    if (count > 0)
        *ret_edge = look_for_breaker(&part, &peeling, cycle, count);
    return HST_OK;
}
