/* A record a page, in memory that is only there where a page was looked at. */
#include "heap/pages.h"

#include <sys/mman.h>

#include "base/memory.h"

static size_t record_bytes(const struct hst_image_region *region)
{
    return (size_t)((region->end - region->start) >> HST_PAGE_BITS) * sizeof(struct hst_page);
}

enum hst_status hst_pages_init(struct hst_pages *pages, const struct hst_image *image)
{
    *pages = (struct hst_pages){.image = image};
    pages->regions = hst_alloc_zero(image->region_count + 1, sizeof *pages->regions);
    if (pages->regions == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < image->region_count; i++) {
        void *records = mmap(NULL, record_bytes(&image->regions[i]), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (records == MAP_FAILED) {
            hst_pages_release(pages);
            return HST_E_NOMEM;
        }
        pages->regions[i] = records;
    }
    return HST_OK;
}

void hst_pages_release(struct hst_pages *pages)
{
    for (size_t i = 0; pages->regions != NULL && i < pages->image->region_count; i++)
        if (pages->regions[i] != NULL)
            (void)munmap(pages->regions[i], record_bytes(&pages->image->regions[i]));
    hst_free(pages->regions);
    *pages = (struct hst_pages){0};
}

void hst_pages_divide(struct hst_pages *pages, hst_raddr from, hst_raddr end, hst_raddr blocks,
                      uint64_t block_bytes)
{
    for (hst_raddr at = from; at < end; at += UINT64_C(1) << HST_PAGE_BITS) {
        struct hst_page *page = hst_pages_find(pages, at);
        if (page == NULL) /* the program never touched it */
            continue;
        page->block_bytes = block_bytes;
        page->blocks = blocks;
    }
}

uint32_t hst_pages_number(struct hst_pages *pages)
{
    uint32_t count = 0;
    for (size_t i = 0; i < pages->image->run_count; i++) {
        const struct hst_image_run *run = &pages->image->runs[i];
        struct hst_page *page = hst_pages_find(pages, run->start);
        for (hst_raddr at = run->start; at < run->end; at += 1u << HST_PAGE_BITS, page++) {
            uint32_t before = 0;
            page->first = count;
            for (unsigned map = 0; map < HST_PAGE_MAPS; map++) {
                page->before[map] = (uint16_t)before;
                before += (uint32_t)__builtin_popcountll(page->objects[map]);
            }
            count += before;
        }
    }
    return count;
}
