/* Counts components by the types that they are of. */
#include "analyze/heap_cycles.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/components.h"

enum { BREAKER_LIMIT = 5000 };
#define TYPE_OF_TYPES (UINT64_C(1) << 31) /* Py_TPFLAGS_TYPE_SUBCLASS: its objects are classes */

struct counting {
    struct hst_heap_view *view;
    struct hst_components components;
    struct hst_heap_cycles *cycles;
    size_t capacity;
    struct hst_map by_signature;
    uint32_t *types; /* of the component at hand */
    uint64_t *bytes; /* by row: of its largest group */
    size_t bytes_capacity;
};

static int by_name(const void *a, const void *b, void *context)
{
    const struct hst_heap *heap = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = strcmp(hst_heap_type_name(heap, x), hst_heap_type_name(heap, y));
    return order != 0 ? order : x < y ? -1 : x > y;
}

/* The distinct types of a component, in order of their names; types is long enough for one a type. */
static size_t types_of(struct counting *counting, uint32_t component, uint8_t *seen)
{
    const struct hst_heap *heap = counting->view->heap;
    const struct hst_components *components = &counting->components;
    size_t count = 0;
    for (uint32_t i = components->first[component]; i < components->first[component + 1]; i++) {
        uint32_t type = heap->types[components->members[i]];
        if (!seen[type]) {
            seen[type] = 1;
            counting->types[count++] = type;
        }
    }
    for (size_t i = 0; i < count; i++)
        seen[counting->types[i]] = 0;
    qsort_r(counting->types, count, sizeof *counting->types, by_name, (void *)(uintptr_t)heap);
    return count;
}

static struct hst_heap_cycle_row *row_for(struct counting *counting, size_t type_count, int garbage)
{
    struct hst_heap_cycles *cycles = counting->cycles;
    uint64_t key = hst_hash_bytes(counting->types, type_count * sizeof *counting->types, (uint64_t)garbage);
    uint32_t at = hst_map_find(&counting->by_signature, key);
    if (at != HST_MAP_ABSENT)
        return &cycles->rows[at];
    if (!HST_RESERVE(cycles->rows, counting->capacity, cycles->count + 1) ||
        !HST_RESERVE(counting->bytes, counting->bytes_capacity, cycles->count + 1) ||
        !hst_map_set(&counting->by_signature, key, (uint32_t)cycles->count))
        return NULL;
    struct hst_heap_cycle_row *row = &cycles->rows[cycles->count];
    counting->bytes[cycles->count++] = 0;
    *row = (struct hst_heap_cycle_row){
        .type_count = type_count, .garbage = garbage, .example = HST_HEAP_NONE, .breaker = HST_HEAP_NONE};
    for (size_t i = 0; i < type_count && i < HST_HEAP_CYCLE_TYPES; i++)
        row->types[i] = counting->types[i];
    return row;
}

/* A class reaches itself by its __mro__, and by all that it defines: every class is such a group, and stays
 * one. */
static int is_classes(const struct hst_heap_view *view, const uint32_t *members, size_t count)
{
    const struct hst_heap *heap = view->heap;
    int has_class = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t type = heap->types[members[i]];
        int is_class = (heap->type_rows[type].flags & TYPE_OF_TYPES) != 0;
        if (!is_class && !hst_heap_view_is_builtin(view, type))
            return 0;
        has_class |= is_class;
    }
    return has_class && view->dominators.above[members[0]] != HST_GRAPH_NONE;
}

static void count_classes(struct counting *counting, const uint32_t *members, size_t count)
{
    counting->cycles->class_groups++;
    for (size_t i = 0; i < count; i++)
        counting->cycles->class_bytes += counting->view->heap->bytes[members[i]];
}

static enum hst_status count_component(struct counting *counting, uint32_t component, uint8_t *seen)
{
    const struct hst_heap *heap = counting->view->heap;
    const struct hst_components *components = &counting->components;
    struct hst_heap_cycles *cycles = counting->cycles;
    uint32_t begin = components->first[component], end = components->first[component + 1];
    int garbage = counting->view->dominators.above[components->members[begin]] == HST_GRAPH_NONE;
    struct hst_heap_cycle_row *row = row_for(counting, types_of(counting, component, seen), garbage);
    uint64_t bytes = 0;
    if (row == NULL)
        return HST_E_NOMEM;
    for (uint32_t i = begin; i < end; i++)
        bytes += heap->bytes[components->members[i]];
    uint64_t *largest = &counting->bytes[row - cycles->rows];
    if (row->example == HST_HEAP_NONE || bytes > *largest) {
        *largest = bytes;
        row->example = components->members[begin];
        row->component = component;
    }
    row->groups++;
    row->objects += end - begin;
    row->bytes += bytes;
    cycles->groups++;
    cycles->objects += end - begin;
    cycles->bytes += bytes;
    cycles->garbage_groups += (uint64_t)garbage;
    cycles->garbage_bytes += garbage ? bytes : 0;
    return HST_OK;
}

static int garbage_first(const void *a, const void *b)
{
    const struct hst_heap_cycle_row *x = a, *y = b;
    if (x->garbage != y->garbage)
        return y->garbage - x->garbage;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->example < y->example ? -1 : 1;
}

static enum hst_status count_all(struct counting *counting, size_t detailed)
{
    struct hst_heap_view *view = counting->view;
    struct hst_heap_cycles *cycles = counting->cycles;
    const struct hst_components *components = &counting->components;
    HST_CLEANUP_FREE uint8_t *seen = hst_alloc_zero(view->heap->type_count + 1, 1);
    if (seen == NULL)
        return HST_E_NOMEM;
    for (uint32_t i = 0; i < components->count; i++) {
        const uint32_t *members = components->members + components->first[i];
        size_t count = components->first[i + 1] - components->first[i];
        if (count > 1 && is_classes(view, members, count))
            count_classes(counting, members, count);
        else if (count > 1)
            HST_TRY(count_component(counting, i, seen));
    }
    if (cycles->count > 0)
        qsort(cycles->rows, cycles->count, sizeof *cycles->rows, garbage_first);
    for (size_t i = 0; i < cycles->count && i < detailed; i++) {
        struct hst_heap_cycle_row *row = &cycles->rows[i];
        HST_TRY(
            hst_component_breaker(&view->graph, components, row->component, BREAKER_LIMIT, &row->breaker));
        HST_TRY(hst_component_cycle(&view->graph, components, row->component, row->edges,
                                    HST_HEAP_CYCLE_EDGES, &row->edge_count));
    }
    return HST_OK;
}

enum hst_status hst_heap_cycles_init(struct hst_heap_cycles *cycles, struct hst_heap_view *view,
                                     size_t detailed)
{
    *cycles = (struct hst_heap_cycles){0};
    struct counting counting = {.view = view, .cycles = cycles};
    HST_TRY(hst_heap_view_need(view, HST_HEAP_RETAINED));
    HST_TRY(hst_components_find(&view->graph, &counting.components));
    hst_map_init(&counting.by_signature);
    counting.types = hst_alloc(view->heap->type_count + 1, sizeof *counting.types);
    enum hst_status status = counting.types != NULL ? count_all(&counting, detailed) : HST_E_NOMEM;
    hst_components_release(&counting.components);
    hst_map_release(&counting.by_signature);
    hst_free(counting.types);
    hst_free(counting.bytes);
    if (status != HST_OK)
        hst_heap_cycles_release(cycles);
    return status;
}

void hst_heap_cycles_release(struct hst_heap_cycles *cycles)
{
    hst_free(cycles->rows);
    *cycles = (struct hst_heap_cycles){0};
}
