/* Recorded pages: kept, read, written to a file and back. The file is untrusted like all input: what it says
 * of its sizes is bounded before it is believed. */
#include "target/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"

enum {
    PAGE = HST_SNAPSHOT_PAGE_BYTES,
    FILE_BYTES_MAX = 256 << 20, /* compressed and not */
    PAGES_MAX = 1 << 18,
    BULK_BYTES = 128 << 10, /* a longer piece is a scan, not a structure */
    ZSTD_LEVEL = 19,
};
#define MAGIC "hstsnap1"
#define PAGE_NUMBERS (UINT64_MAX / PAGE + 1)

static struct hst_snapshot_page *find_page(const struct hst_snapshot *snapshot, uint64_t number)
{
    uint32_t index = hst_map_find(&snapshot->by_number, number);
    return index != HST_MAP_ABSENT ? &snapshot->pages[index] : NULL;
}

/* A new, empty page; NULL when memory is out or there are too many. */
static struct hst_snapshot_page *add_page(struct hst_snapshot *snapshot, uint64_t number)
{
    if (snapshot->page_count >= PAGES_MAX ||
        !HST_RESERVE(snapshot->pages, snapshot->page_capacity, snapshot->page_count + 1) ||
        !hst_map_set(&snapshot->by_number, number, (uint32_t)snapshot->page_count))
        return NULL;
    struct hst_snapshot_page *page = &snapshot->pages[snapshot->page_count++];
    *page = (struct hst_snapshot_page){.number = number};
    return page;
}

static int fill_page(struct hst_snapshot_page *page)
{
    if (page->bytes == NULL)
        page->bytes = hst_alloc_zero(PAGE, 1);
    return page->bytes != NULL;
}

static void empty_page(struct hst_snapshot_page *page)
{
    hst_free(page->bytes);
    page->bytes = NULL;
}

/* How many of the bytes from address on lie in its page. */
static size_t within_page(hst_raddr address, size_t length)
{
    size_t rest = PAGE - address % PAGE;
    return rest < length ? rest : length;
}

static enum hst_status read_piece(const struct hst_snapshot *snapshot, const struct hst_piece *piece)
{
    if (piece->address + piece->length < piece->address)
        return HST_E_TORN;
    for (size_t done = 0, step; done < piece->length; done += step) {
        hst_raddr at = piece->address + done;
        step = within_page(at, piece->length - done);
        const struct hst_snapshot_page *page = find_page(snapshot, at / PAGE);
        if (page == NULL)
            return HST_E_TORN;
        if (page->bytes != NULL)
            memcpy((uint8_t *)piece->into + done, page->bytes + at % PAGE, step);
        else
            memset((uint8_t *)piece->into + done, 0, step);
    }
    return HST_OK;
}

static enum hst_status snapshot_read(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    const struct hst_snapshot *snapshot = (const struct hst_snapshot *)memory;
    memory->reads++;
    for (size_t i = 0; i < count; i++) {
        HST_TRY(read_piece(snapshot, &pieces[i]));
        memory->bytes += pieces[i].length;
    }
    return HST_OK;
}

static void snapshot_memory_free(struct hst_memory *memory)
{
    hst_snapshot_free((struct hst_snapshot *)memory);
}

enum hst_status hst_snapshot_new(struct hst_snapshot **ret_snapshot)
{
    struct hst_snapshot *snapshot = hst_alloc_zero(1, sizeof *snapshot);
    if (snapshot == NULL)
        return HST_E_NOMEM;
    snapshot->memory = (struct hst_memory){.read = snapshot_read, .free = snapshot_memory_free, .still = 1};
    *ret_snapshot = snapshot;
    return HST_OK;
}

void hst_snapshot_free(struct hst_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < snapshot->page_count; i++)
        empty_page(&snapshot->pages[i]);
    hst_free(snapshot->pages);
    hst_map_release(&snapshot->by_number);
    hst_free(snapshot->maps);
    hst_free(snapshot);
}

enum hst_status hst_snapshot_set_maps(struct hst_snapshot *snapshot, const char *text, size_t length)
{
    char *copy = hst_strndup(text, length);
    if (copy == NULL)
        return HST_E_NOMEM;
    hst_free(snapshot->maps);
    snapshot->maps = copy;
    snapshot->maps_length = length;
    return HST_OK;
}

enum hst_status hst_snapshot_write(struct hst_snapshot *snapshot, hst_raddr address, const void *data,
                                   size_t length)
{
    if (address + length < address)
        return HST_E_INVALID;
    for (size_t done = 0, step; done < length; done += step) {
        hst_raddr at = address + done;
        step = within_page(at, length - done);
        struct hst_snapshot_page *page = find_page(snapshot, at / PAGE);
        if (page == NULL)
            page = add_page(snapshot, at / PAGE);
        if (page == NULL || !fill_page(page))
            return HST_E_NOMEM;
        memcpy(page->bytes + at % PAGE, (const uint8_t *)data + done, step);
    }
    return HST_OK;
}

static void replace_in(uint8_t *bytes, size_t length, const char *from, const char *to, size_t size)
{
    for (uint8_t *at = bytes; (at = memmem(at, length - (size_t)(at - bytes), from, size)) != NULL;)
        memcpy(at, to, size);
}

void hst_snapshot_replace(struct hst_snapshot *snapshot, const char *from, const char *to)
{
    size_t size = strlen(from);
    if (size == 0 || strlen(to) != size || strcmp(from, to) == 0)
        return;
    if (snapshot->maps != NULL)
        replace_in((uint8_t *)snapshot->maps, snapshot->maps_length, from, to, size);
    for (size_t i = 0; i < snapshot->page_count; i++)
        if (snapshot->pages[i].bytes != NULL)
            replace_in(snapshot->pages[i].bytes, PAGE, from, to, size);
}

void hst_snapshot_thin(struct hst_snapshot *snapshot, const char *text)
{
    for (size_t i = 0; i < snapshot->page_count; i++) {
        struct hst_snapshot_page *page = &snapshot->pages[i];
        if (page->bulk && page->bytes != NULL && memmem(page->bytes, PAGE, text, strlen(text)) == NULL)
            empty_page(page);
    }
}

/* --- the file ------------------------------------------------------------------------------------------- */

static enum hst_status decode_range(struct hst_snapshot *snapshot, struct hst_cursor *cursor, uint64_t *next)
{
    uint64_t gap = hst_cursor_u64(cursor), count = hst_cursor_u64(cursor);
    uint8_t kind = hst_cursor_byte(cursor);
    if (cursor->failed || gap > PAGE_NUMBERS - *next || count == 0 || count > PAGES_MAX ||
        count > PAGE_NUMBERS - *next - gap || kind > 1)
        return HST_E_INVALID;
    *next += gap;
    for (uint64_t i = 0; i < count; i++, (*next)++) {
        const uint8_t *bytes = kind == 1 ? hst_cursor_bytes(cursor, PAGE) : NULL;
        if (cursor->failed)
            return HST_E_INVALID;
        struct hst_snapshot_page *page = add_page(snapshot, *next);
        if (page == NULL || (kind == 1 && !fill_page(page)))
            return HST_E_NOMEM;
        if (kind == 1)
            memcpy(page->bytes, bytes, PAGE);
    }
    return HST_OK;
}

static enum hst_status decode_plain(const uint8_t *data, size_t length, struct hst_snapshot *snapshot)
{
    struct hst_cursor cursor = {.at = data, .end = data + length};
    const uint8_t *magic = hst_cursor_bytes(&cursor, strlen(MAGIC));
    if (magic == NULL || memcmp(magic, MAGIC, strlen(MAGIC)) != 0)
        return HST_E_INVALID;
    uint64_t maps_length = hst_cursor_u64(&cursor);
    const uint8_t *maps = maps_length < length ? hst_cursor_bytes(&cursor, (size_t)maps_length) : NULL;
    if (maps == NULL)
        return HST_E_INVALID;
    HST_TRY(hst_snapshot_set_maps(snapshot, (const char *)maps, (size_t)maps_length));
    uint64_t ranges = hst_cursor_u64(&cursor), next = 0;
    for (uint64_t i = 0; i < ranges; i++)
        HST_TRY(decode_range(snapshot, &cursor, &next));
    return cursor.failed || cursor.at != cursor.end ? HST_E_INVALID : HST_OK;
}

enum hst_status hst_snapshot_decode(const void *data, size_t length, struct hst_snapshot **ret_snapshot)
{
    unsigned long long size = ZSTD_getFrameContentSize(data, length);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > FILE_BYTES_MAX)
        return HST_E_INVALID;
    HST_CLEANUP_FREE uint8_t *plain = hst_alloc((size_t)size, 1);
    if (plain == NULL)
        return HST_E_NOMEM;
    size_t got = ZSTD_decompress(plain, (size_t)size, data, length);
    if (ZSTD_isError(got) || got != size)
        return HST_E_INVALID;
    struct hst_snapshot *snapshot;
    HST_TRY(hst_snapshot_new(&snapshot));
    enum hst_status status = decode_plain(plain, (size_t)size, snapshot);
    if (status != HST_OK) {
        hst_snapshot_free(snapshot);
        return status;
    }
    *ret_snapshot = snapshot;
    return HST_OK;
}

enum hst_status hst_snapshot_load(const char *path, struct hst_snapshot **ret_snapshot, struct hst_error *err)
{
    struct hst_buffer file;
    hst_buffer_init(&file, FILE_BYTES_MAX);
    enum hst_status status = hst_file_read(path, &file);
    if (status == HST_OK)
        status = hst_snapshot_decode(file.data, file.length, ret_snapshot);
    hst_buffer_release(&file);
    if (status == HST_E_INVALID)
        return hst_error_set(err, status, "%s is not a snapshot, or a damaged one", path);
    return status == HST_OK ? status : hst_error_set(err, status, "cannot read the snapshot %s", path);
}

static int by_number(const void *a, const void *b)
{
    uint64_t left = ((const struct hst_snapshot_page *)a)->number;
    uint64_t right = ((const struct hst_snapshot_page *)b)->number;
    return (left > right) - (left < right);
}

/* The index behind the last page of the range that begins at first. */
static size_t range_end(const struct hst_snapshot_page *pages, size_t count, size_t first)
{
    size_t end = first + 1;
    while (end < count && pages[end].number == pages[end - 1].number + 1 &&
           (pages[end].bytes == NULL) == (pages[first].bytes == NULL))
        end++;
    return end;
}

static void encode(const struct hst_snapshot *snapshot, const struct hst_snapshot_page *pages,
                   struct hst_buffer *into)
{
    size_t ranges = 0, count = snapshot->page_count;
    for (size_t i = 0; i < count; i = range_end(pages, count, i))
        ranges++;
    hst_buffer_add_text(into, MAGIC);
    hst_buffer_add_u64(into, snapshot->maps_length);
    hst_buffer_add(into, snapshot->maps, snapshot->maps_length);
    hst_buffer_add_u64(into, ranges);
    uint64_t next = 0;
    for (size_t i = 0, end; i < count; i = end) {
        end = range_end(pages, count, i);
        hst_buffer_add_u64(into, pages[i].number - next);
        hst_buffer_add_u64(into, end - i);
        hst_buffer_add_byte(into, pages[i].bytes != NULL);
        for (size_t k = i; k < end && pages[k].bytes != NULL; k++)
            hst_buffer_add(into, pages[k].bytes, PAGE);
        next = pages[end - 1].number + 1;
    }
}

static enum hst_status save(const struct hst_snapshot *snapshot, const char *path, struct hst_buffer *plain,
                            struct hst_error *err)
{
    HST_CLEANUP_FREE struct hst_snapshot_page *pages = hst_alloc(snapshot->page_count, sizeof *pages);
    if (pages == NULL)
        return hst_error_set(err, HST_E_NOMEM, "no memory to write %s", path);
    if (snapshot->page_count > 0) {
        memcpy(pages, snapshot->pages, snapshot->page_count * sizeof *pages);
        qsort(pages, snapshot->page_count, sizeof *pages, by_number);
    }
    encode(snapshot, pages, plain);
    size_t bound = ZSTD_compressBound(plain->length);
    HST_CLEANUP_FREE uint8_t *packed = plain->failed ? NULL : hst_alloc(bound, 1);
    if (packed == NULL)
        return hst_error_set(err, HST_E_NOMEM, "no memory to write %s", path);
    size_t length = ZSTD_compress(packed, bound, plain->data, plain->length, ZSTD_LEVEL);
    if (ZSTD_isError(length))
        return hst_error_set(err, HST_E_NOMEM, "cannot compress %s", path);
    return hst_file_write(path, packed, length, err);
}

enum hst_status hst_snapshot_save(struct hst_snapshot *snapshot, const char *path, struct hst_error *err)
{
    struct hst_buffer plain;
    hst_buffer_init(&plain, FILE_BYTES_MAX);
    enum hst_status status = save(snapshot, path, &plain, err);
    hst_buffer_release(&plain);
    return status;
}

/* --- the recorder --------------------------------------------------------------------------------------- */

struct recorder {
    struct hst_memory base;
    struct hst_memory *source;
    struct hst_snapshot *snapshot;
};

static enum hst_status record_page(struct recorder *recorder, uint64_t number, int bulk)
{
    struct hst_snapshot_page *page = find_page(recorder->snapshot, number);
    if (page != NULL) {
        page->bulk &= (uint8_t)bulk;
        return HST_OK;
    }
    uint8_t bytes[PAGE];
    HST_TRY(hst_memory_read(recorder->source, number * PAGE, bytes, sizeof bytes));
    HST_TRY(hst_snapshot_write(recorder->snapshot, number * PAGE, bytes, sizeof bytes));
    find_page(recorder->snapshot, number)->bulk = (uint8_t)bulk;
    return HST_OK;
}

static enum hst_status recorder_read(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    struct recorder *recorder = (struct recorder *)memory;
    for (size_t i = 0; i < count; i++) {
        hst_raddr from = pieces[i].address, last = from + pieces[i].length - 1;
        if (pieces[i].length == 0)
            continue;
        if (last < from)
            return HST_E_TORN;
        for (uint64_t number = from / PAGE; number <= last / PAGE; number++)
            HST_TRY(record_page(recorder, number, pieces[i].length > BULK_BYTES));
    }
    return snapshot_read(&recorder->snapshot->memory, pieces, count);
}

static void recorder_free(struct hst_memory *memory) { hst_free(memory); }

enum hst_status hst_snapshot_recorder(struct hst_memory *source, struct hst_snapshot *snapshot,
                                      struct hst_memory **ret_memory)
{
    struct recorder *recorder = hst_alloc(1, sizeof *recorder);
    if (recorder == NULL)
        return HST_E_NOMEM;
    *recorder = (struct recorder){
        .base = {.read = recorder_read, .free = recorder_free}, .source = source, .snapshot = snapshot};
    *ret_memory = &recorder->base;
    return HST_OK;
}
