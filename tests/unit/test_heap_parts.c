/* heap/heap_parts.c: memory of known kinds in a child comes out under its kind and name, and the parts add up
 * to what the system says is resident. */
#include "child_image.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "heap/heap_parts.h"
#include "target/process.h"

enum { POOL = 16 << 10, POOLS_USED = 40, POOLS = 60, BLOCK = 64, BLOCKS_USED = 200, BLOCKS_FREE = 50 };
enum { MB = 1 << 20, LINKS = 1000, LINK_BYTES = 4000, LOOSE = 500 };

struct planted {
    uint64_t python, python_bytes; /* a block, as if of a Python object */
};

/* The way to these leads through variables of this program alone. */
struct link {
    struct link *next;
    char bytes[LINK_BYTES];
};
static struct link *chain;
static uint8_t *volatile half;
static char *volatile direct;                           /* a mapping without malloc */
static char variables[2 * MB] = {1};                    /* .data */
static char zeros[3 * MB];                              /* .bss */
static volatile uint64_t hidden[LOOSE], hidden_mapping; /* addresses, but not as such */
static pthread_barrier_t barrier;

static void *mapped(size_t bytes, int flags)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    memset(memory, 1, bytes);
    return memory;
}

static void *run(void *context)
{
    char local[MB];
    memset(local, 2, sizeof local);
    __asm__ volatile("" : : "r"(local) : "memory");
    (void)pthread_barrier_wait(context);
    for (;;)
        (void)pause();
    return NULL;
}

static void *filled(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL)
        _exit(1);
    memset(memory, 3, bytes);
    __asm__ volatile("" : : "r"(memory) : "memory"); /* it is not left out because nobody reads it */
    return memory;
}

static void plant_malloc(struct planted *planted)
{
    static void *dropped[3000];
    void *python = filled(5 * MB);
    for (int i = 0; i < LINKS; i++) {
        struct link *link = filled(sizeof *link);
        link->next = chain;
        chain = link;
    }
    for (size_t i = 0; i < LOOSE; i++) /* a megabyte that nothing leads to */
        hidden[i] = ~(uint64_t)(uintptr_t)filled(2 * MB / LOOSE);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(dropped); i++)
        dropped[i] = filled(2000);
    (void)filled(100); /* the heap does not shrink */
    for (size_t i = 0; i < HST_ARRAY_LENGTH(dropped); i++)
        free(dropped[i]);
    memset(dropped, 0, sizeof dropped);
    *planted = (struct planted){(uintptr_t)python, malloc_usable_size(python)};
}

/* As of CPython 3.12: struct pool_header, then blocks. The first block leads to a mapping, of whose
 * second half a variable of the program knows. */
static void plant_pools(void)
{
    uint8_t *arena = mapped((size_t)2 * MB, MAP_PRIVATE), *known = mapped((size_t)3 * MB, MAP_PRIVATE);
    uint8_t *first = arena + (POOL - (uintptr_t)arena % POOL) % POOL;
    (void)munmap(known + (size_t)2 * MB, MB); /* keeps it apart from what lies above */
    (void)munmap(first + (size_t)POOLS * POOL, (size_t)(arena + (size_t)2 * MB - first - POOLS * POOL));
    for (int i = 0; i < POOLS; i++) {
        uint8_t *pool = first + (size_t)i * POOL;
        uint64_t block = (uintptr_t)pool + 48 + (uint64_t)(BLOCKS_USED - 1) * BLOCK, none = 0;
        const uint32_t head[12] = {i < POOLS_USED ? BLOCKS_USED - BLOCKS_FREE : 0,
                                   0,
                                   (uint32_t)block,
                                   (uint32_t)(block >> 32),
                                   1,
                                   0,
                                   1,
                                   0,
                                   0,
                                   BLOCK / 16 - 1,
                                   48 + BLOCKS_USED * BLOCK,
                                   POOL - BLOCK};
        memcpy(pool, head, sizeof head);
        for (int k = 0; k < BLOCKS_FREE; k++, block -= BLOCK) {
            uint64_t next = k + 1 < BLOCKS_FREE ? block - BLOCK : none;
            memcpy(pool + (block - (uintptr_t)pool), &next, sizeof next);
        }
    }
    memcpy(first + 48, &known, sizeof known);
    half = known + MB;
}

static void plant(int fd)
{
    pthread_t thread;
    struct planted planted;
    plant_malloc(&planted);
    plant_pools();
    memset(variables, 5, sizeof variables);
    memset(zeros, 4, sizeof zeros);
    char *both = mapped(6 * MB, MAP_PRIVATE); /* with a hole between */
    (void)munmap(both + (size_t)4 * MB, MB);
    direct = both;
    hidden_mapping = ~(uint64_t)(uintptr_t)(both + (size_t)5 * MB);
    (void)mapped(6 * MB, MAP_SHARED);
    (void)pthread_barrier_init(&barrier, NULL, 2);
    (void)pthread_create(&thread, NULL, run, &barrier);
    (void)pthread_barrier_wait(&barrier);
    (void)!hst_fd_write_all(fd, &planted, sizeof planted);
}

struct fixture {
    struct child_image child;
    struct hst_residency residency;
    struct hst_chunks chunks;
    struct planted planted;
    uint64_t *python;
};

static int make(void **state)
{
    static struct fixture fixture;
    int *tids;
    size_t count;
    child_image_take(&fixture.child, plant, &fixture.planted, sizeof fixture.planted);
    struct hst_memory *memory = &fixture.child.image.memory;
    assert_int_equal(hst_residency_read(fixture.child.pid, &fixture.residency), HST_OK);
    assert_int_equal(hst_process_threads(fixture.child.pid, &tids, &count), HST_OK);
    hst_residency_find_stacks(&fixture.residency, memory, tids, count);
    hst_residency_find_data(&fixture.residency, memory);
    hst_free(tids);
    assert_int_equal(hst_chunks_find_all(&fixture.child.image, &fixture.child.maps, &fixture.chunks), HST_OK);
    fixture.python = hst_alloc_zero(fixture.chunks.count / 64 + 1, sizeof *fixture.python);
    const struct hst_chunk *chunk = hst_chunks_find(&fixture.chunks, fixture.planted.python);
    assert_true(chunk != NULL && chunk->bytes == fixture.planted.python_bytes);
    size_t index = (size_t)(chunk - fixture.chunks.items);
    fixture.python[index / 64] |= UINT64_C(1) << index % 64;
    *state = &fixture;
    return 0;
}

static int unmake(void **state)
{
    struct fixture *fixture = *state;
    hst_free(fixture->python);
    hst_chunks_release(&fixture->chunks);
    hst_residency_release(&fixture->residency);
    child_image_release(&fixture->child);
    return 0;
}

static enum hst_status ignore(void *context, const struct hst_pool *pool)
{
    return context == NULL && pool->block_bytes == BLOCK ? HST_OK : HST_E_INVALID;
}

static struct hst_parts_input input_of(struct fixture *fixture, const struct hst_abi *abi)
{
    struct hst_parts_input input = {.image = &fixture->child.image,
                                    .abi = abi,
                                    .residency = &fixture->residency,
                                    .chunks = &fixture->chunks,
                                    .python_chunks = fixture->python};
    if (abi->minor >= 10)
        assert_int_equal(hst_pools_visit(input.image, abi, ignore, NULL, &input.pools), HST_OK);
    input.held[HST_IN_POOLS].objects = input.pools.block_bytes;
    return input;
}

/* name NULL: whatever it is. */
static double megabytes(const struct hst_heap *heap, enum hst_part_kind kind, const char *name)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < heap->part_count; i++)
        if (heap->parts[i].kind == kind &&
            (name == NULL || strcmp(hst_strings_get(&heap->strings, heap->parts[i].name), name) == 0))
            bytes += heap->parts[i].bytes;
    return (double)bytes / MB;
}

static uint64_t sum(const struct hst_heap *heap)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < heap->part_count; i++)
        bytes += heap->parts[i].bytes;
    return bytes;
}

static void assert_about(double value, double expected)
{
    if (value < expected - 0.01 || value > expected + 0.1)
        fail_msg("%.3f MB where %.3f were expected", value, expected);
}

static void test_kinds(void **state)
{
    struct fixture *fixture = *state;
    const struct hst_abi abi = {.minor = 12};
    struct hst_parts_input input = input_of(fixture, &abi);
    struct hst_heap heap;
    assert_true(hst_heap_init(&heap));
    input.held[HST_IN_CHUNKS] = (struct hst_bytes_held){.objects = 3 * MB, .tables = MB, .slack = MB};
    assert_int_equal(input.pools.blocks, POOLS_USED * (BLOCKS_USED - BLOCKS_FREE));
    assert_int_equal(hst_parts_find(&input, &heap), HST_OK);
    assert_true(heap.resident_bytes == fixture->residency.resident_bytes);
    assert_true(sum(&heap) == heap.resident_bytes);
    double chain_mb = (double)LINKS * sizeof(struct link) / MB;
    assert_about(megabytes(&heap, HST_PART_NATIVE, "test_heap_parts"), 2 + 3 + 4 + 1 + chain_mb);
    assert_about(megabytes(&heap, HST_PART_NATIVE, ""), 1.99);
    assert_about(megabytes(&heap, HST_PART_NATIVE_FREE, NULL), 3000 * 2000.0 / MB);
    assert_about(megabytes(&heap, HST_PART_STACK, "other threads"), 1);
    assert_about(megabytes(&heap, HST_PART_SHARED, NULL), 6);
    assert_about(megabytes(&heap, HST_PART_OBJECTS, NULL), 3 + (double)input.pools.block_bytes / MB);
    assert_about(megabytes(&heap, HST_PART_FREE, NULL), (double)input.pools.free_bytes / MB);
    assert_about(megabytes(&heap, HST_PART_UNUSED, NULL), (POOLS - POOLS_USED) * (double)POOL / MB);
    assert_about(megabytes(&heap, HST_PART_TABLES, NULL), 1 + 1); /* and what a block leads to */
    assert_about(megabytes(&heap, HST_PART_SLACK, NULL), 1);
    assert_about(megabytes(&heap, HST_PART_OTHER, NULL), 1); /* the mapping that nothing leads to */
    assert_true(megabytes(&heap, HST_PART_FILE, "libc.so.6") > 0.3);
    for (size_t i = 1; i < heap.part_count; i++)
        assert_true(
            heap.parts[i - 1].kind < heap.parts[i].kind ||
            (heap.parts[i - 1].kind == heap.parts[i].kind && heap.parts[i - 1].bytes >= heap.parts[i].bytes));
    hst_heap_release(&heap);
}

/* More than there can be takes from the slack first, and never more than the memory has. */
static void test_more_than_there_is(void **state)
{
    struct fixture *fixture = *state;
    const struct hst_abi abi = {.minor = 8};
    struct hst_parts_input input = input_of(fixture, &abi);
    struct hst_heap heap;
    assert_true(hst_heap_init(&heap));
    input.held[HST_IN_CHUNKS] =
        (struct hst_bytes_held){.objects = 3 * MB, .tables = MB, .slack = UINT64_MAX / 4};
    assert_int_equal(hst_parts_find(&input, &heap), HST_OK);
    assert_about(megabytes(&heap, HST_PART_OBJECTS, NULL), 3);
    assert_about(megabytes(&heap, HST_PART_SLACK, NULL), 1);
    assert_true(sum(&heap) == heap.resident_bytes);
    input.held[HST_ELSEWHERE].objects = input.held[HST_IN_POOLS].tables = UINT64_MAX;
    input.pools.free_bytes = input.pools.block_bytes = UINT64_MAX;
    assert_int_equal(hst_parts_find(&input, &heap), HST_OK);
    assert_true(sum(&heap) == heap.resident_bytes);
    hst_heap_release(&heap);
}

/* As of a core file: which pages are there, only their contents say. */
static void test_without_numbers(void **state)
{
    struct fixture *fixture = *state;
    const struct hst_abi abi = {.minor = 12};
    struct hst_parts_input input = input_of(fixture, &abi);
    struct hst_residency residency = {0};
    struct hst_heap heap;
    assert_true(hst_heap_init(&heap));
    assert_int_equal(hst_residency_from_maps(&fixture->child.maps, &residency), HST_OK);
    hst_residency_find_data(&residency, fixture->child.memory);
    hst_residency_find_stacks(&residency, fixture->child.memory, NULL, 0);
    input.residency = &residency;
    assert_int_equal(hst_parts_find(&input, &heap), HST_OK);
    double chain_mb = (double)LINKS * sizeof(struct link) / MB;
    assert_about(megabytes(&heap, HST_PART_NATIVE, "test_heap_parts"), 2 + 3 + 4 + 1 + chain_mb);
    assert_about(megabytes(&heap, HST_PART_NATIVE, ""), 1.99);
    assert_about(megabytes(&heap, HST_PART_STACK, "ended threads"), 1); /* it was not said which there are */
    assert_true(heap.resident_bytes == 0 && sum(&heap) > 20 * MB);
    hst_residency_release(&residency);
    hst_heap_release(&heap);
}

int main(void)
{
#ifdef __SANITIZE_ADDRESS__
    return 77; /* skipped: malloc is another's */
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_more_than_there_is),
        cmocka_unit_test(test_without_numbers),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
