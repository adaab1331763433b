/* Computes what is shared, and keeps it. */
#include "analyze/heap_view.h"

#include <string.h>

#include "base/memory.h"

static enum hst_status refuse(struct hst_error *err)
{
    return hst_error_set(err, HST_E_CORRUPT, "the snapshot of the heap does not hold together");
}

static int rows_are_sound(const struct hst_heap *heap)
{
    for (size_t i = 0; i < heap->count; i++)
        if (heap->types[i] >= heap->type_count || (i > 0 && heap->addresses[i - 1] >= heap->addresses[i]))
            return 0;
    for (size_t i = 0; i < heap->root_count; i++)
        if (heap->roots[i].object >= heap->count)
            return 0;
    return 1;
}

/* Each object once; rows of the kinds that say most come first. */
static enum hst_status take_roots(struct hst_heap_view *view)
{
    const struct hst_heap *heap = view->heap;
    HST_CLEANUP_FREE uint8_t *taken = hst_alloc_zero(heap->count + 1, 1);
    view->roots = hst_alloc(heap->root_count + 1, sizeof *view->roots);
    if (taken == NULL || view->roots == NULL)
        return HST_E_NOMEM;
    for (uint32_t kind = HST_ROOT_MODULE; kind <= HST_ROOT_NATIVE; kind++) {
        for (size_t i = 0; i < heap->root_count; i++) {
            uint32_t object = heap->roots[i].object;
            if (heap->roots[i].kind != kind || taken[object])
                continue;
            taken[object] = 1;
            if (!hst_map_set(&view->root_rows, object, (uint32_t)i))
                return HST_E_NOMEM;
            view->roots[view->root_count++] = object;
        }
        if (kind == HST_ROOT_MODULE)
            view->module_count = view->root_count;
        if (kind == HST_ROOT_FRAME)
            view->telling_count = view->root_count;
    }
    return HST_OK;
}

#define BUILTINS "builtins."

int hst_heap_view_is_builtin(const struct hst_heap_view *view, uint32_t type)
{
    const char *name = hst_heap_type_name(view->heap, type);
    return strchr(name, '.') == NULL || strncmp(name, BUILTINS, sizeof BUILTINS - 1) == 0;
}

static uint8_t machinery_of(const char *name)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } known[] = {{"module", HST_HEAP_MODULE}, {"dict", HST_HEAP_DICT},   {"cell", HST_HEAP_CELL},
                 {"str", HST_HEAP_STR},       {"bytes", HST_HEAP_BYTES}, {"int", HST_HEAP_INT},
                 {"code", HST_HEAP_CODE},     {"tuple", HST_HEAP_TUPLE}};
    if (strncmp(name, BUILTINS, sizeof BUILTINS - 1) == 0)
        name += sizeof BUILTINS - 1;
    for (size_t i = 0; i < HST_ARRAY_LENGTH(known); i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].kind;
    return HST_HEAP_PLAIN;
}

static enum hst_status find_modules(struct hst_heap_view *view)
{
    const struct hst_heap *heap = view->heap;
    for (uint32_t i = 0; i < heap->count; i++) {
        if (hst_heap_view_kind(view, i) != HST_HEAP_MODULE)
            continue;
        for (uint32_t edge = heap->first[i]; edge < heap->first[i + 1]; edge++)
            if (hst_heap_view_kind(view, heap->targets[edge]) == HST_HEAP_DICT) {
                if (!hst_map_set(&view->module_dicts, heap->targets[edge], i))
                    return HST_E_NOMEM;
                break; /* its names come first; other dicts would be a subclass's own */
            }
    }
    return HST_OK;
}

enum hst_status hst_heap_view_init(struct hst_heap_view *view, const struct hst_heap *heap,
                                   struct hst_error *err)
{
    *view =
        (struct hst_heap_view){.heap = heap, .graph = {(uint32_t)heap->count, heap->first, heap->targets}};
    if (heap->count > HST_HEAP_OBJECTS_MAX || !rows_are_sound(heap) || !hst_graph_is_sound(&view->graph))
        return refuse(err);
    view->machinery = hst_alloc(heap->type_count + 1, 1);
    for (uint32_t i = 0; i < heap->type_count && view->machinery != NULL; i++)
        view->machinery[i] = machinery_of(hst_heap_type_name(heap, i));
    if (view->machinery == NULL || take_roots(view) != HST_OK || find_modules(view) != HST_OK) {
        hst_heap_view_release(view);
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < heap->count; i++)
        view->all_bytes += heap->bytes[i];
    return HST_OK;
}

void hst_heap_view_release(struct hst_heap_view *view)
{
    void *const owned[] = {view->roots,       view->machinery,      view->retained,
                           view->child_first, view->children,       view->before,
                           view->via,         view->incoming_first, view->incoming};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(owned); i++)
        hst_free(owned[i]);
    hst_dominators_release(&view->dominators);
    hst_map_release(&view->module_dicts);
    hst_map_release(&view->root_rows);
    *view = (struct hst_heap_view){0};
}

static enum hst_status find_retained(struct hst_heap_view *view)
{
    const struct hst_heap *heap = view->heap;
    HST_TRY(hst_dominators_find(&view->graph, view->roots, view->root_count, &view->dominators));
    uint64_t *retained = hst_alloc(heap->count + 1, sizeof *retained);
    if (retained == NULL) {
        hst_dominators_release(&view->dominators);
        return HST_E_NOMEM;
    }
    hst_dominators_sum(&view->dominators, heap->bytes, retained);
    for (size_t i = 0; i < heap->count; i++)
        if (view->dominators.above[i] != HST_GRAPH_NONE)
            view->reached_bytes += heap->bytes[i];
    view->retained = retained;
    return HST_OK;
}

/* By counting: the children of each object lie together, in order of ids. */
static enum hst_status find_children(struct hst_heap_view *view)
{
    size_t count = view->heap->count;
    uint32_t *first = hst_alloc_zero(count + 3, sizeof *first);
    uint32_t *children = hst_alloc(count + 1, sizeof *children);
    if (first == NULL || children == NULL) {
        hst_free(first);
        hst_free(children);
        return HST_E_NOMEM;
    }
    const uint32_t *above = view->dominators.above;
    for (size_t i = 0; i < count; i++)
        if (above[i] != HST_GRAPH_NONE)
            first[(above[i] == HST_GRAPH_ROOT ? count : above[i]) + 2]++;
    for (size_t i = 2; i < count + 3; i++)
        first[i] += first[i - 1];
    for (uint32_t i = 0; i < count; i++)
        if (above[i] != HST_GRAPH_NONE)
            children[first[(above[i] == HST_GRAPH_ROOT ? count : above[i]) + 1]++] = i;
    view->child_first = first;
    view->children = children;
    return HST_OK;
}

/* The edge by which a path comes to an object: of several between the same two, one that is no key. */
static void find_via(struct hst_heap_view *view)
{
    const struct hst_heap *heap = view->heap;
    for (uint32_t source = 0; source < heap->count; source++)
        for (uint32_t edge = heap->first[source]; edge < heap->first[source + 1]; edge++) {
            uint32_t target = heap->targets[edge], old = view->via[target];
            if (view->before[target] == source && target != source &&
                (old == HST_HEAP_NONE ||
                 (heap->places != NULL && hst_place_kind_of(heap->places[old]) == HST_PLACE_KEY &&
                  hst_place_kind_of(heap->places[edge]) != HST_PLACE_KEY)))
                view->via[target] = edge;
        }
}

/* From modules where such a path exists, else from frames too, else from all roots: what one walk does not
 * reach has nothing before it that it does reach, so that the walks fit together. */
static enum hst_status find_before(const struct hst_heap_view *view, uint32_t *before)
{
    const size_t counts[] = {view->telling_count, view->root_count};
    size_t count = view->heap->count;
    HST_CLEANUP_FREE uint32_t *more = hst_alloc(count + 1, sizeof *more);
    if (more == NULL)
        return HST_E_NOMEM;
    HST_TRY(hst_graph_shortest(&view->graph, view->roots, view->module_count, before));
    for (size_t walk = 0; walk < HST_ARRAY_LENGTH(counts); walk++) {
        HST_TRY(hst_graph_shortest(&view->graph, view->roots, counts[walk], more));
        for (size_t i = 0; i < count; i++)
            if (before[i] == HST_GRAPH_NONE)
                before[i] = more[i];
    }
    return HST_OK;
}

static enum hst_status find_paths(struct hst_heap_view *view)
{
    size_t count = view->heap->count;
    uint32_t *before = hst_alloc(count + 1, sizeof *before);
    uint32_t *via = hst_alloc(count + 1, sizeof *via);
    enum hst_status status = before != NULL && via != NULL ? find_before(view, before) : HST_E_NOMEM;
    if (status != HST_OK) {
        hst_free(before);
        hst_free(via);
        return status;
    }
    memset(via, 0xff, (count + 1) * sizeof *via);
    view->before = before;
    view->via = via;
    find_via(view);
    for (uint32_t i = 0; i < count; i++)
        if (before[i] == i)
            before[i] = HST_HEAP_NONE;
    return HST_OK;
}

/* By counting. */
static enum hst_status find_incoming(struct hst_heap_view *view)
{
    const struct hst_heap *heap = view->heap;
    uint32_t edges = heap->first[heap->count];
    uint32_t *first = hst_alloc_zero(heap->count + 3, sizeof *first);
    uint32_t *incoming = hst_alloc((size_t)edges + 1, sizeof *incoming);
    if (first == NULL || incoming == NULL) {
        hst_free(first);
        hst_free(incoming);
        return HST_E_NOMEM;
    }
    for (uint32_t edge = 0; edge < edges; edge++)
        first[heap->targets[edge] + 2]++;
    for (size_t i = 2; i <= heap->count; i++)
        first[i] += first[i - 1];
    for (uint32_t edge = 0; edge < edges; edge++)
        incoming[first[heap->targets[edge] + 1]++] = edge;
    view->incoming_first = first;
    view->incoming = incoming;
    return HST_OK;
}

enum hst_status hst_heap_view_need(struct hst_heap_view *view, unsigned needs)
{
    if ((needs & (HST_HEAP_RETAINED | HST_HEAP_CHILDREN)) != 0 && view->retained == NULL)
        HST_TRY(find_retained(view));
    if ((needs & HST_HEAP_CHILDREN) != 0 && view->children == NULL)
        HST_TRY(find_children(view));
    if ((needs & HST_HEAP_PATHS) != 0 && view->before == NULL)
        HST_TRY(find_paths(view));
    if ((needs & HST_HEAP_INCOMING) != 0 && view->incoming == NULL)
        HST_TRY(find_incoming(view));
    return HST_OK;
}

const uint32_t *hst_heap_view_children(const struct hst_heap_view *view, uint32_t object, size_t *ret_count)
{
    size_t at = object == HST_GRAPH_ROOT ? view->heap->count : object;
    *ret_count = view->child_first[at + 1] - view->child_first[at];
    return view->children + view->child_first[at];
}

uint32_t hst_heap_view_biggest(const struct hst_heap_view *view, uint32_t object)
{
    size_t count;
    const uint32_t *children = hst_heap_view_children(view, object, &count);
    uint32_t best = HST_HEAP_NONE;
    for (size_t i = 0; i < count; i++)
        if (best == HST_HEAP_NONE || view->retained[children[i]] > view->retained[best])
            best = children[i];
    return best;
}

uint32_t hst_heap_view_descend(const struct hst_heap_view *view, uint32_t object, double share)
{
    for (;;) { /* ends: each step goes down in a tree */
        uint32_t child = hst_heap_view_biggest(view, object);
        if (child == HST_HEAP_NONE || (double)view->retained[child] < share * (double)view->retained[object])
            return object;
        object = child;
    }
}

const struct hst_heap_root *hst_heap_view_root(const struct hst_heap_view *view, uint32_t object)
{
    uint32_t row = hst_map_find(&view->root_rows, object);
    return row != HST_MAP_ABSENT ? &view->heap->roots[row] : NULL;
}

int hst_heap_view_is_frame_of_program(const struct hst_heap_view *view, uint32_t object)
{
    int kind = hst_heap_view_kind(view, object);
    if (kind != HST_HEAP_DICT)
        return kind == HST_HEAP_MODULE;
    if (hst_map_find(&view->module_dicts, object) != HST_MAP_ABSENT)
        return 1;
    const struct hst_heap_root *root = hst_heap_view_root(view, object);
    return root != NULL && root->kind == HST_ROOT_MODULE;
}
