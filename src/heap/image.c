/* Copies in pieces as large as the system takes, and only the pages that the program has: those that it never
 * touched are left so, in the program and in the copy. */
#include "heap/image.h"

#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "heap/present.h"
#include "target/symbols.h"

enum { PAGE = 4096 };
#define TABLES (HST_IMAGE_ADDRESS_MAX >> HST_IMAGE_TABLE_BITS)
#define TABLE_PAGES (1u << (HST_IMAGE_TABLE_BITS - HST_PAGE_BITS))
#define TABLE_BYTES (TABLE_PAGES * sizeof(uint32_t))
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* since Linux 5.14 */
#endif

static enum hst_status add_bytes(void *context, hst_raddr start, hst_raddr end)
{
    *(uint64_t *)context += end - start;
    return HST_OK;
}

enum hst_status hst_image_measure(int pid, const struct hst_maps *maps, uint64_t *ret_bytes)
{
    *ret_bytes = 0;
    return hst_present_visit(pid, maps, add_bytes, ret_bytes);
}

/* --- its parts --- */

/* Memory of 0 that is only there where it is written to. */
static void *map_zero(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at != MAP_FAILED ? at : NULL;
}

static void unmap(void *at, size_t bytes)
{
    if (at != NULL)
        (void)munmap(at, bytes);
}

/* Zeroed data of a program or library: it goes on without a gap behind a mapping of its file, and may be one
 * mapping with other memory. Returns its end. */
static hst_raddr zeroed_end(struct hst_memory *memory, const struct hst_maps *maps, size_t index)
{
    const struct hst_mapping *mapping = &maps->items[index];
    if (mapping->path[0] != '\0' || index == 0 || maps->items[index - 1].end != mapping->start)
        return mapping->start;
    const char *path = maps->items[index - 1].path;
    struct hst_elf elf;
    while (index > 0 && (maps->items[index].offset != 0 || strcmp(maps->items[index].path, path) != 0))
        index--;
    if (path[0] != '/' || strcmp(maps->items[index].path, path) != 0 ||
        hst_elf_read(memory, &maps->items[index], &elf) != HST_OK || elf.data_end <= mapping->start)
        return mapping->start;
    hst_raddr end = (elf.data_end + PAGE - 1) / PAGE * PAGE;
    return end < mapping->end ? end : mapping->end;
}

/* Moves what the room has of the region to where it is wanted; what is beside it goes back to the system. */
static void move_overlap(struct hst_image_region *prepared, hst_raddr start, hst_raddr end, uint8_t *bytes)
{
    hst_raddr from = prepared->start > start ? prepared->start : start;
    hst_raddr to = prepared->end < end ? prepared->end : end;
    uint8_t *at = prepared->bytes + (from - prepared->start);
    if (mremap(at, to - from, to - from, MREMAP_MAYMOVE | MREMAP_FIXED, bytes + (from - start)) == MAP_FAILED)
        return; /* it is found anew, and the room's is released with it */
    if (from > prepared->start)
        unmap(prepared->bytes, from - prepared->start);
    if (to < prepared->end)
        unmap(prepared->bytes + (to - prepared->start), prepared->end - to);
    prepared->bytes = NULL;
}

/* Memory for a region: as it was prepared, or with what was prepared of it where the mapping has changed. */
static uint8_t *find_bytes(struct hst_image *room, hst_raddr start, hst_raddr end)
{
    for (size_t i = 0; room != NULL && i < room->region_count; i++) {
        struct hst_image_region *prepared = &room->regions[i];
        uint8_t *bytes = prepared->bytes;
        if (bytes != NULL && prepared->start == start && prepared->end == end) {
            prepared->bytes = NULL;
            return bytes;
        }
    }
    uint8_t *bytes = map_zero(end - start);
    if (bytes == NULL)
        return NULL;
    (void)madvise(bytes, end - start, MADV_HUGEPAGE); /* few large pages, where the system has them */
    for (size_t i = 0; room != NULL && i < room->region_count; i++) {
        struct hst_image_region *prepared = &room->regions[i];
        if (prepared->bytes != NULL && prepared->start < end && start < prepared->end)
            move_overlap(prepared, start, end, bytes);
    }
    return bytes;
}

static enum hst_status add_region(struct hst_image *image, hst_raddr start, hst_raddr end, const char *file)
{
    if (start >= end)
        return HST_OK;
    if (!HST_RESERVE(image->regions, image->region_capacity, image->region_count + 1))
        return HST_E_NOMEM;
    uint8_t *bytes = find_bytes(image->room, start, end);
    if (bytes == NULL)
        return HST_E_NOMEM;
    char *name = file != NULL ? hst_strdup(file) : NULL;
    image->regions[image->region_count++] = (struct hst_image_region){start, end, bytes, file != NULL, name};
    return file == NULL || name != NULL ? HST_OK : HST_E_NOMEM;
}

static const char *file_name(const struct hst_mapping *mapping)
{
    const char *slash = strrchr(mapping->path, '/');
    return slash != NULL ? slash + 1 : mapping->path;
}

static enum hst_status add_regions(struct hst_image *image, const struct hst_maps *maps)
{
    image->tables = map_zero(TABLES * sizeof *image->tables);
    if (image->tables == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < maps->count; i++) {
        const struct hst_mapping *mapping = &maps->items[i];
        if (!hst_is_own_memory(mapping) || mapping->end > HST_IMAGE_ADDRESS_MAX)
            continue;
        hst_raddr data_end = hst_is_file_memory(mapping) ? mapping->end : zeroed_end(image->source, maps, i);
        const char *file = data_end > mapping->start
                               ? file_name(&maps->items[hst_is_file_memory(mapping) ? i : i - 1])
                               : NULL;
        HST_TRY(add_region(image, mapping->start, data_end, file));
        HST_TRY(add_region(image, data_end, mapping->end, NULL));
    }
    return image->region_count > 0 ? HST_OK : HST_E_GONE;
}

/* The region that holds the address, by halving; NULL: none does. */
static const struct hst_image_region *region_of(const struct hst_image *image, hst_raddr address)
{
    size_t low = 0, high = image->region_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (image->regions[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < image->region_count && address >= image->regions[low].start ? &image->regions[low] : NULL;
}

/* Only pages that the program has are entered: mappings may be far larger than memory. */
static int index_pages(struct hst_image *image, const struct hst_image_region *region, hst_raddr start,
                       hst_raddr end)
{
    for (hst_raddr at = start; at < end; at += PAGE) {
        uint32_t **table = &image->tables[at >> HST_IMAGE_TABLE_BITS];
        if (*table == NULL && (*table = map_zero(TABLE_BYTES)) == NULL)
            return 0;
        (*table)[at >> HST_PAGE_BITS & (TABLE_PAGES - 1)] = (uint32_t)(region - image->regions) + 1;
    }
    return 1;
}

enum hst_status hst_image_add_run(void *context, hst_raddr start, hst_raddr end)
{
    struct hst_image *image = context;
    while (start < end) { /* a mapping may be two regions */
        const struct hst_image_region *region = region_of(image, start);
        hst_raddr part_end = region != NULL && region->end < end ? region->end : end;
        if (region == NULL)
            return HST_OK;
        if (!HST_RESERVE(image->runs, image->run_capacity, image->run_count + 1) ||
            !index_pages(image, region, start, part_end))
            return HST_E_NOMEM;
        image->runs[image->run_count++] = (struct hst_image_run){
            start, part_end, .bytes = region->bytes + (start - region->start), .region_end = region->end};
        start = part_end;
    }
    return HST_OK;
}

/* --- the copy --- */

/* What of a piece can be read, by halves down to a page: the rest stays 0. */
static enum hst_status copy_parts(struct hst_image *image, struct hst_piece piece)
{
    enum hst_status status = hst_memory_read_pieces(image->source, &piece, 1);
    if (status != HST_E_TORN || piece.length <= PAGE)
        return status == HST_E_TORN ? HST_OK : status;
    size_t half = piece.length / 2 / PAGE * PAGE;
    struct hst_piece second = {piece.address + half, (uint8_t *)piece.into + half, piece.length - half};
    piece.length = half;
    HST_TRY(copy_parts(image, piece));
    return copy_parts(image, second);
}

static enum hst_status copy_pieces(struct hst_image *image, const struct hst_piece *pieces, size_t count)
{
    enum hst_status status = hst_memory_read_pieces(image->source, pieces, count);
    if (status != HST_E_TORN)
        return status;
    for (size_t i = 0; i < count; i++)
        HST_TRY(copy_parts(image, pieces[i]));
    return HST_OK;
}

/* Pieces that are read together. */
struct batch {
    struct hst_piece pieces[HST_PIECES_MAX];
    size_t count;
};

static enum hst_status flush(struct hst_image *image, struct batch *batch)
{
    size_t count = batch->count;
    batch->count = 0;
    return count > 0 ? copy_pieces(image, batch->pieces, count) : HST_OK;
}

static enum hst_status add_stretch(struct hst_image *image, struct batch *batch, hst_raddr start,
                                   hst_raddr end)
{
    while (start < end) { /* it may be two regions */
        const struct hst_image_region *region = region_of(image, start);
        if (region == NULL)
            return HST_OK;
        hst_raddr part_end = region->end < end ? region->end : end;
        if (batch->count == HST_PIECES_MAX)
            HST_TRY(flush(image, batch));
        batch->pieces[batch->count++] =
            (struct hst_piece){start, region->bytes + (start - region->start), part_end - start};
        start = part_end;
    }
    return HST_OK;
}

enum hst_status hst_image_copy(struct hst_image *image, const struct hst_image_stretch *stretches,
                               size_t count)
{
    struct batch batch = {.count = 0};
    for (size_t i = 0; i < count; i++)
        HST_TRY(add_stretch(image, &batch, stretches[i].start, stretches[i].end));
    return flush(image, &batch);
}

enum hst_status hst_image_copy_runs(struct hst_image *image)
{
    struct batch batch = {.count = 0};
    for (size_t i = 0; i < image->run_count; i++)
        HST_TRY(add_stretch(image, &batch, image->runs[i].start, image->runs[i].end));
    return flush(image, &batch);
}

static enum hst_status read_image(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    struct hst_image *image = (struct hst_image *)(void *)memory;
    memory->reads++;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = hst_image_at(image, pieces[i].address, pieces[i].length);
        memory->bytes += pieces[i].length;
        if (bytes != NULL)
            memcpy(pieces[i].into, bytes, pieces[i].length);
        else if (image->source == NULL)
            return HST_E_TORN;
        else
            HST_TRY(hst_memory_read_pieces(image->source, &pieces[i], 1));
    }
    return HST_OK;
}

static void keep_image(struct hst_memory *memory) { (void)memory; }

/* The same on systems that do not know the request (before 5.14). */
static void touch(uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length; at += PAGE)
        *(volatile uint8_t *)(bytes + at) = 0;
}

enum hst_status hst_image_prepare(int pid, const struct hst_maps *maps, struct hst_memory *source,
                                  struct hst_image *ret_room)
{
    *ret_room = (struct hst_image){.source = source};
    enum hst_status status = add_regions(ret_room, maps);
    if (status == HST_OK)
        status = hst_present_visit(pid, maps, hst_image_add_run, ret_room);
    if (status != HST_OK) {
        hst_image_release(ret_room);
        return status;
    }
    for (size_t i = 0; i < ret_room->run_count; i++) {
        const struct hst_image_run *run = &ret_room->runs[i];
        uint8_t *bytes = hst_image_page(ret_room, run->start);
        if (madvise(bytes, run->end - run->start, MADV_POPULATE_WRITE) != 0)
            touch(bytes, run->end - run->start);
    }
    return HST_OK;
}

enum hst_status hst_image_begin(const struct hst_maps *maps, struct hst_memory *source,
                                struct hst_image *room, struct hst_image *ret_image)
{
    *ret_image = (struct hst_image){
        .memory = {.read = read_image, .free = keep_image, .still = 1}, .source = source, .room = room};
    return add_regions(ret_image, maps);
}

uint8_t *hst_image_page(struct hst_image *image, hst_raddr address)
{
    const struct hst_image_region *region = region_of(image, address);
    return region != NULL ? region->bytes + (address - region->start) : NULL;
}

enum hst_status hst_image_end(struct hst_image *image, enum hst_status status)
{
    image->room = NULL;
    for (size_t i = 0; i < image->run_count; i++)
        image->bytes += image->runs[i].end - image->runs[i].start;
    if (status != HST_OK)
        hst_image_release(image);
    return status;
}

enum hst_status hst_image_take(int pid, const struct hst_maps *maps, struct hst_memory *source,
                               struct hst_image *room, struct hst_image *ret_image)
{
    enum hst_status status = hst_image_begin(maps, source, room, ret_image);
    if (status == HST_OK)
        status = hst_present_visit(pid, maps, hst_image_add_run, ret_image);
    if (status == HST_OK)
        status = hst_image_copy_runs(ret_image);
    return hst_image_end(ret_image, status);
}

uint64_t hst_image_touched(const struct hst_image *image, hst_raddr address, uint64_t bytes)
{
    hst_raddr end = address + bytes;
    while (end - address > PAGE && hst_image_find(image, end - 1) == NULL)
        end = (end - 1) / PAGE * PAGE;
    return end > address ? end - address : 0;
}

void hst_image_release(struct hst_image *image)
{
    for (size_t i = 0; i < image->region_count; i++) {
        unmap(image->regions[i].bytes, image->regions[i].end - image->regions[i].start);
        hst_free(image->regions[i].name);
    }
    for (size_t i = 0; image->tables != NULL && i < TABLES; i++)
        unmap(image->tables[i], TABLE_BYTES);
    unmap(image->tables, TABLES * sizeof *image->tables);
    hst_free(image->regions);
    hst_free(image->runs);
    *image = (struct hst_image){0};
}
