/* Every place where a pool may begin is looked at.  A pool's head says its size class twice, in different
 * ways, and where its blocks that were never used begin: random bytes do not agree with themselves so. */
#include "heap/pools.h"

#include <string.h>

enum {
    ALIGNMENT = 16,
    CLASSES = 32, /* up to 512 bytes */
    HEAD_BYTES = 48,
    POOL_BYTES_3_9 = 4 << 10, /* to 3.9 */
    POOL_BYTES = 16 << 10,
    BLOCKS_MAX = POOL_BYTES / ALIGNMENT,
};

/* struct pool_header */
struct head {
    uint32_t count;
    uint32_t unused;
    uint64_t free_block, next, previous;
    uint32_t arena, size_class, next_offset, last_offset;
};

static size_t pool_bytes(const struct hst_abi *abi) { return abi->minor >= 10 ? POOL_BYTES : POOL_BYTES_3_9; }

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
    hst_block_visitor *visit;
    void *context;
    struct hst_pool_sums *sums;
    size_t pool_bytes;
};

static enum hst_status visit_pool(struct walk *walk, const struct head *head, hst_raddr address,
                                  const uint8_t *bytes)
{
    uint8_t is_free[BLOCKS_MAX] = {0};
    uint32_t size = block_size(head), blocks = (uint32_t)(walk->pool_bytes - HEAD_BYTES) / size;
    uint32_t used = (head->next_offset - HEAD_BYTES) / size, live = 0;
    struct hst_pool_sums *sums = walk->sums;
    sums->overhead_bytes += walk->pool_bytes - (uint64_t)blocks * size;
    if (!mark_free(head, address, bytes, walk->pool_bytes, is_free)) {
        memset(is_free, 0, sizeof is_free);
        sums->odd++;
    }
    for (uint32_t i = 0; i < used; i++) {
        if (is_free[i])
            continue;
        uint32_t offset = HEAD_BYTES + i * size;
        const struct hst_block block = {address + offset, bytes + offset, size};
        live++;
        HST_TRY(walk->visit(walk->context, &block));
    }
    sums->pools++;
    sums->blocks += live;
    sums->block_bytes += (uint64_t)live * size;
    sums->free_bytes += (uint64_t)(blocks - live) * size;
    return HST_OK;
}

static enum hst_status visit_run(struct walk *walk, const struct hst_image_run *run)
{
    struct head head;
    hst_raddr first = (run->start + walk->pool_bytes - 1) / walk->pool_bytes * walk->pool_bytes;
    for (hst_raddr at = first; at < run->end && run->region_end - at >= walk->pool_bytes;
         at += walk->pool_bytes) {
        const uint8_t *bytes = run->bytes + (at - run->start);
        memcpy(&head, bytes, sizeof head);
        if (!is_pool(&head, at, walk->pool_bytes))
            continue;
        if (head.count > 0)
            HST_TRY(visit_pool(walk, &head, at, bytes));
        else
            walk->sums->unused_bytes += walk->pool_bytes;
    }
    return HST_OK;
}

enum hst_status hst_pools_visit(const struct hst_image *image, const struct hst_abi *abi,
                                hst_block_visitor *visit, void *context, struct hst_pool_sums *ret_sums)
{
    struct walk walk = {visit, context, ret_sums, pool_bytes(abi)};
    *ret_sums = (struct hst_pool_sums){0};
    for (size_t i = 0; i < image->run_count; i++)
        HST_TRY(visit_run(&walk, &image->runs[i]));
    return HST_OK;
}

int hst_pools_hold(struct hst_image *image, const struct hst_abi *abi, hst_raddr address)
{
    size_t bytes = pool_bytes(abi);
    hst_raddr start = address / bytes * bytes;
    const uint8_t *at = hst_image_at(image, start, bytes);
    struct head head;
    if (at == NULL)
        return 0;
    memcpy(&head, at, sizeof head);
    return is_pool(&head, start, bytes) && head.count > 0;
}
