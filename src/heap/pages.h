/* What each page of a copy holds: where objects begin in it, what memory has an owner, and the blocks that it
 * is divided into where Python's allocator does that.  An object's id is its place in the order of addresses.
 */
#ifndef HST_HEAP_PAGES_H
#define HST_HEAP_PAGES_H

#include "heap/image.h"

#define HST_NO_OBJECT UINT32_MAX

enum { HST_PAGE_WORDS = 512, HST_PAGE_MAPS = HST_PAGE_WORDS / 64 };

struct hst_page {
    uint64_t objects[HST_PAGE_MAPS]; /* a bit for each word: an object begins there */
    uint64_t owned[HST_PAGE_MAPS];   /* a bit for each word: a table begins there whose owner is known */
    uint64_t block_bytes;            /* of the blocks that it is divided into; 0: into none */
    hst_raddr blocks;                /* where the first of them begins */
    uint32_t first;                  /* id of the first object in it */
    uint16_t before[HST_PAGE_MAPS];  /* objects in the words before each of objects, in this page */
};

struct hst_pages {
    const struct hst_image *image;
    struct hst_page **regions; /* for each region of the image: its pages */
};

enum hst_status hst_pages_init(struct hst_pages *pages, const struct hst_image *image) HST_MUST_CHECK;
void hst_pages_release(struct hst_pages *pages);
/* Gives the objects their ids; returns their number. */
uint32_t hst_pages_number(struct hst_pages *pages);

/* The pages of [from, end) are divided into blocks of that size, the first of which begins at blocks. */
void hst_pages_divide(struct hst_pages *pages, hst_raddr from, hst_raddr end, hst_raddr blocks,
                      uint64_t block_bytes);

/* NULL: the copy has no such page. */
static inline struct hst_page *hst_pages_find(const struct hst_pages *pages, hst_raddr address)
{
    const struct hst_image_region *region = hst_image_find(pages->image, address);
    return region != NULL
               ? &pages->regions[region - pages->image->regions][(address - region->start) >> HST_PAGE_BITS]
               : NULL;
}
static inline unsigned hst_page_word(hst_raddr address) { return address >> 3 & (HST_PAGE_WORDS - 1); }
static inline int hst_page_has(const struct hst_page *page, hst_raddr address)
{
    unsigned word = hst_page_word(address);
    return (page->objects[word / 64] >> (word % 64) & 1) != 0;
}
static inline void hst_page_set(struct hst_page *page, hst_raddr address)
{
    unsigned word = hst_page_word(address);
    page->objects[word / 64] |= UINT64_C(1) << (word % 64);
}
static inline void hst_page_unset(struct hst_page *page, hst_raddr address)
{
    unsigned word = hst_page_word(address);
    page->objects[word / 64] &= ~(UINT64_C(1) << (word % 64));
}
/* 1: it had no owner yet, and has one now. */
static inline int hst_page_own(struct hst_page *page, hst_raddr address)
{
    unsigned word = hst_page_word(address);
    uint64_t bit = UINT64_C(1) << (word % 64);
    if ((page->owned[word / 64] & bit) != 0)
        return 0;
    page->owned[word / 64] |= bit;
    return 1;
}
/* Where the block begins that holds the address, in a page that is divided. */
static inline hst_raddr hst_page_block(const struct hst_page *page, hst_raddr address)
{
    return address < page->blocks ? address : address - (address - page->blocks) % page->block_bytes;
}
/* The id of the object that begins there, once they are numbered; HST_NO_OBJECT: none does. */
static inline uint32_t hst_pages_id(const struct hst_pages *pages, hst_raddr address)
{
    if ((address & 7) != 0)
        return HST_NO_OBJECT;
    const struct hst_page *page = hst_pages_find(pages, address);
    if (page == NULL || !hst_page_has(page, address))
        return HST_NO_OBJECT;
    unsigned word = hst_page_word(address), map = word / 64;
    uint64_t below = page->objects[map] & ((UINT64_C(1) << (word % 64)) - 1);
    return page->first + page->before[map] + (uint32_t)__builtin_popcountll(below);
}

#endif
