/* Virtual tables: a cursor is a place in the columns of the heap. What has to be computed (retained sizes,
 * depths) is computed when a query first reads it. */
#include "analyze/heap_query_tables.h"

#include <string.h>

#include "analyze/heap_path.h"
#include "base/memory.h"

enum table_kind { TABLE_OBJECT, TABLE_TYPE, TABLE_REFERENCE, TABLE_ROOT, TABLE_KINDS };
enum { BY_SCAN, BY_FIRST, BY_SECOND }; /* which column is asked to be equal to something */
enum {
    OBJECT_ID,
    OBJECT_ADDRESS,
    OBJECT_TYPE,
    OBJECT_TYPE_ID,
    OBJECT_BYTES,
    OBJECT_RETAINED,
    OBJECT_DOMINATOR,
    OBJECT_DEPTH,
    OBJECT_VALUE
};
enum { TYPE_ID, TYPE_NAME, TYPE_ADDRESS, TYPE_FLAGS, TYPE_BASIC_SIZE, TYPE_ITEM_SIZE };
enum { REFERENCE_SOURCE, REFERENCE_TARGET, REFERENCE_PLACE, REFERENCE_NUMBER, REFERENCE_LABEL };
enum { ROOT_OBJECT, ROOT_KIND, ROOT_NUMBER, ROOT_NAME };

static const struct {
    const char *name, *schema;
} tables[TABLE_KINDS] = {
    {"object", "CREATE TABLE object(id INTEGER, address INTEGER, type TEXT, type_id INTEGER, bytes INTEGER, "
               "retained INTEGER, dominator INTEGER, depth INTEGER, value TEXT)"},
    {"type", "CREATE TABLE type(id INTEGER, name TEXT, address INTEGER, flags INTEGER, basic_size INTEGER, "
             "item_size INTEGER)"},
    {"reference",
     "CREATE TABLE reference(source INTEGER, target INTEGER, place TEXT, number INTEGER, label TEXT)"},
    {"root", "CREATE TABLE root(object INTEGER, kind TEXT, number INTEGER, name TEXT)"},
};

struct registered {
    struct hst_heap_view *view;
    uint32_t *depths; /* HST_HEAP_NONE: no path */
};

struct table {
    sqlite3_vtab base;
    struct registered *registered;
    enum table_kind kind;
};

struct cursor {
    sqlite3_vtab_cursor base;
    uint64_t at, end; /* rows; of references: edges */
    uint32_t source;  /* of references: the holder of the edge at hand */
    int incoming;     /* of references: rows are places in view->incoming */
};

static void free_registered(void *context)
{
    struct registered *registered = context;
    hst_free(registered->depths);
    hst_free(registered);
}

static int on_connect(sqlite3 *database, void *context, int argc, const char *const *argv,
                      sqlite3_vtab **ret_table, char **ret_error)
{
    (void)argc, (void)ret_error;
    struct table *table = hst_alloc_zero(1, sizeof *table);
    if (table == NULL)
        return SQLITE_NOMEM;
    table->registered = context;
    for (int kind = 0; kind < TABLE_KINDS; kind++)
        if (strcmp(argv[0], tables[kind].name) == 0)
            table->kind = (enum table_kind)kind;
    *ret_table = &table->base;
    int code = sqlite3_declare_vtab(database, tables[table->kind].schema);
    if (code != SQLITE_OK)
        hst_free(table);
    return code;
}

static int on_disconnect(sqlite3_vtab *base)
{
    hst_free((struct table *)base);
    return SQLITE_OK;
}

static int on_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    const struct table *table = (struct table *)base;
    static const int last_indexed[TABLE_KINDS] = {OBJECT_ADDRESS, TYPE_ID, REFERENCE_TARGET, -1};
    const struct hst_heap *heap = table->registered->view->heap;
    double rows = table->kind == TABLE_REFERENCE ? (double)heap->first[heap->count] : (double)heap->count;
    info->estimatedCost = table->kind == TABLE_TYPE   ? (double)heap->type_count
                          : table->kind == TABLE_ROOT ? (double)heap->root_count
                                                      : rows + 1;
    info->estimatedRows = (sqlite3_int64)info->estimatedCost;
    for (int i = 0; i < info->nConstraint; i++) {
        const struct sqlite3_index_constraint *wish = &info->aConstraint[i];
        if (!wish->usable || wish->op != SQLITE_INDEX_CONSTRAINT_EQ || wish->iColumn < 0 ||
            wish->iColumn > last_indexed[table->kind] || info->idxNum != BY_SCAN)
            continue;
        info->idxNum = wish->iColumn == 0 ? BY_FIRST : BY_SECOND;
        info->aConstraintUsage[i].argvIndex = 1;
        info->estimatedCost = 10;
        info->estimatedRows = 10;
    }
    return SQLITE_OK;
}

static int on_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret_cursor)
{
    (void)base;
    struct cursor *cursor = hst_alloc_zero(1, sizeof *cursor);
    if (cursor == NULL)
        return SQLITE_NOMEM;
    *ret_cursor = &cursor->base;
    return SQLITE_OK;
}

static int on_close(sqlite3_vtab_cursor *base)
{
    hst_free((struct cursor *)base);
    return SQLITE_OK;
}

static const struct table *table_of(const sqlite3_vtab_cursor *base)
{
    return (const struct table *)base->pVtab;
}

/* On to the holder of the edge at hand. */
static void leave_empty(const struct hst_heap *heap, struct cursor *cursor)
{
    while (cursor->at < cursor->end && heap->first[cursor->source + 1] <= cursor->at)
        cursor->source++;
}

static int filter_references(struct hst_heap_view *view, struct cursor *cursor, int how, int64_t value)
{
    const struct hst_heap *heap = view->heap;
    int exists = value >= 0 && (uint64_t)value < heap->count;
    if (how == BY_SCAN) {
        cursor->end = heap->first[heap->count];
        leave_empty(heap, cursor);
    } else if (how == BY_FIRST && exists) {
        cursor->source = (uint32_t)value;
        cursor->at = heap->first[value];
        cursor->end = heap->first[value + 1];
    } else if (how == BY_SECOND && exists) {
        if (hst_heap_view_need(view, HST_HEAP_INCOMING) != HST_OK)
            return SQLITE_NOMEM;
        cursor->incoming = 1;
        cursor->at = view->incoming_first[value];
        cursor->end = view->incoming_first[value + 1];
    }
    return SQLITE_OK;
}

static int on_filter(sqlite3_vtab_cursor *base, int how, const char *text, int argc, sqlite3_value **argv)
{
    (void)text;
    struct cursor *cursor = (struct cursor *)base;
    const struct table *table = table_of(base);
    struct hst_heap_view *view = table->registered->view;
    const struct hst_heap *heap = view->heap;
    int64_t value = argc > 0 ? sqlite3_value_int64(argv[0]) : 0;
    *cursor = (struct cursor){.base = cursor->base};
    int type = argc > 0 ? sqlite3_value_numeric_type(argv[0]) : SQLITE_INTEGER;
    if (type != SQLITE_INTEGER && (type != SQLITE_FLOAT || sqlite3_value_double(argv[0]) != (double)value))
        return SQLITE_OK; /* equal to no number of a row */
    if (table->kind == TABLE_REFERENCE)
        return filter_references(view, cursor, how, value);
    uint64_t rows = table->kind == TABLE_OBJECT ? heap->count
                    : table->kind == TABLE_TYPE ? heap->type_count
                                                : heap->root_count;
    if (how == BY_SECOND) {
        value = hst_heap_find(heap, (uint64_t)value);
        how = BY_FIRST;
    }
    if (how == BY_SCAN)
        cursor->end = rows;
    else if (value >= 0 && (uint64_t)value < rows) {
        cursor->at = (uint64_t)value;
        cursor->end = cursor->at + 1;
    }
    return SQLITE_OK;
}

static int on_next(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = (struct cursor *)base;
    const struct hst_heap_view *view = table_of(base)->registered->view;
    cursor->at++;
    if (table_of(base)->kind == TABLE_REFERENCE && !cursor->incoming)
        leave_empty(view->heap, cursor);
    return SQLITE_OK;
}

static int on_eof(sqlite3_vtab_cursor *base)
{
    const struct cursor *cursor = (struct cursor *)base;
    return cursor->at >= cursor->end;
}

static int on_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_rowid)
{
    *ret_rowid = (sqlite3_int64)((struct cursor *)base)->at;
    return SQLITE_OK;
}

/* References on the shortest path to each object. */
static enum hst_status find_depths(struct registered *registered)
{
    struct hst_heap_view *view = registered->view;
    size_t count = view->heap->count;
    HST_TRY(hst_heap_view_need(view, HST_HEAP_PATHS | HST_HEAP_RETAINED));
    HST_CLEANUP_FREE uint32_t *stack = hst_alloc(count + 1, sizeof *stack);
    uint32_t *depths = hst_alloc(count + 1, sizeof *depths);
    if (stack == NULL || depths == NULL) {
        hst_free(depths);
        return HST_E_NOMEM;
    }
    memset(depths, 0xff, (count + 1) * sizeof *depths);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i, length = 0;
        if (view->dominators.above[i] == HST_GRAPH_NONE)
            continue;
        for (; at != HST_HEAP_NONE && depths[at] == HST_HEAP_NONE; at = view->before[at])
            stack[length++] = at;
        for (uint32_t depth = at == HST_HEAP_NONE ? 0 : depths[at] + 1; length > 0; depth++)
            depths[stack[--length]] = depth;
    }
    registered->depths = depths;
    return HST_OK;
}

static void result_text(sqlite3_context *result, const char *text)
{
    sqlite3_result_text(result, text, -1, SQLITE_STATIC); /* the heap's own, which stays */
}

static void result_buffer(sqlite3_context *result, struct hst_buffer *text)
{
    if (text->failed)
        sqlite3_result_error_nomem(result);
    else
        sqlite3_result_text64(result, (const char *)text->data, text->length, SQLITE_TRANSIENT, SQLITE_UTF8);
    hst_buffer_release(text);
}

static int object_column(struct registered *registered, sqlite3_context *result, int column, uint32_t at)
{
    struct hst_heap_view *view = registered->view;
    const struct hst_heap *heap = view->heap;
    struct hst_buffer text;
    size_t length;
    if ((column == OBJECT_RETAINED || column == OBJECT_DOMINATOR) &&
        hst_heap_view_need(view, HST_HEAP_RETAINED) != HST_OK)
        return SQLITE_NOMEM;
    if (column == OBJECT_DEPTH && registered->depths == NULL && find_depths(registered) != HST_OK)
        return SQLITE_NOMEM;
    if (column == OBJECT_ID)
        sqlite3_result_int64(result, at);
    else if (column == OBJECT_ADDRESS)
        sqlite3_result_int64(result, (sqlite3_int64)heap->addresses[at]);
    else if (column == OBJECT_TYPE)
        result_text(result, hst_heap_type_name(heap, heap->types[at]));
    else if (column == OBJECT_TYPE_ID)
        sqlite3_result_int64(result, heap->types[at]);
    else if (column == OBJECT_BYTES)
        sqlite3_result_int64(result, (sqlite3_int64)heap->bytes[at]);
    else if (column == OBJECT_RETAINED)
        sqlite3_result_int64(result, (sqlite3_int64)view->retained[at]);
    else if (column == OBJECT_DOMINATOR && view->dominators.above[at] < heap->count)
        sqlite3_result_int64(result, view->dominators.above[at]);
    else if (column == OBJECT_DEPTH && registered->depths[at] != HST_HEAP_NONE)
        sqlite3_result_int64(result, registered->depths[at]);
    else if (column == OBJECT_VALUE && hst_heap_value(heap, at, &length) != NULL) {
        hst_buffer_init(&text, 0);
        hst_heap_path_add_value(view, at, &text);
        result_buffer(result, &text);
    }
    return SQLITE_OK; /* what got no result is NULL */
}

static void type_column(const struct hst_heap *heap, sqlite3_context *result, int column, uint32_t at)
{
    const struct hst_heap_type *type = &heap->type_rows[at];
    if (column == TYPE_NAME) {
        result_text(result, hst_heap_type_name(heap, at));
        return;
    }
    const uint64_t values[] = {[TYPE_ID] = at,
                               [TYPE_ADDRESS] = type->address,
                               [TYPE_FLAGS] = type->flags,
                               [TYPE_BASIC_SIZE] = type->basic_size,
                               [TYPE_ITEM_SIZE] = type->item_size};
    if (column >= 0 && (size_t)column < HST_ARRAY_LENGTH(values))
        sqlite3_result_int64(result, (sqlite3_int64)values[column]);
}

static void reference_column(struct hst_heap_view *view, sqlite3_context *result, int column,
                             const struct cursor *cursor)
{
    static const char *const places[] = {"item",  "key",      "value",  "attribute",
                                         "field", "variable", "buffer", "?"};
    const struct hst_heap *heap = view->heap;
    uint32_t edge = cursor->incoming ? view->incoming[cursor->at] : (uint32_t)cursor->at;
    uint32_t source = cursor->incoming ? hst_heap_path_source(heap, edge) : cursor->source;
    struct hst_buffer text;
    if (column == REFERENCE_SOURCE)
        sqlite3_result_int64(result, source);
    else if (column == REFERENCE_TARGET)
        sqlite3_result_int64(result, heap->targets[edge]);
    else if (heap->places == NULL)
        return;
    else if (column == REFERENCE_PLACE)
        result_text(result, places[hst_place_kind_of(heap->places[edge])]);
    else if (column == REFERENCE_NUMBER)
        sqlite3_result_int64(result, hst_place_index_of(heap->places[edge]));
    else if (column == REFERENCE_LABEL) {
        hst_buffer_init(&text, 0);
        hst_heap_path_add_place(view, source, edge, 0, &text);
        result_buffer(result, &text);
    }
}

static void root_column(const struct hst_heap *heap, sqlite3_context *result, int column, uint64_t at)
{
    static const char *const kinds[] = {"module", "frame", "interpreter", "static", "native"};
    const struct hst_heap_root *root = &heap->roots[at];
    if (column == ROOT_OBJECT)
        sqlite3_result_int64(result, root->object);
    else if (column == ROOT_KIND)
        result_text(result, root->kind < HST_ARRAY_LENGTH(kinds) ? kinds[root->kind] : "?");
    else if (column == ROOT_NUMBER)
        sqlite3_result_int64(result, root->number);
    else if (column == ROOT_NAME)
        result_text(result, hst_strings_get(&heap->strings, root->name));
}

static int on_column(sqlite3_vtab_cursor *base, sqlite3_context *result, int column)
{
    const struct cursor *cursor = (struct cursor *)base;
    const struct table *table = table_of(base);
    struct hst_heap_view *view = table->registered->view;
    if (table->kind == TABLE_OBJECT)
        return object_column(table->registered, result, column, (uint32_t)cursor->at);
    if (table->kind == TABLE_TYPE)
        type_column(view->heap, result, column, (uint32_t)cursor->at);
    else if (table->kind == TABLE_REFERENCE)
        reference_column(view, result, column, cursor);
    else
        root_column(view->heap, result, column, cursor->at);
    return SQLITE_OK;
}

/* Without xCreate: the tables are there by their names. */
static const sqlite3_module module = {.iVersion = 1,
                                      .xConnect = on_connect,
                                      .xBestIndex = on_best_index,
                                      .xDisconnect = on_disconnect,
                                      .xDestroy = on_disconnect,
                                      .xOpen = on_open,
                                      .xClose = on_close,
                                      .xFilter = on_filter,
                                      .xNext = on_next,
                                      .xEof = on_eof,
                                      .xColumn = on_column,
                                      .xRowid = on_rowid};

int hst_heap_query_tables_register(sqlite3 *database, struct hst_heap_view *view)
{
    int code = SQLITE_OK;
    for (int kind = 0; kind < TABLE_KINDS && code == SQLITE_OK; kind++) {
        struct registered *registered = hst_alloc_zero(1, sizeof *registered);
        if (registered == NULL)
            return SQLITE_NOMEM;
        registered->view = view;
        code = sqlite3_create_module_v2(database, tables[kind].name, &module, registered, free_registered);
    }
    return code;
}
