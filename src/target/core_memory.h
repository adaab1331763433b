/* The memory in a core file: its segments, and behind them the files that were mapped. Part of target/core.c.
 */
#ifndef HST_TARGET_CORE_MEMORY_H
#define HST_TARGET_CORE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "target/memory.h"

struct hst_core_file; /* one that was mapped */

/* [start, end) of the program's memory: the first in_core bytes stand in the core at core_offset; the rest is
 * what file has at file_offset + distance from start. */
struct hst_core_segment {
    hst_raddr start, end;
    uint64_t core_offset, in_core;
    uint64_t file_offset;
    size_t file;    /* index in files; SIZE_MAX = none */
    unsigned flags; /* enum hst_map_flag */
};

struct hst_core_memory {
    struct hst_memory base;
    int fd;
    uint64_t written_wall_ns;
    struct hst_core_segment *segments; /* in order of address, without overlap */
    size_t segment_count, segment_capacity;
    struct hst_core_file *files;
    size_t file_count, file_capacity;
    size_t missing; /* index of the first file that could not be had; SIZE_MAX = none */
};

/* Takes fd over. */
enum hst_status hst_core_memory_new(int fd, uint64_t written_wall_ns,
                                    struct hst_core_memory **ret_memory) HST_MUST_CHECK;
/* The index of the file with that path (as the program saw it), opened under root when it is needed. */
enum hst_status hst_core_memory_add_file(struct hst_core_memory *memory, const char *root, const char *path,
                                         size_t *ret_index) HST_MUST_CHECK;
enum hst_status hst_core_memory_add_segment(struct hst_core_memory *memory,
                                            const struct hst_core_segment *segment) HST_MUST_CHECK;
/* Sorts the segments: call once, before the first read. */
void hst_core_memory_finish(struct hst_core_memory *memory);
const char *hst_core_memory_file_path(const struct hst_core_memory *memory, size_t file);
/* NULL: it could be had, or was not wanted. */
const char *hst_core_memory_file_problem(const struct hst_core_memory *memory, size_t file);

#endif
