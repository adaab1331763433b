/* Every place where a pool may begin is looked at.  A pool's head says its size class twice, in different
 * ways, and where its blocks that were never used begin: random bytes do not agree with themselves so. */
#include "heap/pools.h"

#include <string.h>

enum {
    ALIGNMENT = 16,
    CLASSES = 32, /* up to 512 bytes */
    HEAD_BYTES = HST_POOL_HEAD_BYTES,
    POOL_BYTES_3_9 = 4 << 10, /* to 3.9 */
    POOL_BYTES = 16 << 10,
};

/* struct pool_header */
struct head {
    uint32_t count;
    uint32_t unused;
    uint64_t free_block, next, previous;
    uint32_t arena, size_class, next_offset, last_offset;
};

uint32_t hst_pool_bytes(const struct hst_abi *abi) { return abi->minor >= 10 ? POOL_BYTES : POOL_BYTES_3_9; }

static uint32_t block_size(const struct head *head) { return (head->size_class + 1) * ALIGNMENT; }

static int is_pool(const struct head *head, hst_raddr address, size_t bytes)
{
    if (head->size_class >= CLASSES)
        return 0;
    uint32_t size = block_size(head);
    uint32_t most = (uint32_t)(bytes - HEAD_BYTES) / size;
    if (head->last_offset != bytes - size || head->count > most || head->next_offset < HEAD_BYTES ||
        head->next_offset > bytes || (head->next_offset - HEAD_BYTES) % size != 0 || head->next == 0)
        return 0;
    return head->free_block == 0 ||
           (head->free_block >= address + HEAD_BYTES && head->free_block < address + bytes &&
            (head->free_block - address - HEAD_BYTES) % size == 0);
}

/* Marks the blocks of the list of free ones. 0: the list leaves the pool, or does not end. */
static int mark_free(const struct head *head, hst_raddr address, const uint8_t *bytes, size_t length,
                     uint8_t *is_free)
{
    uint32_t size = block_size(head), used = (head->next_offset - HEAD_BYTES) / size;
    hst_raddr at = head->free_block;
    for (uint32_t steps = 0; at != 0; steps++) {
        hst_raddr offset = at - address - HEAD_BYTES;
        if (steps > used || at < address + HEAD_BYTES || at >= address + length || offset % size != 0)
            return 0;
        if (offset / size >= used)
            return 1; /* the next that was never used stands at the end of the list in some versions */
        is_free[offset / size] = 1;
        memcpy(&at, bytes + (at - address), sizeof at);
    }
    return 1;
}

struct walk {
    hst_pool_visitor *visit;
    void *context;
    struct hst_pool_sums *sums;
    struct hst_pool pool;
};

static void count_blocks(struct walk *walk, const struct head *head)
{
    const struct hst_pool *pool = &walk->pool;
    struct hst_pool_sums *sums = walk->sums;
    uint32_t blocks = (pool->length - HEAD_BYTES) / pool->block_bytes, live = 0;
    if (head->count == 0) {
        sums->unused_bytes += pool->length;
        return;
    }
    for (uint32_t i = 0; i < pool->used; i++)
        live += !pool->is_free[i];
    sums->pools++;
    sums->blocks += live;
    sums->block_bytes += (uint64_t)live * pool->block_bytes;
    sums->free_bytes += (uint64_t)(blocks - live) * pool->block_bytes;
    sums->overhead_bytes += pool->length - (uint64_t)blocks * pool->block_bytes;
}

static enum hst_status visit_pool(struct walk *walk, const struct head *head)
{
    struct hst_pool *pool = &walk->pool;
    pool->block_bytes = block_size(head);
    pool->used = head->count > 0 ? (head->next_offset - HEAD_BYTES) / pool->block_bytes : 0;
    memset(pool->is_free, 0, pool->used);
    if (pool->used > 0 && !mark_free(head, pool->address, pool->bytes, pool->length, pool->is_free)) {
        memset(pool->is_free, 0, pool->used);
        walk->sums->odd++;
    }
    count_blocks(walk, head);
    return walk->visit(walk->context, pool);
}

static enum hst_status visit_run(struct walk *walk, const struct hst_image_run *run)
{
    uint32_t length = walk->pool.length;
    hst_raddr first = (run->start + length - 1) / length * length;
    for (hst_raddr at = first; at < run->end && run->region_end - at >= length; at += length) {
        struct head head;
        walk->pool.address = at;
        walk->pool.bytes = run->bytes + (at - run->start);
        memcpy(&head, walk->pool.bytes, sizeof head);
        if (is_pool(&head, at, length))
            HST_TRY(visit_pool(walk, &head));
    }
    return HST_OK;
}

enum hst_status hst_pools_visit(const struct hst_image *image, const struct hst_abi *abi,
                                hst_pool_visitor *visit, void *context, struct hst_pool_sums *ret_sums)
{
    struct walk walk = {visit, context, ret_sums, {.length = hst_pool_bytes(abi)}};
    *ret_sums = (struct hst_pool_sums){0};
    for (size_t i = 0; i < image->run_count; i++)
        HST_TRY(visit_run(&walk, &image->runs[i]));
    return HST_OK;
}

enum hst_pool_use hst_pools_look(struct hst_image *image, const struct hst_abi *abi, hst_raddr address)
{
    size_t bytes = hst_pool_bytes(abi);
    const uint8_t *at = hst_image_at(image, address, bytes);
    struct head head;
    if (at == NULL)
        return HST_POOL_NONE;
    memcpy(&head, at, sizeof head);
    if (!is_pool(&head, address, bytes))
        return HST_POOL_NONE;
    return head.count > 0 ? HST_POOL_USED : HST_POOL_UNUSED;
}
