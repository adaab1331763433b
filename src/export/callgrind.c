/* callgrind's profile format: for each function the self cost of its lines, and for each call (caller, line
 * of the call, callee) the inclusive cost, in nanoseconds.
 *
 * Recursion: KCachegrind and callgrind_annotate take a function's inclusive cost to be the sum of the calls
 * into it. So each sample adds its weight to one call into each function on its stack: the outermost one. A
 * thread is a function as well, which calls the outermost frames: without it, what is called both by a thread
 * and by a function would lose the former. Self costs are those of the leaf, and add up to the whole.
 *
 * calls= must hold a number; a sampler knows none, and writes the number of samples that saw the call. desc:
 * says so. Of a traced run it is the number of calls, those from within the function too, and the line of
 * a call is its caller's first. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/calltree.h"
#include "export/exporter.h"
#include "export/text.h"

#define NO_CALLEE UINT32_MAX

struct cost {
    uint32_t function, line, callee; /* callee NO_CALLEE: self cost */
    uint64_t ns, samples;
};

struct callgrind {
    struct hst_export *run;
    struct hst_output *output;
    struct hst_calltree tree;
    struct cost *costs;
    size_t cost_count, cost_capacity;
    uint32_t *on_path; /* by function: how often it is on the walk's path now */
    uint32_t no_frame; /* the function id that stands for none */
    uint64_t total_ns;
};

static void callgrind_release(struct callgrind *callgrind)
{
    hst_calltree_release(&callgrind->tree);
    hst_free(callgrind->costs);
    hst_free(callgrind->on_path);
}

static enum hst_status add_cost(struct callgrind *callgrind, struct cost cost)
{
    if (cost.ns == 0 && cost.samples == 0)
        return HST_OK;
    if (!HST_RESERVE(callgrind->costs, callgrind->cost_capacity, callgrind->cost_count + 1))
        return HST_E_NOMEM;
    callgrind->costs[callgrind->cost_count++] = cost;
    return HST_OK;
}

static enum hst_status enter(void *context, uint32_t stack)
{
    struct callgrind *callgrind = context;
    const struct hst_profile *profile = callgrind->run->profile;
    const struct hst_calltree_node *node = &callgrind->tree.nodes[stack];
    const struct hst_location *here = &profile->locations[profile->stacks[stack].location];
    struct cost self = {here->function, here->line, NO_CALLEE, node->self_ns, node->self_samples};
    HST_TRY(add_cost(callgrind, self));
    uint32_t parent = profile->stacks[stack].parent;
    int within = callgrind->on_path[here->function]++ > 0, exact = hst_export_is_exact(callgrind->run);
    if ((within && !exact) || parent == 0) /* calls by threads: add_thread_calls */
        return HST_OK;
    const struct hst_location *site = &profile->locations[profile->stacks[parent].location];
    struct cost call = {site->function, site->line, here->function, within ? 0 : node->total_ns,
                        exact ? node->self_samples : node->total_samples};
    return add_cost(callgrind, call);
}

static enum hst_status leave(void *context, uint32_t stack)
{
    struct callgrind *callgrind = context;
    callgrind->on_path[hst_export_function_of(callgrind->run->profile, stack)]--;
    return HST_OK;
}

static enum hst_status add_thread_calls(struct callgrind *callgrind, const struct hst_aggregate *aggregate)
{
    const struct hst_profile *profile = callgrind->run->profile;
    HST_CLEANUP_FREE uint32_t *outermost = hst_alloc_zero(profile->stack_count, sizeof *outermost);
    if (outermost == NULL)
        return HST_E_NOMEM;
    for (uint32_t i = 1; i < profile->stack_count; i++) {
        uint32_t parent = profile->stacks[i].parent;
        outermost[i] = parent == 0 ? i : outermost[parent];
    }
    for (size_t i = 0; i < aggregate->count; i++) {
        const struct hst_aggregate_row *row = &aggregate->rows[i];
        uint32_t callee = hst_export_function_of(profile, outermost[row->stack]);
        int called = !hst_export_is_exact(callgrind->run) || outermost[row->stack] == row->stack;
        struct cost call = {callgrind->no_frame + 1 + row->thread, 0,
                            callee != HST_ID_NONE ? callee : callgrind->no_frame, row->weight_ns,
                            called ? row->samples : 0};
        HST_TRY(add_cost(callgrind, call));
    }
    return HST_OK;
}

/* By function; self costs before calls; calls by callee, then line. */
static int compare(const void *left, const void *right)
{
    const struct cost *a = left, *b = right;
    if (a->function != b->function)
        return a->function < b->function ? -1 : 1;
    uint32_t a_callee = a->callee + 1, b_callee = b->callee + 1; /* NO_CALLEE comes first as 0 */
    if (a_callee != b_callee)
        return a_callee < b_callee ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

static void merge(struct callgrind *callgrind)
{
    if (callgrind->cost_count == 0)
        return;
    qsort(callgrind->costs, callgrind->cost_count, sizeof *callgrind->costs, compare);
    size_t last = 0;
    for (size_t i = 1; i < callgrind->cost_count; i++) {
        if (compare(&callgrind->costs[last], &callgrind->costs[i]) == 0) {
            callgrind->costs[last].ns += callgrind->costs[i].ns;
            callgrind->costs[last].samples += callgrind->costs[i].samples;
        } else {
            callgrind->costs[++last] = callgrind->costs[i];
        }
    }
    callgrind->cost_count = last + 1;
}

/* Some readers know a function by its name alone, so namesakes get their place added: marks[name] says how
 * many. */
static enum hst_status count_names(const struct hst_profile *profile, uint32_t **ret_counts)
{
    uint32_t *counts = hst_alloc_zero(profile->strings.count, sizeof *counts);
    if (counts == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < profile->function_count; i++)
        counts[profile->functions[i].qualname]++;
    *ret_counts = counts;
    return HST_OK;
}

/* `fl=(3) path` and `fn=(7) name` give an id its text; later `fl=(3)` is enough. All are given in the order
 * of ids at the head of the body, in functions without cost, so that no line needs to know whether it is the
 * first. */
struct naming {
    const uint32_t *counts; /* functions with a qualname */
    int no_file_named;
    struct hst_buffer text;
};

static void write_clean(struct callgrind *callgrind, struct naming *naming)
{
    hst_output_buffer(callgrind->output, &naming->text);
    hst_output_text(callgrind->output, "\n");
    hst_buffer_clear(&naming->text);
}

static void write_thread_name(struct naming *naming, const struct hst_profile *profile, uint32_t thread)
{
    struct hst_buffer raw;
    hst_buffer_init(&raw, 0);
    hst_text_thread(&raw, profile, thread);
    hst_buffer_add_byte(&raw, 0);
    if (!raw.failed)
        hst_text_clean(&naming->text, (const char *)raw.data, "", 0);
    naming->text.failed |= raw.failed;
    hst_buffer_release(&raw);
}

static void write_names(struct callgrind *callgrind, struct naming *naming, uint8_t *file_named,
                        uint32_t function)
{
    const struct hst_profile *profile = callgrind->run->profile;
    if (function >= callgrind->no_frame) {
        hst_output_fmt(callgrind->output, "fl=(0)%s\nfn=(%u) ", naming->no_file_named++ > 0 ? "" : " ~",
                       function);
        if (function == callgrind->no_frame)
            hst_buffer_add_text(&naming->text, HST_TEXT_NO_FRAME);
        else
            write_thread_name(naming, profile, function - callgrind->no_frame - 1);
        write_clean(callgrind, naming);
        return;
    }
    const struct hst_function *row = &profile->functions[function];
    hst_output_fmt(callgrind->output, "fl=(%u)", row->file + 1);
    if (!file_named[row->file]) {
        file_named[row->file] = 1;
        hst_output_text(callgrind->output, " ");
        const char *file = hst_profile_text(profile, row->file);
        hst_text_clean(&naming->text, file[0] != '\0' ? file : "???", "", 0);
    }
    write_clean(callgrind, naming);
    hst_output_fmt(callgrind->output, "fn=(%u) ", function);
    if (naming->counts[row->qualname] > 1)
        hst_text_label(&naming->text, profile, function, callgrind->run->info->directory, "", 0);
    else
        hst_text_clean(&naming->text, hst_profile_text(profile, row->qualname), "", 0);
    if (naming->text.length == 0)
        hst_buffer_add_text(&naming->text, "<no name>");
    write_clean(callgrind, naming);
}

static uint32_t file_id(const struct callgrind *callgrind, uint32_t function)
{
    return function >= callgrind->no_frame ? 0 : callgrind->run->profile->functions[function].file + 1;
}

static void write_call(struct callgrind *callgrind, const struct cost *cost)
{
    const struct hst_profile *profile = callgrind->run->profile;
    unsigned line = cost->callee < callgrind->no_frame ? profile->functions[cost->callee].first_line : 0;
    hst_output_fmt(callgrind->output, "cfi=(%u)\ncfn=(%u)\ncalls=%llu %u\n%u %llu\n",
                   file_id(callgrind, cost->callee), cost->callee, (unsigned long long)cost->samples, line,
                   cost->line, (unsigned long long)cost->ns);
}

/* Every function that occurs, each with its costs; those that are only called come first, to have their
 * names. */
static enum hst_status write_body(struct callgrind *callgrind)
{
    const struct hst_profile *profile = callgrind->run->profile;
    HST_CLEANUP_FREE uint32_t *counts = NULL;
    HST_CLEANUP_FREE uint8_t *file_named = hst_alloc_zero(profile->strings.count, 1);
    HST_CLEANUP_FREE uint8_t *used = hst_alloc_zero(profile->function_count + 1 + profile->thread_count, 1);
    if (file_named == NULL || used == NULL)
        return HST_E_NOMEM;
    HST_TRY(count_names(profile, &counts));
    for (size_t i = 0; i < callgrind->cost_count; i++) {
        used[callgrind->costs[i].function] = 1;
        if (callgrind->costs[i].callee != NO_CALLEE)
            used[callgrind->costs[i].callee] = 1;
    }
    struct naming naming = {.counts = counts};
    hst_buffer_init(&naming.text, 0);
    for (uint32_t i = 0; i < profile->function_count + 1 + profile->thread_count; i++)
        if (used[i])
            write_names(callgrind, &naming, file_named, i);
    hst_buffer_release(&naming.text);
    uint32_t current = NO_CALLEE;
    for (size_t i = 0; i < callgrind->cost_count; i++) {
        const struct cost *cost = &callgrind->costs[i];
        if (cost->function != current)
            hst_output_fmt(callgrind->output, "\nfl=(%u)\nfn=(%u)\n", file_id(callgrind, cost->function),
                           cost->function);
        current = cost->function;
        if (cost->callee == NO_CALLEE)
            hst_output_fmt(callgrind->output, "%u %llu\n", cost->line, (unsigned long long)cost->ns);
        else
            write_call(callgrind, cost);
    }
    return HST_OK;
}

static enum hst_status write_head(struct callgrind *callgrind)
{
    const struct hst_run_info *info = callgrind->run->info;
    const struct hst_profile *profile = callgrind->run->profile;
    struct hst_buffer command;
    hst_buffer_init(&command, 0);
    hst_text_clean(&command, info->command, "", 0);
    hst_output_text(callgrind->output, "# callgrind format\nversion: 1\ncreator: hasten " HST_VERSION "\n");
    if (profile->process_count > 0)
        hst_output_fmt(callgrind->output, "pid: %u\n", profile->processes[0].pid);
    hst_output_text(callgrind->output, "cmd: ");
    hst_output_buffer(callgrind->output, &command);
    hst_buffer_release(&command);
    int exact = hst_export_is_exact(callgrind->run);
    hst_output_fmt(callgrind->output, "\ndesc: Trigger: %s, %s time, all threads and processes together\n",
                   callgrind->run->imported != NULL ? callgrind->run->imported->maker
                   : exact                          ? "traced"
                                                    : "sampled",
                   callgrind->run->mode);
    hst_output_fmt(callgrind->output,
                   "desc: Calls: %s\n"
                   "positions: line\nevent: ns : Nanoseconds\nevents: ns\nsummary: %llu\n\n",
                   exact ? "exact" : "numbers of samples that saw the call, not numbers of calls",
                   (unsigned long long)callgrind->total_ns);
    return HST_OK;
}

/* Of edges alone: what a function calls itself is inside it already, and gets no cost of its own. */
static enum hst_status collect_imported(struct callgrind *callgrind)
{
    const struct hst_profile *profile = callgrind->run->profile;
    const struct hst_call_totals *totals = &callgrind->run->imported->totals;
    callgrind->no_frame = (uint32_t)profile->function_count;
    for (size_t i = 0; i < totals->function_count; i++) {
        const struct hst_call_function *row = &totals->functions[i];
        struct cost self = {row->function, profile->functions[row->function].first_line, NO_CALLEE,
                            row->sum.self_ns, row->sum.calls};
        HST_TRY(add_cost(callgrind, self));
    }
    for (size_t i = 0; i < totals->edge_count; i++) {
        const struct hst_call_edge *row = &totals->edges[i];
        struct cost call = {row->caller, profile->functions[row->caller].first_line, row->callee,
                            row->caller == row->callee ? 0 : row->sum.total_ns, row->sum.calls};
        HST_TRY(add_cost(callgrind, call));
    }
    merge(callgrind);
    callgrind->total_ns = totals->all.total_ns;
    callgrind->run->kept = totals->all.calls;
    return HST_OK;
}

static enum hst_status collect(struct callgrind *callgrind, const struct hst_aggregate *aggregate)
{
    const struct hst_profile *profile = callgrind->run->profile;
    callgrind->no_frame = (uint32_t)profile->function_count;
    callgrind->on_path = hst_alloc_zero(profile->function_count, sizeof *callgrind->on_path);
    if (callgrind->on_path == NULL)
        return HST_E_NOMEM;
    HST_TRY(hst_calltree_build(&callgrind->tree, profile, aggregate));
    const struct hst_calltree_node *root = &callgrind->tree.nodes[0];
    struct cost none = {callgrind->no_frame, 0, NO_CALLEE, root->self_ns, root->self_samples};
    HST_TRY(add_cost(callgrind, none));
    HST_TRY(add_thread_calls(callgrind, aggregate));
    HST_TRY(hst_calltree_walk(&callgrind->tree, enter, leave, callgrind));
    callgrind->total_ns = root->total_ns;
    merge(callgrind);
    return HST_OK;
}

enum hst_status hst_export_callgrind(struct hst_export *run, struct hst_output *output, struct hst_error *err)
{
    HST_CLEANUP(hst_aggregate_release) struct hst_aggregate aggregate;
    HST_CLEANUP(callgrind_release) struct callgrind callgrind = {.run = run, .output = output};
    hst_aggregate_init(&aggregate);
    if (run->imported == NULL)
        HST_TRY(hst_export_sum(run, &aggregate, err));
    if ((run->imported != NULL ? collect_imported(&callgrind) : collect(&callgrind, &aggregate)) != HST_OK ||
        write_head(&callgrind) != HST_OK || write_body(&callgrind) != HST_OK)
        return hst_export_nomem(err);
    return HST_OK;
}
