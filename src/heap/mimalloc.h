/* The blocks of mimalloc, in which a free-threaded CPython keeps its objects, and any from 3.13 on that is
 * asked to (PYTHONMALLOC=mimalloc): found by what its segments look like, without any symbol.  3.13 to 3.15;
 * Include/internal/mimalloc/mimalloc/types.h describes them. */
#ifndef HST_HEAP_MIMALLOC_H
#define HST_HEAP_MIMALLOC_H

#include "heap/image.h"
#include "heap/pools.h"

/* What a free-threaded Python keeps in a page: Include/internal/pycore_mimalloc.h. With the lock all are the
 * first. */
enum hst_mimalloc_tag {
    HST_MIMALLOC_MEMORY = 0,    /* tables, and what C code asked for */
    HST_MIMALLOC_OBJECTS = 1,   /* that the collector does not know, and other memory */
    HST_MIMALLOC_COLLECTED = 2, /* objects */
    HST_MIMALLOC_MANAGED = 3,   /* objects with two words in front */
};

#define HST_MIMALLOC_BLOCKS_MAX 8192u /* 64 KiB of 8 bytes */

/* A page of mimalloc: blocks of one size. The head of a segment, and what of it is free, come as pages that
 * no block was ever used of. */
struct hst_mimalloc_page {
    hst_raddr start, end; /* all of it */
    int in_use;           /* a block of it is, or it is the head */
    hst_raddr address;    /* of the first block */
    const uint8_t *bytes;
    uint64_t block_bytes;
    uint32_t used; /* blocks that were ever used: the first ones */
    enum hst_mimalloc_tag tag;
    uint8_t is_free[HST_MIMALLOC_BLOCKS_MAX]; /* of those */
};
typedef enum hst_status hst_mimalloc_visitor(void *context, const struct hst_mimalloc_page *page);

/* All pages, in order of address; the sums count them as pools, and what of them is in memory. Blocks that
 * another thread freed, and that wait for their own, are in use. A status that visit returns ends it. */
enum hst_status hst_mimalloc_visit(const struct hst_image *image, const struct hst_abi *abi,
                                   hst_mimalloc_visitor *visit, void *context,
                                   struct hst_pool_sums *ret_sums) HST_MUST_CHECK;
/* What a block takes that so many bytes were asked for of. */
uint64_t hst_mimalloc_block_bytes(uint64_t bytes);

#endif
