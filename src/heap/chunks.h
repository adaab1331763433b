/* The blocks of glibc's malloc in a copy of a program's memory, found without symbols: the heap that grows by
 * brk, the arenas of threads, and large blocks that are mappings of their own.  Blocks that a cache of malloc
 * keeps count as free.  Another C library's allocator is not known: then nothing is found. */
#ifndef HST_HEAP_CHUNKS_H
#define HST_HEAP_CHUNKS_H

#include "heap/image.h"

struct hst_chunk {
    hst_raddr address;                              /* what malloc gave */
    uint64_t bytes : 62, in_use : 1, is_mapped : 1; /* bytes: as malloc_usable_size says */
};

struct hst_chunk_sums {
    uint64_t in_use, free; /* numbers of chunks */
    uint64_t in_use_bytes, free_bytes;
    uint64_t overhead_bytes; /* heads of chunks and of arenas */
    uint64_t arenas;         /* the main one too, as far as they are in the copy */
    uint64_t cached;         /* of the free ones: those that only the caches of threads and arenas knew of */
    uint64_t torn, torn_bytes; /* places where a chain did not go on, and what was skipped there */
};

struct hst_chunks {
    struct hst_chunk *items; /* in order of address */
    size_t count, capacity;
    struct hst_chunk_sums sums;
};

/* maps: those that the image was taken by. */
enum hst_status hst_chunks_find_all(struct hst_image *image, const struct hst_maps *maps,
                                    struct hst_chunks *ret_chunks) HST_MUST_CHECK;
void hst_chunks_release(struct hst_chunks *chunks);
/* The chunk whose memory holds the address; NULL: none does. */
const struct hst_chunk *hst_chunks_find(const struct hst_chunks *chunks, hst_raddr address);
/* Bytes before a chunk's memory that it takes for itself. */
static inline uint64_t hst_chunk_head_bytes(const struct hst_chunk *chunk)
{
    return chunk->is_mapped ? 16 : 8;
}

#endif
