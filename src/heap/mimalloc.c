/* Every place where a segment may begin is looked at.  A segment's head says its size three times; a page's
 * numbers of blocks have to fit each other, its size, and where its free blocks are: random bytes do not. */
#include "heap/mimalloc.h"

#include <string.h>

#include "base/memory.h"

enum {
    SLICE_BYTES = 64 << 10,
    SEGMENT_SLICES = 512,
    HUGE = 1,          /* kind of a segment that is one block */
    SEGMENT_SIZE = 32, /* offset, in every version */
    PAGE_CAPACITY = 10,
    PAGE_RESERVED = 12,
    PAGE_FREE = 16,
    TAGS_MAX = 3,
    WORD = 8,
};
#define SEGMENT_BYTES ((hst_raddr)SEGMENT_SLICES * SLICE_BYTES)
#define OWN_LISTS_FLAGS UINT64_C(3)     /* in the word that begins the list of other threads */
#define HUGE_BLOCK UINT64_C(0x80000000) /* to 2.1.2: a block that is larger than its size can say */
#define SEGMENT_SLICES_MAX (UINT64_C(1) << 31)
#define OS_PAGE_BYTES (UINT64_C(1) << HST_PAGE_BITS)

struct field {
    uint8_t offset, bytes;
};
/* Offsets of mi_segment_t, and of mi_page_t which is one of its slices, in builds without debugging. A patch
 * release may bring another version: which it is, the memory says. */
static const struct layout {
    uint32_t slice_count, info_slices, kind, entries, slices;
    uint32_t slice_bytes[2]; /* with the interpreter lock, without */
    struct field used, block_bytes, tag;
    uint8_t tag_shift, local_free, other_free;
    uint8_t start; /* of the first block; 0: it is not said */
} layouts[] = {
    {224, 232, 240, 248, 264, {80, 96}, {24, 4}, {28, 4}, {8, 1}, 3, 32, 40, 0},    /* 2.1.2: 3.13 */
    {248, 256, 264, 272, 288, {96, 112}, {32, 2}, {40, 8}, {35, 1}, 0, 24, 56, 48}, /* 2.5.2: 3.14.10, 3.15.2
                                                                                     */
};

struct walk {
    const struct hst_image *image;
    int free_threaded;
    hst_mimalloc_visitor *visit;
    void *context;
    struct hst_pool_sums *sums;
    struct hst_mimalloc_page page;
};

struct segment {
    const struct layout *layout;
    hst_raddr address;
    const uint8_t *head;
    uint64_t slices, entries;
    uint32_t slice_bytes;
};

static uint64_t load(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

static uint64_t load_field(const uint8_t *slice, struct field field)
{
    return load(slice + field.offset, field.bytes);
}

/* --- a page --- */

/* To 2.1.2 small blocks begin a bit behind the beginning of their page. */
static hst_raddr computed_start(hst_raddr page, uint64_t block_bytes)
{
    return page + (block_bytes <= 64 ? 3 * block_bytes : block_bytes <= 512 ? block_bytes : 0);
}

/* It begins a block that was used once, or is none. */
static int is_link(const struct hst_mimalloc_page *page, hst_raddr link)
{
    return link == 0 || (link >= page->address && link - page->address < page->used * page->block_bytes &&
                         (link - page->address) % page->block_bytes == 0);
}

/* What is not known of page yet is filled in. */
static int read_page(const struct layout *layout, const uint8_t *slice, struct hst_mimalloc_page *page)
{
    hst_raddr at = page->start, end = page->end;
    uint64_t capacity = load(slice + PAGE_CAPACITY, 2), reserved = load(slice + PAGE_RESERVED, 2);
    uint64_t block_bytes = load_field(slice, layout->block_bytes);
    if (layout->start == 0 && block_bytes >= HUGE_BLOCK)
        block_bytes = end - at;
    page->block_bytes = block_bytes;
    page->address = layout->start != 0 ? load(slice + layout->start, WORD) : computed_start(at, block_bytes);
    page->used = (uint32_t)capacity;
    page->tag = (enum hst_mimalloc_tag)(load_field(slice, layout->tag) >> layout->tag_shift);
    return block_bytes >= WORD && block_bytes % WORD == 0 && page->address >= at && page->address < end &&
           capacity <= reserved && reserved <= HST_MIMALLOC_BLOCKS_MAX && reserved > 0 &&
           load_field(slice, layout->used) <= capacity && block_bytes <= (end - page->address) / reserved &&
           (unsigned)page->tag <= TAGS_MAX && is_link(page, load(slice + PAGE_FREE, WORD)) &&
           is_link(page, load(slice + layout->local_free, WORD)) &&
           is_link(page, load(slice + layout->other_free, WORD) & ~OWN_LISTS_FLAGS);
}

/* Marks the blocks of a list of free ones. 0: it leaves the page, or meets itself. */
static int mark_free(struct hst_mimalloc_page *page, hst_raddr at)
{
    while (at != 0) {
        uint64_t offset = at - page->address, index = offset / page->block_bytes;
        if (!is_link(page, at) || page->is_free[index])
            return 0;
        page->is_free[index] = 1;
        at = load(page->bytes + offset, WORD);
    }
    return 1;
}

static void mark_all_free(struct walk *walk, const struct layout *layout, const uint8_t *slice)
{
    struct hst_mimalloc_page *page = &walk->page;
    memset(page->is_free, 0, page->used);
    if (mark_free(page, load(slice + PAGE_FREE, WORD)) &&
        mark_free(page, load(slice + layout->local_free, WORD)) &&
        mark_free(page, load(slice + layout->other_free, WORD) & ~OWN_LISTS_FLAGS))
        return;
    memset(page->is_free, 0, page->used);
    walk->sums->odd++;
}

/* --- sums --- */

/* Bytes that the copy has: what a program never touched, or gave back, is no memory. */
static uint64_t present(const struct hst_image *image, hst_raddr from, hst_raddr end)
{
    uint64_t bytes = 0;
    for (hst_raddr at = from; at < end; at += OS_PAGE_BYTES)
        bytes += hst_image_find(image, at) != NULL ? OS_PAGE_BYTES : 0;
    return bytes;
}

/* Bytes of the blocks that are in use. */
static uint64_t count_blocks(struct walk *walk)
{
    const struct hst_mimalloc_page *page = &walk->page;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < page->used; i++)
        if (!page->is_free[i]) {
            walk->sums->blocks++;
            bytes += hst_image_touched(walk->image, page->address + i * page->block_bytes, page->block_bytes);
        }
    return bytes;
}

static void sum_up(struct walk *walk, uint64_t reserved)
{
    struct hst_mimalloc_page *page = &walk->page;
    struct hst_pool_sums *sums = walk->sums;
    uint64_t live = count_blocks(walk), there = present(walk->image, page->start, page->end);
    page->in_use = live > 0;
    if (!page->in_use) {
        sums->unused_bytes += there;
        return;
    }
    uint64_t rest = live < there ? there - live : 0;
    uint64_t overhead = page->end - page->start - reserved * page->block_bytes;
    if (overhead > rest)
        overhead = rest;
    sums->pools++;
    sums->block_bytes += live;
    sums->free_bytes += rest - overhead;
    sums->overhead_bytes += overhead;
}

/* --- a segment --- */

/* Blocks may have no memory yet: what is looked for is the mapping. */
static const uint8_t *bytes_at(const struct walk *walk, const struct segment *segment, hst_raddr address,
                               uint64_t length)
{
    const struct hst_image_region *region = hst_image_find(walk->image, segment->address);
    if (address < region->end && length <= region->end - address)
        return region->bytes + (address - region->start);
    return hst_image_at(walk->image, address, length);
}

/* start and end are known. */
static enum hst_status visit_page(struct walk *walk, const struct segment *segment, const uint8_t *slice)
{
    struct hst_mimalloc_page *page = &walk->page;
    if (!read_page(segment->layout, slice, page)) {
        walk->sums->odd++;
        return HST_OK;
    }
    page->bytes = bytes_at(walk, segment, page->address, page->used * page->block_bytes);
    if (page->bytes == NULL)
        page->used = 0;
    mark_all_free(walk, segment->layout, slice);
    sum_up(walk, load(slice + PAGE_RESERVED, 2));
    return walk->visit(walk->context, page);
}

static enum hst_status visit_blockless(struct walk *walk, int in_use)
{
    struct hst_mimalloc_page *page = &walk->page;
    uint64_t *sum = in_use ? &walk->sums->overhead_bytes : &walk->sums->unused_bytes;
    *sum += present(walk->image, page->start, page->end);
    page->in_use = in_use;
    page->used = 0;
    return walk->visit(walk->context, page);
}

static enum hst_status visit_slices(struct walk *walk, const struct segment *segment)
{
    const struct layout *layout = segment->layout;
    for (uint64_t i = 0, count; i < segment->entries; i += count) {
        const uint8_t *slice = segment->head + layout->slices + i * segment->slice_bytes;
        int is_free = load_field(slice, layout->block_bytes) <= 1;
        count = load(slice, 4);
        if (count == 0 || load(slice + 4, 4) != 0 || count > segment->slices - i) {
            walk->sums->odd++;
            count = 1;
            continue;
        }
        walk->page.start = segment->address + i * SLICE_BYTES;
        walk->page.end = walk->page.start + count * SLICE_BYTES;
        HST_TRY(i == 0 || is_free ? visit_blockless(walk, i == 0) : visit_page(walk, segment, slice));
    }
    return HST_OK;
}

static int read_segment(const struct walk *walk, const struct layout *layout, hst_raddr address,
                        struct segment *ret_segment)
{
    uint32_t slice_bytes = layout->slice_bytes[walk->free_threaded];
    const uint8_t *head = hst_image_at(walk->image, address, layout->slices + slice_bytes);
    if (head == NULL)
        return 0;
    uint64_t slices = load(head + layout->slice_count, WORD);
    uint64_t info = load(head + layout->info_slices, WORD), kind = load(head + layout->kind, 4);
    uint64_t entries = load(head + layout->entries, WORD);
    if (slices > SEGMENT_SLICES_MAX || load(head + SEGMENT_SIZE, WORD) != slices * SLICE_BYTES ||
        entries != (slices < SEGMENT_SLICES ? slices : SEGMENT_SLICES) || info == 0 || info >= entries ||
        kind > HUGE || (kind != HUGE && slices != SEGMENT_SLICES) || load(head + layout->slices, 4) != info ||
        hst_image_at(walk->image, address, layout->slices + entries * slice_bytes) == NULL)
        return 0;
    *ret_segment = (struct segment){layout, address, head, slices, entries, slice_bytes};
    return 1;
}

static int find_segment(const struct walk *walk, hst_raddr address, struct segment *ret_segment)
{
    for (size_t i = 0; i < HST_ARRAY_LENGTH(layouts); i++)
        if (read_segment(walk, &layouts[i], address, ret_segment))
            return 1;
    return 0;
}

enum hst_status hst_mimalloc_visit(const struct hst_image *image, const struct hst_abi *abi,
                                   hst_mimalloc_visitor *visit, void *context, struct hst_pool_sums *ret_sums)
{
    struct walk walk = {.image = image,
                        .free_threaded = abi->free_threaded != 0,
                        .visit = visit,
                        .context = context,
                        .sums = ret_sums};
    hst_raddr next = 0; /* what lies in a segment begins none */
    *ret_sums = (struct hst_pool_sums){0};
    for (size_t i = 0; i < image->run_count; i++) {
        const struct hst_image_run *run = &image->runs[i];
        hst_raddr at = run->start > next ? run->start : next;
        for (at = (at + SEGMENT_BYTES - 1) / SEGMENT_BYTES * SEGMENT_BYTES; at < run->end;) {
            struct segment segment;
            next = at + SEGMENT_BYTES;
            if (find_segment(&walk, at, &segment)) {
                HST_TRY(visit_slices(&walk, &segment));
                next = at + segment.slices * SLICE_BYTES;
            }
            at = (next + SEGMENT_BYTES - 1) / SEGMENT_BYTES * SEGMENT_BYTES;
        }
    }
    return HST_OK;
}

/* Four sizes from each power of two to the next. */
uint64_t hst_mimalloc_block_bytes(uint64_t bytes)
{
    uint64_t words = (bytes + WORD - 1) / WORD, step = 2;
    if (words <= 1)
        return WORD;
    if (words > 8)
        step = UINT64_C(1) << (63 - (unsigned)__builtin_clzll(words - 1) - 2);
    return (words + step - 1) / step * step * WORD;
}
