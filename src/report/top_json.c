/* A live table as one JSON object. Times are in nanoseconds, shares from 0 to 1. */
#include "report/json.h"
#include "report/top_text.h"

#include "report/cell.h"

static double share(uint64_t part_ns, uint64_t whole_ns)
{
    return whole_ns > 0 ? (double)part_ns / (double)whole_ns : 0;
}

static json_t *window_json(const struct hst_top_row *row, const struct hst_top_table *table,
                           enum hst_top_window window)
{
    uint64_t whole = table->whole_ns[window];
    return json_pack("{s:I, s:I, s:f, s:f}", "self_ns", (json_int_t)row->self_ns[window], "total_ns",
                     (json_int_t)row->total_ns[window], "self", share(row->self_ns[window], whole), "total",
                     share(row->total_ns[window], whole));
}

static json_t *row_json(const struct hst_top_live *live, const struct hst_top_table *table,
                        const struct hst_top_row *row)
{
    const struct hst_profile *profile = &live->profile;
    return json_pack("{s:o, s:o, s:I, s:o, s:o}", "function",
                     hst_json_text(hst_cell_function(profile, row->function).text), "file",
                     hst_json_text(hst_profile_text(profile, row->file)), "line", (json_int_t)row->line,
                     "now", window_json(row, table, HST_TOP_NOW), "since",
                     window_json(row, table, HST_TOP_SINCE));
}

static json_t *thread_json(const struct hst_top_live *live, const struct hst_top_thread_row *row)
{
    const struct hst_profile *profile = &live->profile;
    const struct hst_thread *thread = &profile->threads[row->thread];
    char state[64];
    hst_top_state_text(&row->seen, state, sizeof state);
    json_t *json = json_pack(
        "{s:I, s:I, s:o, s:s, s:b, s:f, s:o, s:I}", "pid",
        (json_int_t)profile->processes[thread->process].pid, "native_id", (json_int_t)thread->native_id,
        "name", hst_json_text(hst_profile_text(profile, thread->name)), "state", state, "holds_gil",
        (row->seen.flags & HST_SAMPLE_HOLDS_GIL) != 0, "gil", share(row->gil_ns, row->all_ns), "function",
        row->function != HST_ID_NONE ? hst_json_text(hst_cell_function(profile, row->function).text)
                                     : json_null(),
        "line", (json_int_t)row->line);
    for (size_t a = 0; json != NULL && a < HST_ACTIVITY_COUNT; a++)
        (void)json_object_set_new(json, hst_activity_name((enum hst_activity)a),
                                  json_real(share(row->by_activity_ns[a], row->all_ns)));
    return json;
}

static json_t *rows_json(const struct hst_top_scene *scene, const struct hst_top_live *live,
                         struct hst_top_table *table, struct hst_top_choice choice, enum hst_top_view view)
{
    choice.view = view;
    json_t *rows = json_array();
    if (rows == NULL || hst_top_table_arrange(table, &live->profile, &choice) != HST_OK) {
        json_decref(rows);
        return NULL;
    }
    for (size_t i = 0; i < table->shown_count && i < scene->rows_max; i++) {
        uint32_t index = table->shown[i];
        (void)json_array_append_new(
            rows, view == HST_TOP_THREADS
                      ? thread_json(live, &table->threads[index])
                      : row_json(live, table,
                                 view == HST_TOP_LINES ? &table->lines[index] : &table->functions[index]));
    }
    return rows;
}

json_t *hst_top_json(const struct hst_top_scene *scene, const struct hst_top_live *live,
                     struct hst_top_table *table, const struct hst_top_choice *choice)
{
    const struct hst_top_shares *shares = &table->shares;
    const struct hst_profile *profile = &live->profile;
    const char *interpreter =
        profile->process_count > 0 ? hst_profile_text(profile, profile->processes[0].interpreter) : "";
    json_t *json =
        json_pack("{s:i, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:b}", "pid", scene->pid, "command",
                  hst_json_text(scene->command), "interpreter", hst_json_text(interpreter), "elapsed_ns",
                  (json_int_t)shares->watched_ns, "now_ns", (json_int_t)shares->now_ns, "samples",
                  (json_int_t)live->samples, "threads_watched", (json_int_t)shares->threads, "renewals",
                  (json_int_t)live->renewals, "complete", live->end != HST_TOP_GOES_ON);
    if (json == NULL)
        return NULL;
    int failed =
        json_object_update_new(json, json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:s}", "cpu", shares->cpu,
                                               "gil", shares->gil, "gil_wait", shares->gil_wait, "gc",
                                               shares->gc, "samples_per_s", shares->samples_per_s, "dropped",
                                               shares->dropped, "mode", hst_mode_names[choice->filter.mode]));
    static const char *const names[] = {"functions", "lines", "threads"};
    for (int view = HST_TOP_FUNCTIONS; view <= HST_TOP_THREADS; view++)
        failed |= json_object_set_new(json, names[view],
                                      rows_json(scene, live, table, *choice, (enum hst_top_view)view));
    if (failed) {
        json_decref(json);
        return NULL;
    }
    return json;
}
