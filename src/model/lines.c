/* Rows by function and line. */
#include "model/lines.h"

#include <stdlib.h>

#include "base/memory.h"

void hst_lines_init(struct hst_lines *lines) { *lines = (struct hst_lines){0}; }

void hst_lines_release(struct hst_lines *lines)
{
    hst_free(lines->rows);
    hst_map_release(&lines->index);
    hst_lines_init(lines);
}

struct hst_line_row *hst_lines_row(struct hst_lines *lines, uint32_t function, uint32_t line)
{
    uint64_t key = (uint64_t)function << 32 | line;
    uint32_t found = hst_map_find(&lines->index, key);
    if (found == HST_MAP_ABSENT) {
        found = (uint32_t)lines->count;
        if (!HST_RESERVE(lines->rows, lines->capacity, lines->count + 1) ||
            !hst_map_set(&lines->index, key, found))
            return NULL;
        lines->rows[lines->count++] = (struct hst_line_row){.function = function, .line = line};
    }
    return &lines->rows[found];
}

/* The self times of a function's lines, which stand together. */
static uint64_t time_of(const struct hst_line_row *rows, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += rows[i].self_ns;
    return sum;
}

static int by_function(const void *a_row, const void *b_row)
{
    const struct hst_line_row *a = a_row, *b = b_row;
    if (a->function != b->function)
        return a->function < b->function ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

struct group {
    size_t first, count;
    uint64_t time_ns;
};

static int by_time(const void *a_group, const void *b_group)
{
    const struct group *a = a_group, *b = b_group;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? 1 : -1;
    return (a->first > b->first) - (a->first < b->first);
}

void hst_lines_sort(struct hst_lines *lines)
{
    size_t groups = 0, capacity = 0;
    HST_CLEANUP_FREE struct group *order = NULL;
    HST_CLEANUP_FREE struct hst_line_row *sorted = hst_alloc(lines->count + 1, sizeof *sorted);
    if (lines->count == 0 || sorted == NULL)
        return;
    qsort(lines->rows, lines->count, sizeof *lines->rows, by_function);
    for (size_t i = 0; i < lines->count; i++) {
        if (i == 0 || lines->rows[i].function != lines->rows[i - 1].function) {
            if (!HST_RESERVE(order, capacity, groups + 1))
                return;
            order[groups++] = (struct group){.first = i};
        }
        order[groups - 1].count++;
    }
    size_t at = 0;
    for (size_t g = 0; g < groups; g++)
        order[g].time_ns = time_of(&lines->rows[order[g].first], order[g].count);
    qsort(order, groups, sizeof *order, by_time);
    for (size_t g = 0; g < groups; g++)
        for (size_t i = 0; i < order[g].count; i++)
            sorted[at++] = lines->rows[order[g].first + i];
    for (size_t i = 0; i < lines->count; i++)
        lines->rows[i] = sorted[i];
    hst_map_clear(&lines->index);
    for (size_t i = 0; i < lines->count; i++)
        (void)hst_map_set(&lines->index, (uint64_t)lines->rows[i].function << 32 | lines->rows[i].line,
                          (uint32_t)i);
}
