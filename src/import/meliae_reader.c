/* Lines become rows in the order of the file; at the end these are put in the order of their addresses, and
 * the addresses that they refer to become ids. */
#include "import/meliae_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "import/meliae_line.h"

enum { CHUNK_BYTES = 1 << 18, VALUE_NONE = 255 };
#define LINE_BYTES_MAX ((size_t)1 << 30)  /* a dict of thirty million entries */
#define TYPE_SUBCLASS (UINT64_C(1) << 31) /* among tp_flags: its objects are types */

struct row {
    uint64_t address, bytes;
    uint64_t first_reference, value_begin;
    uint32_t reference_count, type;
    uint32_t name;        /* of a module: strings */
    uint32_t paired;      /* of a dict: so many references are keys and values in turn */
    uint8_t is_values;    /* of a dict: all are values */
    uint8_t value_length; /* VALUE_NONE: it has none */
};

struct reader {
    const char *name;
    struct hst_heap *heap;
    struct hst_meliae_summary *summary;
    struct hst_error *err;
    struct hst_meliae_line line;
    struct hst_buffer rest; /* the beginning of a line whose end was not read yet */
    int is_too_long;        /* that line */
    struct row *rows;
    uint64_t *references; /* addresses */
    size_t row_count, row_capacity, reference_count, reference_capacity;
    struct hst_buffer values;
    struct hst_map ids;        /* address -> row; at the end, id */
    struct hst_map type_names; /* strings -> type */
    size_t type_capacity;
    uint64_t all_bytes;
    int has_values_alone; /* some dict has */
    uint32_t module_type, function_type, dict_type;
};

static enum hst_status no_memory(struct reader *reader)
{
    return hst_error_set(reader->err, HST_E_NOMEM, "%.300s: out of memory", reader->name);
}

static void add_bad(struct reader *reader, const char *why, size_t byte)
{
    struct hst_meliae_summary *summary = reader->summary;
    if (summary->bad_lines < HST_MELIAE_SHOWN)
        summary->bad[summary->bad_lines] =
            (struct hst_meliae_bad_line){.line = summary->lines, .byte = byte, .why = why};
    summary->bad_lines++;
}

/* --- a line ------------------------------------------------------------------------------------------ */

/* HST_HEAP_NONE: out of memory. */
static uint32_t find_type(struct reader *reader)
{
    struct hst_heap *heap = reader->heap;
    const struct hst_meliae_line *line = &reader->line;
    uint32_t name = hst_strings_add(&heap->strings, hst_meliae_text_of(line, line->type), line->type.length);
    if (name == HST_MAP_ABSENT)
        return HST_HEAP_NONE;
    uint32_t type = hst_map_find(&reader->type_names, name);
    if (type != HST_MAP_ABSENT)
        return type;
    type = (uint32_t)heap->type_count;
    if (!HST_RESERVE(heap->type_rows, reader->type_capacity, heap->type_count + 1) ||
        !hst_map_set(&reader->type_names, name, type))
        return HST_HEAP_NONE;
    heap->type_rows[heap->type_count++] = (struct hst_heap_type){.name = name, .object = HST_HEAP_NONE};
    const char *text = hst_strings_get(&heap->strings, name);
    if (strcmp(text, "module") == 0)
        reader->module_type = type;
    if (strcmp(text, "function") == 0)
        reader->function_type = type;
    if (strcmp(text, "dict") == 0)
        reader->dict_type = type;
    return type;
}

/* Up to the last whole character that a value may have. */
static size_t cut_length(const char *text, size_t length)
{
    if (length <= HST_HEAP_VALUE_BYTES)
        return length;
    length = HST_HEAP_VALUE_BYTES;
    while (length > HST_HEAP_VALUE_BYTES - 4 && ((uint8_t)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* What an object is called is as good as a value; what a bool is, our own snapshots say as a number. */
static void take_value(struct reader *reader, struct row *row)
{
    const struct hst_meliae_line *line = &reader->line;
    struct hst_meliae_text value = line->value.is_there ? line->value : line->name;
    const char *text = hst_meliae_text_of(line, value);
    size_t length = cut_length(text, value.length);
    row->value_length = value.is_there ? (uint8_t)length : VALUE_NONE;
    row->value_begin = reader->values.length;
    if (strcmp(hst_heap_type_name(reader->heap, row->type), "bool") == 0 && length > 0 &&
        (text[0] == 'T' || text[0] == 'F')) {
        text = text[0] == 'T' ? "1" : "0";
        row->value_length = (uint8_t)(length = 1);
    }
    hst_buffer_add(&reader->values, text, length);
}

/* What a dict's references are, by its length. Python 2 shows meliae keys and values; Python 3 shows values,
 * where all keys are strings, and else values and keys. */
static void take_pairs(struct reader *reader, struct row *row)
{
    const struct hst_meliae_line *line = &reader->line;
    uint32_t references = row->reference_count;
    if (row->type != reader->dict_type || references == 0)
        return;
    if (!line->has_items)
        row->paired = references % 2 == 0 ? references : 0;
    else if (line->items <= references / 2)
        row->paired = 2 * (uint32_t)line->items;
    row->is_values = line->has_items && line->items == references;
    reader->has_values_alone |= row->is_values;
}

static enum hst_status add_row(struct reader *reader)
{
    const struct hst_meliae_line *line = &reader->line;
    size_t begin = reader->reference_count;
    struct row row = {.address = line->address, .bytes = line->bytes, .first_reference = begin};
    if (reader->row_count >= HST_HEAP_OBJECTS_MAX || line->reference_count > HST_HEAP_REFERENCES_MAX - begin)
        return hst_error_set(reader->err, HST_E_UNSUPPORTED, "%.300s holds more objects than we can number",
                             reader->name);
    row.type = find_type(reader);
    if (row.type == HST_HEAP_NONE || !hst_map_set(&reader->ids, row.address, (uint32_t)reader->row_count) ||
        !HST_RESERVE(reader->rows, reader->row_capacity, reader->row_count + 1) ||
        !HST_RESERVE(reader->references, reader->reference_capacity, begin + line->reference_count))
        return no_memory(reader);
    if (line->name.is_there && row.type != reader->module_type && row.type != reader->function_type)
        reader->heap->type_rows[row.type].flags |= TYPE_SUBCLASS; /* nothing else has a name */
    else if (row.type == reader->module_type && line->name.is_there)
        row.name =
            hst_strings_add(&reader->heap->strings, hst_meliae_text_of(line, line->name), line->name.length);
    take_value(reader, &row);
    if (row.name == HST_MAP_ABSENT || reader->values.failed)
        return no_memory(reader);
    if (line->reference_count > 0)
        memcpy(reader->references + begin, line->references,
               line->reference_count * sizeof *line->references);
    row.reference_count = (uint32_t)line->reference_count;
    take_pairs(reader, &row);
    reader->reference_count += line->reference_count;
    reader->rows[reader->row_count++] = row;
    return HST_OK;
}

static enum hst_status read_line(struct reader *reader, const char *text, size_t length)
{
    const char *why = NULL;
    size_t byte = 0;
    reader->summary->lines++;
    enum hst_status status = hst_meliae_line_read(&reader->line, text, length, &why, &byte);
    const struct hst_meliae_line *line = &reader->line;
    if (status == HST_E_NOMEM)
        return no_memory(reader);
    if (status != HST_OK)
        add_bad(reader, why, byte);
    else if (!line->has_object)
        return HST_OK;
    else if (line->address == 0 || line->address == UINT64_MAX)
        add_bad(reader, "an address that no object has", 0);
    else if (line->bytes > INT64_MAX - reader->all_bytes)
        add_bad(reader, "a size that no object has", 0);
    else if (hst_map_find(&reader->ids, line->address) != HST_MAP_ABSENT)
        reader->summary->repeated++;
    else {
        reader->all_bytes += line->bytes;
        return add_row(reader);
    }
    return HST_OK;
}

/* --- lines ------------------------------------------------------------------------------------------- */

static enum hst_status end_line(struct reader *reader, const char *text, size_t length)
{
    struct hst_buffer *rest = &reader->rest;
    if (rest->length == 0 && !reader->is_too_long)
        return read_line(reader, text, length);
    if (reader->is_too_long || length > LINE_BYTES_MAX - rest->length) {
        reader->summary->lines++;
        add_bad(reader, "a line that is too long", 0);
        reader->is_too_long = 0;
        hst_buffer_clear(rest);
        return HST_OK;
    }
    hst_buffer_add(rest, text, length);
    if (rest->failed)
        return no_memory(reader);
    enum hst_status status = read_line(reader, (const char *)rest->data, rest->length);
    hst_buffer_clear(rest);
    return status;
}

static enum hst_status feed(struct reader *reader, const char *data, size_t length)
{
    const char *end = data + length, *newline;
    while (data < end && (newline = memchr(data, '\n', (size_t)(end - data))) != NULL) {
        HST_TRY(end_line(reader, data, (size_t)(newline - data)));
        data = newline + 1;
    }
    if (reader->is_too_long || (size_t)(end - data) > LINE_BYTES_MAX - reader->rest.length)
        reader->is_too_long = 1;
    else
        hst_buffer_add(&reader->rest, data, (size_t)(end - data));
    return reader->rest.failed ? no_memory(reader) : HST_OK;
}

static enum hst_status feed_end(struct reader *reader)
{
    return reader->rest.length > 0 || reader->is_too_long ? end_line(reader, "", 0) : HST_OK;
}

/* --- the heap ---------------------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const struct row *one = a, *other = b;
    return one->address < other->address ? -1 : one->address > other->address;
}

static enum hst_status make_columns(struct reader *reader)
{
    struct hst_heap *heap = reader->heap;
    size_t count = reader->row_count, references = reader->reference_count;
    heap->addresses = hst_alloc(count, sizeof *heap->addresses);
    heap->types = hst_alloc(count, sizeof *heap->types);
    heap->bytes = hst_alloc(count, sizeof *heap->bytes);
    heap->first = hst_alloc(count + 1, sizeof *heap->first);
    heap->targets = hst_alloc(references + 1, sizeof *heap->targets);
    heap->places = hst_alloc(references + 1, sizeof *heap->places);
    if (heap->addresses == NULL || heap->types == NULL || heap->bytes == NULL || heap->first == NULL ||
        heap->targets == NULL || heap->places == NULL)
        return no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &reader->rows[i];
        heap->addresses[i] = row->address;
        heap->types[i] = row->type;
        heap->bytes[i] = row->bytes;
        if (!hst_map_set(&reader->ids, row->address, (uint32_t)i) ||
            (row->value_length != VALUE_NONE &&
             !hst_heap_values_add(&heap->values, (uint32_t)i,
                                  row->value_length > 0 ? (const char *)reader->values.data + row->value_begin
                                                        : "",
                                  row->value_length)))
            return no_memory(reader);
    }
    heap->count = count;
    return HST_OK;
}

static hst_place place_of(const struct row *row, uint32_t number)
{
    if (number < row->paired)
        return hst_place_of(number % 2 == 0 ? HST_PLACE_KEY : HST_PLACE_VALUE, number / 2);
    return hst_place_of(row->is_values ? HST_PLACE_VALUE : HST_PLACE_ITEM, number);
}

/* A missing half of a pair is written as 0: that is no reference which is lost. */
static void add_references(struct reader *reader, const struct row *row, uint32_t *edge)
{
    struct hst_heap *heap = reader->heap;
    for (uint32_t i = 0; i < row->reference_count; i++) {
        uint32_t at = i < row->paired && reader->has_values_alone ? i ^ 1 : i; /* the key comes first */
        uint64_t address = reader->references[row->first_reference + at];
        uint32_t target = hst_map_find(&reader->ids, address);
        if (target == HST_MAP_ABSENT) {
            reader->summary->unknown_references += address != 0;
            continue;
        }
        heap->targets[*edge] = target;
        heap->places[(*edge)++] = place_of(row, i);
    }
}

static enum hst_status make_roots(struct reader *reader)
{
    struct hst_heap *heap = reader->heap;
    size_t capacity = 0;
    HST_CLEANUP_FREE uint8_t *is_held = hst_alloc_zero(heap->count, 1);
    if (is_held == NULL)
        return no_memory(reader);
    for (uint32_t i = 0; i < heap->count; i++)
        for (uint32_t edge = heap->first[i]; edge < heap->first[i + 1]; edge++)
            is_held[heap->targets[edge]] |= heap->targets[edge] != i;
    for (uint32_t i = 0; i < heap->count; i++) {
        int is_module = heap->types[i] == reader->module_type;
        if (!is_module && is_held[i])
            continue;
        if (!HST_RESERVE(heap->roots, capacity, heap->root_count + 1))
            return no_memory(reader);
        heap->roots[heap->root_count++] =
            (struct hst_heap_root){.object = i,
                                   .kind = is_module ? HST_ROOT_MODULE : HST_ROOT_INTERPRETER,
                                   .number = 1,
                                   .name = reader->rows[i].name};
        *(is_module ? &reader->summary->modules : &reader->summary->unheld) += 1;
    }
    return HST_OK;
}

static enum hst_status say_incomplete(struct reader *reader)
{
    const struct hst_meliae_summary *summary = reader->summary;
    if (summary->bad_lines == 0 && !summary->is_cut)
        return HST_OK;
    reader->heap->incomplete = hst_asprintf(
        "%llu of %llu lines of the dump could not be read%s", (unsigned long long)summary->bad_lines,
        (unsigned long long)summary->lines, summary->is_cut ? ", and it ends before its end" : "");
    return reader->heap->incomplete != NULL ? HST_OK : no_memory(reader);
}

static enum hst_status no_objects(struct reader *reader)
{
    const struct hst_meliae_summary *summary = reader->summary;
    if (summary->lines == 0)
        (void)hst_error_set(reader->err, HST_E_INVALID, "%.300s is empty", reader->name);
    else if (summary->bad_lines == 0)
        (void)hst_error_set(reader->err, HST_E_INVALID, "%.300s holds no object", reader->name);
    else
        (void)hst_error_set(reader->err, HST_E_INVALID,
                            "%.300s is no dump of meliae: none of its %llu lines is an object; line %llu: %s",
                            reader->name, (unsigned long long)summary->lines,
                            (unsigned long long)summary->bad[0].line, summary->bad[0].why);
    hst_error_hint(reader->err, "meliae.scanner.dump_all_objects(FILE) writes one, and so does `hasten heap "
                                "export -f meliae -o FILE`");
    return HST_E_INVALID;
}

static enum hst_status finish(struct reader *reader)
{
    struct hst_heap *heap = reader->heap;
    uint32_t edge = 0;
    if (reader->row_count == 0)
        return no_objects(reader);
    qsort(reader->rows, reader->row_count, sizeof *reader->rows, compare_rows);
    HST_TRY(make_columns(reader));
    for (size_t i = 0; i < heap->count; i++) {
        heap->first[i] = edge;
        add_references(reader, &reader->rows[i], &edge);
    }
    heap->first[heap->count] = edge;
    HST_TRY(make_roots(reader));
    heap->way = HST_HEAP_IMPORTED;
    heap->command = hst_strdup(reader->name);
    (void)snprintf(heap->interpreter, sizeof heap->interpreter, "not known");
    return heap->command != NULL ? say_incomplete(reader) : no_memory(reader);
}

static void reader_init(struct reader *reader, const char *name, struct hst_heap *heap,
                        struct hst_meliae_summary *summary, struct hst_error *err)
{
    *summary = (struct hst_meliae_summary){0};
    *reader = (struct reader){.name = name,
                              .heap = heap,
                              .summary = summary,
                              .err = err,
                              .module_type = HST_HEAP_NONE,
                              .function_type = HST_HEAP_NONE,
                              .dict_type = HST_HEAP_NONE};
    hst_meliae_line_init(&reader->line);
    hst_buffer_init(&reader->rest, 0);
    hst_buffer_init(&reader->values, 0);
    hst_map_init(&reader->ids);
    hst_map_init(&reader->type_names);
}

/* What is kept of the heap depends on status. */
static enum hst_status reader_end(struct reader *reader, enum hst_status status)
{
    hst_meliae_line_release(&reader->line);
    hst_buffer_release(&reader->rest);
    hst_buffer_release(&reader->values);
    hst_map_release(&reader->ids);
    hst_map_release(&reader->type_names);
    hst_free(reader->rows);
    hst_free(reader->references);
    if (status != HST_OK)
        hst_heap_release(reader->heap);
    return status;
}

enum hst_status hst_meliae_read_bytes(const char *name, const void *data, size_t length,
                                      struct hst_heap *ret_heap, struct hst_meliae_summary *ret_summary,
                                      struct hst_error *err)
{
    struct reader reader;
    reader_init(&reader, name, ret_heap, ret_summary, err);
    enum hst_status status = hst_heap_init(ret_heap) ? feed(&reader, data, length) : no_memory(&reader);
    if (status == HST_OK)
        status = feed_end(&reader);
    if (status == HST_OK)
        status = finish(&reader);
    return reader_end(&reader, status);
}

/* --- the file ---------------------------------------------------------------------------------------- */

static enum hst_status unreadable(struct reader *reader, int error_number)
{
    enum hst_status status = hst_status_from_errno(error_number);
    (void)hst_error_set(reader->err, status, "cannot read %.300s: %s", reader->name, strerror(error_number));
    hst_error_hint(reader->err, status == HST_E_PERM
                                    ? "as the user who may read it"
                                    : "name a file that meliae's scanner.dump_all_objects() has written");
    return status;
}

/* A compressed file that was cut off is as good as its beginning. */
static enum hst_status feed_file(struct reader *reader, gzFile file)
{
    HST_CLEANUP_FREE char *chunk = hst_alloc(CHUNK_BYTES, 1);
    int length, problem;
    if (chunk == NULL)
        return no_memory(reader);
    while ((length = gzread(file, chunk, CHUNK_BYTES)) > 0)
        HST_TRY(feed(reader, chunk, (size_t)length));
    (void)gzerror(file, &problem);
    if (problem == Z_ERRNO)
        return unreadable(reader, errno != 0 ? errno : EIO);
    reader->summary->is_cut = problem != Z_OK && problem != Z_STREAM_END;
    return feed_end(reader);
}

static enum hst_status read_file(struct reader *reader)
{
    struct stat info;
    int fd = open(reader->name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return unreadable(reader, errno);
    gzFile file = gzdopen(fd, "r"); /* the descriptor is the file's now */
    if (file == NULL) {
        (void)close(fd);
        return no_memory(reader);
    }
    enum hst_status status;
    if (fstat(fd, &info) != 0)
        status = unreadable(reader, errno);
    else if (S_ISDIR(info.st_mode))
        status = unreadable(reader, EISDIR);
    else
        status = gzbuffer(file, CHUNK_BYTES) == 0 ? feed_file(reader, file) : no_memory(reader);
    (void)gzclose(file);
    return status == HST_OK ? finish(reader) : status;
}

enum hst_status hst_meliae_read(const char *path, struct hst_heap *ret_heap,
                                struct hst_meliae_summary *ret_summary, struct hst_error *err)
{
    struct reader reader;
    reader_init(&reader, path, ret_heap, ret_summary, err);
    return reader_end(&reader, hst_heap_init(ret_heap) ? read_file(&reader) : no_memory(&reader));
}
