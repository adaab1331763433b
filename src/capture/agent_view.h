/* A file of an agent (event/agent_map.h) as it is looked at: shared by those who read its sums (agent_maps.c)
 * and its events (agent_events.c).  Only for src/capture. */
#ifndef HST_CAPTURE_AGENT_VIEW_H
#define HST_CAPTURE_AGENT_VIEW_H

#include "base/map.h"
#include "capture/agent_maps.h"
#include "event/agent_map.h"

/* What is known of the slots of a chunk. */
struct hst_agent_page {
    /* Function or stack or thread, + 1; 0 = not met.  Of a context that is not seen it is the stack of the
     * nearest caller that is. */
    uint32_t ids[HST_AGENT_CHUNK_SLOTS];
    uint8_t marks[HST_AGENT_CHUNK_SLOTS]; /* enum hst_agent_mark */
    double
        callee_cost[HST_AGENT_CHUNK_SLOTS]; /* ticks that tracing a context's callees added to its own time */
    uint32_t met;                           /* contexts before this slot have their stacks */
};

struct hst_agent_file {
    char *name;
    uint32_t process;              /* in the profile; HST_ID_NONE: not yet */
    struct hst_agent_page **pages; /* by chunk; NULL: nothing is known */
    size_t page_count, page_capacity;
    struct hst_agent_stream *streams;
    size_t stream_count, stream_capacity;
    struct hst_map stream_of; /* a thread's slot -> index in streams */
    uint32_t events_taken;    /* chunks given back */
};

enum hst_agent_mark {
    HST_MARK_SEEN = 1,   /* a context with a row of its own */
    HST_MARK_INSIDE = 2, /* of a function that begins what is seen, or there is none needed */
    HST_MARK_BEYOND = 4, /* what is called there is not seen */
    /* What the slot's id is of: a slot that becomes another thing makes no sense. */
    HST_MARK_A_STACK = 8,
    HST_MARK_A_THREAD = 16,
    HST_MARK_A_LOCATION = 32,
    HST_MARK_A_KIND = HST_MARK_A_STACK | HST_MARK_A_THREAD | HST_MARK_A_LOCATION,
};

/* A file as it is in memory for one reading. */
struct hst_agent_view {
    struct hst_agent_maps *maps;
    struct hst_agent_file *file;
    const char *base;
    uint32_t chunks;
    const struct hst_agent_header *header;
    double ns_per_tick;
    uint64_t end_ticks; /* up to which open calls are counted */
};

static inline const void *hst_agent_view_slot(const struct hst_agent_view *view, uint32_t slot)
{
    return view->base + (uint64_t)slot * HST_AGENT_SLOT_BYTES;
}

/* The slot's id, + 1, if it is one of that kind; else 0. */
static inline uint32_t hst_agent_view_id(const struct hst_agent_view *view, uint32_t slot, uint8_t kind)
{
    uint32_t chunk = slot / HST_AGENT_CHUNK_SLOTS, at = slot % HST_AGENT_CHUNK_SLOTS;
    const struct hst_agent_page *page = chunk < view->chunks ? view->file->pages[chunk] : NULL;
    return page != NULL && (page->marks[at] & HST_MARK_A_KIND) == kind ? page->ids[at] : 0;
}

/* enum hst_agent_mark of a slot whose id is known. */
static inline uint8_t hst_agent_view_marks(const struct hst_agent_view *view, uint32_t slot)
{
    return view->file->pages[slot / HST_AGENT_CHUNK_SLOTS]->marks[slot % HST_AGENT_CHUNK_SLOTS];
}

/* A chunk's first slot. */
struct hst_agent_chunk hst_agent_view_chunk(const struct hst_agent_view *view, uint32_t chunk);
/* Ticks as ns since the start of the run. */
uint64_t hst_agent_view_ns(const struct hst_agent_view *view, uint64_t ticks);
/* The model's thread of a row that is in use; HST_ID_NONE: of none. */
enum hst_status hst_agent_view_thread(struct hst_agent_view *view, uint32_t slot,
                                      uint32_t *ret_thread) HST_MUST_CHECK;
/* Gives all contexts that were not met before their stacks. */
enum hst_status hst_agent_view_stacks(struct hst_agent_view *view) HST_MUST_CHECK;

/* --- events --- */

/* The events of a thread, as far as they were taken. */
struct hst_agent_stream {
    uint32_t thread;     /* its slot */
    uint32_t number, at; /* of the next chunk; what was taken of it */
    uint32_t context;    /* where the thread is, and which of the model's stacks that is */
    uint32_t stack;
    uint64_t ticks, time_ns; /* of the last event */
};

/* Takes events to maps->event, and gives back the chunks that were taken whole. */
enum hst_status hst_agent_view_drain(struct hst_agent_view *view, int fd, enum hst_agent_drain what,
                                     struct hst_error *err) HST_MUST_CHECK;

#endif
