/* Rows first, since they say how many rows of columns there are; then the columns, block by block. */
#include "store/heap_reader.h"

#include <stdio.h>
#include <string.h>

#include "store/database.h"
#include "store/heap_column.h"
#include "store/heap_kind.h"
#include "store/row_value.h"
#include "store/run_row.h"

struct reader {
    struct hst_store *store;
    uint64_t run;
    unsigned what;
    struct hst_heap heap;
    struct hst_heap_sizes sizes;
    uint64_t *counts; /* of each type the objects and bytes that its row says */
    size_t type_capacity, count_capacity, name_capacity, part_capacity, finding_capacity;
};

static void reader_release(struct reader *reader)
{
    hst_heap_release(&reader->heap);
    hst_free(reader->counts);
}

static enum hst_status damaged(const struct reader *reader, const char *column, uint64_t block,
                               const char *reason, struct hst_error *err)
{
    (void)hst_error_set(err, HST_E_CORRUPT, "run %llu is damaged: block %llu of column %s: %s",
                        (unsigned long long)reader->run, (unsigned long long)block, column, reason);
    hst_error_hint(err, "other runs in the store may be whole; `hasten rm` removes this one");
    return HST_E_CORRUPT;
}

/* NULL, where text is none, too. */
static char *copy_text(sqlite3_stmt *s, int index, int *good)
{
    const char *text = (const char *)sqlite3_column_text(s, index);
    char *copy = text != NULL ? hst_strdup(text) : NULL;
    *good &= text != NULL;
    return copy;
}

static enum hst_status take_head(struct reader *reader, sqlite3_stmt *s, struct hst_error *err)
{
    struct hst_heap *heap = &reader->heap;
    struct hst_heap_sizes *sizes = &reader->sizes;
    int good = 1, way = hst_heap_kind_find(&hst_heap_ways, sqlite3_column_text(s, 4));
    heap->pid = (int)hst_row_take(s, 0, INT32_MAX, &good);
    heap->command = copy_text(s, 1, &good);
    const unsigned char *interpreter = sqlite3_column_text(s, 2);
    (void)snprintf(heap->interpreter, sizeof heap->interpreter, "%s",
                   interpreter != NULL ? (const char *)interpreter : "");
    heap->wall_ns = hst_row_take(s, 3, INT64_MAX, &good);
    heap->way = way >= 0 ? (enum hst_heap_way)way : HST_HEAP_STOPPED;
    uint64_t *const numbers[] = {&heap->pause_ns,  &heap->copied_bytes, &heap->resident_bytes,
                                 &heap->census_ns, &heap->cost.faults,  &heap->cost.stolen_ns};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(numbers); i++)
        *numbers[i] = hst_row_take(s, 5 + (int)i, INT64_MAX, &good);
    heap->cost.reaped = sqlite3_column_type(s, 11) != SQLITE_NULL;
    if (heap->cost.reaped)
        heap->cost.reap_pause_ns = hst_row_take(s, 11, INT64_MAX, &good);
    int has_reason = sqlite3_column_type(s, 12) != SQLITE_NULL;
    if (has_reason)
        heap->incomplete = copy_text(s, 12, &good);
    *sizes = (struct hst_heap_sizes){.objects = hst_row_take(s, 13, HST_HEAP_OBJECTS_MAX, &good),
                                     .references = hst_row_take(s, 14, HST_HEAP_REFERENCES_MAX, &good),
                                     .places = hst_row_take(s, 15, HST_HEAP_REFERENCES_MAX, &good),
                                     .values = hst_row_take(s, 16, HST_HEAP_OBJECTS_MAX, &good),
                                     .value_bytes = hst_row_take(s, 17, INT64_MAX, &good),
                                     .roots = hst_row_take(s, 18, UINT32_MAX, &good)};
    if (!good || way < 0 || sizes->values > sizes->objects ||
        sizes->value_bytes > sizes->values * HST_HEAP_VALUE_BYTES ||
        (sizes->objects == 0 && sizes->references > 0) ||
        (sizes->places != 0 && sizes->places != sizes->references))
        return hst_row_damaged(err, reader->run, "heap of run", (int64_t)reader->run);
    return heap->command != NULL && (heap->incomplete != NULL || !has_reason) ? HST_OK : hst_store_nomem(err);
}

static enum hst_status read_head(struct reader *reader, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    int row;
    HST_TRY(hst_store_prepare(
        reader->store,
        "SELECT pid, command, interpreter, wall_ns, way, pause_ns, copied_bytes,"
        " resident_bytes, census_ns, faults, stolen_ns, reap_pause_ns, incomplete, object_count,"
        " reference_count, place_count, value_count, value_bytes, root_count"
        " FROM heap WHERE run = ?1",
        &s, err));
    hst_store_bind(s, 1, reader->run);
    HST_TRY(hst_store_step(reader->store, s, &row, err));
    return row ? take_head(reader, s, err)
               : hst_row_damaged(err, reader->run, "heap of run", (int64_t)reader->run);
}

/* Adds the row whose first column is to be expected; clears good when it does not make sense. 0: out of
 * memory. */
typedef int add_row(struct reader *reader, sqlite3_stmt *statement, uint64_t expected, int *good);

static int add_string(struct reader *reader, sqlite3_stmt *s, uint64_t expected, int *good)
{
    const char *text = (const char *)sqlite3_column_text(s, 1);
    *good &= hst_row_u32(s, 0, good) == expected && text != NULL &&
             strlen(text) == (size_t)sqlite3_column_bytes(s, 1);
    uint32_t id = *good ? hst_strings_add_z(&reader->heap.strings, text) : 0;
    *good &= id == expected || id == HST_MAP_ABSENT;
    return id != HST_MAP_ABSENT;
}

/* NULL stands for none; another number is below count. */
static uint32_t take_id(sqlite3_stmt *s, int index, uint64_t count, int *good)
{
    if (sqlite3_column_type(s, index) == SQLITE_NULL)
        return HST_HEAP_NONE;
    uint32_t id = hst_row_u32(s, index, good);
    *good &= id < count;
    return id;
}

static uint32_t take_string(const struct reader *reader, sqlite3_stmt *s, int index, int *good)
{
    uint32_t id = hst_row_u32(s, index, good);
    *good &= id < reader->heap.strings.count;
    return id;
}

static int add_type(struct reader *reader, sqlite3_stmt *s, uint64_t expected, int *good)
{
    struct hst_heap *heap = &reader->heap;
    if (!HST_RESERVE(heap->type_rows, reader->type_capacity, heap->type_count + 1) ||
        !HST_RESERVE(reader->counts, reader->count_capacity, 2 * heap->type_count + 2))
        return 0;
    *good &= hst_row_u32(s, 0, good) == expected;
    heap->type_rows[heap->type_count] =
        (struct hst_heap_type){.name = take_string(reader, s, 1, good),
                               .object = take_id(s, 2, reader->sizes.objects, good),
                               .address = hst_row_take(s, 3, INT64_MAX, good),
                               .flags = hst_row_take(s, 4, INT64_MAX, good),
                               .basic_size = hst_row_u32(s, 5, good),
                               .item_size = hst_row_u32(s, 6, good),
                               .pre_bytes = hst_row_u32(s, 7, good),
                               .conservative = (uint32_t)hst_row_take(s, 8, 1, good)};
    for (size_t i = 0; i < 2; i++)
        reader->counts[2 * heap->type_count + i] = hst_row_take(s, 9 + (int)i, INT64_MAX, good);
    heap->type_count++;
    return 1;
}

static int add_name(struct reader *reader, sqlite3_stmt *s, uint64_t expected, int *good)
{
    struct hst_heap *heap = &reader->heap;
    (void)expected; /* the order of the table is that of the model */
    if (!HST_RESERVE(heap->names, reader->name_capacity, heap->name_count + 1))
        return 0;
    heap->names[heap->name_count++] = (struct hst_heap_name){.type = hst_row_u32(s, 0, good),
                                                             .place = hst_row_u32(s, 1, good),
                                                             .text = take_string(reader, s, 2, good)};
    *good &= heap->names[heap->name_count - 1].type < heap->type_count;
    return 1;
}

static int add_part(struct reader *reader, sqlite3_stmt *s, uint64_t expected, int *good)
{
    struct hst_heap *heap = &reader->heap;
    int kind = hst_heap_kind_find(&hst_heap_part_kinds, sqlite3_column_text(s, 1));
    if (!HST_RESERVE(heap->parts, reader->part_capacity, heap->part_count + 1))
        return 0;
    *good &= hst_row_u32(s, 0, good) == expected && kind >= 0;
    heap->parts[heap->part_count++] = (struct hst_heap_part){.kind = (uint32_t)kind,
                                                             .name = take_string(reader, s, 2, good),
                                                             .bytes = hst_row_take(s, 3, INT64_MAX, good)};
    return 1;
}

static int add_finding(struct reader *reader, sqlite3_stmt *s, uint64_t expected, int *good)
{
    struct hst_heap *heap = &reader->heap;
    int kind = hst_heap_kind_find(&hst_heap_finding_kinds, sqlite3_column_text(s, 1));
    if (!HST_RESERVE(heap->findings, reader->finding_capacity, heap->finding_count + 1))
        return 0;
    *good &= hst_row_u32(s, 0, good) == expected && kind >= 0;
    heap->findings[heap->finding_count++] =
        (struct hst_heap_finding){.kind = (uint32_t)kind,
                                  .type = take_id(s, 2, heap->type_count, good),
                                  .example = take_id(s, 3, reader->sizes.objects, good),
                                  .text = take_string(reader, s, 4, good),
                                  .objects = hst_row_take(s, 5, INT64_MAX, good),
                                  .bytes = hst_row_take(s, 6, INT64_MAX, good)};
    return 1;
}

static enum hst_status read_table(struct reader *reader, const char *table, const char *sql, add_row *add,
                                  struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int row, good = 1;
    HST_TRY(hst_store_prepare(reader->store, sql, &statement, err));
    hst_store_bind(statement, 1, reader->run);
    for (uint64_t expected = 0;; expected++) {
        HST_TRY(hst_store_step(reader->store, statement, &row, err));
        if (!row)
            return HST_OK;
        if (!add(reader, statement, expected, &good))
            return hst_store_nomem(err);
        if (!good)
            return hst_row_damaged(err, reader->run, table, (int64_t)expected);
    }
}

static enum hst_status read_tables(struct reader *reader, struct hst_error *err)
{
    static const struct {
        const char *table, *sql;
        add_row *add;
    } tables[] = {
        {"string", "SELECT id, text FROM string WHERE run = ?1 ORDER BY id", add_string},
        {"heap_type",
         "SELECT id, name, object, address, flags, basic_size, item_size, pre_bytes, conservative, objects,"
         " bytes FROM heap_type WHERE run = ?1 ORDER BY id",
         add_type},
        {"heap_name", "SELECT type, place, text FROM heap_name WHERE run = ?1 ORDER BY type, place",
         add_name},
        {"heap_part", "SELECT id, kind, name, bytes FROM heap_part WHERE run = ?1 ORDER BY id", add_part},
        {"heap_finding",
         "SELECT id, kind, type, example, text, objects, bytes FROM heap_finding WHERE run = ?1 ORDER BY id",
         add_finding},
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(tables); i++)
        HST_TRY(read_table(reader, tables[i].table, tables[i].sql, tables[i].add, err));
    return HST_OK;
}

/* Whether the column was asked for. */
static int is_wanted(const struct reader *reader, enum hst_heap_column column)
{
    if (column == HST_COLUMN_PLACE)
        return (reader->what & HST_HEAP_PLACES) != 0;
    if (column >= HST_COLUMN_VALUE_OBJECT && column <= HST_COLUMN_VALUE_TEXT)
        return (reader->what & HST_HEAP_VALUES) != 0;
    return 1;
}

/* Before memory is taken for rows that somebody only says are there. */
static enum hst_status check_blocks(const struct reader *reader, struct hst_error *err)
{
    for (unsigned i = 0; i < HST_COLUMN_COUNT; i++) {
        uint64_t rows = hst_heap_column_rows(&reader->sizes, (enum hst_heap_column)i);
        const char *name = hst_heap_column_names[i];
        char sql[160];
        int64_t blocks;
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM heap_column WHERE run = ?1 AND column = '%s'",
                       name);
        HST_TRY(hst_store_number(reader->store, sql, reader->run, 0, &blocks, err));
        if (rows / HST_HEAP_BLOCK_ROWS > (uint64_t)blocks)
            return damaged(reader, name, (uint64_t)blocks, "it is missing", err);
    }
    return HST_OK;
}

static int make_room(struct reader *reader)
{
    struct hst_heap *heap = &reader->heap;
    const struct hst_heap_sizes *sizes = &reader->sizes;
    struct hst_heap_values *values = &heap->values;
    heap->count = sizes->objects;
    heap->root_count = sizes->roots;
    heap->addresses = hst_alloc(sizes->objects, sizeof *heap->addresses);
    heap->types = hst_alloc(sizes->objects, sizeof *heap->types);
    heap->bytes = hst_alloc(sizes->objects, sizeof *heap->bytes);
    heap->first = hst_alloc(sizes->objects + 1, sizeof *heap->first);
    heap->targets = hst_alloc(sizes->references, sizeof *heap->targets);
    heap->roots = hst_alloc(sizes->roots, sizeof *heap->roots);
    int has_places = is_wanted(reader, HST_COLUMN_PLACE) && sizes->places == sizes->references;
    if (has_places)
        heap->places = hst_alloc(sizes->places, sizeof *heap->places);
    if (is_wanted(reader, HST_COLUMN_VALUE_OBJECT)) {
        if (!HST_RESERVE(values->objects, values->capacity, sizes->values) ||
            !HST_RESERVE(values->ends, values->end_capacity, sizes->values) ||
            !HST_RESERVE(values->data, values->data_capacity, sizes->value_bytes))
            return 0;
        values->count = sizes->values;
    }
    if (heap->first != NULL)
        heap->first[0] = 0;
    return heap->addresses != NULL && heap->types != NULL && heap->bytes != NULL && heap->first != NULL &&
           heap->targets != NULL && heap->roots != NULL && (heap->places != NULL || !has_places);
}

static enum hst_status read_column(const struct reader *reader, struct hst_heap_coder *coder,
                                   enum hst_heap_column column, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    const char *name = hst_heap_column_names[column], *reason = NULL;
    int row;
    hst_heap_coder_begin(coder, column);
    HST_TRY(hst_store_prepare(
        reader->store,
        "SELECT block, count, data FROM heap_column WHERE run = ?1 AND column = ?2 ORDER BY block", &s, err));
    hst_store_bind(s, 1, reader->run);
    (void)sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
    for (uint64_t expected = 0;; expected++) {
        HST_TRY(hst_store_step(reader->store, s, &row, err));
        if (!row)
            return hst_heap_coder_left(coder) == 0 ? HST_OK
                                                   : damaged(reader, name, expected, "it is missing", err);
        int good = 1;
        uint64_t block = hst_row_take(s, 0, INT64_MAX, &good), rows = hst_row_u32(s, 1, &good);
        if (!good || block != expected || sqlite3_column_type(s, 2) != SQLITE_BLOB)
            return damaged(reader, name, expected, "its row does not make sense", err);
        const void *data = sqlite3_column_blob(s, 2);
        enum hst_status status = hst_heap_decode(coder, rows, data != NULL ? data : "",
                                                 (size_t)sqlite3_column_bytes(s, 2), &reason);
        if (status == HST_E_CORRUPT)
            return damaged(reader, name, block, reason, err);
        if (status != HST_OK)
            return hst_store_nomem(err);
    }
}

static enum hst_status read_columns(struct reader *reader, struct hst_error *err)
{
    enum hst_status status = HST_OK;
    HST_TRY(check_blocks(reader, err));
    struct hst_heap_coder *coder = NULL;
    if (make_room(reader))
        coder = hst_heap_coder_new(&reader->heap, &reader->sizes);
    if (coder == NULL)
        return hst_store_nomem(err);
    for (unsigned i = 0; i < HST_COLUMN_COUNT && status == HST_OK; i++) {
        enum hst_heap_column column = (enum hst_heap_column)i;
        if (is_wanted(reader, column) && (column != HST_COLUMN_PLACE || reader->heap.places != NULL))
            status = read_column(reader, coder, column, err);
    }
    hst_heap_coder_free(coder);
    return status;
}

/* What the rows of the types say of their objects must be what the columns say. */
static enum hst_status check_types(const struct reader *reader, struct hst_error *err)
{
    const struct hst_heap *heap = &reader->heap;
    for (size_t i = 0; i < heap->count; i++) {
        reader->counts[2 * (size_t)heap->types[i]]--;
        reader->counts[2 * (size_t)heap->types[i] + 1] -= heap->bytes[i];
    }
    for (size_t i = 0; i < 2 * heap->type_count; i++)
        if (reader->counts[i] != 0)
            return hst_row_damaged(err, reader->run, "heap_type", (int64_t)(i / 2));
    return HST_OK;
}

static enum hst_status read_all(struct reader *reader, struct hst_error *err)
{
    struct hst_run_info info;
    HST_TRY(hst_run_row_read(reader->store, reader->run, &info, err));
    if (info.kind != HST_RUN_HEAP) {
        (void)hst_error_set(err, HST_E_INVALID, "run %llu is no heap", (unsigned long long)reader->run);
        hst_error_hint(err, "`hasten show %llu` shows what it is, `hasten runs` lists all",
                       (unsigned long long)reader->run);
        return HST_E_INVALID;
    }
    HST_TRY(read_head(reader, err));
    HST_TRY(read_tables(reader, err));
    HST_TRY(read_columns(reader, err));
    return check_types(reader, err);
}

enum hst_status hst_heap_read(struct hst_store *store, uint64_t run, unsigned what, struct hst_heap *ret_heap,
                              struct hst_error *err)
{
    HST_CLEANUP(reader_release) struct reader reader = {.store = store, .run = run, .what = what};
    if (!hst_heap_init(&reader.heap))
        return hst_store_nomem(err);
    HST_TRY(hst_store_exec(store, "SAVEPOINT heap", err));
    enum hst_status status = read_all(&reader, err);
    (void)sqlite3_exec(store->db, "RELEASE heap", NULL, NULL, NULL);
    HST_TRY(status);
    *ret_heap = reader.heap;
    reader.heap = (struct hst_heap){0};
    return HST_OK;
}
