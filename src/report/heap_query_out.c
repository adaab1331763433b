/* Spells cells; text is held until it is known how wide the columns are. */
#include "report/heap_query_out.h"

#include <string.h>

#include "base/memory.h"
#include "report/cell.h"
#include "report/heap_cells.h"
#include "report/json.h"

enum { COLUMN_MOST = 60 }; /* wide */

struct grid {
    char **texts;     /* row by row */
    uint8_t *numbers; /* whether a text is one */
    size_t count, capacity, number_capacity;
};

static enum hst_status add_text(struct grid *grid, const char *text, int is_number)
{
    if (!HST_RESERVE(grid->texts, grid->capacity, grid->count + 1) ||
        !HST_RESERVE(grid->numbers, grid->number_capacity, grid->count + 1))
        return HST_E_NOMEM;
    grid->texts[grid->count] = hst_strdup(text);
    grid->numbers[grid->count] = (uint8_t)is_number;
    return grid->texts[grid->count] != NULL ? (grid->count++, HST_OK) : HST_E_NOMEM;
}

static enum hst_status fill(struct grid *grid, struct hst_heap_query *query, size_t most, int *ret_more,
                            struct hst_error *err)
{
    size_t columns = hst_heap_query_columns(query);
    int row = 1;
    for (size_t i = 0; i < columns; i++)
        if (add_text(grid, hst_heap_query_name(query, i), 0) != HST_OK)
            return hst_error_set(err, HST_E_NOMEM, "out of memory");
    for (size_t rows = 0; row; rows++) {
        HST_TRY(hst_heap_query_step(query, &row, err));
        if (row && most != 0 && rows == most)
            break;
        for (size_t i = 0; i < columns && row; i++) {
            const struct hst_heap_cell cell = hst_heap_query_cell(query, i);
            if (add_text(grid, cell.text, cell.kind == HST_CELL_INTEGER || cell.kind == HST_CELL_REAL) !=
                HST_OK)
                return hst_error_set(err, HST_E_NOMEM, "out of memory");
        }
    }
    *ret_more = row;
    return HST_OK;
}

static void print(const struct grid *grid, size_t columns, const size_t *widths,
                  const struct hst_style *style, struct hst_buffer *out)
{
    for (size_t i = 0; i < grid->count; i++) {
        size_t column = i % columns, row = i / columns;
        int right =
            grid->numbers[i] || (row == 0 && grid->count > columns && grid->numbers[columns + column]);
        size_t width = hst_text_width(grid->texts[i]);
        if (row == 0 && column == 0)
            hst_buffer_add_text(out, hst_ink(style, HST_INK_BOLD));
        if (right && width < widths[column])
            hst_buffer_add_fmt(out, "%*s", (int)(widths[column] - width), "");
        hst_text_add(out, grid->texts[i], widths[column], HST_CUT_END, !right && column + 1 < columns, style);
        if (row == 0 && column + 1 == columns)
            hst_buffer_add_text(out, hst_ink(style, HST_INK_RESET));
        hst_buffer_add_text(out, column + 1 < columns ? "  " : "\n");
    }
}

enum hst_status hst_heap_query_text(struct hst_heap_query *query, size_t most, const struct hst_style *style,
                                    struct hst_buffer *out, struct hst_error *err)
{
    struct grid grid = {0};
    size_t columns = hst_heap_query_columns(query);
    HST_CLEANUP_FREE size_t *widths = hst_alloc_zero(columns + 1, sizeof *widths);
    int more = 0;
    enum hst_status status = widths == NULL ? hst_error_set(err, HST_E_NOMEM, "out of memory")
                                            : fill(&grid, query, most, &more, err);
    for (size_t i = 0; i < grid.count && status == HST_OK; i++) {
        size_t width = hst_text_width(grid.texts[i]);
        width = width < COLUMN_MOST ? width : COLUMN_MOST;
        widths[i % columns] = width > widths[i % columns] ? width : widths[i % columns];
    }
    if (status == HST_OK && columns > 0)
        print(&grid, columns, widths, style, out);
    if (status == HST_OK && more)
        hst_buffer_add_fmt(out, "%sand more than these %zu rows (-n 0: all)%s\n", hst_ink(style, HST_INK_DIM),
                           most, hst_ink(style, HST_INK_RESET));
    for (size_t i = 0; i < grid.count; i++)
        hst_free(grid.texts[i]);
    hst_free(grid.texts);
    hst_free(grid.numbers);
    HST_TRY(status);
    return hst_buffer_status(out) == HST_OK ? HST_OK : hst_error_set(err, HST_E_NOMEM, "out of memory");
}

static void add_field(struct hst_buffer *out, const char *text, int last)
{
    int quote = strpbrk(text, ",\"\r\n") != NULL;
    if (quote)
        hst_buffer_add_byte(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            hst_buffer_add_byte(out, '"');
        hst_buffer_add_byte(out, (uint8_t)*text);
    }
    hst_buffer_add_text(out, quote ? "\"" : "");
    hst_buffer_add_text(out, last ? "\r\n" : ",");
}

enum hst_status hst_heap_query_csv(struct hst_heap_query *query, struct hst_buffer *out,
                                   struct hst_error *err)
{
    size_t columns = hst_heap_query_columns(query);
    for (size_t i = 0; i < columns; i++)
        add_field(out, hst_heap_query_name(query, i), i + 1 == columns);
    for (int row = 1; row;) {
        HST_TRY(hst_heap_query_step(query, &row, err));
        for (size_t i = 0; i < columns && row; i++)
            add_field(out, hst_heap_query_cell(query, i).text, i + 1 == columns);
    }
    return hst_buffer_status(out) == HST_OK ? HST_OK : hst_error_set(err, HST_E_NOMEM, "out of memory");
}

static json_t *cell_json(const struct hst_heap_cell *cell)
{
    return cell->kind == HST_CELL_NULL      ? json_null()
           : cell->kind == HST_CELL_INTEGER ? json_integer((json_int_t)cell->integer)
           : cell->kind == HST_CELL_REAL    ? json_real(cell->real)
                                            : hst_json_text(cell->text);
}

enum hst_status hst_heap_query_json(struct hst_heap_query *query, json_t **ret_json, struct hst_error *err)
{
    size_t columns = hst_heap_query_columns(query);
    json_t *list = json_array();
    for (int row = 1; row;) {
        enum hst_status status = hst_heap_query_step(query, &row, err);
        if (status != HST_OK) {
            json_decref(list);
            return status;
        }
        json_t *object = row ? json_object() : NULL;
        for (size_t i = 0; i < columns && object != NULL; i++) {
            const struct hst_heap_cell cell = hst_heap_query_cell(query, i);
            if (json_object_set_new(object, hst_heap_query_name(query, i), cell_json(&cell)) != 0) {
                json_decref(object);
                object = NULL;
            }
        }
        if (row)
            hst_heap_json_append(&list, object);
        if (list == NULL)
            return hst_error_set(err, HST_E_NOMEM, "out of memory");
    }
    *ret_json = list;
    return HST_OK;
}
