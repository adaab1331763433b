/* Reads edges backwards. */
#include "analyze/heap_refs.h"

#include <stdlib.h>

#include "base/memory.h"

enum hst_status hst_heap_referrers_find(struct hst_heap_view *view, uint32_t object, size_t max,
                                        uint32_t **ret_edges, size_t *ret_count, size_t *ret_total)
{
    HST_TRY(hst_heap_view_need(view, HST_HEAP_INCOMING | HST_HEAP_PATHS));
    uint32_t begin = view->incoming_first[object], end = view->incoming_first[object + 1];
    size_t total = end - begin, count = 0;
    uint32_t *edges = hst_alloc((total < max ? total : max) + 1, sizeof *edges), path = view->via[object];
    if (edges == NULL)
        return HST_E_NOMEM;
    if (path != HST_HEAP_NONE && max > 0)
        edges[count++] = path;
    for (uint32_t i = begin; i < end && count < max; i++)
        if (view->incoming[i] != path)
            edges[count++] = view->incoming[i];
    *ret_edges = edges;
    *ret_count = count;
    *ret_total = total;
    return HST_OK;
}

/* --- merged paths ------------------------------------------------------------------------------------ */

/* A kind of path: that of the object before, and one more step. */
struct chain {
    uint32_t before; /* of chains; HST_HEAP_NONE: it is a root */
    struct hst_heap_step step;
    uint64_t label;
    uint64_t objects, bytes, retained;
};

struct merging {
    struct hst_heap_view *view;
    struct chain *chains;
    size_t count, capacity;
    struct hst_map by_key;
    uint32_t *of; /* object -> its chain */
    uint32_t *stack;
};

/* What two steps have in common that a person would call the same: the place, without the index of an item or
 * a key that is no name, and the type. */
static uint64_t label_of(const struct hst_heap_view *view, uint32_t object)
{
    const struct hst_heap *heap = view->heap;
    uint32_t edge = view->via[object], source = view->before[object];
    if (edge == HST_HEAP_NONE || heap->places == NULL)
        return hst_mix64((uint64_t)object << 3 | 7); /* each root is its own */
    hst_place place = heap->places[edge];
    enum hst_place_kind kind = hst_place_kind_of(place);
    uint64_t detail = hst_place_index_of(place);
    uint32_t holder = view->via[source];
    if (kind == HST_PLACE_ITEM || kind == HST_PLACE_BUFFER || kind == HST_PLACE_KEY)
        detail = 0;
    else if (kind == HST_PLACE_VALUE) {
        int names = holder != HST_HEAP_NONE ? hst_heap_path_leads_to_names(view, view->before[source], holder)
                                            : hst_heap_view_is_frame_of_program(view, source);
        detail = names ? (uint64_t)hst_heap_path_key(heap, source, edge) + 1 : 0;
    }
    return hst_mix64(hst_mix64((uint64_t)heap->types[object] << 3 | (uint64_t)kind) + detail);
}

static uint32_t chain_for(struct merging *merging, uint32_t object)
{
    struct hst_heap_view *view = merging->view;
    uint64_t label = label_of(view, object);
    uint32_t before =
        view->before[object] != HST_HEAP_NONE ? merging->of[view->before[object]] : HST_HEAP_NONE;
    if (before != HST_HEAP_NONE && merging->chains[before].label == label)
        return before; /* a list of linked objects is one step, however long */
    uint64_t key = hst_mix64(label + before);
    for (;; key++) {
        uint32_t at = hst_map_find(&merging->by_key, key);
        if (at == HST_MAP_ABSENT)
            break;
        if (merging->chains[at].label == label && merging->chains[at].before == before)
            return at;
    }
    if (!HST_RESERVE(merging->chains, merging->capacity, merging->count + 1) ||
        !hst_map_set(&merging->by_key, key, (uint32_t)merging->count))
        return HST_HEAP_NONE;
    merging->chains[merging->count] =
        (struct chain){.before = before, .step = {view->via[object], object}, .label = label};
    return (uint32_t)merging->count++;
}

/* The chain of an object, and before it those of all objects on its path. */
static uint32_t chain_of(struct merging *merging, uint32_t object)
{
    size_t depth = 0;
    for (uint32_t at = object; at != HST_HEAP_NONE && merging->of[at] == HST_HEAP_NONE;
         at = merging->view->before[at])
        merging->stack[depth++] = at;
    while (depth > 0) {
        uint32_t at = merging->stack[--depth], chain = chain_for(merging, at);
        if (chain == HST_HEAP_NONE)
            return HST_HEAP_NONE;
        merging->of[at] = chain;
    }
    return merging->of[object];
}

static int most_objects(const void *a, const void *b)
{
    const struct hst_heap_merged_row *x = a, *y = b;
    if (x->objects != y->objects)
        return x->objects < y->objects ? 1 : -1;
    return x->steps[x->step_count - 1].object < y->steps[y->step_count - 1].object ? -1 : 1;
}

static enum hst_status add_row(struct hst_heap_merged *merged, const struct merging *merging, uint32_t at)
{
    const struct chain *end = &merging->chains[at];
    struct hst_heap_merged_row *row = &merged->rows[merged->count];
    *row =
        (struct hst_heap_merged_row){.objects = end->objects, .bytes = end->bytes, .retained = end->retained};
    for (uint32_t i = at; i != HST_HEAP_NONE; i = merging->chains[i].before)
        row->step_count++;
    row->steps = hst_alloc(row->step_count, sizeof *row->steps);
    if (row->steps == NULL)
        return HST_E_NOMEM;
    merged->count++;
    for (size_t i = row->step_count; i-- > 0; at = merging->chains[at].before)
        row->steps[i] = merging->chains[at].step;
    return HST_OK;
}

static enum hst_status merge(struct hst_heap_merged *merged, struct merging *merging, uint32_t type)
{
    struct hst_heap_view *view = merging->view;
    const struct hst_heap *heap = view->heap;
    for (uint32_t i = 0; i < heap->count; i++)
        merging->of[i] = HST_HEAP_NONE;
    for (uint32_t i = 0; i < heap->count; i++) {
        if (heap->types[i] != type)
            continue;
        merged->objects++;
        if (view->dominators.above[i] == HST_GRAPH_NONE) {
            merged->unreached++;
            continue;
        }
        uint32_t chain = chain_of(merging, i);
        if (chain == HST_HEAP_NONE)
            return HST_E_NOMEM;
        merging->chains[chain].objects++;
        merging->chains[chain].bytes += heap->bytes[i];
        merging->chains[chain].retained += view->retained[i];
    }
    merged->rows = hst_alloc_zero(merging->count + 1, sizeof *merged->rows);
    if (merged->rows == NULL)
        return HST_E_NOMEM;
    for (uint32_t i = 0; i < merging->count; i++)
        if (merging->chains[i].objects > 0)
            HST_TRY(add_row(merged, merging, i));
    if (merged->count > 0)
        qsort(merged->rows, merged->count, sizeof *merged->rows, most_objects);
    return HST_OK;
}

enum hst_status hst_heap_merged_init(struct hst_heap_merged *merged, struct hst_heap_view *view,
                                     uint32_t type)
{
    *merged = (struct hst_heap_merged){0};
    HST_TRY(hst_heap_view_need(view, HST_HEAP_PATHS | HST_HEAP_RETAINED));
    struct merging merging = {.view = view,
                              .of = hst_alloc(view->heap->count + 1, sizeof *merging.of),
                              .stack = hst_alloc(view->heap->count + 1, sizeof *merging.stack)};
    hst_map_init(&merging.by_key);
    enum hst_status status =
        merging.of != NULL && merging.stack != NULL ? merge(merged, &merging, type) : HST_E_NOMEM;
    hst_map_release(&merging.by_key);
    hst_free(merging.of);
    hst_free(merging.stack);
    hst_free(merging.chains);
    if (status != HST_OK)
        hst_heap_merged_release(merged);
    return status;
}

void hst_heap_merged_release(struct hst_heap_merged *merged)
{
    for (size_t i = 0; i < merged->count; i++)
        hst_free(merged->rows[i].steps);
    hst_free(merged->rows);
    *merged = (struct hst_heap_merged){0};
}
