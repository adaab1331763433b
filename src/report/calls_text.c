/* The pages of a traced run: functions with their exact counts, and who calls whom. */
#include "report/parts.h"

#include <stdio.h>
#include <string.h>

#include "analyze/call_totals.h"
#include "base/memory.h"

#define FUNCTION_ROWS 20
#define RELATION_ROWS 15
#define NAME_COLUMN 62

static enum hst_call_sort call_sort(enum hst_sort sort)
{
    switch (sort) {
    case HST_SORT_TOTAL:
        return HST_CALL_SORT_TOTAL;
    case HST_SORT_SAMPLES:
    case HST_SORT_CALLS:
        return HST_CALL_SORT_CALLS;
    case HST_SORT_PER_CALL:
        return HST_CALL_SORT_PER_CALL;
    case HST_SORT_SUSPENDED:
        return HST_CALL_SORT_SUSPENDED;
    case HST_SORT_NAME:
        return HST_CALL_SORT_NAME;
    case HST_SORT_SELF:
        break;
    }
    return HST_CALL_SORT_SELF;
}

static enum hst_status copy_totals(struct hst_call_totals *totals, const struct hst_call_totals *from)
{
    *totals = (struct hst_call_totals){.all = from->all};
    if (!HST_RESERVE(totals->functions, totals->function_capacity, from->function_count + 1) ||
        !HST_RESERVE(totals->edges, totals->edge_capacity, from->edge_count + 1)) {
        hst_call_totals_release(totals);
        return HST_E_NOMEM;
    }
    totals->function_count = from->function_count;
    totals->edge_count = from->edge_count;
    if (from->function_count > 0)
        memcpy(totals->functions, from->functions, from->function_count * sizeof *from->functions);
    if (from->edge_count > 0)
        memcpy(totals->edges, from->edges, from->edge_count * sizeof *from->edges);
    return HST_OK;
}

enum hst_status hst_page_call_totals(const struct hst_report_source *source,
                                     const struct hst_report_options *options, struct hst_call_totals *totals)
{
    if (source->imported != NULL)
        HST_TRY(copy_totals(totals, &source->imported->totals));
    else
        HST_TRY(hst_call_totals_init(totals, source->profile, source->calls, options->filter.thread,
                                     options->filter.process));
    hst_call_totals_sort(totals, source->profile, call_sort(options->sort));
    return HST_OK;
}

static double part(uint64_t ns, const struct hst_call_sum *all)
{
    return all->total_ns > 0 ? (double)ns / (double)all->total_ns : 0;
}

/* "1,000" or, with recursion, "1,000/5": all calls and those that were not made from within. */
static struct hst_cell calls_cell(const struct hst_call_sum *sum)
{
    struct hst_cell cell, all = hst_cell_count(sum->calls), primitive = hst_cell_count(sum->primitive);
    if (sum->calls == sum->primitive)
        return all;
    (void)snprintf(cell.text, sizeof cell.text, "%.70s/%.70s", all.text, primitive.text);
    return cell;
}

static size_t name_width(const struct hst_page *page)
{
    return page->style->width > NAME_COLUMN + 20 ? (size_t)page->style->width - NAME_COLUMN : 20;
}

static void add_heading(struct hst_page *page, const char *name)
{
    hst_buffer_add_fmt(page->out, "%s %7s %9s  %7s %9s %9s %13s  %s%s\n", hst_page_ink(page, HST_INK_DIM),
                       "self", "", "total", "", "self/call", "calls", name,
                       hst_page_ink(page, HST_INK_RESET));
}

static void add_numbers(struct hst_page *page, const struct hst_call_sum *sum, const struct hst_call_sum *all)
{
    hst_buffer_add_fmt(page->out, " %s %9s  %s %9s %9s %13s  ",
                       hst_cell_percent(part(sum->self_ns, all)).text, hst_cell_duration(sum->self_ns).text,
                       hst_cell_percent(part(sum->total_ns, all)).text, hst_cell_duration(sum->total_ns).text,
                       hst_cell_each(sum->self_ns, sum->calls + sum->resumes).text, calls_cell(sum).text);
}

/* What is known besides of a function: how often it went on, how long it waited, how it ended. */
static void add_note(struct hst_page *page, const struct hst_call_sum *sum)
{
    if (sum->resumes == 0 && sum->raises == 0)
        return;
    hst_buffer_add_fmt(page->out, "%*s%s", NAME_COLUMN, "", hst_page_ink(page, HST_INK_DIM));
    if (sum->resumes > 0)
        hst_buffer_add_fmt(page->out, "resumed %s times", hst_cell_count(sum->resumes).text);
    if (sum->suspended_ns > 0)
        hst_buffer_add_fmt(page->out, ", stood still for %s", hst_cell_duration(sum->suspended_ns).text);
    if (sum->raises > 0)
        hst_buffer_add_fmt(page->out, "%sleft by an exception %s times", sum->resumes > 0 ? ", " : "",
                           hst_cell_count(sum->raises).text);
    hst_buffer_add_fmt(page->out, "%s\n", hst_page_ink(page, HST_INK_RESET));
}

static void add_function_name(struct hst_page *page, uint32_t function)
{
    const struct hst_profile *profile = page->source->profile;
    if (strcmp(hst_profile_text(profile, profile->functions[function].file), "~") != 0) {
        hst_page_function(page, function, name_width(page));
        return;
    }
    hst_text_add(page->out, hst_profile_text(profile, profile->functions[function].qualname),
                 name_width(page), HST_CUT_END, 0, page->style);
}

static void add_import(struct hst_page *page)
{
    const struct hst_imported *imported = page->source->imported;
    hst_buffer_add_fmt(page->out, "times as %s measured them, with its own cost in them%s\n", imported->maker,
                       imported->edges_timed ? "" : "; of a caller it kept the calls, not the time");
}

/* What a profile function slows between calls too, and not all code alike; NULL: nothing. */
static const char *slowed_code(const struct hst_profile *profile, const struct hst_trace_info *trace)
{
    if (profile->process_count == 0 ||
        strncmp(hst_profile_text(profile, profile->processes[0].interpreter), "CPython 3.11", 12) != 0)
        return NULL;
    if (strcmp(trace->backend, "profile hook") == 0)
        return "all code";
    return strcmp(trace->backend, "profile and frame hooks") == 0 ? "what may call functions of C" : NULL;
}

/* How it was traced, and what of the measured time was the tracer's. */
static void add_method(struct hst_page *page, const struct hst_call_totals *totals)
{
    const struct hst_calls *calls = page->source->calls;
    if (page->source->imported != NULL) {
        add_import(page);
        return;
    }
    const struct hst_trace_info *first = calls->trace_count > 0 ? &calls->traces[0] : NULL;
    if (first == NULL)
        return;
    const struct hst_call_sum *all = &totals->all;
    uint64_t taken = all->raw_total_ns > all->total_ns ? all->raw_total_ns - all->total_ns : 0;
    hst_buffer_add_fmt(page->out, "traced by %s%s; %s of the %s measured were the tracer's and are taken out",
                       first->backend, first->python_only ? ", Python functions only" : "",
                       hst_cell_duration(taken).text, hst_cell_duration(all->raw_total_ns).text);
    hst_buffer_add_fmt(page->out, " (%.0f ns a Python call",
                       first->caller_cost_ns[HST_CALL_PYTHON] + first->callee_cost_ns[HST_CALL_PYTHON]);
    if (!first->python_only)
        hst_buffer_add_fmt(page->out, ", %.0f ns a C call",
                           first->caller_cost_ns[HST_CALL_C] + first->callee_cost_ns[HST_CALL_C]);
    hst_buffer_add_text(page->out, ")\n");
    const char *slowed = slowed_code(page->source->profile, first);
    if (slowed != NULL)
        hst_buffer_add_fmt(
            page->out,
            "%sCPython 3.11 runs %s slower while it is traced, some code more; the mean of that is "
            "taken out: counts are exact,\nshares of time may be off by some points; hasten run has "
            "them right%s\n",
            hst_page_ink(page, HST_INK_YELLOW), slowed, hst_page_ink(page, HST_INK_RESET));
}

/* calls: NULL of an imported run. */
static int has_timeline(const struct hst_calls *calls)
{
    for (size_t i = 0; calls != NULL && i < calls->trace_count; i++)
        if (calls->traces[i].has_timeline)
            return 1;
    return 0;
}

/* The events in their order: how many, how large, how whole. */
static void add_timeline(struct hst_page *page)
{
    const struct hst_calls *calls = page->source->calls;
    uint64_t events = 0, bytes = 0, lost = 0;
    if (!has_timeline(calls))
        return;
    for (size_t i = 0; i < calls->trace_count; i++) {
        events += calls->traces[i].events;
        bytes += calls->traces[i].event_bytes;
        lost += calls->traces[i].lost_events;
    }
    hst_buffer_add_fmt(page->out, "timeline of %s events, %.1f bytes each", hst_cell_count(events).text,
                       events > 0 ? (double)bytes / (double)events : 0.0);
    if (lost == 0)
        hst_buffer_add_text(page->out, "; none was dropped\n");
    else
        hst_buffer_add_fmt(
            page->out, "; %s%s events were dropped, since they came faster than they could be stored%s\n",
            hst_page_ink(page, HST_INK_YELLOW), hst_cell_count(lost).text, hst_page_ink(page, HST_INK_RESET));
}

static void add_losses(struct hst_page *page)
{
    const struct hst_calls *calls = page->source->calls;
    if (calls == NULL)
        return;
    const char *ink = hst_page_ink(page, HST_INK_YELLOW), *reset = hst_page_ink(page, HST_INK_RESET);
    for (size_t i = 0; i < calls->trace_count; i++) {
        const struct hst_trace_info *info = &calls->traces[i];
        unsigned pid = page->source->profile->processes[info->process].pid;
        if (info->failure[0] != '\0')
            hst_buffer_add_fmt(page->out, "%sprocess %u was not traced: %s%s\n", ink, pid, info->failure,
                               reset);
        if (info->lost_contexts > 0)
            hst_buffer_add_fmt(page->out,
                               "%sprocess %u: no room for the contexts of %s calls; their time is their "
                               "caller's%s\n",
                               ink, pid, hst_cell_count(info->lost_contexts).text, reset);
        if (info->hook_taken > 0)
            hst_buffer_add_fmt(page->out,
                               "%sprocess %u: another tool took the profile hook; what ran meanwhile is "
                               "not here%s\n",
                               ink, pid, reset);
    }
}

static void add_next_of_file(struct hst_page *page)
{
    const char *file = page->source->imported->file;
    HST_CLEANUP_FREE char *callers = hst_asprintf(" %s --callers FUNCTION", hst_cell_word(file).text);
    HST_CLEANUP_FREE char *import = hst_asprintf(" %s", hst_cell_word(file).text);
    if (callers == NULL || import == NULL) {
        page->out->failed = 1;
        return;
    }
    hst_page_command(page, "show", callers, "who calls it, how often, for how long");
    hst_page_command(page, "import", import, "keeps it as a run, for show and export");
}

static void add_next(struct hst_page *page)
{
    static const struct {
        const char *verb, *arguments, *meaning;
        int of_traced, of_timeline;
    } looks[] = {{"show", "--callers FUNCTION", "who calls it, how often, for how long", 0, 0},
                 {"show", "--tree", "from the start of the program inward", 1, 0},
                 {"export", "-f callgrind", "for KCachegrind, with exact counts", 0, 0},
                 {"export", "-f chrome", "for Perfetto, every call in its order", 1, 1}};
    hst_page_title(page, "Next\n");
    if (page->source->info->number == 0) {
        add_next_of_file(page);
        return;
    }
    for (size_t i = 0; i < HST_ARRAY_LENGTH(looks); i++) {
        char arguments[96];
        if ((looks[i].of_traced && page->source->calls == NULL) ||
            (looks[i].of_timeline && !has_timeline(page->source->calls)))
            continue;
        (void)snprintf(arguments, sizeof arguments, " %llu %s",
                       (unsigned long long)page->source->info->number, looks[i].arguments);
        hst_page_command(page, looks[i].verb, arguments, looks[i].meaning);
    }
}

enum hst_status hst_page_calls(struct hst_page *page, struct hst_error *err)
{
    struct hst_call_totals totals;
    (void)err;
    HST_TRY(hst_page_call_totals(page->source, page->options, &totals));
    hst_page_header(page);
    add_method(page, &totals);
    add_timeline(page);
    add_losses(page);
    hst_page_title(page, "Functions\n");
    add_heading(page, "function");
    uint64_t limit = hst_page_rows(page, FUNCTION_ROWS);
    for (size_t i = 0; i < totals.function_count && i < limit; i++) {
        add_numbers(page, &totals.functions[i].sum, &totals.all);
        add_function_name(page, totals.functions[i].function);
        hst_buffer_add_byte(page->out, '\n');
        add_note(page, &totals.functions[i].sum);
    }
    if (totals.function_count > limit)
        hst_buffer_add_fmt(page->out, "  ... %zu more (-n ROWS)\n", totals.function_count - (size_t)limit);
    add_next(page);
    hst_call_totals_release(&totals);
    return HST_OK;
}

/* Edges of the wanted functions, either way. */
static void add_edges(struct hst_page *page, const struct hst_call_totals *totals, const uint8_t *wanted,
                      int callers)
{
    uint64_t limit = hst_page_rows(page, RELATION_ROWS), shown = 0, left = 0;
    for (size_t i = 0; i < totals->edge_count; i++) {
        const struct hst_call_edge *edge = &totals->edges[i];
        uint32_t of = callers ? edge->callee : edge->caller, other = callers ? edge->caller : edge->callee;
        if (of == HST_ID_NONE || !wanted[of])
            continue;
        if (shown++ >= limit) {
            left++;
            continue;
        }
        add_numbers(page, &edge->sum, &totals->all);
        if (other == HST_ID_NONE)
            hst_buffer_add_text(page->out, "(start of the thread)");
        else
            add_function_name(page, other);
        hst_buffer_add_byte(page->out, '\n');
    }
    if (shown == 0)
        hst_buffer_add_text(page->out, "  none\n");
    if (left > 0)
        hst_buffer_add_fmt(page->out, "  ... %llu more (-n ROWS)\n", (unsigned long long)left);
}

enum hst_status hst_page_call_relations(struct hst_page *page, struct hst_error *err)
{
    const struct hst_profile *profile = page->source->profile;
    HST_CLEANUP_FREE uint8_t *wanted = hst_alloc_zero(profile->function_count + 1, 1);
    if (wanted == NULL)
        return HST_E_NOMEM;
    HST_TRY(hst_subject_functions(profile, page->options->subject, wanted, err));
    struct hst_call_totals totals;
    HST_TRY(hst_page_call_totals(page->source, page->options, &totals));
    hst_page_header(page);
    char title[256];
    (void)snprintf(title, sizeof title, "%s %.200s", page->options->callers ? "Callers of" : "Callees of",
                   page->options->subject);
    hst_page_title(page, title);
    hst_buffer_add_byte(page->out, '\n');
    add_heading(page, page->options->callers ? "called from" : "called");
    add_edges(page, &totals, wanted, page->options->callers);
    hst_call_totals_release(&totals);
    return HST_OK;
}
