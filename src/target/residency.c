/* Parses /proc/PID/smaps: a line as in maps for each mapping, then lines "Name: number kB". */
#include "target/residency.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "target/symbols.h"

enum {
    PAGE = 4096,
    WORD = sizeof(uint64_t),
    PTHREAD_ALIGNMENT = 64,
    PTHREAD_BYTES = 2304,      /* of glibc 2.36; up to the end of the page it is the stack's in any case */
    PTHREAD_HEAD_BYTES = 1024, /* the thread's number is in them */
    SELF_OFFSET = 16,          /* of the second word that is the structure's own address */
    STACK_PAGES_READ = 16,     /* at once */
    END_PAGES = 3,             /* in which a stack's structure and the thread's variables lie, usually */
};
#define STACK_BYTES_MAX (UINT64_C(64) << 20)   /* that are searched, where no other stack tells the size */
#define MALLOC_HEAP_BYTES (UINT64_C(64) << 20) /* at multiples of it begin the arenas of glibc's malloc */
#define SMAPS_BYTES_MAX (256u << 20)

/* --- kinds --- */

static int begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static int is_nowhere(const char *path)
{
    return begins(path, "/memfd:") || begins(path, "/SYSV") || begins(path, "/dev/shm/") ||
           begins(path, "/dev/zero") || begins(path, "[anon_shmem");
}

static enum hst_residence_kind kind_of(unsigned flags, const char *path)
{
    if (strcmp(path, "[heap]") == 0)
        return HST_RESIDENCE_HEAP;
    if (begins(path, "[stack"))
        return HST_RESIDENCE_STACK;
    if ((flags & HST_MAP_SHARED) != 0 && (path[0] == '\0' || is_nowhere(path)))
        return HST_RESIDENCE_SHARED;
    if (path[0] == '\0' || begins(path, "[anon"))
        return HST_RESIDENCE_ANONYMOUS;
    if (path[0] == '[')
        return HST_RESIDENCE_SYSTEM;
    return (flags & HST_MAP_SHARED) == 0 && (flags & HST_MAP_WRITE) != 0 ? HST_RESIDENCE_DATA
                                                                         : HST_RESIDENCE_FILE;
}

static enum hst_status add(struct hst_residency *residency, const struct hst_mapping *mapping)
{
    struct hst_residence row = {.start = mapping->start,
                                .end = mapping->end,
                                .flags = mapping->flags,
                                .kind = kind_of(mapping->flags, mapping->path)};
    const struct hst_residence *before =
        residency->count > 0 ? &residency->items[residency->count - 1] : NULL;
    int is_behind = before != NULL && before->end == row.start && before->kind == HST_RESIDENCE_DATA &&
                    row.kind == HST_RESIDENCE_ANONYMOUS && (row.flags & HST_MAP_WRITE) != 0;
    row.is_behind = is_behind;
    if (is_behind)
        row.kind = HST_RESIDENCE_DATA;
    row.data_end = row.kind == HST_RESIDENCE_DATA ? row.end : 0;
    row.path = hst_strdup(is_behind ? before->path : mapping->path);
    if (row.path == NULL || !HST_RESERVE(residency->items, residency->capacity, residency->count + 1)) {
        hst_free(row.path);
        return HST_E_NOMEM;
    }
    residency->items[residency->count++] = row;
    return HST_OK;
}

enum hst_status hst_residency_from_maps(const struct hst_maps *maps, struct hst_residency *residency)
{
    for (size_t i = 0; i < maps->count; i++)
        if (add(residency, &maps->items[i]) != HST_OK) {
            hst_residency_release(residency);
            return HST_E_NOMEM;
        }
    return HST_OK;
}

/* --- smaps --- */

static enum hst_status add_mapping(struct hst_residency *residency, const char *line, size_t length)
{
    struct hst_maps maps = {0};
    HST_TRY(hst_maps_parse(line, length, &maps));
    enum hst_status status = maps.count == 1 ? add(residency, &maps.items[0]) : HST_E_INVALID;
    hst_maps_release(&maps);
    return status;
}

static void add_number(struct hst_residency *residency, const char *line, const char *end)
{
    static const char *const names[] = {"Rss:", "Anonymous:", "Swap:"};
    struct hst_residence *row = &residency->items[residency->count - 1];
    uint64_t *const fields[] = {&row->resident_bytes, &row->own_bytes, &row->swapped_bytes};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(names); i++) {
        size_t length = strlen(names[i]);
        if ((size_t)(end - line) <= length || memcmp(line, names[i], length) != 0)
            continue;
        uint64_t kib = 0;
        for (line += length; line < end && *line == ' ';)
            line++;
        for (; line < end && *line >= '0' && *line <= '9' && kib < UINT64_MAX >> 20; line++)
            kib = kib * 10 + (uint64_t)(*line - '0');
        *fields[i] = kib * 1024;
        return;
    }
}

/* Bytes that are more than the mapping has would spoil every sum. */
static void check_numbers(struct hst_residency *residency)
{
    for (size_t i = 0; i < residency->count; i++) {
        struct hst_residence *row = &residency->items[i];
        uint64_t bytes = row->end - row->start;
        row->resident_bytes = row->resident_bytes < bytes ? row->resident_bytes : bytes;
        row->own_bytes = row->own_bytes < row->resident_bytes ? row->own_bytes : row->resident_bytes;
        residency->resident_bytes += row->resident_bytes;
    }
}

enum hst_status hst_residency_parse(const char *text, size_t length, struct hst_residency *residency)
{
    enum hst_status status = HST_OK;
    for (const char *at = text, *end = text + length, *stop; at < end && status == HST_OK; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL)
            stop = end;
        if ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f'))
            status = add_mapping(residency, at, (size_t)(stop - at));
        else if (residency->count > 0)
            add_number(residency, at, stop);
    }
    if (status == HST_OK && residency->count == 0)
        status = HST_E_INVALID;
    if (status != HST_OK) {
        hst_residency_release(residency);
        return status;
    }
    residency->is_measured = 1;
    check_numbers(residency);
    return HST_OK;
}

enum hst_status hst_residency_read(int pid, struct hst_residency *residency)
{
    char path[64];
    struct hst_buffer text;
    (void)snprintf(path, sizeof path, "/proc/%d/smaps", pid);
    hst_buffer_init(&text, SMAPS_BYTES_MAX);
    enum hst_status status = hst_file_read(path, &text);
    if (status == HST_E_NOENT || (status == HST_OK && text.length == 0))
        status = HST_E_GONE;
    if (status == HST_OK)
        status = hst_residency_parse((const char *)text.data, text.length, residency);
    hst_buffer_release(&text);
    return status;
}

void hst_residency_release(struct hst_residency *residency)
{
    for (size_t i = 0; i < residency->count; i++)
        hst_free(residency->items[i].path);
    hst_free(residency->items);
    *residency = (struct hst_residency){0};
}

/* --- stacks --- */

static uint64_t word_at(const uint8_t *bytes, size_t offset)
{
    uint64_t word;
    memcpy(&word, bytes + offset, sizeof word);
    return word;
}

/* The first of the numbers that stands in the head of a thread's structure; 0: none does. */
static int tid_in(const uint8_t *bytes, size_t length, const int *tids, size_t count)
{
    for (size_t offset = 0; offset + sizeof(uint32_t) <= length; offset += sizeof(uint32_t)) {
        uint32_t word;
        memcpy(&word, bytes + offset, sizeof word);
        for (size_t i = 0; word != 0 && i < count; i++)
            if ((uint32_t)tids[i] == word)
                return tids[i];
    }
    return 0;
}

struct threads {
    struct hst_residency *residency;
    struct hst_memory *memory;
    const int *tids;
    size_t count;
    uint64_t stack_bytes; /* from the start of a mapping to the end of its stack, as met last; 0: none yet */
};

/* A thread's structure: its first word is its own address, in glibc the third too. */
static int is_structure(const struct threads *threads, hst_raddr at, const uint8_t *bytes, int *ret_tid)
{
    if (word_at(bytes, 0) != at)
        return 0;
    *ret_tid = tid_in(bytes + WORD, PTHREAD_HEAD_BYTES - WORD, threads->tids, threads->count);
    return *ret_tid != 0 || word_at(bytes, SELF_OFFSET) == at;
}

/* Looks for the structure of a thread in [start, end) of a mapping; the end of the stack, or 0. */
static hst_raddr search(struct threads *threads, const struct hst_residence *row, hst_raddr start,
                        hst_raddr end)
{
    uint8_t bytes[STACK_PAGES_READ * PAGE + PTHREAD_HEAD_BYTES];
    if (start < row->start || start >= row->end)
        start = row->start;
    for (hst_raddr at = start; at < end && at < row->end; at += (hst_raddr)STACK_PAGES_READ * PAGE) {
        size_t length = row->end - at < sizeof bytes ? (size_t)(row->end - at) : sizeof bytes;
        if (hst_memory_read(threads->memory, at, bytes, length) != HST_OK)
            return 0;
        for (size_t offset = 0; offset + PTHREAD_HEAD_BYTES <= length; offset += PTHREAD_ALIGNMENT) {
            int tid;
            if (!is_structure(threads, at + offset, bytes + offset, &tid))
                continue;
            hst_residency_set_stack(threads->residency, at + offset, tid);
            return row->stack_end;
        }
    }
    return 0;
}

/* At the end of the mapping, unless other memory came to lie right behind it; then as far from its start as
 * in other stacks; then anywhere. */
static void look_for_stack(struct threads *threads, const struct hst_residence *row)
{
    uint64_t first = 0; /* an arena begins with an address; the far end of a stack was hardly ever used */
    if (row->start % MALLOC_HEAP_BYTES == 0 &&
        (hst_memory_read(threads->memory, row->start, &first, sizeof first) != HST_OK || first != 0))
        return;
    hst_raddr end = search(threads, row, row->end - (hst_raddr)END_PAGES * PAGE, row->end);
    if (end == 0 && threads->stack_bytes != 0) {
        hst_raddr expected = row->start + threads->stack_bytes;
        end = search(threads, row, expected - (hst_raddr)END_PAGES * PAGE, expected);
    }
    if (end == 0)
        end = search(threads, row, row->start, row->start + STACK_BYTES_MAX);
    if (end != 0)
        threads->stack_bytes = end - row->start;
}

/* The system keeps no access to the pages below a stack: so little else is looked at. */
static int may_begin_with_stack(const struct hst_residency *residency, size_t index)
{
    const struct hst_residence *row = &residency->items[index];
    unsigned wanted = HST_MAP_READ | HST_MAP_WRITE, access = wanted | HST_MAP_EXEC;
    return index > 0 && row->kind == HST_RESIDENCE_ANONYMOUS && (row->flags & wanted) == wanted &&
           row[-1].end == row->start && (row[-1].flags & access) == 0 &&
           (row->resident_bytes > 0 || !residency->is_measured);
}

void hst_residency_find_stacks(struct hst_residency *residency, struct hst_memory *memory, const int *tids,
                               size_t count)
{
    struct threads threads = {residency, memory, tids, count, 0};
    for (size_t i = 0; i < residency->count; i++)
        if (may_begin_with_stack(residency, i))
            look_for_stack(&threads, &residency->items[i]);
}

void hst_residency_set_stack(struct hst_residency *residency, hst_raddr thread_pointer, int tid)
{
    size_t low = 0, high = residency->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (residency->items[middle].end <= thread_pointer)
            low = middle + 1;
        else
            high = middle;
    }
    struct hst_residence *row = low < residency->count ? &residency->items[low] : NULL;
    if (row == NULL || thread_pointer < row->start || row->kind != HST_RESIDENCE_ANONYMOUS)
        return;
    hst_raddr end = (thread_pointer + PTHREAD_BYTES + PAGE - 1) / PAGE * PAGE;
    row->stack_end = end < row->end ? end : row->end;
    row->tid = tid;
}

/* --- variables --- */

/* Where the variables of the program or library at start end, zeroed ones too; start: it is none. */
static enum hst_status find_loaded_end(struct hst_memory *memory, hst_raddr start, hst_raddr *ret_end)
{
    const struct hst_mapping mapping = {.start = start};
    struct hst_elf elf;
    enum hst_status status = hst_elf_read(memory, &mapping, &elf);
    *ret_end = start;
    if (status == HST_E_INVALID)
        return HST_OK;
    HST_TRY(status);
    if (elf.data_end > start)
        *ret_end = (elf.data_end + PAGE - 1) / PAGE * PAGE;
    return HST_OK;
}

static void set_data_end(struct hst_residence *row, hst_raddr file_start, hst_raddr loaded_end)
{
    if (loaded_end <= file_start) {
        row->kind = row->is_behind ? HST_RESIDENCE_ANONYMOUS : HST_RESIDENCE_FILE;
        row->data_end = 0;
    } else {
        row->data_end = loaded_end < row->start ? row->start : loaded_end < row->end ? loaded_end : row->end;
    }
}

void hst_residency_find_data(struct hst_residency *residency, struct hst_memory *memory)
{
    const struct hst_residence *first = residency->items; /* of the mappings of one file */
    for (size_t i = 0; i < residency->count; i++) {
        struct hst_residence *row = &residency->items[i];
        hst_raddr end;
        if (strcmp(row->path, first->path) != 0)
            first = row;
        if (row->kind == HST_RESIDENCE_DATA && find_loaded_end(memory, first->start, &end) == HST_OK)
            set_data_end(row, first->start, end);
    }
}

const char *hst_residence_name(const struct hst_residence *residence, size_t *ret_length)
{
    static const char deleted[] = " (deleted)";
    const char *slash = strrchr(residence->path, '/');
    const char *name = slash != NULL ? slash + 1 : residence->path;
    size_t length = strlen(name), mark = sizeof deleted - 1;
    if (length > mark && strcmp(name + length - mark, deleted) == 0)
        length -= mark;
    *ret_length = length;
    return name;
}
