/* Chunks: taken, filled, given back. */
#include "agent/timeline.h"

#include <pthread.h>

enum { CHUNKS_MAX = 8192 }; /* 512 MB */

uint32_t hst_timeline_chunks_max;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t chunks[CHUNKS_MAX]; /* all that there are, in any state */
static uint32_t chunk_count, hand;  /* where the next search begins */
static uint32_t reused;             /* of those that hasten has taken */
static int stuck;                   /* there was no chunk when hasten had taken so many: */
static uint32_t stuck_at;
static uint64_t nowhere[1]; /* of a thread without a chunk: room for no event */

static struct hst_agent_events *head_of(uint32_t chunk) { return hst_arena_slot(chunk); }

static uint32_t taken(void) { return __atomic_load_n(&hst_arena_header()->events_taken, __ATOMIC_ACQUIRE); }

/* One that hasten has emptied; 0: none. Those whose pages are gone are forgotten. */
static uint32_t find_emptied(void)
{
    for (uint32_t looked = 0, count = chunk_count; looked < count && reused != taken(); looked++) {
        hand = hand < chunk_count ? hand : 0;
        uint32_t chunk = chunks[hand], kind = __atomic_load_n(&head_of(chunk)->kind, __ATOMIC_ACQUIRE);
        if (kind == HST_AGENT_CHUNK_EMPTIED) {
            reused++;
            hand++;
            return chunk;
        }
        if (kind == HST_AGENT_CHUNK_GONE) {
            reused++;
            chunks[hand] = chunks[--chunk_count];
        } else {
            hand++;
        }
    }
    return 0;
}

static uint32_t find_chunk(void)
{
    uint32_t most = hst_timeline_chunks_max < CHUNKS_MAX ? hst_timeline_chunks_max : CHUNKS_MAX;
    (void)pthread_mutex_lock(&lock);
    uint32_t had_taken = taken(), chunk = find_emptied();
    if (chunk == 0 && chunk_count < most) {
        chunk = hst_arena_chunk(HST_AGENT_CHUNK_NONE, 0);
        if (chunk != 0)
            chunks[chunk_count++] = chunk;
    }
    stuck = chunk == 0;
    stuck_at = had_taken;
    (void)pthread_mutex_unlock(&lock);
    return chunk;
}

/* A fresh chunk for a thread that is in context; 0: there is none. */
static int next_chunk(struct hst_timeline *timeline, struct hst_agent_thread *thread, uint32_t context,
                      uint64_t ticks)
{
    uint32_t chunk = stuck && stuck_at == taken() ? 0 : find_chunk();
    if (chunk == 0)
        return 0;
    struct hst_agent_events *head = head_of(chunk);
    *head = (struct hst_agent_events){.thread = hst_arena_number(thread),
                                      .number = thread->event_chunks++,
                                      .context = context,
                                      .ticks = ticks,
                                      .lost = timeline->lost};
    __atomic_store_n(&head->kind, (uint32_t)HST_AGENT_CHUNK_EVENTS, __ATOMIC_RELEASE);
    timeline->chunk = chunk;
    timeline->at = (uint64_t *)(void *)(head + 1);
    timeline->end = timeline->at + HST_AGENT_CHUNK_EVENTS_MAX;
    timeline->ticks = ticks;
    timeline->lost = 0;
    return 1;
}

/* Hasten may have the chunk. */
static void leave_chunk(struct hst_timeline *timeline)
{
    if (timeline->chunk != 0)
        __atomic_store_n(&head_of(timeline->chunk)->full, 1, __ATOMIC_RELEASE);
    timeline->chunk = 0;
    timeline->at = timeline->end = nowhere;
}

void hst_timeline_begin(struct hst_timeline *timeline, struct hst_agent_thread *thread, uint32_t context,
                        uint64_t ticks)
{
    *timeline = (struct hst_timeline){0};
    if (hst_timeline_chunks_max == 0)
        return;
    leave_chunk(timeline);
    (void)next_chunk(timeline, thread, context, ticks);
}

void hst_timeline_end(struct hst_timeline *timeline)
{
    if (timeline->end != NULL)
        leave_chunk(timeline);
    *timeline = (struct hst_timeline){0};
}

void hst_timeline_renew(void)
{
    (void)pthread_mutex_init(&lock, NULL);
    chunk_count = hand = reused = 0;
    stuck = 0;
}

void hst_timeline_add_slowly(struct hst_timeline *timeline, struct hst_agent_thread *thread, uint32_t word,
                             uint64_t ticks)
{
    uint32_t context = word >> 1;
    if (timeline->end - timeline->at < 3) { /* a pause takes two words, the event one */
        if ((word & 1) == 0)
            context = ((const struct hst_agent_context *)hst_arena_slot(context))->parent;
        leave_chunk(timeline);
        if (!next_chunk(timeline, thread, context, ticks)) {
            timeline->lost++;
            (void)__atomic_fetch_add(&hst_arena_header()->lost_events, 1, __ATOMIC_RELAXED);
            return;
        }
    } else {
        __atomic_store_n(timeline->at + 1, ticks, __ATOMIC_RELEASE);
        __atomic_store_n(timeline->at, (uint64_t)HST_AGENT_EVENT_TIME, __ATOMIC_RELEASE);
        timeline->at += 2;
    }
    __atomic_store_n(timeline->at++, (uint64_t)word, __ATOMIC_RELEASE);
    timeline->ticks = ticks;
}

/* The last event, if it is that one; 0: it is not, or was dropped. */
static int undo_one(struct hst_timeline *timeline, uint32_t word)
{
    if (timeline->chunk == 0 || timeline->at == (uint64_t *)(void *)(head_of(timeline->chunk) + 1) ||
        (uint32_t)timeline->at[-1] != word)
        return 0;
    timeline->at--;
    timeline->ticks -= *timeline->at >> 32;
    __atomic_store_n(timeline->at, (uint64_t)0, __ATOMIC_RELEASE);
    return 1;
}

void hst_timeline_undo(struct hst_timeline *timeline, const struct hst_agent_thread *thread, uint32_t context,
                       int left)
{
    uint32_t entered = hst_agent_event_word(context, 0);
    if (timeline->chunk == 0 || timeline->ticks != thread->last_ticks)
        return;
    const uint64_t *first = (const uint64_t *)(const void *)(head_of(timeline->chunk) + 1);
    if (left && (timeline->at - first < 2 || (uint32_t)timeline->at[-2] != entered ||
                 !undo_one(timeline, hst_agent_event_word(context, 1))))
        return;
    (void)undo_one(timeline, entered);
}
