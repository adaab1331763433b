/* Reads from a core file, and from the mapped files where the core has nothing.  A mapped file is believed
 * when its first bytes are those that the core has of it (they hold the build's id), or else when it is older
 * than the core. */
#include "target/core_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { FIRST_BYTES = 4096, PAGE_BYTES = 4096 };

struct hst_core_file {
    char *path, *place; /* as the program saw it; as it is seen from here */
    int fd;
    int tried;
    const char *problem;
};

static void core_free(struct hst_memory *base)
{
    struct hst_core_memory *memory = (struct hst_core_memory *)base;
    for (size_t i = 0; i < memory->file_count; i++) {
        hst_free(memory->files[i].path);
        hst_free(memory->files[i].place);
        hst_cleanup_fd_(&memory->files[i].fd);
    }
    hst_cleanup_fd_(&memory->fd);
    hst_free(memory->files);
    hst_free(memory->segments);
    hst_free(memory);
}

static enum hst_status read_fully(int fd, void *into, size_t length, uint64_t offset)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = pread(fd, (char *)into + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return HST_E_TORN;
        done += (size_t)got;
    }
    return HST_OK;
}

/* The last page of a mapped file goes on with zeros. */
static enum hst_status read_mapped(int fd, void *into, size_t length, uint64_t offset)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return HST_E_IO;
    uint64_t size = (uint64_t)info.st_size, page_end = (size + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    if (offset > page_end || length > page_end - offset)
        return HST_E_TORN;
    size_t inside = offset >= size ? 0 : size - offset < length ? (size_t)(size - offset) : length;
    memset((char *)into + inside, 0, length - inside);
    return read_fully(fd, into, inside, offset);
}

/* Whether the file at place is the one that was mapped: the reason why not, or NULL. */
static const char *compare_file(const struct hst_core_memory *memory, size_t index, int fd)
{
    for (size_t i = 0; i < memory->segment_count; i++) {
        const struct hst_core_segment *s = &memory->segments[i];
        if (s->file != index || s->file_offset != 0 || s->in_core == 0)
            continue;
        char in_core[FIRST_BYTES], in_file[FIRST_BYTES];
        size_t length = s->in_core < FIRST_BYTES ? (size_t)s->in_core : FIRST_BYTES;
        if (read_fully(memory->fd, in_core, length, s->core_offset) != HST_OK)
            break;
        if (read_fully(fd, in_file, length, 0) != HST_OK || memcmp(in_core, in_file, length) != 0)
            return "is another build than the one that ran";
        return NULL;
    }
    struct stat info;
    if (fstat(fd, &info) == 0 && memory->written_wall_ns != 0 &&
        (uint64_t)info.st_mtim.tv_sec > memory->written_wall_ns / 1000000000u)
        return "was changed after the core was written";
    return NULL;
}

/* The descriptor of a mapped file, or -1. */
static int open_file(struct hst_core_memory *memory, size_t index)
{
    struct hst_core_file *file = &memory->files[index];
    if (file->tried)
        return file->fd;
    file->tried = 1;
    int fd = open(file->place, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0)
        file->problem = errno == ENOENT ? "is not there" : "cannot be opened";
    else if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        file->problem = "is not a plain file";
    else
        file->problem = compare_file(memory, index, fd);
    if (file->problem != NULL) {
        hst_cleanup_fd_(&fd);
        if (memory->missing == SIZE_MAX)
            memory->missing = index;
        return -1;
    }
    return file->fd = fd;
}

static const struct hst_core_segment *find_segment(const struct hst_core_memory *memory, hst_raddr address)
{
    size_t low = 0, high = memory->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memory->segments[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < memory->segment_count && memory->segments[low].start <= address ? &memory->segments[low]
                                                                                 : NULL;
}

static enum hst_status read_piece(struct hst_core_memory *memory, struct hst_piece piece)
{
    while (piece.length > 0) {
        const struct hst_core_segment *s = find_segment(memory, piece.address);
        if (s == NULL)
            return HST_E_TORN;
        uint64_t at = piece.address - s->start;
        int in_core = at < s->in_core;
        uint64_t available = (in_core ? s->in_core : s->end - s->start) - at;
        size_t length = piece.length < available ? piece.length : (size_t)available;
        int fd = in_core ? memory->fd : s->file != SIZE_MAX ? open_file(memory, s->file) : -1;
        if (fd < 0)
            return HST_E_TORN;
        HST_TRY(in_core ? read_fully(fd, piece.into, length, s->core_offset + at)
                        : read_mapped(fd, piece.into, length, s->file_offset + at));
        memory->base.bytes += length;
        piece =
            (struct hst_piece){piece.address + length, (char *)piece.into + length, piece.length - length};
    }
    return HST_OK;
}

static enum hst_status core_read(struct hst_memory *base, const struct hst_piece *pieces, size_t count)
{
    struct hst_core_memory *memory = (struct hst_core_memory *)base;
    base->reads++;
    for (size_t i = 0; i < count; i++)
        HST_TRY(read_piece(memory, pieces[i]));
    return HST_OK;
}

enum hst_status hst_core_memory_new(int fd, uint64_t written_wall_ns, struct hst_core_memory **ret_memory)
{
    struct hst_core_memory *memory = hst_alloc_zero(1, sizeof *memory);
    if (memory == NULL) {
        hst_cleanup_fd_(&fd);
        return HST_E_NOMEM;
    }
    *memory = (struct hst_core_memory){.base = {.read = core_read, .free = core_free, .still = 1},
                                       .fd = fd,
                                       .written_wall_ns = written_wall_ns,
                                       .missing = SIZE_MAX};
    *ret_memory = memory;
    return HST_OK;
}

enum hst_status hst_core_memory_add_file(struct hst_core_memory *memory, const char *root, const char *path,
                                         size_t *ret_index)
{
    for (size_t i = memory->file_count; i > 0; i--)
        if (strcmp(memory->files[i - 1].path, path) == 0) {
            *ret_index = i - 1;
            return HST_OK;
        }
    if (!HST_RESERVE(memory->files, memory->file_capacity, memory->file_count + 1))
        return HST_E_NOMEM;
    struct hst_core_file file = {
        .path = hst_strdup(path), .place = hst_asprintf("%s%s", root, path), .fd = -1};
    if (file.path == NULL || file.place == NULL) {
        hst_free(file.path);
        hst_free(file.place);
        return HST_E_NOMEM;
    }
    memory->files[memory->file_count] = file;
    *ret_index = memory->file_count++;
    return HST_OK;
}

enum hst_status hst_core_memory_add_segment(struct hst_core_memory *memory,
                                            const struct hst_core_segment *segment)
{
    if (!HST_RESERVE(memory->segments, memory->segment_capacity, memory->segment_count + 1))
        return HST_E_NOMEM;
    memory->segments[memory->segment_count++] = *segment;
    return HST_OK;
}

static int compare_segments(const void *left, const void *right)
{
    const struct hst_core_segment *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

void hst_core_memory_finish(struct hst_core_memory *memory)
{
    if (memory->segment_count > 1)
        qsort(memory->segments, memory->segment_count, sizeof *memory->segments, compare_segments);
    size_t kept = 0;
    for (size_t i = 0; i < memory->segment_count; i++) /* overlaps: a file that lies */
        if (kept == 0 || memory->segments[kept - 1].end <= memory->segments[i].start)
            memory->segments[kept++] = memory->segments[i];
    memory->segment_count = kept;
}

const char *hst_core_memory_file_path(const struct hst_core_memory *memory, size_t file)
{
    return memory->files[file].place;
}

const char *hst_core_memory_file_problem(const struct hst_core_memory *memory, size_t file)
{
    return memory->files[file].problem;
}
