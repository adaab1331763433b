/* Compresses the columns into memory, then adds all rows in one transaction. */
#include "store/heap_writer.h"

#include <string.h>

#include "store/database.h"
#include "store/heap_column.h"
#include "store/heap_kind.h"
#include "store/run_row.h"

struct block {
    enum hst_heap_column column;
    uint64_t number, rows;
    size_t offset, length; /* in bytes */
};

struct writer {
    struct hst_store *store;
    uint64_t run;
    struct hst_heap heap; /* as the caller's, who owns all in it */
    struct hst_heap_sizes sizes;
    struct block *blocks;
    size_t block_count, block_capacity;
    struct hst_buffer bytes; /* of the blocks */
};

static void writer_release(struct writer *writer)
{
    hst_free(writer->blocks);
    hst_buffer_release(&writer->bytes);
}

static enum hst_status unsound(struct hst_error *err, const char *what)
{
    return hst_error_set(err, HST_E_INVALID, "a heap that cannot be stored: %s does not make sense", what);
}

static enum hst_status compress_column(struct writer *writer, struct hst_heap_coder *coder,
                                       enum hst_heap_column column, struct hst_error *err)
{
    const char *reason = NULL;
    hst_heap_coder_begin(coder, column);
    for (uint64_t number = 0; hst_heap_coder_left(coder) > 0; number++) {
        struct block block = {.column = column, .number = number, .offset = writer->bytes.length};
        enum hst_status status = hst_heap_encode(coder, &writer->bytes, &block.rows, &reason);
        if (status == HST_E_INVALID)
            return unsound(err, reason);
        if (status != HST_OK || !HST_RESERVE(writer->blocks, writer->block_capacity, writer->block_count + 1))
            return hst_store_nomem(err);
        block.length = writer->bytes.length - block.offset;
        writer->blocks[writer->block_count++] = block;
    }
    return HST_OK;
}

static enum hst_status compress(struct writer *writer, struct hst_error *err)
{
    enum hst_status status = HST_OK;
    struct hst_heap_coder *coder = hst_heap_coder_new(&writer->heap, &writer->sizes);
    if (coder == NULL)
        return hst_store_nomem(err);
    for (unsigned column = 0; column < HST_COLUMN_COUNT && status == HST_OK; column++)
        status = compress_column(writer, coder, (enum hst_heap_column)column, err);
    hst_heap_coder_free(coder);
    return status;
}

static void bind_text(sqlite3_stmt *s, int index, const char *text)
{
    (void)sqlite3_bind_text64(s, index, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
}

/* Of what may name nothing, which is NULL in the store. */
static void bind_id(sqlite3_stmt *s, int index, uint32_t id)
{
    if (id != HST_HEAP_NONE)
        hst_store_bind(s, index, id);
}

static enum hst_status write_head(struct writer *writer, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    const struct hst_heap *heap = &writer->heap;
    const struct hst_heap_sizes *sizes = &writer->sizes;
    const char *way = hst_heap_kind_name(&hst_heap_ways, heap->way);
    if (way == NULL || heap->pid < 0)
        return unsound(err, "how it was taken");
    HST_TRY(hst_store_prepare(
        writer->store,
        "INSERT INTO heap(run, pid, command, interpreter, wall_ns, way, pause_ns, copied_bytes,"
        " resident_bytes, census_ns, faults, stolen_ns, reap_pause_ns, incomplete, object_count,"
        " reference_count, place_count, value_count, value_bytes, root_count) VALUES(?1, ?2, ?3, ?4, ?5, ?6,"
        " ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        &s, err));
    hst_store_bind(s, 1, writer->run);
    hst_store_bind(s, 2, (uint64_t)heap->pid);
    bind_text(s, 3, heap->command != NULL ? heap->command : "");
    (void)sqlite3_bind_text(s, 4, heap->interpreter,
                            (int)strnlen(heap->interpreter, sizeof heap->interpreter), SQLITE_STATIC);
    hst_store_bind(s, 5, heap->wall_ns);
    bind_text(s, 6, way);
    if (heap->incomplete != NULL)
        bind_text(s, 14, heap->incomplete);
    if (heap->cost.reaped)
        hst_store_bind(s, 13, heap->cost.reap_pause_ns);
    const uint64_t costs[] = {heap->pause_ns,  heap->copied_bytes, heap->resident_bytes,
                              heap->census_ns, heap->cost.faults,  heap->cost.stolen_ns};
    const uint64_t counts[] = {sizes->objects, sizes->references,  sizes->places,
                               sizes->values,  sizes->value_bytes, sizes->roots};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(costs); i++)
        hst_store_bind(s, 7 + (int)i, costs[i]);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(counts); i++)
        hst_store_bind(s, 15 + (int)i, counts[i]);
    return hst_store_run(writer->store, s, err);
}

static enum hst_status write_strings(struct writer *writer, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    const struct hst_strings *strings = &writer->heap.strings;
    HST_TRY(
        hst_store_prepare(writer->store, "INSERT INTO string(run, id, text) VALUES(?1, ?2, ?3)", &s, err));
    for (size_t i = 0; i < strings->count; i++) {
        hst_store_bind(s, 1, writer->run);
        hst_store_bind(s, 2, i);
        bind_text(s, 3, strings->texts[i]);
        HST_TRY(hst_store_run(writer->store, s, err));
    }
    return HST_OK;
}

/* How many objects each type has, and their bytes: two numbers a type, the caller's to hst_free. */
static uint64_t *count_types(const struct hst_heap *heap)
{
    uint64_t *counts = hst_alloc_zero(2 * heap->type_count, sizeof *counts);
    for (size_t i = 0; counts != NULL && i < heap->count; i++) {
        counts[2 * (size_t)heap->types[i]]++;
        counts[2 * (size_t)heap->types[i] + 1] += heap->bytes[i];
    }
    return counts;
}

static enum hst_status write_types(struct writer *writer, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    const struct hst_heap *heap = &writer->heap;
    HST_CLEANUP_FREE uint64_t *counts = count_types(heap);
    if (counts == NULL)
        return hst_store_nomem(err);
    HST_TRY(hst_store_prepare(
        writer->store,
        "INSERT INTO heap_type(run, id, name, object, address, flags, basic_size, item_size, pre_bytes,"
        " conservative, objects, bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        &s, err));
    for (size_t i = 0; i < heap->type_count; i++) {
        const struct hst_heap_type *type = &heap->type_rows[i];
        if (type->name >= heap->strings.count ||
            (type->object != HST_HEAP_NONE && type->object >= heap->count))
            return unsound(err, "a type");
        hst_store_bind(s, 1, writer->run);
        hst_store_bind(s, 2, i);
        hst_store_bind(s, 3, type->name);
        bind_id(s, 4, type->object);
        hst_store_bind(s, 5, type->address);
        hst_store_bind(s, 6, type->flags);
        hst_store_bind(s, 7, type->basic_size);
        hst_store_bind(s, 8, type->item_size);
        hst_store_bind(s, 9, type->pre_bytes);
        hst_store_bind(s, 10, type->conservative != 0);
        hst_store_bind(s, 11, counts[2 * i]);
        hst_store_bind(s, 12, counts[2 * i + 1]);
        HST_TRY(hst_store_run(writer->store, s, err));
    }
    return HST_OK;
}

static enum hst_status write_names(struct writer *writer, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    const struct hst_heap *heap = &writer->heap;
    uint64_t before = 0;
    HST_TRY(hst_store_prepare(
        writer->store, "INSERT INTO heap_name(run, type, place, text) VALUES(?1, ?2, ?3, ?4)", &s, err));
    for (size_t i = 0; i < heap->name_count; i++) {
        const struct hst_heap_name *name = &heap->names[i];
        uint64_t key = (uint64_t)name->type << 32 | name->place;
        if (name->type >= heap->type_count || name->text >= heap->strings.count || (i > 0 && key <= before))
            return unsound(err, "the name of a place");
        before = key;
        hst_store_bind(s, 1, writer->run);
        hst_store_bind(s, 2, name->type);
        hst_store_bind(s, 3, name->place);
        hst_store_bind(s, 4, name->text);
        HST_TRY(hst_store_run(writer->store, s, err));
    }
    return HST_OK;
}

static enum hst_status write_parts(struct writer *writer, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    const struct hst_heap *heap = &writer->heap;
    HST_TRY(hst_store_prepare(writer->store,
                              "INSERT INTO heap_part(run, id, kind, name, bytes) VALUES(?1, ?2, ?3, ?4, ?5)",
                              &s, err));
    for (size_t i = 0; i < heap->part_count; i++) {
        const struct hst_heap_part *part = &heap->parts[i];
        const char *kind = hst_heap_kind_name(&hst_heap_part_kinds, part->kind);
        if (kind == NULL || part->name >= heap->strings.count)
            return unsound(err, "a part of the memory");
        hst_store_bind(s, 1, writer->run);
        hst_store_bind(s, 2, i);
        bind_text(s, 3, kind);
        hst_store_bind(s, 4, part->name);
        hst_store_bind(s, 5, part->bytes);
        HST_TRY(hst_store_run(writer->store, s, err));
    }
    return HST_OK;
}

static int finding_is_sound(const struct hst_heap *heap, const struct hst_heap_finding *finding)
{
    return (finding->type == HST_HEAP_NONE || finding->type < heap->type_count) &&
           (finding->example == HST_HEAP_NONE || finding->example < heap->count) &&
           finding->text < heap->strings.count;
}

static enum hst_status write_findings(struct writer *writer, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    const struct hst_heap *heap = &writer->heap;
    HST_TRY(hst_store_prepare(writer->store,
                              "INSERT INTO heap_finding(run, id, kind, type, example, text, objects, bytes)"
                              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                              &s, err));
    for (size_t i = 0; i < heap->finding_count; i++) {
        const struct hst_heap_finding *finding = &heap->findings[i];
        const char *kind = hst_heap_kind_name(&hst_heap_finding_kinds, finding->kind);
        if (kind == NULL || !finding_is_sound(heap, finding))
            return unsound(err, "a finding");
        hst_store_bind(s, 1, writer->run);
        hst_store_bind(s, 2, i);
        bind_text(s, 3, kind);
        bind_id(s, 4, finding->type);
        bind_id(s, 5, finding->example);
        hst_store_bind(s, 6, finding->text);
        hst_store_bind(s, 7, finding->objects);
        hst_store_bind(s, 8, finding->bytes);
        HST_TRY(hst_store_run(writer->store, s, err));
    }
    return HST_OK;
}

static enum hst_status write_blocks(struct writer *writer, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    HST_TRY(hst_store_prepare(
        writer->store, "INSERT INTO heap_column(run, column, block, count, data) VALUES(?1, ?2, ?3, ?4, ?5)",
        &s, err));
    for (size_t i = 0; i < writer->block_count; i++) {
        const struct block *block = &writer->blocks[i];
        hst_store_bind(s, 1, writer->run);
        bind_text(s, 2, hst_heap_column_names[block->column]);
        hst_store_bind(s, 3, block->number);
        hst_store_bind(s, 4, block->rows);
        (void)sqlite3_bind_blob64(s, 5, writer->bytes.data + block->offset, block->length, SQLITE_STATIC);
        HST_TRY(hst_store_run(writer->store, s, err));
    }
    return HST_OK;
}

static enum hst_status write_all(struct writer *writer, struct hst_run_info *info, struct hst_error *err)
{
    HST_TRY(hst_run_row_add(writer->store, info, err));
    writer->run = info->number;
    HST_TRY(write_strings(writer, err));
    HST_TRY(write_head(writer, err));
    HST_TRY(write_types(writer, err));
    HST_TRY(write_names(writer, err));
    HST_TRY(write_parts(writer, err));
    HST_TRY(write_findings(writer, err));
    HST_TRY(write_blocks(writer, err));
    return hst_run_row_finish(writer->store, writer->run, HST_RUN_COMPLETE, err);
}

enum hst_status hst_heap_write(struct hst_store *store, struct hst_run_info *info,
                               const struct hst_heap *heap, struct hst_error *err)
{
    HST_CLEANUP(writer_release)
    struct writer writer = {.store = store, .heap = *heap, .sizes = hst_heap_sizes_of(heap)};
    struct hst_run_info added = *info;
    if (heap->count > HST_HEAP_OBJECTS_MAX ||
        (heap->count > 0 && (heap->first == NULL || heap->first[0] != 0)))
        return unsound(err, "where the references begin");
    HST_TRY(compress(&writer, err));
    added.kind = HST_RUN_HEAP;
    added.cost.samples = heap->count;
    HST_TRY(hst_store_begin_write(store, err));
    HST_TRY(hst_store_end(store, write_all(&writer, &added, err), err));
    added.status = HST_RUN_COMPLETE;
    *info = added;
    return HST_OK;
}
