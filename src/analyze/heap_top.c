/* Chooses what is worth a row. */
#include "analyze/heap_top.h"

#include <stdlib.h>

#include "base/memory.h"

enum { GROUPS = 6, ALIKE = 4 }; /* rows of groups below one parent; so many siblings of a type are a group */
#define ROW_SHARE 0.05 /* of the parent's: a child with less is no row of its own among many like it */
#define DEEPER 0.01    /* of the whole tree's: below that, nobody goes on */

static int by_retained(const void *a, const void *b, void *context)
{
    const struct hst_heap_view *view = context;
    uint64_t x = view->retained[*(const uint32_t *)a], y = view->retained[*(const uint32_t *)b];
    if (x != y)
        return x < y ? 1 : -1;
    return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

/* Whether the object begins a chain: its dominator holds more than this, or is no holder that says anything.
 */
static int begins(const struct hst_heap_view *view, uint32_t object)
{
    uint32_t above = view->dominators.above[object];
    if (above == HST_GRAPH_NONE)
        return 0;
    const struct hst_heap_root *root =
        hst_heap_view_kind(view, object) == HST_HEAP_DICT ? hst_heap_view_root(view, object) : NULL;
    if (root != NULL && root->kind == HST_ROOT_MODULE)
        return 0; /* sys.modules */
    return above == HST_GRAPH_ROOT ||
           (hst_heap_view_kind(view, above) == HST_HEAP_DICT &&
            hst_map_find(&view->module_dicts, above) == HST_MAP_ABSENT &&
            hst_heap_view_is_frame_of_program(view, above)) ||
           (double)view->retained[object] < HST_HEAP_FOLD * (double)view->retained[above];
}

/* Rounded down to a power of two: so many rows have at least that. */
static uint64_t cutoff_for(const struct hst_heap_view *view, size_t count)
{
    size_t by_power[64] = {0}, sum = 0;
    for (uint32_t i = 0; i < view->heap->count; i++)
        if (view->retained[i] > 0 && begins(view, i))
            by_power[63 - __builtin_clzll(view->retained[i])]++;
    for (int power = 63; power > 0; power--)
        if ((sum += by_power[power]) >= count)
            return UINT64_C(1) << power;
    return 1;
}

enum hst_status hst_heap_top_find(struct hst_heap_view *view, size_t count, uint64_t least_bytes,
                                  struct hst_heap_top_row **ret_rows, size_t *ret_count)
{
    HST_TRY(hst_heap_view_need(view, HST_HEAP_CHILDREN));
    uint64_t cutoff = cutoff_for(view, count);
    if (cutoff < least_bytes)
        cutoff = least_bytes;
    HST_CLEANUP_FREE uint32_t *found = NULL;
    size_t found_count = 0, capacity = 0;
    for (uint32_t i = 0; i < view->heap->count; i++) {
        if (view->retained[i] < cutoff || !begins(view, i))
            continue;
        if (!HST_RESERVE(found, capacity, found_count + 1))
            return HST_E_NOMEM;
        found[found_count++] = i;
    }
    if (found_count > 0)
        qsort_r(found, found_count, sizeof *found, by_retained, view);
    if (found_count > count)
        found_count = count;
    struct hst_heap_top_row *rows = hst_alloc(found_count + 1, sizeof *rows);
    if (rows == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < found_count; i++)
        rows[i] = (struct hst_heap_top_row){found[i], hst_heap_view_descend(view, found[i], HST_HEAP_FOLD)};
    *ret_rows = rows;
    *ret_count = found_count;
    return HST_OK;
}

/* --- the tree ---------------------------------------------------------------------------------------- */

struct growing {
    struct hst_heap_tree *tree;
    struct hst_heap_view *view;
    uint64_t whole;
    uint32_t depth_max;
    size_t width;
};

static enum hst_status add(struct hst_heap_tree *tree, const struct hst_heap_branch *branch)
{
    if (!HST_RESERVE(tree->rows, tree->capacity, tree->count + 1))
        return HST_E_NOMEM;
    tree->rows[tree->count++] = *branch;
    return HST_OK;
}

static int group_order(const void *a, const void *b)
{
    const struct hst_heap_branch *x = a, *y = b;
    if (x->retained != y->retained)
        return x->retained < y->retained ? 1 : -1;
    return x->type < y->type ? -1 : x->type > y->type;
}

/* Those of the children that are no rows of their own, by type; beyond GROUPS types, together. */
static enum hst_status add_groups(struct growing *growing, const uint32_t *children, size_t count,
                                  uint32_t depth)
{
    const struct hst_heap *heap = growing->view->heap;
    struct hst_map of_type;
    HST_CLEANUP_FREE struct hst_heap_branch *groups = NULL;
    size_t group_count = 0, capacity = 0;
    enum hst_status status = HST_OK;
    hst_map_init(&of_type);
    for (size_t i = 0; i < count && status == HST_OK; i++) {
        uint32_t type = heap->types[children[i]], at = hst_map_find(&of_type, type);
        if (at == HST_MAP_ABSENT) {
            at = (uint32_t)group_count;
            if (!HST_RESERVE(groups, capacity, group_count + 1) || !hst_map_set(&of_type, type, at)) {
                status = HST_E_NOMEM;
                break;
            }
            groups[group_count++] =
                (struct hst_heap_branch){.depth = depth, .object = HST_HEAP_NONE, .type = type};
        }
        groups[at].objects++;
        groups[at].bytes += heap->bytes[children[i]];
        groups[at].retained += growing->view->retained[children[i]];
    }
    hst_map_release(&of_type);
    HST_TRY(status);
    if (group_count > 0)
        qsort(groups, group_count, sizeof *groups, group_order);
    for (size_t i = GROUPS + 1; i < group_count; i++) {
        groups[GROUPS].type = HST_HEAP_NONE;
        groups[GROUPS].objects += groups[i].objects;
        groups[GROUPS].bytes += groups[i].bytes;
        groups[GROUPS].retained += groups[i].retained;
    }
    for (size_t i = 0; i < group_count && i <= GROUPS; i++)
        HST_TRY(add(growing->tree, &groups[i]));
    return HST_OK;
}

/* How many of the sorted children stand by themselves: while they are large, or few. */
static size_t single_rows(const struct growing *growing, const uint32_t *children, size_t count,
                          uint64_t parent)
{
    size_t rows = 0;
    if (count <= ALIKE)
        return count;
    while (rows < count && rows < growing->width &&
           (double)growing->view->retained[children[rows]] >= ROW_SHARE * (double)parent)
        rows++;
    return rows;
}

static enum hst_status grow(struct growing *growing, uint32_t object, uint32_t depth)
{
    struct hst_heap_view *view = growing->view;
    size_t count;
    const uint32_t *children = hst_heap_view_children(view, object, &count);
    if (count == 0)
        return HST_OK;
    HST_CLEANUP_FREE uint32_t *sorted = hst_alloc(count, sizeof *sorted);
    if (sorted == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        sorted[i] = children[i];
    qsort_r(sorted, count, sizeof *sorted, by_retained, view);
    uint64_t parent = object == HST_GRAPH_ROOT ? view->reached_bytes : view->retained[object];
    size_t rows = single_rows(growing, sorted, count, parent);
    for (size_t i = 0; i < rows; i++) {
        const struct hst_heap_branch branch = {.depth = depth,
                                               .object = sorted[i],
                                               .type = view->heap->types[sorted[i]],
                                               .objects = 1,
                                               .bytes = view->heap->bytes[sorted[i]],
                                               .retained = view->retained[sorted[i]]};
        HST_TRY(add(growing->tree, &branch));
        if (depth < growing->depth_max && (double)branch.retained >= DEEPER * (double)growing->whole)
            HST_TRY(grow(growing, sorted[i], depth + 1));
    }
    return add_groups(growing, sorted + rows, count - rows, depth);
}

enum hst_status hst_heap_tree_init(struct hst_heap_tree *tree, struct hst_heap_view *view, uint32_t object,
                                   uint32_t depth, size_t width)
{
    *tree = (struct hst_heap_tree){0};
    HST_TRY(hst_heap_view_need(view, HST_HEAP_CHILDREN));
    struct growing growing = {.tree = tree,
                              .view = view,
                              .whole =
                                  object == HST_GRAPH_ROOT ? view->reached_bytes : view->retained[object],
                              .depth_max = depth,
                              .width = width};
    enum hst_status status = HST_OK;
    if (object != HST_GRAPH_ROOT) {
        const struct hst_heap_branch top = {.object = object,
                                            .type = view->heap->types[object],
                                            .objects = 1,
                                            .bytes = view->heap->bytes[object],
                                            .retained = view->retained[object]};
        status = add(tree, &top);
    }
    if (status == HST_OK && depth > 0)
        status = grow(&growing, object, 1);
    if (status != HST_OK)
        hst_heap_tree_release(tree);
    return status;
}

void hst_heap_tree_release(struct hst_heap_tree *tree)
{
    hst_free(tree->rows);
    *tree = (struct hst_heap_tree){0};
}
