/* A question in SQL to a heap, whose tables are the columns of the snapshot themselves: nothing is copied.
 * The tables: object(id, address, type, type_id, bytes, retained, dominator, depth, value) type(id, name,
 * address, flags, basic_size, item_size) reference(source, target, place, number, label) root(object, kind,
 * number, name) Looking for an object by id or address, or for references by source or target, takes no walk
 * through the table. */
#ifndef HST_ANALYZE_HEAP_QUERY_H
#define HST_ANALYZE_HEAP_QUERY_H

#include "analyze/heap_view.h"

struct hst_heap_query;

/* The view must live as long as the query. HST_E_INVALID: the SQL is wrong, or does more than read. */
enum hst_status hst_heap_query_new(struct hst_heap_view *view, const char *sql,
                                   struct hst_heap_query **ret_query, struct hst_error *err) HST_MUST_CHECK;
void hst_heap_query_free(struct hst_heap_query *query);

size_t hst_heap_query_columns(const struct hst_heap_query *query);
const char *hst_heap_query_name(const struct hst_heap_query *query, size_t column);
/* The next row; *ret_row 0: there is none. */
enum hst_status hst_heap_query_step(struct hst_heap_query *query, int *ret_row,
                                    struct hst_error *err) HST_MUST_CHECK;

enum hst_heap_cell_kind { HST_CELL_NULL, HST_CELL_INTEGER, HST_CELL_REAL, HST_CELL_TEXT };
struct hst_heap_cell {
    enum hst_heap_cell_kind kind;
    int64_t integer;
    double real;
    const char *text; /* of every kind; good until the next step */
};
struct hst_heap_cell hst_heap_query_cell(struct hst_heap_query *query, size_t column);

#endif
