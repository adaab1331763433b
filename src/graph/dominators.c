/* Semi-NCA (Georgiadis): a search in depth numbers the vertices, the semidominator of each is found backwards
 * in that order, and its dominator forwards, as the nearest one above its parent that is not below the
 * semidominator.  All but the search works on these numbers, so that what belongs together lies together.
 *
 * Three things differ from the textbook. A tree edge or one to a descendant says what it has to say in the
 * search; only the others are kept, as a list for each vertex. A vertex that a root edge leads to is
 * dominated by nothing else, so what else leads to it is not kept: in a heap those are the vertices with
 * millions of holders. And the last step climbs by skips: one vertex after another, two long lists of the
 * same objects would take the square of their length. */
#include "graph/dominators.h"

#include <string.h>

#include "base/memory.h"

/* In number, besides places: the virtual root has place 0, so no vertex has. */
#define NOT_MET 0u
#define ROOT_NOT_MET UINT32_MAX

enum { AHEAD = 8 }; /* so far ahead memory is asked for what comes next: most of the time goes into waiting */

/* An edge from a place to a lower one that is not above it in the tree, or to one that is: a list for each
 * place that such edges lead to. */
struct crossing {
    uint32_t from, next;
};

/* Where the search goes on when what it found last is done. */
struct branch {
    uint32_t place, edge, end;
};

/* A place's link while semidominators are found: to a place above, with the least semidominator from here up
 * to there, which is not included. */
struct link {
    uint32_t above, least;
};

/* Afterwards: a dominator further up, so chosen that every other one is found in logarithmic time. */
struct skip {
    uint32_t to, depth;
};

/* Arrays by place are reached + 1 long in use; place p is the vertex order[p - 1]. */
struct search {
    const struct hst_graph *graph;
    uint32_t reached;
    uint32_t *number; /* vertex -> place; gone after the search */
    uint32_t *order;
    uint32_t *parent;    /* place -> place in the tree of the search; at the end its dominator */
    uint32_t *semi;      /* place -> semidominator, as far as it is known */
    uint32_t *entrances; /* place -> first of its crossings */
    struct crossing *crossings;
    struct branch *branches;
    struct link *links;
    size_t crossing_count, crossing_capacity, branch_count, branch_capacity;
};

static void search_release(struct search *search)
{
    void *const owned[] = {search->number,    search->order,     search->parent,   search->semi,
                           search->entrances, search->crossings, search->branches, search->links};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(owned); i++)
        hst_free(owned[i]);
}

/* Gives a vertex its place and makes it the newest branch, if it leads anywhere. */
static int enter(struct search *search, uint32_t vertex, uint32_t parent)
{
    const struct hst_graph *graph = search->graph;
    uint32_t place = ++search->reached, edge = graph->first[vertex], end = graph->first[vertex + 1];
    search->semi[place] = search->number[vertex] == ROOT_NOT_MET ? 0 : parent;
    search->number[vertex] = place;
    search->order[place - 1] = vertex;
    search->parent[place] = parent;
    search->entrances[place] = HST_GRAPH_NONE;
    if (edge == end)
        return 1;
    for (uint32_t e = edge; e < end && e - edge < AHEAD; e++) {
        __builtin_prefetch(&search->number[graph->targets[e]]);
        __builtin_prefetch(&graph->first[graph->targets[e]]);
    }
    if (!HST_RESERVE(search->branches, search->branch_capacity, search->branch_count + 1))
        return 0;
    search->branches[search->branch_count++] = (struct branch){place, edge, end};
    return 1;
}

static int follow(struct search *search, uint32_t from, uint32_t target)
{
    uint32_t met = search->number[target];
    if (met == NOT_MET || met == ROOT_NOT_MET)
        return enter(search, target, from);
    if (met > from && search->semi[met] > from) /* a descendant: what is met later lies below */
        search->semi[met] = from;
    if (met >= from || search->semi[met] == 0)
        return 1;
    if (!HST_RESERVE(search->crossings, search->crossing_capacity, search->crossing_count + 1))
        return 0;
    search->crossings[search->crossing_count] = (struct crossing){from, search->entrances[met]};
    search->entrances[met] = (uint32_t)search->crossing_count++;
    return 1;
}

static enum hst_status search_from(struct search *search, uint32_t root)
{
    if (!enter(search, root, 0))
        return HST_E_NOMEM;
    while (search->branch_count > 0) {
        struct branch *last = &search->branches[search->branch_count - 1];
        uint32_t from = last->place, target = search->graph->targets[last->edge++];
        if (last->edge == last->end)
            search->branch_count--;
        if (!follow(search, from, target))
            return HST_E_NOMEM;
    }
    return HST_OK;
}

static enum hst_status search_all(struct search *search, const uint32_t *roots, size_t root_count)
{
    size_t count = search->graph->count;
    search->number = hst_alloc_zero(count, sizeof *search->number);
    search->order = hst_alloc(count, sizeof *search->order);
    search->parent = hst_alloc(count + 1, sizeof *search->parent);
    search->semi = hst_alloc(count + 1, sizeof *search->semi);
    search->entrances = hst_alloc(count + 1, sizeof *search->entrances);
    if (search->number == NULL || search->order == NULL || search->parent == NULL || search->semi == NULL ||
        search->entrances == NULL)
        return HST_E_NOMEM;
    for (size_t r = 0; r < root_count; r++)
        search->number[roots[r]] = ROOT_NOT_MET;
    for (size_t r = 0; r < root_count; r++)
        if (search->number[roots[r]] == ROOT_NOT_MET)
            HST_TRY(search_from(search, roots[r]));
    hst_free(HST_TAKE(search->number));
    hst_free(HST_TAKE(search->branches));
    return HST_OK;
}

/* The least semidominator from place up to, without it, the first one that has no link: those not above done.
 * Lets all links on the way lead there. They are turned around on the way up, to find back. */
static uint32_t least_above(struct link *links, uint32_t place, uint32_t done)
{
    uint32_t below = 0;
    while (links[place].above > done) {
        uint32_t above = links[place].above;
        links[place].above = below;
        below = place;
        place = above;
    }
    uint32_t top = links[place].above, least = links[place].least;
    while (below != 0) {
        place = below;
        below = links[place].above;
        if (links[place].least < least)
            least = links[place].least;
        links[place] = (struct link){top, least};
    }
    return least;
}

static enum hst_status find_semidominators(struct search *search)
{
    const struct crossing *crossings = search->crossings;
    struct link *links = search->links = hst_alloc((size_t)search->reached + 1, sizeof *links);
    if (links == NULL)
        return HST_E_NOMEM;
    for (uint32_t place = search->reached; place > 0; place--) {
        uint32_t least = search->semi[place], c = search->entrances[place];
        if (place > 2 * AHEAD && search->entrances[place - 2 * AHEAD] != HST_GRAPH_NONE)
            __builtin_prefetch(&crossings[search->entrances[place - 2 * AHEAD]]);
        if (place > AHEAD && search->entrances[place - AHEAD] != HST_GRAPH_NONE)
            __builtin_prefetch(&links[crossings[search->entrances[place - AHEAD]].from]);
        for (; c != HST_GRAPH_NONE && least > 0; c = crossings[c].next) {
            uint32_t other = least_above(links, crossings[c].from, place);
            least = other < least ? other : least;
        }
        search->semi[place] = least;
        links[place] = (struct link){search->parent[place], least};
    }
    hst_free(HST_TAKE(search->links));
    hst_free(HST_TAKE(search->crossings));
    hst_free(HST_TAKE(search->entrances));
    return HST_OK;
}

/* Makes each parent a dominator. A skip is as long as the two behind it if those are equally long, else it is
 * a single step: so the lengths are those of the digits of a skew binary number. */
static enum hst_status climb_to_dominators(struct search *search)
{
    HST_CLEANUP_FREE struct skip *skips = hst_alloc((size_t)search->reached + 1, sizeof *skips);
    if (skips == NULL)
        return HST_E_NOMEM;
    skips[0] = (struct skip){0, 0};
    for (uint32_t place = 1; place <= search->reached; place++) {
        uint32_t at = search->parent[place], semi = search->semi[place];
        while (at > semi)
            at = skips[at].to > semi ? skips[at].to : search->parent[at];
        search->parent[place] = at;
        struct skip first = skips[at], second = skips[first.to];
        int equal = first.depth - second.depth == second.depth - skips[second.to].depth;
        skips[place] = (struct skip){equal ? second.to : at, first.depth + 1};
    }
    hst_free(HST_TAKE(search->semi));
    return HST_OK;
}

static enum hst_status name_dominators(struct search *search, struct hst_dominators *ret_dominators)
{
    uint32_t count = search->graph->count, *above = hst_alloc(count, sizeof *above);
    if (above == NULL)
        return HST_E_NOMEM;
    memset(above, 0xff, count * sizeof *above); /* HST_GRAPH_NONE */
    for (uint32_t place = 1; place <= search->reached; place++) {
        uint32_t dominator = search->parent[place];
        above[search->order[place - 1]] = dominator == 0 ? HST_GRAPH_ROOT : search->order[dominator - 1];
    }
    *ret_dominators = (struct hst_dominators){
        .count = count, .above = above, .order = HST_TAKE(search->order), .reached = search->reached};
    return HST_OK;
}

enum hst_status hst_dominators_find(const struct hst_graph *graph, const uint32_t *roots, size_t root_count,
                                    struct hst_dominators *ret_dominators)
{
    HST_CLEANUP(search_release) struct search search = {.graph = graph};
    HST_TRY(search_all(&search, roots, root_count));
    HST_TRY(find_semidominators(&search));
    HST_TRY(climb_to_dominators(&search));
    return name_dominators(&search, ret_dominators);
}

void hst_dominators_release(struct hst_dominators *dominators)
{
    hst_free(dominators->above);
    hst_free(dominators->order);
    *dominators = (struct hst_dominators){0};
}

void hst_dominators_sum(const struct hst_dominators *dominators, const uint64_t *weights, uint64_t *ret_sums)
{
    const uint32_t *above = dominators->above, *order = dominators->order;
    for (uint32_t v = 0; v < dominators->count; v++)
        ret_sums[v] = above[v] != HST_GRAPH_NONE ? weights[v] : 0;
    for (uint32_t i = dominators->reached; i-- > 0;) {
        if (i >= 2 * AHEAD) {
            __builtin_prefetch(&above[order[i - 2 * AHEAD]]);
            __builtin_prefetch(&ret_sums[order[i - 2 * AHEAD]]);
        }
        if (above[order[i]] != HST_GRAPH_ROOT)
            ret_sums[above[order[i]]] += ret_sums[order[i]];
    }
}
