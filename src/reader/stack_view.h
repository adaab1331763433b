/* A local copy of the memory that holds one thread's frames: the data-stack chunks and the loose frames
 * (generators, C-stack marks, all frames to 3.10), read in one call at the addresses known from before.  An
 * address that is not in the copy is read on its own and will be part of the next copy. */
#ifndef HST_READER_STACK_VIEW_H
#define HST_READER_STACK_VIEW_H

#include "base/status.h"
#include "pyabi/abi.h"
#include "target/memory.h"

struct hst_chunk {
    hst_raddr base;
    uint32_t size;  /* of the chunk */
    uint32_t used;  /* bytes worth reading: known for lower chunks, guessed for the top one */
    uint32_t valid; /* bytes in the copy */
    size_t at;      /* of its copy in the buffer */
};

struct hst_loose {
    hst_raddr address;
    uint32_t length;
    uint32_t last_used; /* serial of the copy that last needed it */
    size_t at;
};

struct hst_stack_view {
    struct hst_memory *memory;
    const struct hst_abi *abi;
    hst_raddr tstate;
    uint8_t *buffer;
    size_t buffer_length, buffer_capacity;
    struct hst_chunk *chunks; /* root first; [0, active) are in use */
    size_t chunk_count, chunk_capacity, active, chunk_hint;
    struct hst_loose *loose; /* in order of address */
    size_t loose_count, loose_capacity;
    struct hst_piece *pieces;
    size_t piece_capacity;
    uint32_t serial;
    hst_raddr cframe; /* 3.11, 3.12: last known address of the C-stack link */
    /* What the last copy says of the thread: */
    hst_raddr top_frame, base_frame, top_chunk;
};

void hst_stack_view_init(struct hst_stack_view *view, struct hst_memory *memory, const struct hst_abi *abi,
                         hst_raddr tstate);
void hst_stack_view_release(struct hst_stack_view *view);
/* Makes a fresh copy and sets top_frame. */
enum hst_status hst_stack_view_read(struct hst_stack_view *view) HST_MUST_CHECK;
/* Where the thread's first frame lies; 0: this version has no data stack, or the thread has none yet. */
hst_raddr hst_stack_view_first_frame(const struct hst_stack_view *view);
/* length bytes of the target at address, in the copy (read now if they are not); NULL when they cannot be
 * read. Valid until the next call of this module. */
const uint8_t *hst_stack_view_fetch(struct hst_stack_view *view, hst_raddr address, uint32_t length);
static inline const uint8_t *hst_stack_view_get(struct hst_stack_view *view, hst_raddr address,
                                                uint32_t length)
{
    /* Mostly they are in the chunk of the last question. */
    if (view->chunk_hint < view->active) {
        const struct hst_chunk *c = &view->chunks[view->chunk_hint];
        uint64_t offset = address - c->base;
        if (offset < c->valid && offset + length <= c->valid)
            return view->buffer + c->at + offset;
    }
    return hst_stack_view_fetch(view, address, length);
}
/* The bytes only if the copy has them. */
const uint8_t *hst_stack_view_peek(const struct hst_stack_view *view, hst_raddr address, uint32_t length);

#endif
