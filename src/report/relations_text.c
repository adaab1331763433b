/* `show --callers F` and `--callees F`. */
#include "report/parts.h"

#include "base/memory.h"

#define RELATION_ROWS 15

static void add_table(struct hst_page *page, const char *title, const char *about,
                      const struct hst_relation *rows, size_t count, const struct hst_sum *whole)
{
    hst_page_title(page, title);
    hst_buffer_add_fmt(page->out, "  %s\n", about);
    if (count == 0)
        hst_buffer_add_text(page->out, "  none was seen\n");
    uint64_t limit = hst_page_rows(page, RELATION_ROWS);
    double effective = hst_effective_samples(whole);
    for (size_t i = 0; i < count && i < limit; i++) {
        struct hst_share share = hst_share_of(rows[i].total.ns, whole->ns, effective);
        double of_run = page->view.all.ns > 0 ? (double)rows[i].total.ns / (double)page->view.all.ns : 0;
        hst_buffer_add_fmt(page->out, " %s %s%s%s %4s %s  ", hst_cell_percent(share.share).text,
                           hst_page_ink(page, HST_INK_CYAN), hst_cell_bar(share.share, 5, page->style).text,
                           hst_page_ink(page, HST_INK_RESET), hst_cell_margin(&share).text,
                           hst_cell_percent(of_run).text);
        if (rows[i].function == HST_ID_NONE)
            hst_buffer_add_text(page->out, "(start of the thread)");
        else
            hst_page_function(page, rows[i].function,
                              page->style->width > 60 ? (size_t)page->style->width - 30 : 30);
        hst_buffer_add_byte(page->out, '\n');
    }
    if (count > limit)
        hst_buffer_add_fmt(page->out, "  ... %zu more (-n ROWS)\n", count - (size_t)limit);
}

static enum hst_status add_relations(struct hst_page *page, const uint8_t *wanted)
{
    const struct hst_report_options *options = page->options;
    struct hst_relations relations;
    HST_TRY(hst_relations_init(&relations, &page->view, wanted));
    hst_page_header(page);
    hst_page_title(page, options->subject);
    double whole = page->view.all.ns > 0 ? (double)page->view.all.ns : 1;
    hst_buffer_add_fmt(page->out, "  %s itself, %s with all it calls, of %s (%s)\n",
                       hst_cell_percent((double)relations.self.ns / whole).text,
                       hst_cell_percent((double)relations.total.ns / whole).text,
                       hst_mode_description(options->filter.mode), hst_cell_duration(page->view.all.ns).text);
    hst_buffer_add_fmt(page->out, "%s   of it          %s   of run  function%s",
                       hst_page_ink(page, HST_INK_DIM), page->style->utf8 ? "±" : "+-",
                       hst_page_ink(page, HST_INK_RESET));
    if (options->callers)
        add_table(page, "Callers", "whose calls its time was spent for", relations.callers,
                  relations.caller_count, &relations.total);
    if (options->callees)
        add_table(page, "Callees", "what it called; the rest is its own", relations.callees,
                  relations.callee_count, &relations.total);
    hst_relations_release(&relations);
    return HST_OK;
}

enum hst_status hst_page_relations(struct hst_page *page, struct hst_error *err)
{
    const struct hst_profile *profile = page->source->profile;
    HST_CLEANUP_FREE uint8_t *wanted = hst_alloc_zero(profile->function_count + 1, 1);
    if (wanted == NULL)
        return HST_E_NOMEM;
    HST_TRY(hst_subject_functions(profile, page->options->subject, wanted, err));
    return add_relations(page, wanted);
}
