/* Merges stacks in order of their ids: an ancestor has the smaller id, so it already has its node. */
#include "analyze/tree.h"

#include <stdlib.h>

#include "base/memory.h"

struct build {
    struct hst_tree *tree;
    const struct hst_view *view;
    enum hst_tree_detail detail;
    uint32_t *node_of;       /* by stack */
    struct hst_map children; /* hash of parent, function and line -> node */
};

static uint32_t node_get(struct build *build, uint32_t parent, uint32_t function, uint32_t line)
{
    struct hst_tree *tree = build->tree;
    uint64_t key = hst_mix64((uint64_t)parent << 32 | function) + line;
    uint32_t found;
    for (; (found = hst_map_find(&build->children, key)) != HST_MAP_ABSENT; key++) {
        const struct hst_tree_node *node = &tree->nodes[found];
        if (node->parent == parent && node->function == function && node->line == line)
            return found;
    }
    found = (uint32_t)tree->count;
    if (!HST_RESERVE(tree->nodes, tree->capacity, tree->count + 1) ||
        !hst_map_set(&build->children, key, found))
        return HST_ID_NONE;
    tree->nodes[tree->count++] = (struct hst_tree_node){.parent = parent,
                                                        .next_sibling = tree->nodes[parent].first_child,
                                                        .function = function,
                                                        .line = line};
    tree->nodes[parent].first_child = found;
    return found;
}

static int build_nodes(struct build *build)
{
    const struct hst_view *view = build->view;
    size_t stacks = view->profile->stack_count;
    HST_CLEANUP_FREE uint8_t *needed = hst_alloc_zero(stacks + 1, 1);
    if (needed == NULL)
        return 0;
    for (size_t i = 0; i < view->row_count; i++)
        needed[view->seen[view->rows[i].stack]] = 1;
    for (size_t s = stacks; s-- > 1;)
        if (needed[s])
            needed[view->above[s]] = 1;
    for (uint32_t s = 1; s < stacks; s++) {
        if (!needed[s])
            continue;
        const struct hst_location *location = hst_view_location(view, s);
        build->node_of[s] = node_get(build, build->node_of[view->above[s]], location->function,
                                     build->detail == HST_TREE_LINES ? location->line : 0);
        if (build->node_of[s] == HST_ID_NONE)
            return 0;
    }
    return 1;
}

static void add_times(struct build *build)
{
    const struct hst_view *view = build->view;
    struct hst_tree *tree = build->tree;
    for (size_t i = 0; i < view->row_count; i++) {
        const struct hst_aggregate_row *row = &view->rows[i];
        uint32_t seen = view->seen[row->stack];
        struct hst_tree_node *node = &tree->nodes[build->node_of[seen]];
        hst_sum_add_row(&node->self, row);
        if (row->state == HST_STATE_BLOCKED || row->state == HST_STATE_IDLE ||
            row->state == HST_STATE_GIL_WAIT)
            node->waiting_ns += row->weight_ns;
        if (seen == 0)
            hst_sum_add_row(&tree->no_frame, row);
        else if (seen != row->stack)
            node->library_ns += row->weight_ns;
    }
    for (size_t n = 0; n < tree->count; n++)
        tree->nodes[n].total = tree->nodes[n].self;
    for (size_t n = tree->count; n-- > 1;)
        hst_sum_add(&tree->nodes[tree->nodes[n].parent].total, &tree->nodes[n].total);
}

enum hst_status hst_tree_init(struct hst_tree *tree, const struct hst_view *view, enum hst_tree_detail detail)
{
    *tree = (struct hst_tree){0};
    struct build build = {.tree = tree, .view = view, .detail = detail};
    hst_map_init(&build.children);
    build.node_of = hst_alloc_zero(view->profile->stack_count + 1, sizeof *build.node_of);
    int ok = build.node_of != NULL && HST_RESERVE(tree->nodes, tree->capacity, 1);
    if (ok) {
        tree->nodes[tree->count++] = (struct hst_tree_node){.function = HST_ID_NONE};
        ok = build_nodes(&build);
    }
    if (ok)
        add_times(&build);
    hst_map_release(&build.children);
    hst_free(build.node_of);
    if (!ok)
        hst_tree_release(tree);
    return ok ? HST_OK : HST_E_NOMEM;
}

void hst_tree_release(struct hst_tree *tree)
{
    hst_free(tree->nodes);
    *tree = (struct hst_tree){0};
}

struct sort_item {
    uint64_t ns;
    uint32_t parent, node;
};

/* By parent; among siblings the smallest first, because lists are built from their end. */
static int compare_items(const void *a_item, const void *b_item)
{
    const struct sort_item *a = a_item, *b = b_item;
    if (a->parent != b->parent)
        return a->parent < b->parent ? -1 : 1;
    if (a->ns != b->ns)
        return a->ns < b->ns ? -1 : 1;
    return a->node < b->node ? 1 : -1;
}

enum hst_status hst_tree_sort(struct hst_tree *tree)
{
    HST_CLEANUP_FREE struct sort_item *items = hst_alloc(tree->count, sizeof *items);
    if (items == NULL)
        return HST_E_NOMEM;
    for (uint32_t n = 1; n < tree->count; n++) {
        items[n - 1] =
            (struct sort_item){.ns = tree->nodes[n].total.ns, .parent = tree->nodes[n].parent, .node = n};
        tree->nodes[tree->nodes[n].parent].first_child = 0;
    }
    qsort(items, tree->count - 1, sizeof *items, compare_items);
    for (size_t i = 0; i + 1 < tree->count; i++) {
        struct hst_tree_node *parent = &tree->nodes[items[i].parent];
        tree->nodes[items[i].node].next_sibling = parent->first_child;
        parent->first_child = items[i].node;
    }
    return HST_OK;
}

void hst_tree_walk(const struct hst_tree *tree, hst_tree_visitor *enter, hst_tree_visitor *leave,
                   void *context)
{
    uint32_t node = tree->nodes[0].first_child;
    while (node != 0) {
        enter(context, tree, node);
        if (tree->nodes[node].first_child != 0) {
            node = tree->nodes[node].first_child;
            continue;
        }
        leave(context, tree, node);
        while (tree->nodes[node].next_sibling == 0) {
            node = tree->nodes[node].parent;
            if (node == 0)
                return;
            leave(context, tree, node);
        }
        node = tree->nodes[node].next_sibling;
    }
}
