/* `show --lines FILE`: the source with its time in the margin. */
#include "report/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/source.h"

/* Lines shown around one that took time. */
#define CONTEXT 3

static void add_margin(struct hst_page *page, const struct hst_line_total *row)
{
    if (row == NULL || page->view.all.ns == 0) {
        hst_buffer_add_fmt(page->out, "%*s", 31, "");
        return;
    }
    struct hst_share share = hst_view_share(&page->view, row->self.ns);
    if (row->self.ns == 0)
        hst_buffer_add_fmt(page->out, "%*s", 20, "");
    else
        hst_buffer_add_fmt(page->out, " %s %s%s%s %4s ", hst_cell_percent(share.share).text,
                           hst_page_ink(page, HST_INK_CYAN), hst_cell_bar(share.share, 5, page->style).text,
                           hst_page_ink(page, HST_INK_RESET), hst_cell_margin(&share).text);
    hst_buffer_add_fmt(page->out, " %s   ",
                       hst_cell_percent((double)row->total.ns / (double)page->view.all.ns).text);
}

static void add_line(struct hst_page *page, const struct hst_line_total *row, uint32_t line, const char *text)
{
    add_margin(page, row);
    int hot = row != NULL && row->self.ns * 20 >= page->view.all.ns;
    hst_buffer_add_fmt(page->out, "%s%5u%s  %s", hst_page_ink(page, HST_INK_DIM), line,
                       hst_page_ink(page, HST_INK_RESET), hot ? hst_page_ink(page, HST_INK_BOLD) : "");
    hst_text_add(page->out, text, page->style->width > 70 ? (size_t)page->style->width - 38 : 32, HST_CUT_END,
                 0, page->style);
    hst_buffer_add_fmt(page->out, "%s\n", hot ? hst_page_ink(page, HST_INK_RESET) : "");
}

/* By line of the file: its row, or NULL. */
struct margin {
    const struct hst_line_total **rows;
    uint32_t last; /* largest line with a row */
};

static enum hst_status margin_init(struct margin *margin, const struct hst_totals *totals, uint32_t file,
                                   size_t lines)
{
    *margin = (struct margin){0};
    margin->rows = hst_alloc_zero(lines + 1, sizeof(const struct hst_line_total *));
    if (margin->rows == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < totals->line_count; i++) {
        const struct hst_line_total *row = &totals->lines[i];
        if (row->file == file && row->line <= lines) {
            margin->rows[row->line] = row;
            margin->last = row->line > margin->last ? row->line : margin->last;
        }
    }
    return HST_OK;
}

static int near_time(const struct margin *margin, uint32_t line, size_t lines)
{
    for (uint32_t n = line > CONTEXT ? line - CONTEXT : 1; n <= line + CONTEXT && n <= lines; n++)
        if (margin->rows[n] != NULL)
            return 1;
    return 0;
}

static enum hst_status add_source(struct hst_page *page, const struct hst_totals *totals, uint32_t file,
                                  const struct hst_source *source)
{
    struct margin margin;
    HST_TRY(margin_init(&margin, totals, file, source->count));
    int gap = 0;
    for (uint32_t line = 1; line <= source->count; line++) {
        if (!near_time(&margin, line, source->count)) {
            gap = 1;
            continue;
        }
        if (gap)
            hst_buffer_add_fmt(page->out, "%*s%s\n", 35, "", page->style->utf8 ? "⋮" : ":");
        gap = 0;
        add_line(page, margin.rows[line], line, hst_source_line(source, line));
    }
    hst_free(margin.rows);
    return HST_OK;
}

/* The file cannot be read: the lines that are known, without text. */
static void add_numbers_only(struct hst_page *page, struct hst_totals *totals, uint32_t file)
{
    hst_totals_sort(totals, page->source->profile, page->options->sort);
    for (size_t i = 0; i < totals->line_count; i++)
        if (totals->lines[i].file == file && totals->lines[i].line > 0)
            add_line(page, &totals->lines[i], totals->lines[i].line,
                     hst_cell_function(page->source->profile, totals->lines[i].function).text);
}

enum hst_status hst_page_lines(struct hst_page *page, struct hst_error *err)
{
    const struct hst_profile *profile = page->source->profile;
    uint32_t file;
    HST_TRY(hst_subject_file(profile, page->options->subject, &file, err));
    struct hst_totals totals;
    HST_TRY(hst_totals_init(&totals, &page->view));
    hst_page_header(page);
    hst_page_title(page, hst_page_file(page, file).text);
    hst_buffer_add_fmt(page->out, "  %s (%s)\n", hst_mode_description(page->options->filter.mode),
                       hst_cell_duration(page->view.all.ns).text);
    struct hst_source source;
    enum hst_status status = hst_source_init(&source, hst_profile_text(profile, file), page->source->info);
    const char *ink = hst_page_ink(page, HST_INK_YELLOW), *reset = hst_page_ink(page, HST_INK_RESET);
    if (status == HST_OK && source.newer)
        hst_buffer_add_fmt(page->out,
                           "%sThe file was changed after the run began: lines may not be those that ran.%s\n",
                           ink, reset);
    else if (status != HST_OK && status != HST_E_NOMEM)
        hst_buffer_add_fmt(page->out,
                           "%sThe file cannot be read here (%s): functions instead of source text.%s\n", ink,
                           hst_status_name(status), reset);
    hst_buffer_add_fmt(page->out, "%s    self          %s    total     line%s\n",
                       hst_page_ink(page, HST_INK_DIM), page->style->utf8 ? "±" : "+-", reset);
    if (status == HST_OK) {
        status = add_source(page, &totals, file, &source);
        hst_source_release(&source);
    } else if (status != HST_E_NOMEM) {
        add_numbers_only(page, &totals, file);
        status = HST_OK;
    }
    hst_totals_release(&totals);
    return status;
}
