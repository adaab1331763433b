/* Makes and serves the local copy of a thread's stack memory. */
#include "reader/stack_view.h"

#include <string.h>

#include "base/memory.h"

enum {
    CHUNK_HEAD_BYTES = 24,   /* previous, size, top */
    CHUNK_SLACK_BYTES = 384, /* read past the last known top: a few frames of growth */
    CHUNK_BYTES_MAX = 256 << 20,
    CHUNKS_MAX = 1 << 16,
    STACK_BYTES_MAX = 1 << 30, /* all chunks together */
    TSTATE_BYTES_MAX = HST_ABI_TSTATE_SPAN_MAX + 16,
    LOOSE_MAX = 1024,       /* loose frames that one copy fetches together */
    LOOSE_KEPT = 64,        /* copies that a loose frame stays in after a stack last needed it */
    LOOSE_GAP_BYTES = 2048, /* nearer ones are read as one piece: a piece costs as much as so many bytes */
};

void hst_stack_view_init(struct hst_stack_view *view, struct hst_memory *memory, const struct hst_abi *abi,
                         hst_raddr tstate)
{
    *view = (struct hst_stack_view){.memory = memory, .abi = abi, .tstate = tstate};
}

void hst_stack_view_release(struct hst_stack_view *view)
{
    hst_free(view->buffer);
    hst_free(view->chunks);
    hst_free(view->loose);
    hst_free(view->pieces);
    *view = (struct hst_stack_view){0};
}

/* Room for length bytes at the end of the buffer; its offset. The buffer may move. */
static int buffer_room(struct hst_stack_view *view, size_t length, size_t *ret_at)
{
    size_t needed = view->buffer_length + length;
    if (needed < length || !HST_RESERVE(view->buffer, view->buffer_capacity, needed))
        return 0;
    *ret_at = view->buffer_length;
    view->buffer_length = needed;
    return 1;
}

/* The part of the thread state from the current frame to the top of the data stack. */
static void tstate_window(const struct hst_abi *abi, uint32_t *ret_from, uint32_t *ret_length)
{
    uint32_t from = abi->tstate_frame != 0 ? abi->tstate_frame : abi->tstate_cframe;
    uint32_t to = from + 8;
    if (abi->tstate_datastack_chunk + 16 > to)
        to = abi->tstate_datastack_chunk + 16;
    if (abi->tstate_base_frame + 8 > to)
        to = abi->tstate_base_frame + 8;
    if (abi->tstate_datastack_chunk != 0 && abi->tstate_datastack_chunk < from)
        from = abi->tstate_datastack_chunk;
    if (abi->tstate_base_frame != 0 && abi->tstate_base_frame < from)
        from = abi->tstate_base_frame;
    *ret_from = from;
    *ret_length = to - from < TSTATE_BYTES_MAX ? to - from : TSTATE_BYTES_MAX;
}

static uint64_t u64_in(const uint8_t *window, uint32_t from, uint32_t offset)
{
    uint64_t value;
    memcpy(&value, window + (offset - from), sizeof value);
    return value;
}

static enum hst_status read_chunk_head(struct hst_stack_view *view, hst_raddr base,
                                       struct hst_chunk *ret_chunk, hst_raddr *ret_previous)
{
    uint64_t head[3];
    if ((base & 7) != 0)
        return HST_E_TORN;
    HST_TRY(hst_memory_read(view->memory, base, head, sizeof head));
    if (head[1] < CHUNK_HEAD_BYTES || head[1] > CHUNK_BYTES_MAX || head[2] > head[1] / 8)
        return HST_E_TORN;
    uint64_t used = CHUNK_HEAD_BYTES + head[2] * 8;
    *ret_chunk = (struct hst_chunk){
        .base = base, .size = (uint32_t)head[1], .used = (uint32_t)(used < head[1] ? used : head[1])};
    *ret_previous = head[0];
    return HST_OK;
}

/* Lists the chunks from the top one down. */
static enum hst_status walk_chunks(struct hst_stack_view *view)
{
    hst_raddr at = view->top_chunk;
    uint64_t bytes = 0; /* a torn list can be a circle, or claim any size */
    view->chunk_count = view->active = 0;
    while (at != 0) {
        if (!HST_RESERVE(view->chunks, view->chunk_capacity, view->chunk_count + 1))
            return HST_E_NOMEM;
        struct hst_chunk *chunk = &view->chunks[view->chunk_count];
        HST_TRY(read_chunk_head(view, at, chunk, &at));
        bytes += chunk->size;
        if (++view->chunk_count > CHUNKS_MAX || bytes > STACK_BYTES_MAX)
            return HST_E_TORN;
    }
    return HST_OK;
}

/* Lists the chunks root first; none when the list does not hold together. */
static enum hst_status list_chunks(struct hst_stack_view *view)
{
    enum hst_status status = walk_chunks(view);
    if (status != HST_OK) {
        view->chunk_count = 0;
        return status;
    }
    for (size_t i = 0, j = view->chunk_count; i + 1 < j; i++) {
        struct hst_chunk swap = view->chunks[--j];
        view->chunks[j] = view->chunks[i];
        view->chunks[i] = swap;
    }
    view->active = view->chunk_count;
    return HST_OK;
}

/* The top chunk changed: it is one of the known ones, or the list is made anew. */
static enum hst_status follow_top_chunk(struct hst_stack_view *view)
{
    for (size_t i = view->chunk_count; i > 0 && i + 2 > view->active; i--)
        if (view->chunks[i - 1].base == view->top_chunk) {
            view->active = i;
            /* Chunks below the top are full up to where the next one began. */
            struct hst_chunk head;
            hst_raddr previous;
            if (i > 1 && read_chunk_head(view, view->chunks[i - 2].base, &head, &previous) == HST_OK)
                /* Not more than there is room for: it may be another, larger chunk at this address by now. */
                view->chunks[i - 2].used =
                    head.used < view->chunks[i - 2].size ? head.used : view->chunks[i - 2].size;
            return HST_OK;
        }
    return list_chunks(view);
}

static int add_piece(struct hst_stack_view *view, size_t *count, hst_raddr address, void *into, size_t length)
{
    if (!HST_RESERVE(view->pieces, view->piece_capacity, *count + 1))
        return 0;
    view->pieces[(*count)++] = (struct hst_piece){.address = address, .into = into, .length = length};
    return 1;
}

/* Drops loose frames that have not been needed for long. */
static void forget_loose(struct hst_stack_view *view)
{
    size_t kept = 0;
    for (size_t i = 0; i < view->loose_count; i++)
        if (view->serial - view->loose[i].last_used <= LOOSE_KEPT)
            view->loose[kept++] = view->loose[i];
    view->loose_count = kept;
}

/* One piece for the loose frames from first on that lie close together; returns the first that does not. */
static size_t plan_loose(struct hst_stack_view *view, size_t first, struct hst_piece *ret_piece,
                         size_t *ret_at)
{
    hst_raddr from = view->loose[first].address, to = from;
    size_t i = first;
    for (; i < view->loose_count && view->loose[i].address <= to + LOOSE_GAP_BYTES; i++) {
        hst_raddr end = view->loose[i].address + view->loose[i].length;
        to = end > to ? end : to;
    }
    *ret_piece = (struct hst_piece){.address = from, .length = to - from};
    if (!buffer_room(view, to - from, ret_at))
        return 0;
    for (size_t k = first; k < i; k++)
        view->loose[k].at = *ret_at + (view->loose[k].address - from);
    return i;
}

/* Lays out the buffer and lists what to read into it; the order is root to leaf, as the frames were pushed.
 */
static enum hst_status plan(struct hst_stack_view *view, size_t *count)
{
    size_t first_piece = *count;
    view->buffer_length = 0;
    for (size_t i = 0; i < view->active; i++) {
        struct hst_chunk *c = &view->chunks[i];
        c->valid = c->used;
        if (!buffer_room(view, c->size, &c->at) || !add_piece(view, count, c->base, NULL, c->valid))
            return HST_E_NOMEM;
    }
    for (size_t i = 0, at; i < view->loose_count;) {
        struct hst_piece piece;
        i = plan_loose(view, i, &piece, &at);
        if (i == 0 || !add_piece(view, count, piece.address, NULL, piece.length))
            return HST_E_NOMEM;
    }
    /* The buffer stays where it is from here on: the pieces follow one another in it, chunks at their full
     * size. */
    size_t at = 0;
    for (size_t i = first_piece; i < *count; i++) {
        size_t chunk = i - first_piece;
        view->pieces[i].into = view->buffer + at;
        at += chunk < view->active ? view->chunks[chunk].size : view->pieces[i].length;
    }
    return HST_OK;
}

/* A loose frame may have been unmapped since; then the copy is made without any of them. */
static enum hst_status read_planned(struct hst_stack_view *view, size_t count)
{
    enum hst_status status = hst_memory_read_pieces(view->memory, view->pieces, count);
    if (status == HST_E_TORN) {
        view->loose_count = 0;
        view->chunk_count = view->active = 0;
        view->cframe = 0;
    }
    return status;
}

/* 3.11 and 3.12 keep the current frame behind a link on the C stack. */
static enum hst_status resolve_cframe(struct hst_stack_view *view, hst_raddr cframe, hst_raddr guessed_top)
{
    if (cframe == view->cframe) {
        view->top_frame = guessed_top;
        return HST_OK;
    }
    view->cframe = cframe;
    if (cframe == 0) {
        view->top_frame = 0;
        return HST_OK;
    }
    return hst_memory_read_u64(view->memory, cframe + view->abi->cframe_current_frame, &view->top_frame);
}

/* The guess for the next copy: a little more than is in use now. */
static void guess_top_chunk(struct hst_stack_view *view, hst_raddr top)
{
    if (view->active == 0)
        return;
    struct hst_chunk *c = &view->chunks[view->active - 1];
    uint64_t used = top > c->base ? top - c->base + CHUNK_SLACK_BYTES : CHUNK_SLACK_BYTES;
    c->used = (uint32_t)(used < c->size ? used : c->size);
}

static enum hst_status read_once(struct hst_stack_view *view, int *ret_again)
{
    const struct hst_abi *abi = view->abi;
    uint8_t window[TSTATE_BYTES_MAX];
    uint32_t from, length;
    hst_raddr guessed_top = 0;
    size_t count = 0;
    tstate_window(abi, &from, &length);
    view->serial++;
    view->chunk_hint = view->active > 0 ? view->active - 1 : 0;
    forget_loose(view);
    if (!add_piece(view, &count, view->tstate + from, window, length) ||
        (view->cframe != 0 && !add_piece(view, &count, view->cframe + abi->cframe_current_frame, &guessed_top,
                                         sizeof guessed_top)))
        return HST_E_NOMEM;
    HST_TRY(plan(view, &count));
    HST_TRY(read_planned(view, count));
    *ret_again = 0;
    if (abi->tstate_cframe != 0)
        HST_TRY(resolve_cframe(view, u64_in(window, from, abi->tstate_cframe), guessed_top));
    else
        view->top_frame = u64_in(window, from, abi->tstate_frame);
    view->base_frame = abi->tstate_base_frame != 0 ? u64_in(window, from, abi->tstate_base_frame) : 0;
    if (abi->tstate_datastack_chunk == 0)
        return HST_OK;
    view->top_chunk = u64_in(window, from, abi->tstate_datastack_chunk);
    hst_raddr known = view->active > 0 ? view->chunks[view->active - 1].base : 0;
    if (view->top_chunk != known) {
        HST_TRY(follow_top_chunk(view));
        *ret_again = view->top_chunk != 0;
    }
    guess_top_chunk(view, u64_in(window, from, abi->tstate_datastack_chunk + 8));
    return HST_OK;
}

enum hst_status hst_stack_view_read(struct hst_stack_view *view)
{
    for (int tries = 0; tries < 8; tries++) {
        int again = 0;
        enum hst_status status = read_once(view, &again);
        if (status == HST_E_TORN && tries < 2)
            continue;
        if (status != HST_OK || !again)
            return status;
    }
    return HST_E_TORN;
}

hst_raddr hst_stack_view_first_frame(const struct hst_stack_view *view)
{
    /* The first slot of the first chunk stays free, so that the chunk is never given back. */
    return view->active > 0 ? view->chunks[0].base + CHUNK_HEAD_BYTES + 8 : 0;
}

static int chunk_holds(const struct hst_chunk *c, hst_raddr address)
{
    return address >= c->base && address - c->base < c->size;
}

/* Frames are asked for from the leaf down, so the chunk is the one of the last question or the one below it.
 */
static struct hst_chunk *chunk_of(const struct hst_stack_view *view, hst_raddr address)
{
    size_t hint = view->chunk_hint < view->active ? view->chunk_hint : 0;
    for (size_t i = hint + 1; i > 0 && i + 1 > hint; i--)
        if (view->active > 0 && chunk_holds(&view->chunks[i - 1], address))
            return &view->chunks[i - 1];
    for (size_t i = view->active; i > 0; i--)
        if (chunk_holds(&view->chunks[i - 1], address))
            return &view->chunks[i - 1];
    return NULL;
}

/* The index of the first loose frame behind address. */
static size_t loose_after(const struct hst_stack_view *view, hst_raddr address)
{
    size_t low = 0, high = view->loose_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (view->loose[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The loose frame that holds the bytes, or NULL. */
static struct hst_loose *loose_of(const struct hst_stack_view *view, hst_raddr address, uint32_t length)
{
    size_t after = loose_after(view, address);
    if (after == 0)
        return NULL;
    struct hst_loose *l = &view->loose[after - 1];
    return address - l->address + length <= l->length ? l : NULL;
}

const uint8_t *hst_stack_view_peek(const struct hst_stack_view *view, hst_raddr address, uint32_t length)
{
    const struct hst_chunk *c = chunk_of(view, address);
    if (c != NULL) {
        uint64_t offset = address - c->base;
        return offset + length <= c->valid ? view->buffer + c->at + offset : NULL;
    }
    const struct hst_loose *l = loose_of(view, address, length);
    return l != NULL ? view->buffer + l->at + (address - l->address) : NULL;
}

/* Reads on behind what the copy has of a chunk. */
static const uint8_t *extend_chunk(struct hst_stack_view *view, struct hst_chunk *c, hst_raddr address,
                                   uint32_t length)
{
    uint64_t offset = address - c->base, to = offset + length + CHUNK_SLACK_BYTES;
    if (offset + length > c->size)
        return NULL;
    if (to > c->size)
        to = c->size;
    if (hst_memory_read(view->memory, c->base + c->valid, view->buffer + c->at + c->valid, to - c->valid) !=
        HST_OK)
        return NULL;
    c->valid = (uint32_t)to;
    if (c->used < to)
        c->used = (uint32_t)to;
    return view->buffer + c->at + offset;
}

static const uint8_t *add_loose(struct hst_stack_view *view, hst_raddr address, uint32_t length)
{
    size_t at;
    if ((address & 7) != 0 || address < 4096 || !buffer_room(view, length, &at) ||
        hst_memory_read(view->memory, address, view->buffer + at, length) != HST_OK)
        return NULL;
    if (view->loose_count < LOOSE_MAX &&
        HST_RESERVE(view->loose, view->loose_capacity, view->loose_count + 1)) {
        size_t after = loose_after(view, address);
        struct hst_loose *place = &view->loose[after];
        memmove(place + 1, place, (view->loose_count - after) * sizeof *place);
        *place =
            (struct hst_loose){.address = address, .length = length, .last_used = view->serial, .at = at};
        view->loose_count++;
    }
    return view->buffer + at;
}

const uint8_t *hst_stack_view_fetch(struct hst_stack_view *view, hst_raddr address, uint32_t length)
{
    struct hst_chunk *c = chunk_of(view, address);
    if (c != NULL) {
        uint64_t offset = address - c->base;
        view->chunk_hint = (size_t)(c - view->chunks);
        return offset + length <= c->valid ? view->buffer + c->at + offset
                                           : extend_chunk(view, c, address, length);
    }
    struct hst_loose *l = loose_of(view, address, length);
    if (l == NULL)
        return add_loose(view, address, length);
    l->last_used = view->serial;
    return view->buffer + l->at + (address - l->address);
}
