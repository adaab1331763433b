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

static uint64_t hits(const struct hst_heap *heap, uint32_t source, const uint8_t *marks)
{
    uint64_t count = 0;
    uint32_t before = HST_HEAP_NONE; /* key and value of an entry may be the same */
    for (uint32_t edge = heap->first[source]; edge < heap->first[source + 1]; edge++) {
        count += marks[heap->targets[edge]] && heap->targets[edge] != before;
        before = heap->targets[edge];
    }
    return count;
}

/* Who refers to most of the members, and is none itself: what dominates them, unless another refers to more.
 */
static uint32_t main_referrer(const struct hst_heap *heap, uint32_t above, const uint8_t *marks,
                              uint64_t members)
{
    uint32_t best = above != HST_GRAPH_ROOT ? above : HST_HEAP_NONE;
    uint64_t most = best != HST_HEAP_NONE ? hits(heap, best, marks) : 0;
    for (uint32_t source = 0; source < heap->count; source++) {
        uint64_t count = marks[source] ? 0 : hits(heap, source, marks);
        if (count > most && (double)count >= COMMON_SHARE * (double)members) {
            most = count;
            best = source;
        }
    }
    return best;
}

/* The largest of those children that are of the type of most retained bytes; *ret_retained: of them all. */
static uint32_t main_child(const struct hst_heap_view *view, uint32_t object, uint64_t *sums,
                           uint64_t *ret_retained)
{
    size_t count;
    const uint32_t *children = hst_heap_view_children(view, object, &count), *types = view->heap->types;
    uint32_t best = HST_HEAP_NONE;
    for (size_t i = 0; i < count; i++)
        sums[types[children[i]]] += view->retained[children[i]];
    for (size_t i = 0; i < count; i++)
        if (best == HST_HEAP_NONE || sums[types[children[i]]] > sums[types[best]] ||
            (types[children[i]] == types[best] && view->retained[children[i]] > view->retained[best]))
            best = children[i];
    *ret_retained = best != HST_HEAP_NONE ? sums[types[best]] : 0;
    for (size_t i = 0; i < count; i++)
        sums[types[children[i]]] = 0;
    return best;
}

/* A bound method, a tuple, a list wraps what the program knows by name: the object of a type of its own
 * below. */
static enum hst_status find_telling(const struct hst_heap_view *view, uint32_t object, uint32_t *ret_object)
{
    HST_CLEANUP_FREE uint64_t *sums = hst_alloc_zero(view->heap->type_count + 1, sizeof *sums);
    uint32_t at = object;
    if (sums == NULL)
        return HST_E_NOMEM;
    *ret_object = object;
    for (int depth = 0; depth < CHAIN_MOST; depth++) {
        if (!hst_heap_view_is_builtin(view, view->heap->types[at])) {
            *ret_object = at;
            break;
        }
        uint64_t kept;
        uint32_t child = main_child(view, at, sums, &kept);
        if (child == HST_HEAP_NONE || (double)kept < CHAIN_SHARE * (double)view->retained[at])
            break;
        at = child;
    }
    return HST_OK;
}

enum hst_status hst_heap_gathering_find(struct hst_heap_view *view, uint32_t above, const uint32_t *objects,
                                        size_t count, struct hst_heap_gathering *ret_gathering)
{
    const struct hst_heap *heap = view->heap;
    struct hst_heap_gathering found = {
        .type = HST_HEAP_NONE, .holder = HST_HEAP_NONE, .example = HST_HEAP_NONE};
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
        found.holder = main_referrer(heap, above, marks, found.objects);
        HST_TRY(find_telling(view, largest, &found.example));
        found.wrapped = found.type;
        found.type = heap->types[found.example];
    }
    *ret_gathering = found;
    return HST_OK;
}
