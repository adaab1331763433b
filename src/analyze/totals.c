/* One walk over the tree by lines gives both tables: on the way in, a function or line that is not yet on the
 * path takes the node's total; what is on the path already is recursion and was counted. */
#include "analyze/totals.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

const char *const hst_sort_names[] = {"self",  "total",    "samples",   "name",
                                      "calls", "per-call", "suspended", NULL};

struct walk {
    struct hst_totals *totals;
    const struct hst_view *view;
    uint32_t *row_of_function; /* by function: row in totals, HST_ID_NONE = none yet */
    uint32_t *on_path;         /* by function: frames of it above */
    struct hst_map row_of_line;
    uint32_t *line_on_path; /* by row of lines; grows with them */
    size_t line_on_path_capacity;
    int failed;
};

static uint32_t function_row(struct walk *walk, uint32_t function)
{
    uint32_t *row = &walk->row_of_function[function];
    struct hst_totals *totals = walk->totals;
    if (*row == HST_ID_NONE &&
        HST_RESERVE(totals->functions, totals->function_capacity, totals->function_count + 1)) {
        *row = (uint32_t)totals->function_count++;
        totals->functions[*row] =
            (struct hst_function_total){.function = function, .library_function = HST_ID_NONE};
    }
    return *row;
}

static uint32_t line_row(struct walk *walk, uint32_t function, uint32_t line)
{
    struct hst_totals *totals = walk->totals;
    uint32_t file = walk->view->profile->functions[function].file;
    uint64_t key = (uint64_t)file << 32 | line;
    uint32_t row = hst_map_find(&walk->row_of_line, key);
    if (row != HST_MAP_ABSENT)
        return row;
    row = (uint32_t)totals->line_count;
    if (!HST_RESERVE(totals->lines, totals->line_capacity, totals->line_count + 1) ||
        !HST_RESERVE(walk->line_on_path, walk->line_on_path_capacity, totals->line_count + 1) ||
        !hst_map_set(&walk->row_of_line, key, row))
        return HST_ID_NONE;
    totals->lines[row] = (struct hst_line_total){.file = file, .line = line, .function = function};
    walk->line_on_path[row] = 0;
    totals->line_count++;
    return row;
}

static void enter(void *context, const struct hst_tree *tree, uint32_t id)
{
    struct walk *walk = context;
    const struct hst_tree_node *node = &tree->nodes[id];
    uint32_t f = function_row(walk, node->function), l = line_row(walk, node->function, node->line);
    if (f == HST_ID_NONE || l == HST_ID_NONE) {
        walk->failed = 1;
        return;
    }
    struct hst_function_total *function = &walk->totals->functions[f];
    struct hst_line_total *line = &walk->totals->lines[l];
    hst_sum_add(&function->self, &node->self);
    hst_sum_add(&line->self, &node->self);
    function->library_ns += node->library_ns;
    line->library_ns += node->library_ns;
    function->waiting_ns += node->waiting_ns;
    line->waiting_ns += node->waiting_ns;
    if (walk->on_path[node->function]++ == 0)
        hst_sum_add(&function->total, &node->total);
    if (walk->line_on_path[l]++ == 0)
        hst_sum_add(&line->total, &node->total);
}

static void leave(void *context, const struct hst_tree *tree, uint32_t id)
{
    struct walk *walk = context;
    const struct hst_tree_node *node = &tree->nodes[id];
    uint32_t l = walk->failed ? HST_ID_NONE : line_row(walk, node->function, node->line);
    if (l == HST_ID_NONE)
        return;
    walk->on_path[node->function]--;
    walk->line_on_path[l]--;
}

static uint32_t stack_function(const struct hst_view *view, uint32_t stack)
{
    return hst_view_location(view, stack)->function;
}

struct entry {
    uint32_t own, library;
    uint64_t ns;
};

/* For each function the library function that it called itself and that took most of its folded time. */
static int find_library_calls(struct walk *walk)
{
    const struct hst_view *view = walk->view;
    size_t stacks = view->profile->stack_count, count = 0, capacity = 0;
    HST_CLEANUP_FREE uint32_t *outermost = hst_alloc_zero(stacks + 1, sizeof *outermost);
    HST_CLEANUP_FREE struct entry *entries = NULL;
    HST_CLEANUP(hst_map_release) struct hst_map index;
    hst_map_init(&index);
    if (outermost == NULL)
        return 0;
    for (uint32_t s = 1; s < stacks; s++) { /* the frame just inside the one that is seen */
        uint32_t parent = view->profile->stacks[s].parent;
        if (view->seen[s] != s)
            outermost[s] = view->seen[s] == parent ? s : outermost[parent];
    }
    for (size_t i = 0; i < view->row_count; i++) {
        uint32_t stack = view->rows[i].stack, seen = view->seen[stack];
        if (seen == stack || seen == 0)
            continue;
        uint32_t own = stack_function(view, seen), library = stack_function(view, outermost[stack]);
        uint64_t key = (uint64_t)own << 32 | library;
        uint32_t e = hst_map_find(&index, key);
        if (e == HST_MAP_ABSENT) {
            e = (uint32_t)count;
            if (!HST_RESERVE(entries, capacity, count + 1) || !hst_map_set(&index, key, e))
                return 0;
            entries[count++] = (struct entry){.own = own, .library = library};
        }
        if (entries != NULL) /* never NULL here: e is one of its rows, which the analyser cannot know */
            entries[e].ns += view->rows[i].weight_ns;
    }
    HST_CLEANUP_FREE uint64_t *most = hst_alloc_zero(walk->totals->function_count + 1, sizeof *most);
    if (most == NULL)
        return 0;
    for (size_t e = 0; e < count; e++) {
        uint32_t row = walk->row_of_function[entries[e].own];
        if (entries[e].ns > most[row]) {
            most[row] = entries[e].ns;
            walk->totals->functions[row].library_function = entries[e].library;
        }
    }
    return 1;
}

enum hst_status hst_totals_init(struct hst_totals *totals, const struct hst_view *view)
{
    *totals = (struct hst_totals){0};
    struct hst_tree tree;
    HST_TRY(hst_tree_init(&tree, view, HST_TREE_LINES));
    size_t functions = view->profile->function_count;
    struct walk walk = {.totals = totals, .view = view};
    hst_map_init(&walk.row_of_line);
    walk.row_of_function = hst_alloc(functions + 1, sizeof *walk.row_of_function);
    walk.on_path = hst_alloc_zero(functions + 1, sizeof *walk.on_path);
    walk.failed = walk.row_of_function == NULL || walk.on_path == NULL;
    if (!walk.failed) {
        memset(walk.row_of_function, 0xff, (functions + 1) * sizeof *walk.row_of_function);
        hst_tree_walk(&tree, enter, leave, &walk);
    }
    totals->no_frame = tree.no_frame;
    if (!walk.failed && !find_library_calls(&walk))
        walk.failed = 1;
    hst_tree_release(&tree);
    hst_map_release(&walk.row_of_line);
    hst_free(walk.row_of_function);
    hst_free(walk.on_path);
    hst_free(walk.line_on_path);
    if (walk.failed)
        hst_totals_release(totals);
    return walk.failed ? HST_E_NOMEM : HST_OK;
}

void hst_totals_release(struct hst_totals *totals)
{
    hst_free(totals->functions);
    hst_free(totals->lines);
    *totals = (struct hst_totals){0};
}

struct order {
    const struct hst_profile *profile;
    enum hst_sort sort;
};

static int compare_u64(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

/* Largest first by the wanted column, then by self and total, then by id: the order is always the same. */
static int compare_sums(const struct hst_sum *a_self, const struct hst_sum *a_total,
                        const struct hst_sum *b_self, const struct hst_sum *b_total, enum hst_sort sort)
{
    int result = 0;
    if (sort == HST_SORT_TOTAL)
        result = compare_u64(b_total->ns, a_total->ns);
    else if (sort == HST_SORT_SAMPLES)
        result = compare_u64(b_self->samples, a_self->samples);
    if (result == 0)
        result = compare_u64(b_self->ns, a_self->ns);
    return result != 0 ? result : compare_u64(b_total->ns, a_total->ns);
}

static int compare_functions(const void *a_row, const void *b_row, void *context)
{
    const struct hst_function_total *a = a_row, *b = b_row;
    const struct order *order = context;
    int result = 0;
    if (order->sort == HST_SORT_NAME)
        result = strcmp(hst_profile_text(order->profile, order->profile->functions[a->function].qualname),
                        hst_profile_text(order->profile, order->profile->functions[b->function].qualname));
    if (result == 0)
        result = compare_sums(&a->self, &a->total, &b->self, &b->total, order->sort);
    return result != 0 ? result : compare_u64(a->function, b->function);
}

static int compare_lines(const void *a_row, const void *b_row, void *context)
{
    const struct hst_line_total *a = a_row, *b = b_row;
    const struct order *order = context;
    int result = 0;
    if (order->sort == HST_SORT_NAME)
        result = strcmp(hst_profile_text(order->profile, a->file), hst_profile_text(order->profile, b->file));
    else
        result = compare_sums(&a->self, &a->total, &b->self, &b->total, order->sort);
    if (result == 0)
        result = compare_u64(a->file, b->file);
    return result != 0 ? result : compare_u64(a->line, b->line);
}

void hst_totals_sort(struct hst_totals *totals, const struct hst_profile *profile, enum hst_sort sort)
{
    struct order order = {.profile = profile, .sort = sort};
    if (totals->function_count > 0)
        qsort_r(totals->functions, totals->function_count, sizeof *totals->functions, compare_functions,
                &order);
    if (totals->line_count > 0)
        qsort_r(totals->lines, totals->line_count, sizeof *totals->lines, compare_lines, &order);
}
