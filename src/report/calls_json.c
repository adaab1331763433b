/* The pages of a traced run as JSON. */
#include "report/json.h"

#include "analyze/call_totals.h"
#include "base/memory.h"
#include "report/parts.h"

static json_t *whole(uint64_t value) { return json_integer((json_int_t)value); }

static json_t *function_json(const struct hst_profile *profile, uint32_t function)
{
    if (function == HST_ID_NONE)
        return json_null();
    const struct hst_function *row = &profile->functions[function];
    return json_pack("{s:o,s:o,s:o}", "function", hst_json_text(hst_profile_text(profile, row->qualname)),
                     "file", hst_json_text(hst_profile_text(profile, row->file)), "first_line",
                     whole(row->first_line));
}

static int add_sum(json_t *row, const struct hst_call_sum *sum)
{
    return json_object_set_new(row, "calls", whole(sum->calls)) |
           json_object_set_new(row, "primitive_calls", whole(sum->primitive)) |
           json_object_set_new(row, "resumes", whole(sum->resumes)) |
           json_object_set_new(row, "raises", whole(sum->raises)) |
           json_object_set_new(row, "self_ns", whole(sum->self_ns)) |
           json_object_set_new(row, "total_ns", whole(sum->total_ns)) |
           json_object_set_new(row, "raw_self_ns", whole(sum->raw_self_ns)) |
           json_object_set_new(row, "raw_total_ns", whole(sum->raw_total_ns)) |
           json_object_set_new(row, "suspended_ns", whole(sum->suspended_ns));
}

static json_t *functions_json(const struct hst_profile *profile, const struct hst_call_totals *totals,
                              uint64_t limit)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < totals->function_count && i < limit; i++) {
        json_t *row = function_json(profile, totals->functions[i].function);
        (void)(add_sum(row, &totals->functions[i].sum) | json_array_append_new(rows, row));
    }
    return rows;
}

/* wanted: by function, NULL = all edges. */
static json_t *edges_json(const struct hst_profile *profile, const struct hst_call_totals *totals,
                          const uint8_t *wanted, int callers)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < totals->edge_count; i++) {
        const struct hst_call_edge *edge = &totals->edges[i];
        uint32_t of = callers ? edge->callee : edge->caller;
        if (wanted != NULL && (of == HST_ID_NONE || !wanted[of]))
            continue;
        json_t *row = json_pack("{s:o,s:o}", "caller", function_json(profile, edge->caller), "callee",
                                function_json(profile, edge->callee));
        (void)(add_sum(row, &edge->sum) | json_array_append_new(rows, row));
    }
    return rows;
}

static json_t *timeline_json(const struct hst_trace_info *info)
{
    if (!info->has_timeline)
        return json_null();
    return json_pack("{s:o,s:o,s:o}", "events", whole(info->events), "bytes", whole(info->event_bytes),
                     "dropped", whole(info->lost_events));
}

static json_t *traces_json(const struct hst_report_source *source)
{
    json_t *rows = json_array();
    for (size_t i = 0; source->calls != NULL && i < source->calls->trace_count; i++) {
        const struct hst_trace_info *info = &source->calls->traces[i];
        (void)json_array_append_new(
            rows, json_pack("{s:o,s:s,s:s,s:b,s:o,s:o,s:o,s:f,s:f,s:f,s:f,s:o,s:o}", "pid",
                            whole(source->profile->processes[info->process].pid), "backend", info->backend,
                            "clock", info->clock, "python_only", info->python_only, "lost_contexts",
                            whole(info->lost_contexts), "lost_suspensions", whole(info->lost_suspensions),
                            "hook_taken", whole(info->hook_taken), "python_caller_ns",
                            info->caller_cost_ns[HST_CALL_PYTHON], "python_callee_ns",
                            info->callee_cost_ns[HST_CALL_PYTHON], "c_caller_ns",
                            info->caller_cost_ns[HST_CALL_C], "c_callee_ns", info->callee_cost_ns[HST_CALL_C],
                            "failure", hst_json_text(info->failure), "timeline", timeline_json(info)));
    }
    return rows;
}

json_t *hst_imported_json(const struct hst_imported *imported)
{
    return json_pack("{s:o,s:o,s:b}", "file", hst_json_text(imported->file), "maker",
                     hst_json_text(imported->maker), "edges_timed", imported->edges_timed);
}

/* The wanted functions of callers and callees; *ret_wanted stays NULL for a page of all. */
static enum hst_status find_wanted(const struct hst_report_source *source,
                                   const struct hst_report_options *options, uint8_t **ret_wanted,
                                   struct hst_error *err)
{
    if (options->kind != HST_REPORT_RELATIONS)
        return HST_OK;
    *ret_wanted = hst_alloc_zero(source->profile->function_count + 1, 1);
    if (*ret_wanted == NULL)
        return HST_E_NOMEM;
    return hst_subject_functions(source->profile, options->subject, *ret_wanted, err);
}

enum hst_status hst_calls_json(const struct hst_report_source *source,
                               const struct hst_report_options *options, json_t **ret_json,
                               struct hst_error *err)
{
    HST_CLEANUP_FREE uint8_t *wanted = NULL;
    struct hst_call_totals totals;
    HST_TRY(find_wanted(source, options, &wanted, err));
    HST_TRY(hst_page_call_totals(source, options, &totals));
    uint64_t limit = options->rows != 0 ? options->rows : UINT64_MAX;
    json_t *page =
        json_pack("{s:o,s:o,s:o}", "run", hst_run_info_json(source->info), "traces", traces_json(source),
                  "edges", edges_json(source->profile, &totals, wanted, options->callers));
    int failed = page == NULL;
    if (!failed && source->imported != NULL)
        failed = json_object_set_new(page, "imported", hst_imported_json(source->imported));
    if (!failed && wanted == NULL)
        failed |= json_object_set_new(page, "functions", functions_json(source->profile, &totals, limit));
    hst_call_totals_release(&totals);
    if (failed) {
        json_decref(page);
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    }
    *ret_json = page;
    return HST_OK;
}
