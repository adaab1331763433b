/* Adds up. */
#include "analyze/heap_by_type.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

const char *const hst_heap_sort_names[] = {"bytes", "retained", "objects", "name", NULL};

struct order {
    enum hst_heap_sort sort;
    const struct hst_heap *heap;
};

static int descending(uint64_t a, uint64_t b) { return a < b ? 1 : a > b ? -1 : 0; }

static int compare(const void *a, const void *b, void *context)
{
    const struct hst_heap_type_row *x = a, *y = b;
    const struct order *order = context;
    int result = 0;
    if (order->sort == HST_HEAP_SORT_RETAINED)
        result = descending(x->retained, y->retained);
    else if (order->sort == HST_HEAP_SORT_OBJECTS)
        result = descending(x->objects, y->objects);
    if (result == 0 && order->sort != HST_HEAP_SORT_NAME)
        result = descending(x->bytes, y->bytes);
    if (result == 0)
        result = strcmp(hst_heap_type_name(order->heap, x->type), hst_heap_type_name(order->heap, y->type));
    return result != 0 ? result : x->type < y->type ? -1 : x->type > y->type;
}

enum hst_status hst_heap_set_retained(struct hst_heap_view *view, const uint8_t *marked, uint64_t *ret_bytes)
{
    const struct hst_heap *heap = view->heap;
    HST_TRY(hst_heap_view_need(view, HST_HEAP_RETAINED));
    HST_CLEANUP_FREE uint8_t *reached = hst_alloc_zero(heap->count + 1, 1);
    if (reached == NULL)
        return HST_E_NOMEM;
    HST_TRY(hst_graph_reach(&view->graph, view->roots, view->root_count, marked, reached));
    *ret_bytes = 0;
    for (size_t i = 0; i < heap->count; i++)
        if (!reached[i] && view->dominators.above[i] != HST_GRAPH_NONE)
            *ret_bytes += heap->bytes[i];
    return HST_OK;
}

/* What the objects of each type dominate, what lies below another object of the type once: down the tree,
 * with a count for each type of how many of its objects are above. */
static enum hst_status add_dominated(struct hst_heap_view *view, struct hst_heap_type_row *by_type)
{
    const struct hst_heap *heap = view->heap;
    HST_TRY(hst_heap_view_need(view, HST_HEAP_CHILDREN));
    HST_CLEANUP_FREE uint32_t *open = hst_alloc_zero(heap->type_count + 1, sizeof *open);
    HST_CLEANUP_FREE uint32_t *stack = hst_alloc(heap->count + 1, sizeof *stack);
    HST_CLEANUP_FREE uint32_t *next = hst_alloc(heap->count + 2, sizeof *next);
    if (open == NULL || stack == NULL || next == NULL)
        return HST_E_NOMEM;
    memcpy(next, view->child_first, (heap->count + 2) * sizeof *next);
    size_t depth = 0;
    for (;;) { /* each object is pushed once: it has one dominator */
        uint32_t object = depth > 0 ? stack[depth - 1] : (uint32_t)heap->count;
        if (next[object] < view->child_first[object + 1]) {
            uint32_t child = view->children[next[object]++], type = heap->types[child];
            if (open[type]++ == 0)
                by_type[type].retained += view->retained[child];
            stack[depth++] = child;
        } else if (depth > 0) {
            open[heap->types[object]]--;
            depth--;
        } else {
            return HST_OK;
        }
    }
}

static enum hst_status make_exact(struct hst_heap_by_type *types, struct hst_heap_view *view, size_t count)
{
    const struct hst_heap *heap = view->heap;
    HST_CLEANUP_FREE uint8_t *marked = hst_alloc(heap->count + 1, 1);
    if (marked == NULL)
        return HST_E_NOMEM;
    for (size_t r = 0; r < types->count && r < count; r++) {
        struct hst_heap_type_row *row = &types->rows[r];
        for (size_t i = 0; i < heap->count; i++)
            marked[i] = heap->types[i] == row->type;
        HST_TRY(hst_heap_set_retained(view, marked, &row->retained));
        row->exact = 1;
    }
    return HST_OK;
}

static enum hst_status fill(struct hst_heap_by_type *types, struct hst_heap_view *view,
                            enum hst_heap_sort sort, size_t exact)
{
    const struct hst_heap *heap = view->heap;
    struct order order = {sort, heap};
    for (uint32_t i = 0; i < heap->type_count; i++)
        types->rows[i].type = i;
    for (size_t i = 0; i < heap->count; i++) {
        types->rows[heap->types[i]].objects++;
        types->rows[heap->types[i]].bytes += heap->bytes[i];
    }
    types->objects = heap->count;
    types->bytes = view->all_bytes;
    HST_TRY(add_dominated(view, types->rows));
    for (size_t i = 0; i < heap->type_count; i++)
        if (types->rows[i].objects > 0)
            types->rows[types->count++] = types->rows[i];
    qsort_r(types->rows, types->count, sizeof *types->rows, compare, &order);
    HST_TRY(make_exact(types, view, exact));
    qsort_r(types->rows, types->count < exact ? types->count : exact, sizeof *types->rows, compare, &order);
    return HST_OK;
}

enum hst_status hst_heap_by_type_init(struct hst_heap_by_type *types, struct hst_heap_view *view,
                                      enum hst_heap_sort sort, size_t exact)
{
    *types =
        (struct hst_heap_by_type){.rows = hst_alloc_zero(view->heap->type_count + 1, sizeof *types->rows)};
    enum hst_status status = types->rows != NULL ? fill(types, view, sort, exact) : HST_E_NOMEM;
    if (status != HST_OK)
        hst_heap_by_type_release(types);
    return status;
}

void hst_heap_by_type_release(struct hst_heap_by_type *types)
{
    hst_free(types->rows);
    *types = (struct hst_heap_by_type){0};
}
