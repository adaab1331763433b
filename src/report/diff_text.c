/* `diff`: what got better, what got worse, and what cannot be told from these samples. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/diff_rows.h"
#include "report/parts.h"

#define DIFF_ROWS 15
/* Changes below this share of the longer run are left out unless rows were asked for. */
#define LEAST_SHARE 0.005

enum hst_status hst_diff_page_init(struct hst_diff_page *page, const struct hst_report_source *before,
                                   const struct hst_report_source *after, const struct hst_filter *filter,
                                   struct hst_error *err)
{
    HST_TRY(hst_view_init(&page->before, before->profile, before->aggregate, filter, err));
    enum hst_status status = hst_view_init(&page->after, after->profile, after->aggregate, filter, err);
    if (status != HST_OK) {
        hst_view_release(&page->before);
        return status;
    }
    status = hst_diff_init(&page->diff, &page->before, &page->after);
    if (status != HST_OK) {
        hst_view_release(&page->before);
        hst_view_release(&page->after);
        return hst_error_set(err, status, "out of memory");
    }
    return HST_OK;
}

void hst_diff_page_release(struct hst_diff_page *page)
{
    hst_diff_release(&page->diff);
    hst_view_release(&page->before);
    hst_view_release(&page->after);
}

static struct hst_cell signed_duration(double ns)
{
    struct hst_cell size = hst_cell_duration((uint64_t)fabs(ns)), cell;
    (void)snprintf(cell.text, sizeof cell.text, "%s%.100s", ns > 0 ? "+" : ns < 0 ? "-" : "", size.text);
    return cell;
}

static void ratio(double before, double after, char *text, size_t size)
{
    if (before <= 0)
        (void)snprintf(text, size, after > 0 ? "new" : "");
    else
        (void)snprintf(text, size, "%+.1f %%", 100 * (after - before) / before);
}

static void add_whole(struct hst_buffer *out, const char *name, uint64_t before_ns, uint64_t after_ns)
{
    char percent[32];
    struct hst_cell change = signed_duration((double)after_ns - (double)before_ns);
    ratio((double)before_ns, (double)after_ns, percent, sizeof percent);
    hst_buffer_add_fmt(out, " %-34s %12s %12s %12s %10s\n", name, hst_cell_duration(before_ns).text,
                       hst_cell_duration(after_ns).text, change.text, percent);
}

/* "undecided: 12,000 more samples" or the verdict alone. */
static void add_verdict(struct hst_buffer *out, const struct hst_change *change,
                        const struct hst_style *style)
{
    enum hst_ink ink = change->verdict == HST_VERDICT_BETTER  ? HST_INK_GREEN
                       : change->verdict == HST_VERDICT_WORSE ? HST_INK_RED
                                                              : HST_INK_DIM;
    hst_buffer_add_fmt(out, "  %s%-9s%s", hst_ink(style, ink), hst_verdict_name(change->verdict),
                       hst_ink(style, HST_INK_RESET));
}

static void add_row(struct hst_buffer *out, const struct hst_diff_row *row, const char *directory,
                    const struct hst_style *style)
{
    struct hst_cell change = signed_duration(row->time.after - row->time.before);
    double half = (row->time.interval.high - row->time.interval.low) / 2;
    hst_buffer_add_fmt(out, " %9s %9s %9s %s%-9s", hst_cell_duration((uint64_t)row->time.before).text,
                       hst_cell_duration((uint64_t)row->time.after).text, change.text,
                       style->utf8 ? "±" : "+-", hst_cell_duration((uint64_t)half).text);
    hst_buffer_add_fmt(out, "%5.1f %s %4.1f %%", 100 * row->share.before, style->utf8 ? "→" : ">",
                       100 * row->share.after);
    add_verdict(out, &row->time, style);
    size_t width = style->width > 90 ? (size_t)style->width - 69 : 24;
    struct hst_cell shown = hst_cell_name(row->name);
    size_t name = hst_text_width(shown.text) < width ? hst_text_width(shown.text) : width;
    hst_buffer_add_text(out, "  ");
    hst_text_add(out, shown.text, name, HST_CUT_START, 0, style);
    if (name + 8 < width) {
        hst_buffer_add_fmt(out, "  %s", hst_ink(style, HST_INK_DIM));
        hst_text_add(out, hst_cell_file(row->file, directory).text, width - name - 2, HST_CUT_START, 0,
                     style);
        hst_buffer_add_text(out, hst_ink(style, HST_INK_RESET));
    }
    hst_buffer_add_byte(out, '\n');
    if (row->time.verdict == HST_VERDICT_UNDECIDED && row->time.more_samples < 1e7)
        hst_buffer_add_fmt(out, "%31s%s%s%s more samples in each run would decide a change of this size%s\n",
                           "", hst_ink(style, HST_INK_DIM), style->utf8 ? "└ " : "`- ",
                           hst_cell_count((uint64_t)row->time.more_samples + 1).text,
                           hst_ink(style, HST_INK_RESET));
}

static void add_rows(struct hst_buffer *out, const struct hst_diff *diff,
                     const struct hst_report_options *options, const char *directory,
                     const struct hst_style *style)
{
    uint64_t limit = options->rows != 0 ? options->rows : DIFF_ROWS, shown = 0, alike = 0;
    double longer = (double)(diff->before.ns > diff->after.ns ? diff->before.ns : diff->after.ns);
    for (size_t i = 0; i < diff->count; i++) {
        const struct hst_diff_row *row = &diff->rows[i];
        double change = fabs(row->time.after - row->time.before);
        if (shown >= limit || (options->rows == 0 && change < LEAST_SHARE * longer)) {
            alike += row->before.self.ns + row->after.self.ns > 0;
            continue;
        }
        add_row(out, row, directory, style);
        shown++;
    }
    if (alike > 0)
        hst_buffer_add_fmt(out, "%s %llu more function%s with smaller changes (-n ROWS)%s\n",
                           hst_ink(style, HST_INK_DIM), (unsigned long long)alike, alike == 1 ? "" : "s",
                           hst_ink(style, HST_INK_RESET));
}

enum hst_status hst_report_diff_text(const struct hst_report_source *before,
                                     const struct hst_report_source *after,
                                     const struct hst_report_options *options, const struct hst_style *style,
                                     struct hst_buffer *buffer, struct hst_error *err)
{
    struct hst_diff_page page;
    HST_TRY(hst_diff_page_init(&page, before, after, &options->filter, err));
    const char *bold = hst_ink(style, HST_INK_BOLD), *dim = hst_ink(style, HST_INK_DIM),
               *reset = hst_ink(style, HST_INK_RESET);
    char first[64], second[64];
    (void)snprintf(first, sizeof first, "run %llu", (unsigned long long)before->info->number);
    (void)snprintf(second, sizeof second, "run %llu", (unsigned long long)after->info->number);
    hst_buffer_add_fmt(buffer, "%s%-35s %12s %12s %12s%s\n", bold, "The whole", first, second, "change",
                       reset);
    add_whole(buffer, "wall", before->info->duration_ns, after->info->duration_ns);
    add_whole(buffer, "CPU", before->info->cpu_ns, after->info->cpu_ns);
    add_whole(buffer, hst_mode_description(options->filter.mode), page.diff.before.ns, page.diff.after.ns);
    if (strcmp(before->info->command, after->info->command) != 0)
        hst_buffer_add_fmt(
            buffer, "%sThe two runs had different commands: run %llu was '%.60s', run %llu '%.60s'.%s\n",
            hst_ink(style, HST_INK_YELLOW), (unsigned long long)before->info->number, before->info->command,
            (unsigned long long)after->info->number, after->info->command, reset);
    hst_buffer_add_fmt(buffer, "\n%sFunctions%s, self time with the library code they call\n", bold, reset);
    hst_buffer_add_fmt(buffer, "%s %9s %9s %9s %s%-9s %-13s  verdict    function%s\n", dim, first, second,
                       "change", style->utf8 ? " " : "  ", "(95 %)", "share", reset);
    add_rows(buffer, &page.diff, options, after->info->directory, style);
    hst_buffer_add_fmt(buffer,
                       "\n%sThe verdicts know how far sampling can be trusted. They do not know how much "
                       "such runs differ by\n"
                       "themselves: repeat each run once or twice before believing a small change.%s\n",
                       dim, reset);
    hst_diff_page_release(&page);
    return hst_buffer_status(buffer) == HST_OK ? HST_OK : hst_error_set(err, HST_E_NOMEM, "out of memory");
}
