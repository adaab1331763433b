/* `diff --json`. */
#include <math.h>

#include "report/diff_rows.h"
#include "report/json.h"

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *change_json(const struct hst_change *change)
{
    return json_pack(
        "{s:o,s:o,s:[o,o],s:s,s:o}", "before", number(change->before), "after", number(change->after),
        "change_interval", number(change->interval.low), number(change->interval.high), "verdict",
        hst_verdict_name(change->verdict), "more_samples",
        change->verdict == HST_VERDICT_UNDECIDED ? number(ceil(change->more_samples)) : json_null());
}

enum hst_status hst_report_diff_json(const struct hst_report_source *before,
                                     const struct hst_report_source *after,
                                     const struct hst_report_options *options, json_t **ret_json,
                                     struct hst_error *err)
{
    struct hst_diff_page page;
    HST_TRY(hst_diff_page_init(&page, before, after, &options->filter, err));
    json_t *rows = json_array();
    int failed = rows == NULL;
    for (size_t i = 0; !failed && i < page.diff.count && (options->rows == 0 || i < options->rows); i++) {
        const struct hst_diff_row *row = &page.diff.rows[i];
        json_t *json =
            json_pack("{s:o,s:o,s:o,s:o,s:o,s:I,s:I}", "function", hst_json_text(row->name), "file",
                      hst_json_text(row->file), "first_line", json_integer(row->first_line), "self_ns",
                      change_json(&row->time), "self_share", change_json(&row->share), "total_ns_before",
                      (json_int_t)row->before.total.ns, "total_ns_after", (json_int_t)row->after.total.ns);
        failed = json_array_append_new(rows, json);
    }
    uint64_t before_ns = page.diff.before.ns, after_ns = page.diff.after.ns;
    hst_diff_page_release(&page);
    *ret_json = failed ? NULL
                       : json_pack("{s:o,s:o,s:s,s:I,s:I,s:O}", "before", hst_run_info_json(before->info),
                                   "after", hst_run_info_json(after->info), "mode",
                                   hst_mode_names[options->filter.mode], "ns_before", (json_int_t)before_ns,
                                   "ns_after", (json_int_t)after_ns, "functions", rows);
    json_decref(rows);
    return *ret_json != NULL ? HST_OK : hst_error_set(err, HST_E_NOMEM, "out of memory");
}
