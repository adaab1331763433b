/* Chooses the page that was asked for. */
#include "report/report.h"

#include "report/parts.h"

static enum hst_status add_page(struct hst_page *page, struct hst_error *err)
{
    if (page->source->lines != NULL)
        return hst_page_line_hits(page, err);
    if (hst_report_has_calls(page->source) && page->options->kind == HST_REPORT_SUMMARY)
        return hst_page_calls(page, err);
    if (hst_report_has_calls(page->source) && page->options->kind == HST_REPORT_RELATIONS)
        return hst_page_call_relations(page, err);
    switch (page->options->kind) {
    case HST_REPORT_TREE:
        return hst_page_tree(page, err);
    case HST_REPORT_LINES:
        return hst_page_lines(page, err);
    case HST_REPORT_THREADS:
        return hst_page_threads(page, err);
    case HST_REPORT_RELATIONS:
        return hst_page_relations(page, err);
    case HST_REPORT_SUMMARY:
        break;
    }
    return hst_page_summary(page, err);
}

enum hst_status hst_report_check(const struct hst_report_source *source,
                                 const struct hst_report_options *options, struct hst_error *err)
{
    if (source->imported == NULL || source->lines != NULL || options->kind == HST_REPORT_SUMMARY ||
        options->kind == HST_REPORT_RELATIONS)
        return HST_OK;
    (void)hst_error_set(err, HST_E_INVALID,
                        "a file of %s holds functions and who called them: no stacks, lines or threads",
                        source->imported->maker);
    hst_error_hint(err, "--callers FUNCTION or --callees FUNCTION; `hasten trace` keeps whole stacks");
    return HST_E_INVALID;
}

enum hst_status hst_report_text(const struct hst_report_source *source,
                                const struct hst_report_options *options, const struct hst_style *style,
                                struct hst_buffer *buffer, struct hst_error *err)
{
    HST_TRY(hst_report_check(source, options, err));
    struct hst_page page = {.source = source, .options = options, .style = style, .out = buffer};
    HST_TRY(hst_view_init(&page.view, source->profile, source->aggregate, &options->filter, err));
    enum hst_status status = add_page(&page, err);
    hst_view_release(&page.view);
    if (status == HST_OK)
        status = hst_buffer_status(buffer);
    return status == HST_E_NOMEM ? hst_error_set(err, status, "out of memory") : status;
}
