/* Looks at who refers to the members of a set. */
#include "analyze/heap_holders.h"

#include <string.h>

#include "base/memory.h"

enum { CHAIN_MOST = 8 };
#define CHAIN_SHARE 0.4 /* of what the object above retains: so much has the one that is wrapped in it */
#define COMMON_SHARE 0.5

/* The type of most retained bytes in the set. */
static enum hst_status main_type(const struct hst_heap_view *view, const uint32_t *objects, size_t count,
                                 struct hst_heap_gathering *gathering)
{
    const struct hst_heap *heap = view->heap;
    HST_CLEANUP_FREE uint64_t *sums = hst_alloc_zero(heap->type_count + 1, sizeof *sums);
    if (sums == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        sums[heap->types[objects[i]]] += view->retained[objects[i]];
    for (size_t i = 0; i < count; i++) {
        uint32_t type = heap->types[objects[i]];
        if (gathering->type == HST_HEAP_NONE || sums[type] > gathering->retained) {
            gathering->type = type;
            gathering->retained = sums[type];
        }
    }
    for (size_t i = 0; i < count; i++)
        gathering->objects += heap->types[objects[i]] == gathering->type;
    return HST_OK;
}

/* Who refers to most of the members, itself none of them; a member has its index + 1 in marks. */
static uint32_t common_referrer(const struct hst_heap_view *view, const uint8_t *marks, uint64_t wanted)
{
    const struct hst_heap *heap = view->heap;
    uint32_t best = HST_HEAP_NONE;
    uint64_t most = 0;
    for (uint32_t source = 0; source < heap->count; source++) {
        uint64_t hits = 0;
        uint32_t before = HST_HEAP_NONE; /* key and value of an entry may be the same */
        for (uint32_t edge = heap->first[source]; edge < heap->first[source + 1]; edge++) {
            hits += marks[heap->targets[edge]] && heap->targets[edge] != before;
            before = heap->targets[edge];
        }
        if (hits > most && !marks[source]) {
            most = hits;
            best = source;
        }
    }
    return (double)most >= COMMON_SHARE * (double)wanted ? best : HST_HEAP_NONE;
}

static uint64_t direct_hits(const struct hst_heap *heap, uint32_t source, const uint8_t *marks)
{
    uint64_t hits = 0;
    for (uint32_t edge = heap->first[source]; edge < heap->first[source + 1]; edge++)
        hits += marks[heap->targets[edge]];
    return hits;
}

/* A bound method, a tuple, a node of a list wraps what the program knows by name: the type of its own below.
 */
static uint32_t telling_type(const struct hst_heap_view *view, uint32_t object)
{
    uint32_t at = object;
    for (int depth = 0; depth < CHAIN_MOST; depth++) {
        if (!hst_heap_view_is_builtin(view, view->heap->types[at]))
            return view->heap->types[at];
        uint32_t child = hst_heap_view_biggest(view, at);
        if (child == HST_HEAP_NONE ||
            (double)view->retained[child] < CHAIN_SHARE * (double)view->retained[at])
            break;
        at = child;
    }
    return view->heap->types[object];
}

enum hst_status hst_heap_gathering_find(struct hst_heap_view *view, uint32_t above, const uint32_t *objects,
                                        size_t count, struct hst_heap_gathering *ret_gathering)
{
    const struct hst_heap *heap = view->heap;
    struct hst_heap_gathering found = {.type = HST_HEAP_NONE, .holder = HST_HEAP_NONE};
    HST_TRY(main_type(view, objects, count, &found));
    if (above != HST_GRAPH_ROOT)
        found.holder = above;
    if (found.type != HST_HEAP_NONE) {
        HST_CLEANUP_FREE uint8_t *marks = hst_alloc_zero(heap->count + 1, 1);
        uint32_t largest = HST_HEAP_NONE;
        if (marks == NULL)
            return HST_E_NOMEM;
        for (size_t i = 0; i < count; i++) {
            uint32_t object = objects[i];
            if (heap->types[object] != found.type)
                continue;
            marks[object] = 1;
            if (largest == HST_HEAP_NONE || view->retained[object] > view->retained[largest])
                largest = object;
        }
        if (above == HST_GRAPH_ROOT ||
            (double)direct_hits(heap, above, marks) < COMMON_SHARE * (double)found.objects) {
            uint32_t common = common_referrer(view, marks, found.objects);
            if (common != HST_HEAP_NONE)
                found.holder = common;
        }
        found.type = telling_type(view, largest);
    }
    *ret_gathering = found;
    return HST_OK;
}
