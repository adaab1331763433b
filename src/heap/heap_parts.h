/* What a process's resident memory is made of: objects, tables, what allocators keep, C code by library,
 * stacks, files.  The parts add up to the resident memory; what is not explained is a part too. */
#ifndef HST_HEAP_HEAP_PARTS_H
#define HST_HEAP_HEAP_PARTS_H

#include "heap/census.h"
#include "model/heap.h"
#include "target/residency.h"

struct hst_parts_input {
    struct hst_image *image;
    const struct hst_abi *abi;
    const struct hst_residency
        *residency; /* as it was when the image was taken, with stacks and data found */
    const struct hst_chunks *chunks;
    const uint64_t
        *python_chunks; /* bit i % 64 of word i / 64: chunk i is an object's block or table; NULL: none */
    struct hst_pool_sums pools;
    const struct hst_own_area *areas;
    size_t area_count;
    struct hst_bytes_held held[HST_MEMORY_PLACES];
};

/* Adds parts, by kind and then most bytes first, and their names; sets resident_bytes where it is known.
 * Where it cannot be told which pages of a mapping are resident, its contents get the share of it that is. */
enum hst_status hst_parts_find(const struct hst_parts_input *input, struct hst_heap *heap) HST_MUST_CHECK;

#endif
