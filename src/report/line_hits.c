/* A run of lines: the source of each chosen function with hits and times, as text and as JSON. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/json.h"
#include "report/parts.h"
#include "report/source.h"

enum { MARGIN = 66, IMPORTED_MARGIN = 56, HOT_PERCENT = 10 };

/* The rows of one function, which stand together. */
struct group {
    const struct hst_line_row *rows;
    size_t count;
    uint64_t self_ns; /* all of its lines */
};

static struct group group_at(const struct hst_lines *lines, size_t first)
{
    struct group group = {.rows = &lines->rows[first]};
    while (first + group.count < lines->count && group.rows[group.count].function == group.rows[0].function)
        group.self_ns += group.rows[group.count++].self_ns;
    return group;
}

/* line_profiler knows one time of a line: with all that it calls. */
static void add_imported_numbers(struct hst_page *page, const struct group *group,
                                 const struct hst_line_row *row)
{
    hst_buffer_add_fmt(
        page->out, " %13s %9s %9s %s%s%s  ", hst_cell_count(row->hits).text,
        hst_cell_each(row->total_ns, 1).text, hst_cell_each(row->total_ns, row->hits).text,
        hst_page_ink(page, HST_INK_CYAN),
        hst_cell_percent(group->self_ns > 0 ? (double)row->total_ns / (double)group->self_ns : 0).text,
        hst_page_ink(page, HST_INK_RESET));
}

static void add_line(struct hst_page *page, const struct group *group, const struct hst_line_row *row,
                     uint32_t line, const char *text)
{
    int hot = row != NULL && row->self_ns * 100 >= group->self_ns * HOT_PERCENT;
    if (row == NULL)
        hst_buffer_add_fmt(page->out, "%*s", (page->source->imported != NULL ? IMPORTED_MARGIN : MARGIN) - 8,
                           "");
    else if (page->source->imported != NULL)
        add_imported_numbers(page, group, row);
    else
        hst_buffer_add_fmt(
            page->out, " %13s %9s %9s %9s %s%s%s  ", hst_cell_count(row->hits).text,
            hst_cell_each(row->total_ns, 1).text, hst_cell_each(row->self_ns, 1).text,
            hst_cell_each(row->self_ns, row->hits).text, hst_page_ink(page, HST_INK_CYAN),
            hst_cell_percent(group->self_ns > 0 ? (double)row->self_ns / (double)group->self_ns : 0).text,
            hst_page_ink(page, HST_INK_RESET));
    hst_buffer_add_fmt(page->out, "%s%5u%s %s %s", hst_page_ink(page, HST_INK_DIM), line,
                       hst_page_ink(page, HST_INK_RESET), hot ? ">" : " ",
                       hot ? hst_page_ink(page, HST_INK_BOLD) : "");
    size_t width = page->style->width > MARGIN + 30 ? (size_t)page->style->width - MARGIN : 34;
    hst_text_add(page->out, text, width, HST_CUT_END, 0, page->style);
    hst_buffer_add_fmt(page->out, "%s\n", hot ? hst_page_ink(page, HST_INK_RESET) : "");
}

/* From the function's first line to its last that was run; without source, the lines that were run. */
static void add_lines(struct hst_page *page, const struct group *group, const struct hst_source *source)
{
    const struct hst_function *function = &page->source->profile->functions[group->rows[0].function];
    uint32_t first = function->first_line, last = group->rows[group->count - 1].line;
    size_t at = 0;
    if (group->rows[0].line < first)
        first = group->rows[0].line;
    for (uint32_t line = first; line <= last; line++) {
        const struct hst_line_row *row = group->rows[at].line == line ? &group->rows[at] : NULL;
        at += row != NULL && at + 1 < group->count;
        if (row != NULL || source != NULL)
            add_line(page, group, row, line, source != NULL ? hst_source_line(source, line) : "");
    }
}

static enum hst_status add_function(struct hst_page *page, const struct group *group, uint64_t all_ns)
{
    const struct hst_profile *profile = page->source->profile;
    const struct hst_function *function = &profile->functions[group->rows[0].function];
    struct hst_source source;
    hst_buffer_add_fmt(page->out, "\n%s", hst_page_ink(page, HST_INK_BOLD));
    hst_page_function(page, group->rows[0].function, (size_t)page->style->width);
    hst_buffer_add_fmt(page->out, "%s  %s, %.1f %% of all lines watched\n", hst_page_ink(page, HST_INK_RESET),
                       hst_cell_duration(group->self_ns).text,
                       100 * (all_ns > 0 ? (double)group->self_ns / (double)all_ns : 0));
    if (page->source->imported != NULL)
        hst_buffer_add_fmt(page->out, "%s %13s %9s %9s %7s  %5s%s\n", hst_page_ink(page, HST_INK_DIM), "hits",
                           "time", "per hit", "time", "line", hst_page_ink(page, HST_INK_RESET));
    else
        hst_buffer_add_fmt(page->out, "%s %13s %9s %9s %9s %7s  %5s   %s%s\n",
                           hst_page_ink(page, HST_INK_DIM), "hits", "total", "self", "self/hit", "self",
                           "line", "", hst_page_ink(page, HST_INK_RESET));
    enum hst_status status =
        hst_source_init(&source, hst_profile_text(profile, function->file), page->source->info);
    if (status == HST_E_NOMEM)
        return status;
    if (status == HST_OK && source.newer)
        hst_buffer_add_fmt(page->out, "%sthe file was changed since: its lines may not be those that ran%s\n",
                           hst_page_ink(page, HST_INK_YELLOW), hst_page_ink(page, HST_INK_RESET));
    add_lines(page, group, status == HST_OK ? &source : NULL);
    if (status == HST_OK)
        hst_source_release(&source);
    return HST_OK;
}

static uint64_t time_of_all(const struct hst_lines *lines)
{
    uint64_t all = 0;
    for (size_t i = 0; i < lines->count; i++)
        all += lines->rows[i].self_ns;
    return all;
}

enum hst_status hst_page_line_hits(struct hst_page *page, struct hst_error *err)
{
    const struct hst_lines *lines = page->source->lines;
    const struct hst_calls *calls = page->source->calls; /* none of a file of line_profiler */
    const struct hst_trace_info *trace = calls != NULL && calls->trace_count > 0 ? &calls->traces[0] : NULL;
    uint64_t limit = page->options->rows != 0 ? page->options->rows : UINT64_MAX, shown = 0,
             all = time_of_all(lines);
    (void)err;
    hst_page_header(page);
    if (page->source->imported != NULL)
        hst_buffer_add_fmt(page->out,
                           "times as %s measured them: with what lines call, and with its own cost\n",
                           page->source->imported->maker);
    if (trace != NULL)
        hst_buffer_add_fmt(page->out,
                           "watched by %s; what that cost, %.0f ns a hit, is taken out of the times\n",
                           trace->backend, trace->line_cost_ns);
    for (size_t i = 0; i < lines->count;) {
        struct group group = group_at(lines, i);
        i += group.count;
        if (shown++ < limit)
            HST_TRY(add_function(page, &group, all));
    }
    if (shown > limit)
        hst_buffer_add_fmt(page->out, "\n  ... %llu more functions (-n ROWS)\n",
                           (unsigned long long)(shown - limit));
    return HST_OK;
}

static json_t *whole(uint64_t value) { return json_integer((json_int_t)value); }

enum hst_status hst_line_hits_json(const struct hst_report_source *source, json_t **ret_json,
                                   struct hst_error *err)
{
    json_t *functions = json_array();
    for (size_t i = 0; i < source->lines->count;) {
        struct group group = group_at(source->lines, i);
        const struct hst_function *function = &source->profile->functions[group.rows[0].function];
        json_t *rows = json_array();
        for (size_t k = 0; k < group.count; k++)
            (void)json_array_append_new(
                rows,
                json_pack("{s:o,s:o,s:o,s:o,s:o}", "line", whole(group.rows[k].line), "hits",
                          whole(group.rows[k].hits), "self_ns", whole(group.rows[k].self_ns), "raw_self_ns",
                          whole(group.rows[k].raw_ns), "total_ns", whole(group.rows[k].total_ns)));
        (void)json_array_append_new(
            functions,
            json_pack("{s:o,s:o,s:o,s:o,s:o}", "function",
                      hst_json_text(hst_profile_text(source->profile, function->qualname)), "file",
                      hst_json_text(hst_profile_text(source->profile, function->file)), "first_line",
                      whole(function->first_line), "self_ns", whole(group.self_ns), "lines", rows));
        i += group.count;
    }
    json_t *page = json_pack("{s:o,s:o}", "run", hst_run_info_json(source->info), "functions", functions);
    if (page != NULL && source->imported != NULL)
        (void)json_object_set_new(page, "imported", hst_imported_json(source->imported));
    if (page == NULL)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    *ret_json = page;
    return HST_OK;
}
