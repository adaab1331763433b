/* Builds and walks the tree of stacks. */
#include "export/calltree.h"

#include "base/memory.h"

enum hst_status hst_calltree_build(struct hst_calltree *tree, const struct hst_profile *profile,
                                   const struct hst_aggregate *aggregate)
{
    *tree = (struct hst_calltree){.profile = profile, .count = profile->stack_count};
    tree->nodes = hst_alloc_zero(tree->count, sizeof *tree->nodes);
    if (tree->nodes == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < aggregate->count; i++) {
        struct hst_calltree_node *node = &tree->nodes[aggregate->rows[i].stack];
        node->self_ns += aggregate->rows[i].weight_ns;
        node->self_samples += aggregate->rows[i].samples;
    }
    /* A parent's id is smaller than its children's: one pass from the end sums whole subtrees. */
    for (size_t i = tree->count; i-- > 0;) {
        struct hst_calltree_node *node = &tree->nodes[i];
        node->total_ns += node->self_ns;
        node->total_samples += node->self_samples;
        if (i == 0 || (node->total_samples == 0 && node->total_ns == 0)) /* resumed here, begun elsewhere */
            continue;
        struct hst_calltree_node *parent = &tree->nodes[profile->stacks[i].parent];
        parent->total_ns += node->total_ns;
        parent->total_samples += node->total_samples;
        node->next_sibling = parent->first_child;
        parent->first_child = (uint32_t)i;
    }
    return HST_OK;
}

void hst_calltree_release(struct hst_calltree *tree)
{
    hst_free(tree->nodes);
    *tree = (struct hst_calltree){0};
}

enum hst_status hst_calltree_walk(const struct hst_calltree *tree, hst_calltree_visitor *enter,
                                  hst_calltree_visitor *leave, void *context)
{
    uint32_t at = tree->nodes[0].first_child;
    while (at != 0) {
        HST_TRY(enter(context, at));
        if (tree->nodes[at].first_child != 0) {
            at = tree->nodes[at].first_child;
            continue;
        }
        for (;;) {
            HST_TRY(leave(context, at));
            if (tree->nodes[at].next_sibling != 0) {
                at = tree->nodes[at].next_sibling;
                break;
            }
            at = tree->profile->stacks[at].parent;
            if (at == 0)
                break;
        }
    }
    return HST_OK;
}
