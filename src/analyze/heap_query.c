/* A database in memory that has nothing of its own. */
#include "analyze/heap_query.h"

#include <string.h>

#include "analyze/heap_query_tables.h"
#include "base/memory.h"

struct hst_heap_query {
    sqlite3 *database;
    sqlite3_stmt *statement;
};

/* Whether SQLite may do something: to read, and what reading needs. */
static int authorise(void *context, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)context, (void)a, (void)c, (void)d;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_FUNCTION: /* files and code of others */
        return b != NULL && strcmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    default:
        return SQLITE_DENY;
    }
}

static enum hst_status explain(struct hst_heap_query *query, int code, struct hst_error *err)
{
    if (code == SQLITE_NOMEM || query->database == NULL)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    if (code == SQLITE_AUTH)
        (void)hst_error_set(err, HST_E_INVALID, "a query may only read: SELECT ... or WITH ... SELECT ...");
    else
        (void)hst_error_set(err, HST_E_INVALID, "SQL: %.300s", sqlite3_errmsg(query->database));
    hst_error_hint(err,
                   "select type, count(*), sum(bytes) from object group by type order by 3 desc limit 10 "
                   "(`hasten help heap query` has the tables)");
    return HST_E_INVALID;
}

static enum hst_status prepare(struct hst_heap_query *query, struct hst_heap_view *view, const char *sql,
                               struct hst_error *err)
{
    const char *rest = NULL;
    int code =
        sqlite3_open_v2(":memory:", &query->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (code == SQLITE_OK)
        code = hst_heap_query_tables_register(query->database, view);
    if (code == SQLITE_OK) /* their declaration looks like CREATE TABLE: so before that is forbidden */
        code = sqlite3_exec(query->database, "select 1 from object, type, reference, root limit 0", NULL,
                            NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_set_authorizer(query->database, authorise, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(query->database, sql, -1, &query->statement, &rest);
    if (code != SQLITE_OK)
        return explain(query, code, err);
    if (query->statement == NULL)
        return hst_error_set(err, HST_E_INVALID, "the query is empty");
    while (*rest == ' ' || *rest == '\n' || *rest == '\t' || *rest == ';')
        rest++;
    if (*rest != '\0')
        return hst_error_set(err, HST_E_INVALID, "one query at a time: '%.100s' comes after it", rest);
    return HST_OK;
}

enum hst_status hst_heap_query_new(struct hst_heap_view *view, const char *sql,
                                   struct hst_heap_query **ret_query, struct hst_error *err)
{
    struct hst_heap_query *query = hst_alloc_zero(1, sizeof *query);
    if (query == NULL)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    enum hst_status status = prepare(query, view, sql, err);
    if (status != HST_OK)
        hst_heap_query_free(query);
    else
        *ret_query = query;
    return status;
}

void hst_heap_query_free(struct hst_heap_query *query)
{
    if (query == NULL)
        return;
    (void)sqlite3_finalize(query->statement);
    (void)sqlite3_close(query->database);
    hst_free(query);
}

size_t hst_heap_query_columns(const struct hst_heap_query *query)
{
    return (size_t)sqlite3_column_count(query->statement);
}

const char *hst_heap_query_name(const struct hst_heap_query *query, size_t column)
{
    const char *name = sqlite3_column_name(query->statement, (int)column);
    return name != NULL ? name : "";
}

enum hst_status hst_heap_query_step(struct hst_heap_query *query, int *ret_row, struct hst_error *err)
{
    int code = sqlite3_step(query->statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return explain(query, code, err);
    *ret_row = code == SQLITE_ROW;
    return HST_OK;
}

struct hst_heap_cell hst_heap_query_cell(struct hst_heap_query *query, size_t column)
{
    struct hst_heap_cell cell = {.kind = HST_CELL_NULL};
    int type = sqlite3_column_type(query->statement, (int)column);
    if (type == SQLITE_INTEGER) {
        cell.kind = HST_CELL_INTEGER;
        cell.integer = sqlite3_column_int64(query->statement, (int)column);
    } else if (type == SQLITE_FLOAT) {
        cell.kind = HST_CELL_REAL;
        cell.real = sqlite3_column_double(query->statement, (int)column);
    } else if (type != SQLITE_NULL)
        cell.kind = HST_CELL_TEXT;
    cell.text = (const char *)sqlite3_column_text(query->statement, (int)column);
    if (cell.text == NULL)
        cell.text = "";
    return cell;
}
