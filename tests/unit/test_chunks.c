/* heap/chunks.c: what malloc of this very C library gave in a child, from the main and other threads, is
 * found with its size, what was given back is not in use, and damage costs no more than what was damaged. */
#include "child_image.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "heap/chunks.h"

enum { THREADS = 3, SMALL = 3000, LARGE = 40, HUGE_ARENA = 1000, BLOCKS = 1 + THREADS };

struct block {
    uint64_t address, bytes;
    int in_use;
};
struct planted {
    struct block small[BLOCKS][SMALL], large[BLOCKS][LARGE], arena[HUGE_ARENA];
};
static struct planted *planted; /* of the child, in a mapping of its own */
static pthread_barrier_t barrier;

static void plant_block(struct block *block, void *memory)
{
    *block = (struct block){(uintptr_t)memory, malloc_usable_size(memory), 1};
}

static void drop(struct block *block)
{
    block->in_use = 0;
    free((void *)(uintptr_t)block->address);
}

/* Of many sizes, many of one size, so that each cache of malloc gets some. */
static void plant_all(struct block *small, struct block *large)
{
    unsigned seed = 5;
    for (int i = 0; i < SMALL; i++)
        plant_block(&small[i], malloc(i % 3 == 0 ? 40 : (size_t)rand_r(&seed) % 6000));
    for (int i = 0; i < LARGE; i++) {
        void *memory = NULL;
        if (i % 4 == 0)
            (void)!posix_memalign(&memory, i % 8 == 0 ? 64 : 4096, 200000 + (size_t)i * 1000);
        else
            memory = malloc(150000 + (size_t)i * 7777);
        *(char *)memory = 1;
        plant_block(&large[i], memory);
    }
    for (int i = 0; i < SMALL; i += 2)
        drop(&small[i]);
    for (int i = 0; i < LARGE; i += 3)
        drop(&large[i]);
}

static void *run(void *context)
{
    size_t index = (size_t)(uintptr_t)context;
    plant_all(planted->small[index], planted->large[index]);
    if (index == 1) /* more than one heap of its arena holds */
        for (int i = 0; i < HUGE_ARENA; i++)
            plant_block(&planted->arena[i], malloc(100000));
    (void)pthread_barrier_wait(&barrier);
    for (;;)
        (void)pause();
    return NULL;
}

static void plant(int fd)
{
    pthread_t threads[THREADS];
    (void)mallopt(M_MMAP_THRESHOLD, 128 << 10); /* and it stays so */
    planted = calloc(1, sizeof *planted);
    (void)pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)(i + 1));
    plant_all(planted->small[0], planted->large[0]);
    (void)pthread_barrier_wait(&barrier);
    (void)!hst_fd_write_all(fd, planted, sizeof *planted);
}

struct fixture {
    struct child_image child;
    struct planted planted;
    struct hst_chunks chunks;
};

static int make(void **state)
{
    static struct fixture fixture;
    child_image_take(&fixture.child, plant, &fixture.planted, sizeof fixture.planted);
    assert_int_equal(hst_chunks_find_all(&fixture.child.image, &fixture.child.maps, &fixture.chunks), HST_OK);
    *state = &fixture;
    return 0;
}

static int unmake(void **state)
{
    struct fixture *fixture = *state;
    hst_chunks_release(&fixture->chunks);
    child_image_release(&fixture->child);
    return 0;
}

/* Blocks that are not as they should be. */
static int wrong(const struct hst_chunks *chunks, const struct block *blocks, int count)
{
    int bad = 0;
    for (int i = 0; i < count; i++) {
        const struct hst_chunk *chunk = hst_chunks_find(chunks, blocks[i].address);
        if (blocks[i].in_use)
            bad += chunk == NULL || !chunk->in_use || chunk->address != blocks[i].address ||
                   chunk->bytes != blocks[i].bytes;
        else /* nor may it be part of one that is in use, unless that was allocated over it */
            bad += chunk != NULL && chunk->in_use && chunk->address == blocks[i].address;
    }
    return bad;
}

static int wrong_of_all(const struct hst_chunks *chunks, const struct planted *all)
{
    int bad = wrong(chunks, all->arena, HUGE_ARENA);
    for (int i = 0; i < BLOCKS; i++)
        bad += wrong(chunks, all->small[i], SMALL) + wrong(chunks, all->large[i], LARGE);
    return bad;
}

static void test_blocks(void **state)
{
    const struct fixture *fixture = *state;
    assert_int_equal(wrong_of_all(&fixture->chunks, &fixture->planted), 0);
    assert_int_equal(fixture->chunks.sums.torn, 0);
    assert_int_equal(fixture->chunks.sums.arenas, 1 + THREADS);
    assert_true(fixture->chunks.sums.cached >= 7 * (1 + THREADS)); /* of the size of 40 alone */
}

static void check_order(const struct hst_chunks *chunks)
{
    for (size_t i = 1; i < chunks->count; i++)
        assert_true(chunks->items[i - 1].address + chunks->items[i - 1].bytes <= chunks->items[i].address);
}

static void test_sums(void **state)
{
    const struct fixture *fixture = *state;
    const struct hst_chunk_sums *sums = &fixture->chunks.sums;
    uint64_t in_use = 0, bytes = 0, planted_bytes = 0;
    for (size_t i = 0; i < fixture->chunks.count; i++)
        if (fixture->chunks.items[i].in_use) {
            in_use++;
            bytes += fixture->chunks.items[i].bytes;
        }
    assert_true(sums->in_use == in_use && sums->in_use_bytes == bytes);
    assert_true(sums->in_use + sums->free == fixture->chunks.count);
    for (int k = 0; k < BLOCKS; k++)
        for (int i = 0; i < SMALL; i++)
            planted_bytes += fixture->planted.small[k][i].in_use ? fixture->planted.small[k][i].bytes : 0;
    assert_true(bytes > planted_bytes && sums->overhead_bytes > 8 * in_use);
    check_order(&fixture->chunks);
}

static void test_find(void **state)
{
    const struct fixture *fixture = *state;
    const struct block *block = &fixture->planted.small[0][1];
    const struct hst_chunk *chunk = hst_chunks_find(&fixture->chunks, block->address);
    assert_non_null(chunk);
    assert_ptr_equal(hst_chunks_find(&fixture->chunks, block->address + block->bytes - 1), chunk);
    assert_ptr_not_equal(hst_chunks_find(&fixture->chunks, block->address + block->bytes), chunk);
    assert_ptr_not_equal(hst_chunks_find(&fixture->chunks, block->address - 1), chunk);
    assert_null(hst_chunks_find(&fixture->chunks, 0));
    assert_null(hst_chunks_find(&fixture->chunks, UINT64_MAX));
}

/* The copy's bytes at an address. */
static uint8_t *bytes_at(struct fixture *fixture, hst_raddr address, size_t length)
{
    const struct hst_image_region *region = hst_image_find(&fixture->child.image, address);
    assert_true(region != NULL && length <= region->end - address);
    return region->bytes + (address - region->start);
}

static void test_torn(void **state)
{
    struct fixture *fixture = *state;
    for (int thread = 0; thread < 2; thread++) {
        const struct block *damaged = &fixture->planted.small[thread][SMALL / 2 + 1];
        uint8_t *size = bytes_at(fixture, damaged->address - 8, 8), kept[8];
        memcpy(kept, size, sizeof kept);
        memset(size, 0xab, sizeof kept);
        struct hst_chunks chunks;
        assert_int_equal(hst_chunks_find_all(&fixture->child.image, &fixture->child.maps, &chunks), HST_OK);
        assert_int_equal(chunks.sums.torn, 1);
        assert_true(chunks.sums.torn_bytes >= damaged->bytes);
        int bad = wrong_of_all(&chunks, &fixture->planted);
        assert_true(bad >= 1 && bad <= 3); /* itself, and its neighbours' state */
        check_order(&chunks);
        hst_chunks_release(&chunks);
        memcpy(size, kept, sizeof kept);
    }
}

/* Whatever words stand there, it ends, in order. */
static void test_noise(void **state)
{
    struct fixture *fixture = *state;
    unsigned seed = 11;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 50; i++) {
            const struct block *block =
                &fixture->planted.small[rand_r(&seed) % BLOCKS][rand_r(&seed) % SMALL];
            uint8_t *bytes = bytes_at(fixture, block->address - 8, 16);
            uint64_t word =
                rand_r(&seed) % 3 == 0 ? UINT64_MAX : (uint64_t)rand_r(&seed) >> rand_r(&seed) % 31;
            memcpy(bytes + (rand_r(&seed) % 2) * 8, &word, sizeof word);
        }
        struct hst_chunks chunks;
        assert_int_equal(hst_chunks_find_all(&fixture->child.image, &fixture->child.maps, &chunks), HST_OK);
        check_order(&chunks);
        hst_chunks_release(&chunks);
    }
}

int main(void)
{
#ifdef __SANITIZE_ADDRESS__
    return 77; /* skipped: malloc is another's */
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks), cmocka_unit_test(test_sums),  cmocka_unit_test(test_find),
        cmocka_unit_test(test_torn),   cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
