/* The small blocks of CPython's own allocator (obmalloc): found by what their pools look like, without any
 * symbol. 3.8 to 3.15 with the interpreter lock; Objects/obmalloc.c describes them. */
#ifndef HST_HEAP_POOLS_H
#define HST_HEAP_POOLS_H

#include "heap/image.h"
#include "pyabi/abi.h"

#define HST_POOL_BLOCKS_MAX 1024u

/* A pool: blocks of one size. */
struct hst_pool {
    hst_raddr address;
    const uint8_t *bytes;
    uint32_t length, block_bytes;
    uint32_t used;                        /* blocks that were ever used: the first ones */
    uint8_t is_free[HST_POOL_BLOCKS_MAX]; /* of those */
};
typedef enum hst_status hst_pool_visitor(void *context, const struct hst_pool *pool);

struct hst_pool_sums {
    uint64_t pools, blocks;  /* in use */
    uint64_t block_bytes;    /* of blocks in use */
    uint64_t free_bytes;     /* of blocks that are not, in pools that are in use */
    uint64_t unused_bytes;   /* of pools without a block in use */
    uint64_t overhead_bytes; /* heads of pools, and rests that no block fits in */
    uint64_t odd;            /* pools whose list of free blocks is torn: their blocks all count */
};

/* All pools, in order of address. A status that visit returns ends it. */
enum hst_status hst_pools_visit(const struct hst_image *image, const struct hst_abi *abi,
                                hst_pool_visitor *visit, void *context,
                                struct hst_pool_sums *ret_sums) HST_MUST_CHECK;
/* Where the blocks of a pool begin, from its address; its length in this version. */
#define HST_POOL_HEAD_BYTES 48u
#define HST_POOL_LARGEST_BLOCK 512u
uint32_t hst_pool_bytes(const struct hst_abi *abi);
enum hst_pool_use { HST_POOL_NONE, HST_POOL_UNUSED, HST_POOL_USED };
/* What begins at an address that is such a multiple. */
enum hst_pool_use hst_pools_look(struct hst_image *image, const struct hst_abi *abi, hst_raddr address);

#endif
