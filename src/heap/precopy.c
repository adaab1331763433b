/* Pages are protected first and copied then: what is written to between the two is seen again. */
#include "heap/precopy.h"

#include <string.h>

#include "base/memory.h"
#include "heap/present.h"

enum {
    PAGE = 1 << HST_PAGE_BITS,
    LITTLE_BYTES = 4 << 20, /* are copied in a few milliseconds */
    ROUNDS_MAX = 6,
};

struct stretches {
    struct hst_image_stretch *items;
    size_t count, capacity;
    uint64_t bytes;
};

static enum hst_status add_stretch(struct stretches *stretches, hst_raddr start, hst_raddr end)
{
    if (!HST_RESERVE(stretches->items, stretches->capacity, stretches->count + 1))
        return HST_E_NOMEM;
    stretches->items[stretches->count++] = (struct hst_image_stretch){start, end};
    stretches->bytes += end - start;
    return HST_OK;
}

/* --- while it goes on --- */

static enum hst_status add_written(void *context, hst_raddr start, hst_raddr end, int is_written)
{
    (void)is_written;
    return add_stretch(context, start, end);
}

static enum hst_status copy_again(struct hst_precopy *precopy, uint64_t *ret_bytes)
{
    struct stretches written = {0};
    enum hst_status status = hst_written_visit_again(&precopy->written, add_written, &written);
    if (status == HST_OK)
        status = hst_image_copy(&precopy->room, written.items, written.count);
    *ret_bytes = written.bytes;
    hst_free(written.items);
    return status;
}

/* A program that writes faster than it is copied is never caught up with. */
static enum hst_status follow(struct hst_precopy *precopy)
{
    uint64_t bytes = UINT64_MAX, before;
    int rounds = 0;
    do {
        before = bytes;
        HST_TRY(copy_again(precopy, &bytes));
    } while (bytes > LITTLE_BYTES && bytes < before / 4 * 3 && ++rounds < ROUNDS_MAX);
    return HST_OK;
}

static enum hst_status watch_all(struct hst_precopy *precopy, const struct hst_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++)
        if (hst_is_own_memory(&maps->items[i]))
            HST_TRY(hst_written_watch(&precopy->written, maps->items[i].start, maps->items[i].end));
    return HST_OK;
}

enum hst_status hst_precopy_begin(int pid, struct hst_memory *source, struct hst_precopy *ret_precopy,
                                  struct hst_error *err)
{
    struct hst_maps maps = {0};
    *ret_precopy = (struct hst_precopy){.source = source};
    enum hst_status status = hst_written_begin(pid, &ret_precopy->written, err);
    if (status == HST_OK)
        status = hst_maps_read(pid, &maps);
    if (status == HST_OK)
        status = watch_all(ret_precopy, &maps);
    if (status == HST_OK)
        status = hst_image_prepare(pid, &maps, source, &ret_precopy->room);
    if (status == HST_OK)
        status = hst_image_copy_runs(&ret_precopy->room);
    if (status == HST_OK)
        status = follow(ret_precopy);
    hst_maps_release(&maps);
    if (status != HST_OK)
        hst_precopy_end(ret_precopy, NULL);
    return status;
}

/* --- when it stands still --- */

struct taking {
    struct hst_precopy *precopy;
    struct hst_image *image;
    struct hst_image_stretch run; /* of pages with small gaps, so far; start == end: none */
    struct stretches written;     /* to be copied */
    struct stretches present;     /* pages that are there */
};

static enum hst_status flush_run(struct taking *taking)
{
    struct hst_image_stretch run = taking->run;
    taking->run = (struct hst_image_stretch){0};
    return run.start < run.end ? hst_image_add_run(taking->image, run.start, run.end) : HST_OK;
}

static enum hst_status add_present(void *context, hst_raddr start, hst_raddr end, int is_written)
{
    struct taking *taking = context;
    if (taking->run.start == taking->run.end || start - taking->run.end > (hst_raddr)HST_GAP_PAGES * PAGE) {
        HST_TRY(flush_run(taking));
        taking->run.start = start;
    }
    taking->run.end = end;
    HST_TRY(add_stretch(&taking->present, start, end));
    return is_written ? add_stretch(&taking->written, start, end) : HST_OK;
}

/* Of a file that was mapped there before, what is not there or not written to is as it was. */
static int was_mapped(const struct hst_image *room, const struct hst_mapping *mapping)
{
    const char *slash = strrchr(mapping->path, '/');
    for (size_t i = 0; i < room->region_count; i++) {
        const struct hst_image_region *region = &room->regions[i];
        if (region->start == mapping->start)
            return region->end == mapping->end && region->name != NULL && slash != NULL &&
                   strcmp(region->name, slash + 1) == 0;
    }
    return 0;
}

static enum hst_status add_file_written(void *context, hst_raddr start, hst_raddr end, int is_written)
{
    struct taking *taking = context;
    return is_written ? add_stretch(&taking->written, start, end) : HST_OK;
}

static enum hst_status take_mapping(struct taking *taking, const struct hst_mapping *mapping)
{
    struct hst_written *written = &taking->precopy->written;
    hst_raddr start = mapping->start, end = mapping->end;
    if (!hst_is_file_memory(mapping)) {
        HST_TRY(hst_written_visit(written, start, end, add_present, taking));
        return flush_run(taking);
    }
    HST_TRY(hst_image_add_run(taking->image, start, end));
    HST_TRY(add_stretch(&taking->present, start, end));
    if (!was_mapped(&taking->precopy->room, mapping))
        return add_stretch(&taking->written, start, end);
    return hst_written_visit(written, start, end, add_file_written, taking);
}

/* Pages that were copied and are not there any more. */
static void forget_gone(struct taking *taking)
{
    const struct hst_image *room = &taking->precopy->room;
    const struct stretches *present = &taking->present;
    size_t next = 0;
    for (size_t i = 0; i < room->run_count; i++)
        for (hst_raddr at = room->runs[i].start; at < room->runs[i].end; at += PAGE) {
            while (next < present->count && present->items[next].end <= at)
                next++;
            if (next < present->count && present->items[next].start <= at)
                continue;
            uint8_t *bytes = hst_image_page(taking->image, at);
            if (bytes != NULL)
                memset(bytes, 0, PAGE);
        }
}

static enum hst_status take_all(struct taking *taking, const struct hst_maps *maps)
{
    HST_TRY(hst_image_begin(maps, taking->precopy->source, &taking->precopy->room, taking->image));
    for (size_t i = 0; i < maps->count; i++)
        if (hst_is_own_memory(&maps->items[i]))
            HST_TRY(take_mapping(taking, &maps->items[i]));
    HST_TRY(hst_image_copy(taking->image, taking->written.items, taking->written.count));
    forget_gone(taking);
    return HST_OK;
}

enum hst_status hst_precopy_take(struct hst_precopy *precopy, const struct hst_maps *maps,
                                 struct hst_image *ret_image)
{
    struct taking taking = {.precopy = precopy, .image = ret_image};
    enum hst_status status = hst_image_end(ret_image, take_all(&taking, maps));
    precopy->written.pages += taking.written.bytes / PAGE;
    hst_free(taking.written.items);
    hst_free(taking.present.items);
    return status;
}

void hst_precopy_end(struct hst_precopy *precopy, struct hst_precopy_cost *ret_cost)
{
    uint64_t faults = precopy->written.pages;
    hst_written_end(&precopy->written);
    hst_image_release(&precopy->room);
    if (ret_cost != NULL)
        *ret_cost = (struct hst_precopy_cost){faults, faults > 0 ? faults * hst_written_fault_ns() : 0};
}
