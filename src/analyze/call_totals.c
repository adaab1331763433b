/* One walk over the tree of stacks, with a count of how often each function and each edge is on the path. */
#include "analyze/call_totals.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct node {
    struct hst_call_sum sum; /* of the stack itself, over all threads; totals with all below */
    uint32_t first_child, next_sibling;
};

struct walk {
    const struct hst_profile *profile;
    struct hst_call_totals *totals;
    struct node *nodes; /* by stack */
    uint32_t *row_of_function, *on_path;
    struct hst_map row_of_edge; /* caller << 32 | callee */
    uint32_t *edge_on_path;
    size_t edge_path_capacity;
};

static uint32_t function_of(const struct walk *walk, uint32_t stack)
{
    return stack == 0 ? HST_ID_NONE
                      : walk->profile->locations[walk->profile->stacks[stack].location].function;
}

static void add_row(struct hst_call_sum *sum, const struct hst_call_row *row)
{
    sum->calls += row->calls;
    sum->resumes += row->resumes;
    sum->raises += row->raises;
    sum->self_ns += row->self_ns;
    sum->raw_self_ns += row->raw_ns;
    sum->suspended_ns += row->suspended_ns;
}

/* What a context adds to a function or an edge; total and primitive only where it is the outermost. */
static void add_context(struct hst_call_sum *sum, const struct hst_call_sum *context, int outermost)
{
    sum->calls += context->calls;
    sum->resumes += context->resumes;
    sum->raises += context->raises;
    sum->self_ns += context->self_ns;
    sum->raw_self_ns += context->raw_self_ns;
    sum->suspended_ns += context->suspended_ns;
    if (outermost) {
        sum->primitive += context->calls;
        sum->total_ns += context->total_ns;
        sum->raw_total_ns += context->raw_total_ns;
    }
}

/* Stacks come after their parents, so sums flow inward to outward from the last to the first. */
static void make_tree(struct walk *walk, size_t stacks)
{
    for (size_t i = 0; i < stacks; i++) {
        walk->nodes[i].sum.total_ns = walk->nodes[i].sum.self_ns;
        walk->nodes[i].sum.raw_total_ns = walk->nodes[i].sum.raw_self_ns;
    }
    for (size_t i = stacks; i-- > 1;) {
        struct node *node = &walk->nodes[i], *parent = &walk->nodes[walk->profile->stacks[i].parent];
        parent->sum.total_ns += node->sum.total_ns;
        parent->sum.raw_total_ns += node->sum.raw_total_ns;
        node->next_sibling = parent->first_child;
        parent->first_child = (uint32_t)i;
    }
}

static struct hst_call_function *function_row(struct walk *walk, uint32_t function)
{
    struct hst_call_totals *totals = walk->totals;
    uint32_t *row = &walk->row_of_function[function];
    if (*row == HST_ID_NONE) {
        if (!HST_RESERVE(totals->functions, totals->function_capacity, totals->function_count + 1))
            return NULL;
        *row = (uint32_t)totals->function_count++;
        totals->functions[*row] = (struct hst_call_function){.function = function};
    }
    return &totals->functions[*row];
}

/* Index of the edge; HST_ID_NONE: memory is out. */
static uint32_t edge_row(struct walk *walk, uint32_t caller, uint32_t callee)
{
    struct hst_call_totals *totals = walk->totals;
    uint64_t key = (uint64_t)caller << 32 | callee;
    uint32_t row = hst_map_find(&walk->row_of_edge, key);
    if (row != HST_MAP_ABSENT)
        return row;
    row = (uint32_t)totals->edge_count;
    if (!HST_RESERVE(totals->edges, totals->edge_capacity, totals->edge_count + 1) ||
        !HST_RESERVE(walk->edge_on_path, walk->edge_path_capacity, totals->edge_count + 1) ||
        !hst_map_set(&walk->row_of_edge, key, row))
        return HST_ID_NONE;
    walk->edge_on_path[row] = 0;
    totals->edges[totals->edge_count++] = (struct hst_call_edge){.caller = caller, .callee = callee};
    return row;
}

static enum hst_status enter(struct walk *walk, uint32_t stack)
{
    const struct hst_call_sum *context = &walk->nodes[stack].sum;
    uint32_t function = function_of(walk, stack);
    uint32_t edge = edge_row(walk, function_of(walk, walk->profile->stacks[stack].parent), function);
    struct hst_call_function *row = function_row(walk, function);
    if (row == NULL || edge == HST_ID_NONE || walk->edge_on_path == NULL)
        return HST_E_NOMEM;
    add_context(&row->sum, context, walk->on_path[function]++ == 0);
    add_context(&walk->totals->edges[edge].sum, context, walk->edge_on_path[edge]++ == 0);
    add_context(&walk->totals->all, context, walk->profile->stacks[stack].parent == 0);
    return HST_OK;
}

static void leave(struct walk *walk, uint32_t stack)
{
    uint32_t function = function_of(walk, stack);
    walk->on_path[function]--;
    walk->edge_on_path[edge_row(walk, function_of(walk, walk->profile->stacks[stack].parent), function)]--;
}

static enum hst_status walk_tree(struct walk *walk)
{
    uint32_t at = walk->nodes[0].first_child;
    while (at != 0) {
        HST_TRY(enter(walk, at));
        uint32_t next = walk->nodes[at].first_child;
        while (next == 0 && at != 0) { /* all below is done */
            leave(walk, at);
            next = walk->nodes[at].next_sibling;
            at = walk->profile->stacks[at].parent;
        }
        at = next;
    }
    return HST_OK;
}

static enum hst_status run(struct walk *walk, const struct hst_calls *calls, uint32_t thread,
                           uint32_t process)
{
    const struct hst_profile *profile = walk->profile;
    size_t functions = profile->function_count + 1;
    walk->nodes = hst_alloc_zero(profile->stack_count, sizeof *walk->nodes);
    walk->row_of_function = hst_alloc(functions, sizeof *walk->row_of_function);
    walk->on_path = hst_alloc_zero(functions, sizeof *walk->on_path);
    if (walk->nodes == NULL || walk->row_of_function == NULL || walk->on_path == NULL)
        return HST_E_NOMEM;
    memset(walk->row_of_function, 0xff, functions * sizeof *walk->row_of_function);
    for (size_t i = 0; i < calls->count; i++) {
        const struct hst_call_row *row = &calls->rows[i];
        if ((thread == HST_ID_NONE || row->thread == thread) &&
            (process == HST_ID_NONE || profile->threads[row->thread].process == process))
            add_row(&walk->nodes[row->stack].sum, row);
    }
    make_tree(walk, profile->stack_count);
    return walk_tree(walk);
}

static int is_used(const struct hst_call_sum *sum)
{
    return sum->calls != 0 || sum->resumes != 0 || sum->raises != 0 || sum->raw_total_ns != 0;
}

/* A context may be there for nothing: a generator that was closed before it began. */
static void leave_out_unused(struct hst_call_totals *totals)
{
    size_t kept = 0;
    for (size_t i = 0; i < totals->function_count; i++)
        if (is_used(&totals->functions[i].sum))
            totals->functions[kept++] = totals->functions[i];
    totals->function_count = kept;
    kept = 0;
    for (size_t i = 0; i < totals->edge_count; i++)
        if (is_used(&totals->edges[i].sum))
            totals->edges[kept++] = totals->edges[i];
    totals->edge_count = kept;
}

enum hst_status hst_call_totals_init(struct hst_call_totals *totals, const struct hst_profile *profile,
                                     const struct hst_calls *calls, uint32_t thread, uint32_t process)
{
    *totals = (struct hst_call_totals){0};
    struct walk walk = {.profile = profile, .totals = totals};
    enum hst_status status = run(&walk, calls, thread, process);
    hst_free(walk.nodes);
    hst_free(walk.row_of_function);
    hst_free(walk.on_path);
    hst_free(walk.edge_on_path);
    hst_map_release(&walk.row_of_edge);
    if (status != HST_OK)
        hst_call_totals_release(totals);
    else
        leave_out_unused(totals);
    return status;
}

struct order {
    const struct hst_profile *profile;
    enum hst_call_sort sort;
};

static int compare_u64(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

static uint64_t column(const struct hst_call_sum *sum, enum hst_call_sort sort)
{
    switch (sort) {
    case HST_CALL_SORT_TOTAL:
        return sum->total_ns;
    case HST_CALL_SORT_CALLS:
        return sum->calls;
    case HST_CALL_SORT_PER_CALL:
        return sum->calls > 0 ? sum->self_ns * 16 / sum->calls : 0;
    case HST_CALL_SORT_SUSPENDED:
        return sum->suspended_ns;
    case HST_CALL_SORT_SELF:
    case HST_CALL_SORT_NAME:
        break;
    }
    return sum->self_ns;
}

/* Largest first, or by name; then by self, total and id: the order is always the same. */
static int compare(const struct order *order, uint32_t a, const struct hst_call_sum *a_sum, uint32_t b,
                   const struct hst_call_sum *b_sum)
{
    const struct hst_function *functions = order->profile->functions;
    int result = 0;
    if (order->sort == HST_CALL_SORT_NAME)
        result = strcmp(hst_profile_text(order->profile, functions[a].qualname),
                        hst_profile_text(order->profile, functions[b].qualname));
    if (result == 0)
        result = compare_u64(column(b_sum, order->sort), column(a_sum, order->sort));
    if (result == 0)
        result = compare_u64(b_sum->self_ns, a_sum->self_ns);
    return result != 0 ? result : compare_u64(a, b);
}

static int compare_functions(const void *a_row, const void *b_row, void *context)
{
    const struct hst_call_function *a = a_row, *b = b_row;
    return compare(context, a->function, &a->sum, b->function, &b->sum);
}

static int compare_edges(const void *a_row, const void *b_row, void *context)
{
    const struct hst_call_edge *a = a_row, *b = b_row;
    int result = compare(context, a->callee, &a->sum, b->callee, &b->sum);
    return result != 0 ? result : compare_u64(a->caller, b->caller);
}

void hst_call_totals_sort(struct hst_call_totals *totals, const struct hst_profile *profile,
                          enum hst_call_sort sort)
{
    struct order order = {.profile = profile, .sort = sort};
    if (totals->function_count > 0)
        qsort_r(totals->functions, totals->function_count, sizeof *totals->functions, compare_functions,
                &order);
    if (totals->edge_count > 0)
        qsort_r(totals->edges, totals->edge_count, sizeof *totals->edges, compare_edges, &order);
}
