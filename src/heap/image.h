/* A copy of the memory that is a program's own, as it was at one moment: what it may write to and does not
 * share.  Addresses stay the target's; a place in the copy is found by them.  What is in files and never
 * written is read from where the copy was taken. */
#ifndef HST_HEAP_IMAGE_H
#define HST_HEAP_IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"
#include "target/maps.h"
#include "target/memory.h"

/* A mapping; pages that the program never touched are 0. */
struct hst_image_region {
    hst_raddr start, end;
    uint8_t *bytes;
    int is_data; /* of the program or of a library: written data, or the zeroed data that follows it */
    char *name;  /* of that file, without its folders; NULL: none */
};
/* Part of a region whose pages the program has. */
struct hst_image_run {
    hst_raddr start, end;
    const uint8_t *bytes;
    hst_raddr region_end; /* up to there the copy goes on, with pages of 0 */
};

struct hst_image {
    struct hst_memory memory;         /* reads the copy, and the source for the rest */
    struct hst_memory *source;        /* not owned; NULL: it is gone */
    struct hst_image_region *regions; /* in order of address */
    size_t region_count, region_capacity;
    struct hst_image_run *runs; /* in order of address */
    size_t run_count, run_capacity;
    uint64_t bytes;         /* of all runs */
    struct hst_image *room; /* while it is taken: prepared memory; NULL: none */
    uint32_t **tables;      /* for each GiB of addresses: for each page of it, its region + 1, or 0 */
};

#define HST_PAGE_BITS 12u
#define HST_IMAGE_TABLE_BITS 30u                  /* addresses that one table is for */
#define HST_IMAGE_ADDRESS_MAX (UINT64_C(1) << 47) /* of a program, on every machine that is read */

/* What a copy would take: bytes of memory that the program has. */
enum hst_status hst_image_measure(int pid, const struct hst_maps *maps, uint64_t *ret_bytes) HST_MUST_CHECK;
/* Finds memory for a copy while the process still goes on, which takes as long as the copying: of the
 * mappings as they are now. To be given to hst_image_take, and to be released. */
enum hst_status hst_image_prepare(int pid, const struct hst_maps *maps, struct hst_memory *source,
                                  struct hst_image *ret_room) HST_MUST_CHECK;
/* source must outlive the image. pid 0: of a core file, whose pages are all there. room: what was prepared,
 * of which the copy takes what it needs; NULL: nothing was. HST_E_NOMEM: there is no room for the copy. Pages
 * that cannot be read are left out. */
enum hst_status hst_image_take(int pid, const struct hst_maps *maps, struct hst_memory *source,
                               struct hst_image *room, struct hst_image *ret_image) HST_MUST_CHECK;
void hst_image_release(struct hst_image *image);

/* The same in steps, for whoever copies in a way of its own: the regions; runs of pages that the program has,
 * in order of address; what is in them. hst_image_end is called in any case, with the status so far. */
struct hst_image_stretch {
    hst_raddr start, end;
};
enum hst_status hst_image_begin(const struct hst_maps *maps, struct hst_memory *source,
                                struct hst_image *room, struct hst_image *ret_image) HST_MUST_CHECK;
enum hst_status hst_image_add_run(void *image, hst_raddr start, hst_raddr end) HST_MUST_CHECK;
enum hst_status hst_image_copy_runs(struct hst_image *image) HST_MUST_CHECK;
/* What lies in no region is left out. */
enum hst_status hst_image_copy(struct hst_image *image, const struct hst_image_stretch *stretches,
                               size_t count) HST_MUST_CHECK;
/* Where the page at that address goes; NULL: nowhere. */
uint8_t *hst_image_page(struct hst_image *image, hst_raddr address);
enum hst_status hst_image_end(struct hst_image *image, enum hst_status status) HST_MUST_CHECK;

/* The region that holds the address; NULL: none does. */
static inline const struct hst_image_region *hst_image_find(const struct hst_image *image, hst_raddr address)
{
    if (address >= HST_IMAGE_ADDRESS_MAX)
        return NULL;
    const uint32_t *table = image->tables[address >> HST_IMAGE_TABLE_BITS];
    uint32_t index =
        table != NULL ? table[address >> HST_PAGE_BITS & ((1u << (HST_IMAGE_TABLE_BITS - HST_PAGE_BITS)) - 1)]
                      : 0;
    return index != 0 ? &image->regions[index - 1] : NULL;
}
/* Where the copy has length bytes of that address; NULL: it does not have all of them. */
static inline const uint8_t *hst_image_at(const struct hst_image *image, hst_raddr address, size_t length)
{
    const struct hst_image_region *region = hst_image_find(image, address);
    return region != NULL && length <= region->end - address ? region->bytes + (address - region->start)
                                                             : NULL;
}
/* Bytes from the address on without an end of them that the copy has no pages of. */
uint64_t hst_image_touched(const struct hst_image *image, hst_raddr address, uint64_t bytes);
/* The word there; 0 when the copy has none. */
static inline uint64_t hst_image_word(const struct hst_image *image, hst_raddr address)
{
    const uint8_t *at = hst_image_at(image, address, sizeof(uint64_t));
    uint64_t word = 0;
    if (at != NULL)
        memcpy(&word, at, sizeof word); /* what a torn structure names may lie anywhere */
    return word;
}

#endif
