/* heap/mimalloc.c: of segments made by hand in both versions' layouts, with and without the interpreter lock,
 * every block is given that is in use and none that is on a list of free ones; what is damaged is counted,
 * and costs no more than its page. */
#include "child_image.h"

#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "heap/mimalloc.h"

enum { SLICE = 64 << 10, SLICES = 512, SEGMENT = SLICES * SLICE, ROOM = 5 * SEGMENT };

/* mi_page_t, mi_segment_t up to its slices. */
struct old_page {
    uint32_t slice_count, slice_offset;
    uint8_t flags, debug_offset;
    uint16_t capacity, reserved;
    uint8_t in_full, expire;
    uint64_t free;
    uint32_t used, block_bytes;
    uint64_t local_free, other_free, heap, next, previous;
};
struct new_page {
    uint32_t slice_count, slice_offset;
    uint8_t flags;
    uint16_t capacity, reserved;
    uint8_t in_full, expire;
    uint64_t free, local_free;
    uint16_t used;
    uint8_t shift, tag, qsbr, debug_offset;
    uint64_t block_bytes, start, other_free, heap, next, previous;
};
struct old_segment {
    uint8_t memory[24], allow[8];
    uint64_t bytes, purge_expire, purge[8], commit[8];
    uint64_t abandoned_next, next, abandoned, visits, used, cookie, slice_count, info_slices;
    uint32_t kind;
    uint64_t entries, thread;
};
struct new_segment {
    uint8_t memory[24], allow[8];
    uint64_t bytes, part, purge_expire, purge[8], commit[8];
    uint64_t next;
    uint8_t reclaimed, keep, zero;
    uint64_t abandoned, visits, used, cookie, os_next, os_previous, slice_count, info_slices;
    uint32_t kind;
    uint64_t entries, thread;
};

struct version {
    int is_new, free_threaded;
};
static struct version version;
static struct child_image child;
static uint64_t base;

/* --- the child --- */

static size_t slice_bytes(void)
{
    size_t free_threaded = version.free_threaded ? 24 : 8; /* a list and a number, or one word */
    return (version.is_new ? sizeof(struct new_page) : sizeof(struct old_page)) + free_threaded;
}

static uint8_t *slice_at(uint64_t segment, unsigned index)
{
    size_t head = version.is_new ? sizeof(struct new_segment) : sizeof(struct old_segment);
    return (uint8_t *)(uintptr_t)segment + head + index * slice_bytes();
}

static void make_segment(uint64_t at, uint64_t slices)
{
    uint64_t entries = slices < SLICES ? slices : SLICES;
    uint32_t is_huge = slices != SLICES, info = 1;
    struct old_segment old = {.bytes = slices * SLICE,
                              .cookie = 512,
                              .slice_count = slices,
                              .info_slices = info,
                              .kind = is_huge,
                              .entries = entries};
    struct new_segment new = {.bytes = slices * SLICE,
                              .cookie = 512,
                              .slice_count = slices,
                              .info_slices = info,
                              .kind = is_huge,
                              .entries = entries};
    if (version.is_new)
        memcpy((void *)(uintptr_t)at, &new, sizeof new);
    else
        memcpy((void *)(uintptr_t)at, &old, sizeof old);
    memcpy(slice_at(at, 0), &info, sizeof info);
    if (!is_huge) { /* all else is free, until it is not */
        uint32_t rest = SLICES - 1;
        memcpy(slice_at(at, 1), &rest, sizeof rest);
    }
}

struct page {
    unsigned index, slices;
    uint64_t block_bytes;
    unsigned capacity, reserved, tag;
};

static uint64_t first_block(uint64_t segment, const struct page *page)
{
    uint64_t start = segment + (uint64_t)page->index * SLICE, bytes = page->block_bytes;
    if (version.is_new) /* aligned as the blocks are, when they are not large */
        return bytes <= SLICE ? (start + bytes - 1) / bytes * bytes : start;
    return start + (bytes <= 64 ? 3 * bytes : bytes <= 512 ? bytes : 0);
}

/* A list of the blocks that are such a remainder of 10. */
static uint64_t make_list(uint64_t segment, const struct page *page, unsigned remainder)
{
    uint64_t next = 0;
    for (unsigned i = 0; i < page->capacity; i++)
        if (i % 10 == remainder) {
            uint64_t at = first_block(segment, page) + i * page->block_bytes;
            memcpy((void *)(uintptr_t)at, &next, sizeof next);
            next = at;
        }
    return next;
}

static unsigned of_ten(unsigned count, unsigned remainder) { return (count + 9 - remainder) / 10; }

/* All blocks have memory up to their end. */
static void touch(uint64_t segment, const struct page *page)
{
    for (unsigned i = 1; i <= page->capacity; i++)
        *(uint8_t *)(uintptr_t)(first_block(segment, page) + i * page->block_bytes - 1) = 1;
}

/* Of ten blocks the second is free, the fifth of this thread's own, the eighth of others'. */
static void make_page(uint64_t segment, const struct page *page)
{
    touch(segment, page);
    uint64_t free = make_list(segment, page, 1), local = make_list(segment, page, 4);
    uint64_t other = make_list(segment, page, 7) | 2;
    unsigned used = page->capacity - of_ten(page->capacity, 1) - of_ten(page->capacity, 4);
    unsigned tag = version.free_threaded ? page->tag : 0;
    uint64_t block_bytes = page->block_bytes;
    uint32_t rest = SLICES - page->index - page->slices;
    struct old_page old = {.slice_count = page->slices,
                           .flags = (uint8_t)(1 | tag << 3),
                           .capacity = (uint16_t)page->capacity,
                           .reserved = (uint16_t)page->reserved,
                           .free = free,
                           .used = used,
                           .block_bytes = block_bytes >= 1u << 31 ? 1u << 31 : (uint32_t)block_bytes,
                           .local_free = local,
                           .other_free = other};
    struct new_page new = {.slice_count = page->slices,
                           .flags = 1,
                           .capacity = (uint16_t)page->capacity,
                           .reserved = (uint16_t)page->reserved,
                           .free = free,
                           .used = (uint16_t)used,
                           .tag = (uint8_t)tag,
                           .block_bytes = block_bytes,
                           .start = first_block(segment, page),
                           .local_free = local,
                           .other_free = other};
    uint8_t *slice = slice_at(segment, page->index);
    if (version.is_new)
        memcpy(slice, &new, sizeof new);
    else
        memcpy(slice, &old, sizeof old);
    if (page->slices < SLICES && rest > 0)
        memcpy(slice_at(segment, page->index + page->slices), &rest, sizeof rest);
}

static const struct page pages[] = {
    {1, 1, 8, 8000, 8100, 0}, {2, 1, 48, 1000, 1362, 1}, {3, 1, 112, 300, 580, 2},
    {4, 1, 320, 150, 200, 3}, {5, 8, 10240, 20, 50, 1},  {13, 40, 2 << 20, 1, 1, 0},
};
enum { PAGES = HST_ARRAY_LENGTH(pages), HUGE_SLICES = 600 };
static const struct page huge = {1, HUGE_SLICES - 1, (HUGE_SLICES - 1) * (uint64_t)SLICE, 1, 1, 1};

static void plant(int fd)
{
    uint64_t room = (uintptr_t)mmap(NULL, ROOM + SEGMENT, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint64_t at = (room + SEGMENT - 1) / SEGMENT * SEGMENT;
    make_segment(at, SLICES);
    for (size_t i = 0; i < PAGES; i++)
        make_page(at, &pages[i]);
    make_segment(at + SEGMENT, HUGE_SLICES);
    make_page(at + SEGMENT, &huge);
    make_segment(at + 2 * (uint64_t)SEGMENT, SLICES); /* the contents of the huge block */
    make_page(at + 2 * (uint64_t)SEGMENT, &pages[0]);
    make_segment(at + 3 * (uint64_t)SEGMENT, SLICES);
    for (size_t i = 0; i < 3; i++)
        make_page(at + 3 * (uint64_t)SEGMENT, &pages[i]);
    /* Damage: a list that comes back to itself, a page with more blocks than it has room for. */
    uint64_t link = first_block(at + 3 * (uint64_t)SEGMENT, &pages[1]) + 48;
    memcpy((void *)(uintptr_t)link, &link, sizeof link);
    slice_at(at + 3 * (uint64_t)SEGMENT, 3)[13] = 0xff;
    (void)!hst_fd_write_all(fd, &at, sizeof at);
}

/* --- what is found --- */

struct seen {
    unsigned pages, blocks, wrong;
};

static const struct page *page_at(uint64_t address)
{
    for (size_t i = 0; i < PAGES; i++)
        if (first_block(base, &pages[i]) == address ||
            first_block(base + 3 * (uint64_t)SEGMENT, &pages[i]) == address)
            return &pages[i];
    return first_block(base + SEGMENT, &huge) == address ? &huge : NULL;
}

static enum hst_status see(void *context, const struct hst_mimalloc_page *found)
{
    struct seen *seen = context;
    if (found->used == 0)
        return HST_OK;
    const struct page *page = page_at(found->address);
    if (found->address - base >= ROOM) /* not of this test: this program's own */
        return HST_OK;
    assert_non_null(page);
    assert_int_equal(found->block_bytes, page->block_bytes);
    assert_int_equal(found->used, page->capacity);
    assert_int_equal(found->tag, version.free_threaded ? page->tag : 0);
    seen->pages++;
    int is_torn = found->address > base + 3 * (uint64_t)SEGMENT && page == &pages[1];
    for (unsigned i = 0; i < found->used; i++) {
        int is_free = i % 10 == 1 || i % 10 == 4 || i % 10 == 7;
        seen->wrong += (found->is_free[i] != 0) != (is_free && !is_torn);
        seen->blocks += !found->is_free[i];
    }
    return HST_OK;
}

static unsigned live(const struct page *page)
{
    return page->capacity - of_ten(page->capacity, 1) - of_ten(page->capacity, 4) - of_ten(page->capacity, 7);
}

static void look(int is_new, int free_threaded)
{
    struct seen seen = {0};
    struct hst_pool_sums sums;
    version = (struct version){is_new, free_threaded};
    child_image_take(&child, plant, &base, sizeof base);
    assert_int_equal(hst_mimalloc_visit(&child.image, hst_abi_find(14, free_threaded), see, &seen, &sums),
                     HST_OK);
    unsigned blocks = live(&huge) + live(&pages[0]) + pages[1].capacity;
    uint64_t bytes =
        huge.block_bytes + live(&pages[0]) * pages[0].block_bytes + pages[1].capacity * pages[1].block_bytes;
    for (size_t i = 0; i < PAGES; i++) {
        blocks += live(&pages[i]);
        bytes += live(&pages[i]) * pages[i].block_bytes;
    }
    assert_int_equal(seen.wrong, 0);
    assert_int_equal(seen.pages, PAGES + 1 + 2);
    assert_int_equal(seen.blocks, blocks);
    assert_int_equal(sums.pools, PAGES + 1 + 2);
    assert_int_equal(sums.blocks, blocks);
    assert_int_equal(sums.block_bytes, bytes);
    assert_int_equal(sums.odd, 2);
    assert_true(sums.overhead_bytes > 0 && sums.free_bytes > 0);
    assert_true(sums.free_bytes + sums.unused_bytes + sums.overhead_bytes < child.image.bytes);
    child_image_release(&child);
}

static void test_old(void **state)
{
    (void)state;
    look(0, 0);
    look(0, 1);
}

static void test_new(void **state)
{
    (void)state;
    look(1, 0);
    look(1, 1);
}

static void test_block_bytes(void **state)
{
    (void)state;
    static const uint64_t pairs[][2] = {{1, 8},       {8, 8},        {9, 16},       {40, 48},   {64, 64},
                                        {65, 80},     {80, 80},      {81, 96},      {129, 160}, {1024, 1024},
                                        {1025, 1280}, {8193, 10240}, {65536, 65536}};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(pairs); i++)
        assert_int_equal(hst_mimalloc_block_bytes(pairs[i][0]), pairs[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old),
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_block_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
