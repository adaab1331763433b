/* Tables as JSON. */
#include "report/json.h"

#include <math.h>
#include <string.h>
#include <sys/wait.h>

#include "analyze/syscall.h"
#include "base/memory.h"
#include "report/parts.h"

json_t *hst_json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value != NULL)
        return value;
    struct hst_buffer clean; /* not UTF-8: keep what is ASCII, which is nearly all of such a name */
    hst_buffer_init(&clean, 0);
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x80)
            hst_buffer_add_byte(&clean, (uint8_t)*text);
        else
            hst_buffer_add_text(&clean, "\xef\xbf\xbd");
    if (!clean.failed)
        value = json_stringn((const char *)clean.data, clean.length);
    hst_buffer_release(&clean);
    return value;
}

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }
static json_t *whole(uint64_t value) { return json_integer((json_int_t)value); }

static json_t *interval(const struct hst_interval *value)
{
    return json_pack("[o,o]", number(value->low), number(value->high));
}

json_t *hst_run_info_json(const struct hst_run_info *info)
{
    static const char *const statuses[] = {[HST_RUN_RECORDING] = "recording",
                                           [HST_RUN_COMPLETE] = "complete",
                                           [HST_RUN_INTERRUPTED] = "interrupted"};
    static const char *const kinds[] = {[HST_RUN_SAMPLED] = "sampled",
                                        [HST_RUN_TRACED] = "traced",
                                        [HST_RUN_LINES] = "lines",
                                        [HST_RUN_IMPORTED] = "imported",
                                        [HST_RUN_HEAP] = "heap"};
    const struct hst_run_cost *cost = &info->cost;
    json_t *cost_json =
        json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "samples", whole(cost->samples), "dropped",
                  whole(cost->dropped), "torn", whole(cost->torn), "late", whole(cost->late), "ticks",
                  whole(cost->ticks), "longest_gap_ns", whole(cost->longest_gap_ns), "read_cpu_ns",
                  whole(cost->read_cpu_ns), "wake_cpu_ns", whole(cost->wake_cpu_ns), "remote_reads",
                  whole(cost->remote_reads), "remote_bytes", whole(cost->remote_bytes), "slowdown_percent",
                  cost->slowdown_percent >= 0 ? number(cost->slowdown_percent) : json_null());
    json_t *name = info->name[0] != '\0' ? hst_json_text(info->name) : json_null();
    json_t *exit_code = json_null();
    if (info->exit_status >= 0)
        exit_code = whole((uint64_t)(WIFEXITED(info->exit_status) ? WEXITSTATUS(info->exit_status)
                                                                  : 128 + WTERMSIG(info->exit_status)));
    return json_pack("{s:o,s:s,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:o}", "number",
                     whole(info->number), "kind", kinds[info->kind <= HST_RUN_HEAP ? info->kind : 0], "name",
                     name, "status", statuses[info->status <= HST_RUN_INTERRUPTED ? info->status : 0],
                     "start_unix_ns", whole(info->start_wall_ns), "wall_ns", whole(info->duration_ns),
                     "cpu_ns", whole(info->cpu_ns), "rate_hz",
                     info->rate_hz > 0 ? number(info->rate_hz) : json_null(), "budget_percent",
                     info->budget_percent > 0 ? number(info->budget_percent) : json_null(), "exit_code",
                     exit_code, "blocking", info->blocking, "command", hst_json_text(info->command),
                     "directory", hst_json_text(info->directory), "hasten_version",
                     hst_json_text(info->hasten_version), "cost", cost_json);
}

/* Adds what every row of time has: self, total, share, interval, gains. */
static int add_times(json_t *row, const struct hst_view *view, const struct hst_sum *self,
                     const struct hst_sum *total)
{
    struct hst_share share = hst_view_share(view, self->ns), all = hst_view_share(view, total->ns);
    struct hst_gain twice = hst_gain_of(&share, 2), free = hst_gain_of(&share, INFINITY);
    return json_object_set_new(row, "self_ns", whole(self->ns)) |
           json_object_set_new(row, "total_ns", whole(total->ns)) |
           json_object_set_new(row, "self_samples", whole(self->samples)) |
           json_object_set_new(row, "total_samples", whole(total->samples)) |
           json_object_set_new(row, "self_share", number(share.share)) |
           json_object_set_new(row, "self_interval", interval(&share.interval)) |
           json_object_set_new(row, "total_share", number(all.share)) |
           json_object_set_new(row, "total_interval", interval(&all.interval)) |
           json_object_set_new(row, "speedup_if_twice_as_fast", number(twice.speedup)) |
           json_object_set_new(row, "speedup_if_twice_as_fast_interval", interval(&twice.interval)) |
           json_object_set_new(row, "speedup_if_free", number(free.speedup)) |
           json_object_set_new(row, "speedup_if_free_interval", interval(&free.interval));
}

static json_t *function_json(const struct hst_view *view, uint32_t function)
{
    if (function == HST_ID_NONE)
        return json_null();
    const struct hst_profile *profile = view->profile;
    const struct hst_function *row = &profile->functions[function];
    return json_pack("{s:o,s:o,s:o,s:b}", "function", hst_json_text(hst_profile_text(profile, row->qualname)),
                     "file", hst_json_text(hst_profile_text(profile, row->file)), "first_line",
                     whole(row->first_line), "library", view->library[function]);
}

static json_t *functions_json(const struct hst_view *view, const struct hst_totals *totals, uint64_t limit)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < totals->function_count && i < limit; i++) {
        const struct hst_function_total *total = &totals->functions[i];
        json_t *row = function_json(view, total->function);
        if (add_times(row, view, &total->self, &total->total) |
            json_object_set_new(row, "library_ns", whole(total->library_ns)) |
            json_object_set_new(row, "waiting_ns", whole(total->waiting_ns)) |
            json_object_set_new(row, "library_call", function_json(view, total->library_function)) |
            json_array_append_new(rows, row)) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

static json_t *lines_json(const struct hst_view *view, const struct hst_totals *totals, uint64_t limit,
                          uint32_t file)
{
    json_t *rows = json_array();
    uint64_t taken = 0;
    for (size_t i = 0; i < totals->line_count && taken < limit; i++) {
        const struct hst_line_total *total = &totals->lines[i];
        if (file != HST_ID_NONE && total->file != file)
            continue;
        taken++;
        json_t *row =
            json_pack("{s:o,s:o,s:o}", "file", hst_json_text(hst_profile_text(view->profile, total->file)),
                      "line", whole(total->line), "function",
                      hst_json_text(hst_profile_text(view->profile,
                                                     view->profile->functions[total->function].qualname)));
        if (add_times(row, view, &total->self, &total->total) |
            json_object_set_new(row, "library_ns", whole(total->library_ns)) |
            json_object_set_new(row, "waiting_ns", whole(total->waiting_ns)) |
            json_array_append_new(rows, row)) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

static json_t *activities_json(const struct hst_sum *by_activity)
{
    json_t *object = json_object();
    for (int a = 0; a < HST_ACTIVITY_COUNT; a++) {
        char key[32];
        (void)snprintf(key, sizeof key, "%s_ns", hst_activity_name((enum hst_activity)a));
        (void)json_object_set_new(object, key, whole(by_activity[a].ns));
    }
    return object;
}

static json_t *states_json(const struct hst_states *states)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < states->count; i++) {
        const struct hst_state_total *row = &states->rows[i];
        const char *call = row->detail > 0 ? hst_syscall_name(row->detail - 1u) : NULL;
        (void)json_array_append_new(
            rows, json_pack("{s:s,s:o,s:o,s:o,s:o}", "state", hst_activity_name(row->activity), "syscall",
                            call != NULL ? json_string(call) : json_null(), "syscall_number",
                            row->detail > 0 ? whole(row->detail - 1u) : json_null(), "ns", whole(row->sum.ns),
                            "samples", whole(row->sum.samples)));
    }
    return rows;
}

static json_t *threads_json(const struct hst_profile *profile, const struct hst_states *states,
                            uint64_t limit)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < states->thread_count && i < limit; i++) {
        const struct hst_thread_total *total = &states->threads[i];
        const struct hst_thread *thread = &profile->threads[total->thread];
        json_t *row = activities_json(total->by_activity);
        (void)json_object_set_new(row, "name", hst_json_text(hst_profile_text(profile, thread->name)));
        (void)json_object_set_new(row, "native_id", whole(thread->native_id));
        (void)json_object_set_new(row, "pid", whole(profile->processes[thread->process].pid));
        (void)json_object_set_new(row, "interpreter", whole(thread->interpreter_id));
        (void)json_object_set_new(row, "watched_ns", whole(total->all.ns));
        (void)json_object_set_new(row, "cpu_ns", whole(thread->cpu_ns));
        (void)json_object_set_new(row, "gil_ns", whole(total->gil.ns));
        (void)json_object_set_new(row, "samples", whole(total->all.samples));
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

/* Nested only as deep as a parser may be expected to follow: a list of nodes, each with the index of its
 * parent. */
static enum hst_status tree_json(json_t *page, const struct hst_view *view, uint64_t limit)
{
    struct hst_tree tree;
    HST_TRY(hst_tree_init(&tree, view, HST_TREE_FUNCTIONS));
    json_t *rows = json_array();
    int failed = rows == NULL;
    for (uint32_t n = 1; !failed && n < tree.count && n <= limit; n++) {
        const struct hst_tree_node *node = &tree.nodes[n];
        json_t *row = function_json(view, node->function);
        json_t *parent = node->parent == 0 ? json_null() : whole(node->parent - 1u);
        failed = json_object_set_new(row, "parent", parent) |
                 json_object_set_new(row, "self_ns", whole(node->self.ns)) |
                 json_object_set_new(row, "total_ns", whole(node->total.ns)) |
                 json_object_set_new(row, "samples", whole(node->total.samples)) |
                 json_array_append_new(rows, row);
    }
    hst_tree_release(&tree);
    return json_object_set_new(page, "tree", rows) | failed ? HST_E_NOMEM : HST_OK;
}

static enum hst_status totals_json(json_t *page, const struct hst_view *view,
                                   const struct hst_report_options *options, uint64_t limit, uint32_t file)
{
    struct hst_totals totals;
    HST_TRY(hst_totals_init(&totals, view));
    hst_totals_sort(&totals, view->profile, options->sort);
    int failed = json_object_set_new(page, "lines", lines_json(view, &totals, limit, file));
    if (file == HST_ID_NONE)
        failed |= json_object_set_new(page, "functions", functions_json(view, &totals, limit)) |
                  json_object_set_new(page, "no_frame_ns", whole(totals.no_frame.ns));
    hst_totals_release(&totals);
    return failed ? HST_E_NOMEM : HST_OK;
}

static json_t *relation_rows(const struct hst_view *view, const struct hst_relation *relations, size_t count,
                             const struct hst_sum *of)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *row = relations[i].function == HST_ID_NONE ? json_pack("{s:n}", "function")
                                                           : function_json(view, relations[i].function);
        struct hst_share share = hst_share_of(relations[i].total.ns, of->ns, hst_effective_samples(of));
        (void)json_object_set_new(row, "ns", whole(relations[i].total.ns));
        (void)json_object_set_new(row, "samples", whole(relations[i].total.samples));
        (void)json_object_set_new(row, "share", number(share.share));
        (void)json_object_set_new(row, "interval", interval(&share.interval));
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

static enum hst_status relations_json(json_t *page, const struct hst_view *view,
                                      const struct hst_report_options *options, struct hst_error *err)
{
    HST_CLEANUP_FREE uint8_t *wanted = hst_alloc_zero(view->profile->function_count + 1, 1);
    if (wanted == NULL)
        return HST_E_NOMEM;
    HST_TRY(hst_subject_functions(view->profile, options->subject, wanted, err));
    struct hst_relations relations;
    HST_TRY(hst_relations_init(&relations, view, wanted));
    int failed = json_object_set_new(page, "self_ns", whole(relations.self.ns)) |
                 json_object_set_new(page, "total_ns", whole(relations.total.ns));
    if (options->callers)
        failed |= json_object_set_new(
            page, "callers",
            relation_rows(view, relations.callers, relations.caller_count, &relations.total));
    if (options->callees)
        failed |= json_object_set_new(
            page, "callees",
            relation_rows(view, relations.callees, relations.callee_count, &relations.total));
    hst_relations_release(&relations);
    return failed ? HST_E_NOMEM : HST_OK;
}

static enum hst_status states_of(const struct hst_report_source *source,
                                 const struct hst_report_options *options, json_t *page, uint64_t limit,
                                 struct hst_error *err)
{
    struct hst_filter filter = options->filter;
    if (options->kind == HST_REPORT_THREADS)
        filter.mode = HST_MODE_ALL;
    else if (filter.mode != HST_MODE_ALL)
        filter.mode = HST_MODE_WALL;
    struct hst_view view;
    HST_TRY(hst_view_init(&view, source->profile, source->aggregate, &filter, err));
    struct hst_states states;
    enum hst_status status = hst_states_init(&states, &view);
    hst_view_release(&view);
    if (status != HST_OK)
        return status;
    int failed = json_object_set_new(page, "states", states_json(&states)) |
                 json_object_set_new(page, "threads", threads_json(source->profile, &states, limit));
    hst_states_release(&states);
    return failed ? HST_E_NOMEM : HST_OK;
}

static enum hst_status fill(const struct hst_report_source *source, const struct hst_report_options *options,
                            const struct hst_view *view, json_t *page, struct hst_error *err)
{
    uint64_t limit = options->rows != 0 ? options->rows : UINT64_MAX;
    uint32_t file = HST_ID_NONE;
    switch (options->kind) {
    case HST_REPORT_TREE:
        return tree_json(page, view, limit);
    case HST_REPORT_LINES:
        HST_TRY(hst_subject_file(source->profile, options->subject, &file, err));
        return totals_json(page, view, options, limit, file);
    case HST_REPORT_RELATIONS:
        return relations_json(page, view, options, err);
    case HST_REPORT_THREADS:
        return states_of(source, options, page, limit, err);
    case HST_REPORT_SUMMARY:
        break;
    }
    HST_TRY(totals_json(page, view, options, limit, HST_ID_NONE));
    return states_of(source, options, page, limit, err);
}

enum hst_status hst_report_json(const struct hst_report_source *source,
                                const struct hst_report_options *options, json_t **ret_json,
                                struct hst_error *err)
{
    HST_TRY(hst_report_check(source, options, err));
    if (source->lines != NULL)
        return hst_line_hits_json(source, ret_json, err);
    if (hst_report_has_calls(source) &&
        (options->kind == HST_REPORT_SUMMARY || options->kind == HST_REPORT_RELATIONS))
        return hst_calls_json(source, options, ret_json, err);
    struct hst_view view;
    HST_TRY(hst_view_init(&view, source->profile, source->aggregate, &options->filter, err));
    json_t *page =
        json_pack("{s:o,s:s,s:o,s:o,s:o,s:b}", "run", hst_run_info_json(source->info), "mode",
                  hst_mode_names[options->filter.mode], "ns", whole(view.all.ns), "samples",
                  whole(view.all.samples), "effective_samples", number(hst_effective_samples(&view.all)),
                  "threads_overlap", hst_threads_overlap(&view, source->info));
    enum hst_status status = page != NULL ? fill(source, options, &view, page, err) : HST_E_NOMEM;
    hst_view_release(&view);
    if (status == HST_OK) {
        *ret_json = page;
        return HST_OK;
    }
    json_decref(page);
    return status == HST_E_NOMEM ? hst_error_set(err, status, "out of memory") : status;
}
