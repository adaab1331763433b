/* Joins the two tables of functions by name and file. */
#include "analyze/diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static struct hst_diff_row *row_get(struct hst_diff *diff, struct hst_map *index, const char *name,
                                    const char *file)
{
    uint64_t key = hst_hash_bytes(name, strlen(name), hst_hash_bytes(file, strlen(file), 0));
    uint32_t found;
    for (; (found = hst_map_find(index, key)) != HST_MAP_ABSENT; key++)
        if (strcmp(diff->rows[found].name, name) == 0 && strcmp(diff->rows[found].file, file) == 0)
            return &diff->rows[found];
    found = (uint32_t)diff->count;
    if (!HST_RESERVE(diff->rows, diff->capacity, diff->count + 1) || !hst_map_set(index, key, found))
        return NULL;
    diff->rows[found] = (struct hst_diff_row){.name = name, .file = file};
    diff->count++;
    return &diff->rows[found];
}

static int add_side(struct hst_diff *diff, struct hst_map *index, const struct hst_view *view, int after)
{
    struct hst_totals totals;
    if (hst_totals_init(&totals, view) != HST_OK)
        return 0;
    int ok = 1;
    for (size_t i = 0; ok && i < totals.function_count; i++) {
        const struct hst_function *function = &view->profile->functions[totals.functions[i].function];
        struct hst_diff_row *row = row_get(diff, index, hst_profile_text(view->profile, function->qualname),
                                           hst_profile_text(view->profile, function->file));
        if (row == NULL) {
            ok = 0;
        } else {
            struct hst_diff_side *side = after ? &row->after : &row->before;
            hst_sum_add(&side->self, &totals.functions[i].self);
            hst_sum_add(&side->total, &totals.functions[i].total);
            row->first_line = function->first_line;
        }
    }
    hst_totals_release(&totals);
    return ok;
}

static void judge(struct hst_diff_row *row, const struct hst_diff *diff)
{
    double before_n = hst_effective_samples(&diff->before), after_n = hst_effective_samples(&diff->after);
    row->before.share = hst_share_of(row->before.self.ns, diff->before.ns, before_n);
    row->after.share = hst_share_of(row->after.self.ns, diff->after.ns, after_n);
    row->time = hst_change_of(&row->before.share, (double)diff->before.ns, before_n, &row->after.share,
                              (double)diff->after.ns, after_n);
    row->share = hst_change_of(&row->before.share, 1, before_n, &row->after.share, 1, after_n);
}

static int compare_rows(const void *a_row, const void *b_row)
{
    const struct hst_diff_row *a = a_row, *b = b_row;
    double a_change = fabs(a->time.after - a->time.before), b_change = fabs(b->time.after - b->time.before);
    if (a_change != b_change)
        return a_change < b_change ? 1 : -1;
    int result = strcmp(a->name, b->name);
    return result != 0 ? result : strcmp(a->file, b->file);
}

enum hst_status hst_diff_init(struct hst_diff *diff, const struct hst_view *before,
                              const struct hst_view *after)
{
    *diff = (struct hst_diff){.before = before->all, .after = after->all};
    HST_CLEANUP(hst_map_release) struct hst_map index;
    hst_map_init(&index);
    if (!add_side(diff, &index, before, 0) || !add_side(diff, &index, after, 1)) {
        hst_diff_release(diff);
        return HST_E_NOMEM;
    }
    for (size_t i = 0; i < diff->count; i++)
        judge(&diff->rows[i], diff);
    if (diff->count > 0)
        qsort(diff->rows, diff->count, sizeof *diff->rows, compare_rows);
    return HST_OK;
}

void hst_diff_release(struct hst_diff *diff)
{
    hst_free(diff->rows);
    *diff = (struct hst_diff){0};
}
