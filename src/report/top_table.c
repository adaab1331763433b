/* The same questions as of a stored run (analyze/), asked twice: of the last seconds and of all since the
 * start; rows of both are brought together by function and by line. */
#include "report/top_table.h"

#include <string.h>

#include "base/memory.h"

static void drop_rows(struct hst_top_table *table)
{
    hst_free(table->functions);
    hst_free(table->lines);
    hst_free(table->threads);
    hst_free(table->shown);
    table->functions = table->lines = NULL;
    table->threads = NULL;
    table->shown = NULL;
    table->function_count = table->function_capacity = table->line_count = table->line_capacity = 0;
    table->thread_count = table->shown_count = 0;
}

void hst_top_table_release(struct hst_top_table *table)
{
    drop_rows(table);
    for (size_t w = 0; w < HST_TOP_WINDOWS; w++)
        hst_aggregate_release(&table->sums[w]);
    hst_free(table->seen);
    *table = (struct hst_top_table){0};
}

static struct hst_top_row *function_row(struct hst_top_table *table, struct hst_map *rows,
                                        const struct hst_profile *profile, uint32_t function)
{
    uint32_t row = hst_map_find(rows, function);
    if (row != HST_MAP_ABSENT)
        return &table->functions[row];
    row = (uint32_t)table->function_count;
    if (!HST_RESERVE(table->functions, table->function_capacity, table->function_count + 1) ||
        !hst_map_set(rows, function, row))
        return NULL;
    const struct hst_function *of = &profile->functions[function];
    table->functions[table->function_count++] =
        (struct hst_top_row){.function = function, .file = of->file, .line = of->first_line};
    return &table->functions[row];
}

static struct hst_top_row *line_row(struct hst_top_table *table, struct hst_map *rows,
                                    const struct hst_line_total *line)
{
    uint64_t key = (uint64_t)line->file << 32 | line->line;
    uint32_t row = hst_map_find(rows, key);
    if (row != HST_MAP_ABSENT)
        return &table->lines[row];
    row = (uint32_t)table->line_count;
    if (!HST_RESERVE(table->lines, table->line_capacity, table->line_count + 1) ||
        !hst_map_set(rows, key, row))
        return NULL;
    table->lines[table->line_count++] =
        (struct hst_top_row){.function = line->function, .file = line->file, .line = line->line};
    return &table->lines[row];
}

struct join {
    struct hst_top_table *table;
    struct hst_map functions, lines; /* row of each */
};

static enum hst_status join_totals(struct join *join, const struct hst_view *view, enum hst_top_window window)
{
    struct hst_totals totals;
    HST_TRY(hst_totals_init(&totals, view));
    enum hst_status status = HST_OK;
    for (size_t i = 0; i < totals.function_count && status == HST_OK; i++) {
        const struct hst_function_total *from = &totals.functions[i];
        struct hst_top_row *row = function_row(join->table, &join->functions, view->profile, from->function);
        if (row == NULL) {
            status = HST_E_NOMEM;
            break;
        }
        row->self_ns[window] = from->self.ns;
        row->total_ns[window] = from->total.ns;
    }
    for (size_t i = 0; i < totals.line_count && status == HST_OK; i++) {
        const struct hst_line_total *from = &totals.lines[i];
        struct hst_top_row *row = line_row(join->table, &join->lines, from);
        if (row == NULL) {
            status = HST_E_NOMEM;
            break;
        }
        row->self_ns[window] = from->self.ns;
        row->total_ns[window] = from->total.ns;
    }
    hst_totals_release(&totals);
    return status;
}

static enum hst_status join_window(struct join *join, const struct hst_profile *profile,
                                   const struct hst_top_choice *choice, enum hst_top_window window,
                                   struct hst_error *err)
{
    struct hst_view view;
    HST_TRY(hst_view_init(&view, profile, &join->table->sums[window], &choice->filter, err));
    join->table->whole_ns[window] = view.all.ns;
    enum hst_status status = join_totals(join, &view, window);
    hst_view_release(&view);
    return status;
}

/* Where the thread is: the innermost frame that the filter lets be seen. */
static void locate(struct hst_top_thread_row *row, const struct hst_view *view)
{
    uint32_t stack = row->seen.stack < view->profile->stack_count ? view->seen[row->seen.stack] : 0;
    row->function = HST_ID_NONE;
    if (stack == 0)
        return;
    row->function = hst_view_location(view, stack)->function;
    row->line = hst_view_location(view, stack)->line;
}

static enum hst_status make_threads(struct hst_top_table *table, const struct hst_profile *profile,
                                    const struct hst_top_choice *choice, struct hst_error *err)
{
    struct hst_filter filter = choice->filter;
    filter.mode = HST_MODE_ALL;
    struct hst_view view;
    struct hst_states states;
    HST_TRY(hst_view_init(&view, profile, &table->sums[HST_TOP_NOW], &filter, err));
    enum hst_status status = hst_states_init(&states, &view);
    if (status == HST_OK) {
        table->threads = hst_alloc_zero(states.thread_count + 1, sizeof *table->threads);
        status = table->threads != NULL ? HST_OK : HST_E_NOMEM;
        for (size_t i = 0; i < states.thread_count && status == HST_OK; i++) {
            const struct hst_thread_total *from = &states.threads[i];
            struct hst_top_thread_row *row = &table->threads[table->thread_count++];
            *row = (struct hst_top_thread_row){
                .thread = from->thread, .gil_ns = from->gil.ns, .all_ns = from->all.ns};
            for (size_t a = 0; a < HST_ACTIVITY_COUNT; a++)
                row->by_activity_ns[a] = from->by_activity[a].ns;
            if (from->thread < table->seen_count)
                row->seen = table->seen[from->thread];
            locate(row, &view);
        }
        hst_states_release(&states);
    }
    hst_view_release(&view);
    return status;
}

/* Figures of the whole program, whatever the filter shows of it. */
static struct hst_top_shares make_shares(const struct hst_top_live *live, const struct hst_aggregate *now)
{
    struct hst_top_shares shares = {
        .watched_ns = live->now_ns, .since_ns = live->now_ns - live->since_ns, .threads = live->threads};
    uint64_t cpu = 0, samples = 0, dropped = 0, gil = 0, gil_wait = 0, gc = 0;
    for (size_t i = 0; i < live->slot_count; i++) {
        const struct hst_top_slot *slot = hst_top_live_slot(live, i);
        shares.now_ns += slot->end_ns - slot->begin_ns;
        cpu += slot->cpu_ns;
        samples += slot->samples;
        dropped += slot->dropped;
    }
    for (size_t i = 0; i < now->count; i++) {
        const struct hst_aggregate_row *row = &now->rows[i];
        gil += row->flags & HST_SAMPLE_HOLDS_GIL ? row->weight_ns : 0;
        gc += row->flags & HST_SAMPLE_IN_GC ? row->weight_ns : 0;
        gil_wait += row->state == HST_STATE_GIL_WAIT ? row->weight_ns : 0;
    }
    if (shares.now_ns == 0)
        return shares;
    double wall = (double)shares.now_ns;
    shares.cpu = (double)cpu / wall;
    shares.gil = (double)gil / wall;
    shares.gil_wait = (double)gil_wait / wall;
    shares.gc = (double)gc / wall;
    shares.samples_per_s = (double)samples / wall * 1e9;
    shares.dropped = samples + dropped > 0 ? (double)dropped / (double)(samples + dropped) : 0;
    return shares;
}

static enum hst_status sum_now(const struct hst_top_live *live, struct hst_aggregate *now)
{
    for (size_t s = 0; s < live->slot_count; s++) {
        const struct hst_aggregate *sums = &hst_top_live_slot(live, s)->sums;
        for (size_t i = 0; i < sums->count; i++)
            HST_TRY(hst_aggregate_merge(now, &sums->rows[i]));
    }
    return HST_OK;
}

static enum hst_status copy_known(struct hst_top_table *table, const struct hst_top_live *live)
{
    struct hst_aggregate *since = &table->sums[HST_TOP_SINCE];
    if (!HST_RESERVE(since->rows, since->capacity, live->since.count + 1))
        return HST_E_NOMEM;
    if (live->since.count > 0)
        memcpy(since->rows, live->since.rows, live->since.count * sizeof *since->rows);
    since->count = live->since.count;
    table->seen = hst_alloc(live->seen_count + 1, sizeof *table->seen);
    if (table->seen == NULL)
        return HST_E_NOMEM;
    if (live->seen_count > 0)
        memcpy(table->seen, live->seen, live->seen_count * sizeof *table->seen);
    table->seen_count = live->seen_count;
    return HST_OK;
}

enum hst_status hst_top_table_take(struct hst_top_table *table, const struct hst_top_live *live)
{
    hst_top_table_release(table);
    table->renewals = live->renewals;
    enum hst_status status = sum_now(live, &table->sums[HST_TOP_NOW]);
    if (status == HST_OK)
        status = copy_known(table, live);
    if (status == HST_OK)
        table->shares = make_shares(live, &table->sums[HST_TOP_NOW]);
    return status;
}

enum hst_status hst_top_table_make(struct hst_top_table *table, const struct hst_profile *profile,
                                   const struct hst_top_choice *choice, struct hst_error *err)
{
    drop_rows(table);
    struct join join = {.table = table};
    hst_map_init(&join.functions);
    hst_map_init(&join.lines);
    enum hst_status status = join_window(&join, profile, choice, HST_TOP_NOW, err);
    if (status == HST_OK)
        status = join_window(&join, profile, choice, HST_TOP_SINCE, err);
    if (status == HST_OK)
        status = make_threads(table, profile, choice, err);
    hst_map_release(&join.functions);
    hst_map_release(&join.lines);
    if (status == HST_OK)
        status = hst_top_table_arrange(table, profile, choice);
    if (status != HST_OK)
        drop_rows(table);
    return status;
}
