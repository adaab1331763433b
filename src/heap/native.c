/* A walk over chunks and extents as nodes of a graph. A node's owner changes at most twice: nobody, a
 * library, several. */
#include "heap/native.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"

enum {
    WORD = sizeof(uint64_t),
    PAGE = 4096,
    FILTER_BITS = 1 << 16,
    FILTER_SHIFT = 20,
    EXTENT_BYTES_MIN = 64 << 10, /* for whose sake all objects are looked at */
};
#define WORDS_MAX (UINT64_C(32) << 20)         /* of C code's memory that are looked at: some 0.1 s */
#define OBJECT_WORDS_MAX (UINT64_C(128) << 20) /* of objects, of which hardly any leads to an extent */

/* A page of an extent that somebody leads to. */
struct met_page {
    hst_raddr address;
    uint32_t owner;
    uint8_t at_start, by_python, python_at_start; /* somebody leads to its first byte; a Python object does */
};

struct walk {
    const struct hst_native_input *input;
    uint32_t *owners;
    size_t *pending; /* nodes whose owner changed and whose words were not looked at since */
    size_t pending_count, pending_capacity;
    struct met_page *pages;
    size_t page_count, page_capacity;
    struct hst_map by_page;
    uint64_t words_left;
    uint64_t filter[FILTER_BITS / 64]; /* megabytes, modulo, that have a node */
};

static void note(struct walk *walk, hst_raddr start, hst_raddr end)
{
    for (hst_raddr block = start >> FILTER_SHIFT, count = 0;
         block <= (end - 1) >> FILTER_SHIFT && count < FILTER_BITS; block++, count++)
        walk->filter[block % FILTER_BITS / 64] |= UINT64_C(1) << block % 64;
}

static void make_filter(struct walk *walk)
{
    const struct hst_native_input *input = walk->input;
    for (size_t i = 0; i < input->chunks->count; i++) {
        const struct hst_chunk *chunk = &input->chunks->items[i];
        if (chunk->in_use && !hst_is_python_chunk(input->python_chunks, i))
            note(walk, chunk->address, chunk->address + chunk->bytes);
    }
    for (size_t i = 0; i < input->extent_count; i++)
        note(walk, input->extents[i].start, input->extents[i].end);
}

/* The node whose memory holds the address; SIZE_MAX: none does that could have an owner. */
static size_t node_at(const struct walk *walk, hst_raddr address)
{
    const struct hst_native_input *input = walk->input;
    const struct hst_chunk *chunk = hst_chunks_find(input->chunks, address);
    if (chunk != NULL) {
        size_t index = (size_t)(chunk - input->chunks->items);
        return chunk->in_use && !hst_is_python_chunk(input->python_chunks, index) ? index : SIZE_MAX;
    }
    size_t low = 0, high = input->extent_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (input->extents[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < input->extent_count && input->extents[low].start <= address ? input->chunks->count + low
                                                                             : SIZE_MAX;
}

static uint32_t both(uint32_t one, uint32_t other)
{
    return one == 0 || one == other ? other : other == 0 ? one : HST_NATIVE_MANY;
}

static enum hst_status meet_page(struct walk *walk, hst_raddr address, uint32_t owner)
{
    hst_raddr start = address / PAGE * PAGE;
    uint32_t index = hst_map_find(&walk->by_page, start);
    if (index == HST_MAP_ABSENT) {
        index = (uint32_t)walk->page_count;
        if (!HST_RESERVE(walk->pages, walk->page_capacity, walk->page_count + 1) ||
            !hst_map_set(&walk->by_page, start, index))
            return HST_E_NOMEM;
        walk->pages[walk->page_count++] = (struct met_page){.address = start};
    }
    struct met_page *page = &walk->pages[index];
    page->at_start |= address == start;
    if (owner == HST_NATIVE_PYTHON) {
        page->by_python = 1;
        page->python_at_start |= address == start;
    } else {
        page->owner = both(page->owner, owner);
    }
    return HST_OK;
}

static enum hst_status meet(struct walk *walk, hst_raddr address, uint32_t owner)
{
    size_t node = node_at(walk, address);
    if (node != SIZE_MAX && node >= walk->input->chunks->count)
        HST_TRY(meet_page(walk, address, owner));
    if (node == SIZE_MAX || owner == HST_NATIVE_PYTHON ||
        both(walk->owners[node], owner) == walk->owners[node])
        return HST_OK;
    walk->owners[node] = both(walk->owners[node], owner);
    if (!HST_RESERVE(walk->pending, walk->pending_capacity, walk->pending_count + 1))
        return HST_E_NOMEM;
    walk->pending[walk->pending_count++] = node;
    return HST_OK;
}

static enum hst_status look_at_words(struct walk *walk, const uint8_t *bytes, uint64_t length, uint32_t owner)
{
    uint64_t words = length / WORD < walk->words_left ? length / WORD : walk->words_left;
    walk->words_left -= words;
    for (uint64_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, bytes + i * WORD, sizeof word);
        hst_raddr block = word >> FILTER_SHIFT;
        if ((walk->filter[block % FILTER_BITS / 64] >> block % 64 & 1) != 0)
            HST_TRY(meet(walk, word, owner));
    }
    return HST_OK;
}

/* The words of [start, end) that the program has. */
static enum hst_status look_at(struct walk *walk, hst_raddr start, hst_raddr end, uint32_t owner)
{
    const struct hst_image *image = walk->input->image;
    size_t low = 0, high = image->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (image->runs[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < image->run_count && image->runs[low].start < end; low++) {
        const struct hst_image_run *run = &image->runs[low];
        hst_raddr from = run->start > start ? run->start : start, to = run->end < end ? run->end : end;
        from = (from + WORD - 1) / WORD * WORD;
        if (from < to)
            HST_TRY(look_at_words(walk, run->bytes + (from - run->start), to - from, owner));
    }
    return HST_OK;
}

static enum hst_status follow(struct walk *walk)
{
    const struct hst_native_input *input = walk->input;
    while (walk->pending_count > 0) {
        size_t node = walk->pending[--walk->pending_count];
        if (node < input->chunks->count) {
            const struct hst_chunk *chunk = &input->chunks->items[node];
            HST_TRY(look_at(walk, chunk->address, chunk->address + chunk->bytes, walk->owners[node]));
        } else {
            const struct hst_extent *extent = &input->extents[node - input->chunks->count];
            HST_TRY(look_at(walk, extent->start, extent->end, walk->owners[node]));
        }
    }
    return HST_OK;
}

static enum hst_status walk_all(struct walk *walk)
{
    const struct hst_residency *residency = walk->input->residency;
    make_filter(walk);
    for (size_t i = 0; i < residency->count; i++) {
        const struct hst_residence *row = &residency->items[i];
        if (row->kind != HST_RESIDENCE_DATA)
            continue;
        HST_TRY(look_at(walk, row->start, row->data_end, walk->input->names[i]));
        HST_TRY(follow(walk));
    }
    return HST_OK;
}

static enum hst_status look_at_pool(void *context, const struct hst_pool *pool)
{
    for (uint32_t i = 0; i < pool->used; i++)
        if (!pool->is_free[i])
            HST_TRY(look_at_words(context, pool->bytes + HST_POOL_HEAD_BYTES + i * pool->block_bytes,
                                  pool->block_bytes, HST_NATIVE_PYTHON));
    return HST_OK;
}

/* Chunks are not asked for: of those it is known already which are Python's. */
static enum hst_status look_at_objects(struct walk *walk)
{
    const struct hst_native_input *input = walk->input;
    struct hst_pool_sums unused;
    int wanted = 0;
    memset(walk->filter, 0, sizeof walk->filter);
    for (size_t i = 0; i < input->extent_count; i++) {
        const struct hst_extent *extent = &input->extents[i];
        if (extent->end - extent->start >= EXTENT_BYTES_MIN) {
            note(walk, extent->start, extent->end);
            wanted = 1;
        }
    }
    walk->words_left = OBJECT_WORDS_MAX;
    return wanted ? hst_pools_visit(input->image, input->abi, look_at_pool, walk, &unused) : HST_OK;
}

/* --- the pieces --- */

static int compare_pages(const void *left, const void *right)
{
    const struct met_page *a = left, *b = right;
    return (a->address > b->address) - (a->address < b->address);
}

static enum hst_status add_piece(struct hst_native_owners *owners, const struct hst_extent *piece)
{
    if (piece->start >= piece->end)
        return HST_OK;
    if (!HST_RESERVE(owners->pieces, owners->piece_capacity, owners->piece_count + 1))
        return HST_E_NOMEM;
    owners->pieces[owners->piece_count++] = *piece;
    return HST_OK;
}

/* Cuts an extent; *page is the first met page that is not before it. What a Python object knows the start of
 * is its own, whatever else leads into it: words that memory had before are still about. */
static enum hst_status cut(const struct walk *walk, const struct hst_extent *extent, size_t *page,
                           struct hst_native_owners *owners)
{
    struct hst_extent piece = *extent;
    while (*page < walk->page_count && walk->pages[*page].address + PAGE <= extent->start)
        ++*page;
    for (; *page < walk->page_count && walk->pages[*page].address < extent->end; ++*page) {
        const struct met_page *met = &walk->pages[*page];
        if (met->at_start && met->address >= piece.start) {
            hst_raddr end = piece.end;
            piece.end = met->address;
            HST_TRY(add_piece(owners, &piece));
            piece = (struct hst_extent){.start = met->address, .end = end, .residence = extent->residence};
            piece.owner =
                met->python_at_start || (met->by_python && met->owner == 0) ? HST_NATIVE_PYTHON : met->owner;
        } else if (piece.owner != HST_NATIVE_PYTHON) {
            piece.owner = both(piece.owner, met->owner);
            if (piece.owner == 0 && met->by_python)
                piece.owner = HST_NATIVE_PYTHON;
        }
    }
    return add_piece(owners, &piece);
}

static enum hst_status cut_all(struct walk *walk, struct hst_native_owners *owners)
{
    const struct hst_native_input *input = walk->input;
    size_t page = 0;
    if (walk->page_count > 1)
        qsort(walk->pages, walk->page_count, sizeof *walk->pages, compare_pages);
    for (size_t i = 0; i < input->extent_count; i++)
        HST_TRY(cut(walk, &input->extents[i], &page, owners));
    return HST_OK;
}

enum hst_status hst_native_find(const struct hst_native_input *input, struct hst_native_owners *ret_owners)
{
    struct walk walk = {.input = input, .words_left = WORDS_MAX};
    *ret_owners = (struct hst_native_owners){0};
    hst_map_init(&walk.by_page);
    walk.owners = hst_alloc_zero(input->chunks->count + input->extent_count, sizeof *walk.owners);
    enum hst_status status = walk.owners != NULL ? walk_all(&walk) : HST_E_NOMEM;
    if (status == HST_OK)
        status = look_at_objects(&walk);
    if (status == HST_OK)
        status = cut_all(&walk, ret_owners);
    hst_free(walk.pending);
    hst_free(walk.pages);
    hst_map_release(&walk.by_page);
    ret_owners->chunks = walk.owners;
    if (status != HST_OK)
        hst_native_owners_release(ret_owners);
    return status;
}

void hst_native_owners_release(struct hst_native_owners *owners)
{
    hst_free(owners->chunks);
    hst_free(owners->pieces);
    *owners = (struct hst_native_owners){0};
}
