/* Which rows of a live table are shown, and in which order. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/cell.h"
#include "report/top_table.h"

struct order {
    const struct hst_top_table *table;
    const struct hst_profile *profile;
    const struct hst_top_choice *choice;
};

static int compare_u64(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

/* Largest first by the chosen window, then by the other one, so that what rests now keeps a place. */
static int compare_times(const struct hst_top_row *a, const struct hst_top_row *b,
                         const struct hst_top_choice *choice)
{
    size_t first = choice->window, second = first == HST_TOP_NOW ? HST_TOP_SINCE : HST_TOP_NOW;
    const size_t windows[] = {first, second};
    for (size_t w = 0; w < HST_ARRAY_LENGTH(windows); w++) {
        int by_self = compare_u64(b->self_ns[windows[w]], a->self_ns[windows[w]]);
        int by_total = compare_u64(b->total_ns[windows[w]], a->total_ns[windows[w]]);
        int result = choice->sort == HST_SORT_TOTAL ? (by_total != 0 ? by_total : by_self)
                                                    : (by_self != 0 ? by_self : by_total);
        if (result != 0)
            return result;
    }
    return 0;
}

static int compare_rows(const void *a_index, const void *b_index, void *context)
{
    const struct order *order = context;
    const struct hst_top_row *rows =
        order->choice->view == HST_TOP_LINES ? order->table->lines : order->table->functions;
    const struct hst_top_row *a = &rows[*(const uint32_t *)a_index], *b = &rows[*(const uint32_t *)b_index];
    int result = 0;
    if (order->choice->sort == HST_SORT_NAME) {
        if (order->choice->view == HST_TOP_FUNCTIONS)
            result = strcmp(hst_cell_function(order->profile, a->function).text,
                            hst_cell_function(order->profile, b->function).text);
        if (result == 0)
            result =
                strcmp(hst_profile_text(order->profile, a->file), hst_profile_text(order->profile, b->file));
        if (result == 0)
            result = compare_u64(a->line, b->line);
    }
    if (result == 0)
        result = compare_times(a, b, order->choice);
    if (result == 0)
        result = compare_u64(a->function, b->function);
    return result != 0 ? result : compare_u64(a->line, b->line);
}

/* The table has them busiest first; total means the most CPU, name the thread's name. */
static int compare_threads(const void *a_index, const void *b_index, void *context)
{
    const struct order *order = context;
    uint32_t a = *(const uint32_t *)a_index, b = *(const uint32_t *)b_index;
    const struct hst_top_thread_row *rows = order->table->threads;
    const struct hst_profile *profile = order->profile;
    int result = 0;
    if (order->choice->sort == HST_SORT_NAME)
        result = strcmp(hst_profile_text(profile, profile->threads[rows[a].thread].name),
                        hst_profile_text(profile, profile->threads[rows[b].thread].name));
    else if (order->choice->sort == HST_SORT_TOTAL)
        result = compare_u64(rows[b].by_activity_ns[HST_ACTIVITY_RUNNING],
                             rows[a].by_activity_ns[HST_ACTIVITY_RUNNING]);
    return result != 0 ? result : compare_u64(a, b);
}

static int row_is_wanted(const struct order *order, uint32_t index)
{
    const char *search = order->choice->search;
    const struct hst_profile *profile = order->profile;
    if (order->choice->view == HST_TOP_THREADS) {
        const struct hst_top_thread_row *row = &order->table->threads[index];
        if (strcasestr(hst_profile_text(profile, profile->threads[row->thread].name), search) != NULL)
            return 1;
        return row->function != HST_ID_NONE &&
               strcasestr(hst_cell_function(profile, row->function).text, search) != NULL;
    }
    const struct hst_top_row *row =
        order->choice->view == HST_TOP_LINES ? &order->table->lines[index] : &order->table->functions[index];
    return strcasestr(hst_cell_function(profile, row->function).text, search) != NULL ||
           strcasestr(hst_profile_text(profile, row->file), search) != NULL;
}

enum hst_status hst_top_table_arrange(struct hst_top_table *table, const struct hst_profile *profile,
                                      const struct hst_top_choice *choice)
{
    struct order order = {.table = table, .profile = profile, .choice = choice};
    size_t count = choice->view == HST_TOP_FUNCTIONS ? table->function_count
                   : choice->view == HST_TOP_LINES   ? table->line_count
                                                     : table->thread_count;
    hst_free(table->shown);
    table->shown_count = 0;
    table->shown = hst_alloc_zero(count + 1, sizeof *table->shown);
    if (table->shown == NULL)
        return HST_E_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        if (choice->search[0] == '\0' || row_is_wanted(&order, i))
            table->shown[table->shown_count++] = i;
    if (table->shown_count > 0)
        qsort_r(table->shown, table->shown_count, sizeof *table->shown,
                choice->view == HST_TOP_THREADS ? compare_threads : compare_rows, &order);
    return HST_OK;
}
