/* Callers and callees: a walk over the tree by functions that counts each pair of caller and callee once a
 * path. */
#include "analyze/relations.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct walk {
    struct hst_relations *relations;
    const uint8_t *wanted;
    uint32_t wanted_on_path;
    uint32_t *row_of_caller, *row_of_callee; /* by function; the last entry is the start of the thread */
    uint32_t *callee_on_path;                /* by function: calls from a wanted function above */
    uint32_t none;                           /* index that stands for HST_ID_NONE */
    int failed;
};

static void add(struct walk *walk, struct hst_relation **rows, size_t *count, size_t *capacity,
                uint32_t *row_of, uint32_t function, const struct hst_sum *sum)
{
    uint32_t *row = &row_of[function == HST_ID_NONE ? walk->none : function];
    if (*row == HST_ID_NONE) {
        if (!hst_reserve((void **)rows, capacity, *count + 1, sizeof **rows)) {
            walk->failed = 1;
            return;
        }
        *row = (uint32_t)(*count)++;
        (*rows)[*row] = (struct hst_relation){.function = function};
    }
    hst_sum_add(&(*rows)[*row].total, sum);
}

static int is_wanted(const struct walk *walk, const struct hst_tree *tree, uint32_t node)
{
    return node != 0 && walk->wanted[tree->nodes[node].function];
}

static void enter(void *context, const struct hst_tree *tree, uint32_t id)
{
    struct walk *walk = context;
    struct hst_relations *relations = walk->relations;
    const struct hst_tree_node *node = &tree->nodes[id];
    if (is_wanted(walk, tree, node->parent) && walk->callee_on_path[node->function]++ == 0)
        add(walk, &relations->callees, &relations->callee_count, &relations->callee_capacity,
            walk->row_of_callee, node->function, &node->total);
    if (!walk->wanted[node->function])
        return;
    hst_sum_add(&relations->self, &node->self);
    if (walk->wanted_on_path++ == 0) {
        hst_sum_add(&relations->total, &node->total);
        add(walk, &relations->callers, &relations->caller_count, &relations->caller_capacity,
            walk->row_of_caller, node->parent == 0 ? HST_ID_NONE : tree->nodes[node->parent].function,
            &node->total);
    }
}

static void leave(void *context, const struct hst_tree *tree, uint32_t id)
{
    struct walk *walk = context;
    const struct hst_tree_node *node = &tree->nodes[id];
    if (is_wanted(walk, tree, node->parent))
        walk->callee_on_path[node->function]--;
    if (walk->wanted[node->function])
        walk->wanted_on_path--;
}

static int compare_relations(const void *a_row, const void *b_row)
{
    const struct hst_relation *a = a_row, *b = b_row;
    if (a->total.ns != b->total.ns)
        return a->total.ns < b->total.ns ? 1 : -1;
    return (a->function > b->function) - (a->function < b->function);
}

enum hst_status hst_relations_init(struct hst_relations *relations, const struct hst_view *view,
                                   const uint8_t *wanted)
{
    *relations = (struct hst_relations){0};
    struct hst_tree tree;
    HST_TRY(hst_tree_init(&tree, view, HST_TREE_FUNCTIONS));
    size_t functions = view->profile->function_count;
    struct walk walk = {.relations = relations, .wanted = wanted, .none = (uint32_t)functions};
    walk.row_of_caller = hst_alloc(functions + 1, sizeof *walk.row_of_caller);
    walk.row_of_callee = hst_alloc(functions + 1, sizeof *walk.row_of_callee);
    walk.callee_on_path = hst_alloc_zero(functions + 1, sizeof *walk.callee_on_path);
    walk.failed = walk.row_of_caller == NULL || walk.row_of_callee == NULL || walk.callee_on_path == NULL;
    if (!walk.failed) {
        memset(walk.row_of_caller, 0xff, (functions + 1) * sizeof *walk.row_of_caller);
        memset(walk.row_of_callee, 0xff, (functions + 1) * sizeof *walk.row_of_callee);
        hst_tree_walk(&tree, enter, leave, &walk);
    }
    hst_tree_release(&tree);
    hst_free(walk.row_of_caller);
    hst_free(walk.row_of_callee);
    hst_free(walk.callee_on_path);
    if (walk.failed) {
        hst_relations_release(relations);
        return HST_E_NOMEM;
    }
    if (relations->caller_count > 0)
        qsort(relations->callers, relations->caller_count, sizeof *relations->callers, compare_relations);
    if (relations->callee_count > 0)
        qsort(relations->callees, relations->callee_count, sizeof *relations->callees, compare_relations);
    return HST_OK;
}

void hst_relations_release(struct hst_relations *relations)
{
    hst_free(relations->callers);
    hst_free(relations->callees);
    *relations = (struct hst_relations){0};
}
