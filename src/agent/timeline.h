/* Calls and returns in their order -> chunks of events in the arena (event/agent_map.h): each thread fills
 * one of its own, hasten takes those that are full and gives them back.  Where hasten does not keep up,
 * events are dropped and counted, and the next chunk says where the thread is by then. */
#ifndef HST_AGENT_TIMELINE_H
#define HST_AGENT_TIMELINE_H

#include "agent/arena.h"

/* Of one thread. */
struct hst_timeline {
    uint64_t *at, *end; /* where the next event goes; end NULL: no timeline is kept */
    uint64_t ticks;     /* of the last event */
    uint64_t lost;      /* events since the last one that was kept */
    uint32_t chunk;
};

/* How many chunks may wait for hasten at a time; 0: no timelines. */
extern uint32_t hst_timeline_chunks_max;

/* The thread is in context; its events follow. */
void hst_timeline_begin(struct hst_timeline *timeline, struct hst_agent_thread *thread, uint32_t context,
                        uint64_t ticks);
/* No event follows. */
void hst_timeline_end(struct hst_timeline *timeline);
/* The arena is another, and empty. */
void hst_timeline_renew(void);
/* What the fast way of add does not do: a full chunk, a long pause. */
void hst_timeline_add_slowly(struct hst_timeline *timeline, struct hst_agent_thread *thread, uint32_t word,
                             uint64_t ticks);
/* The thread was never in context, into which it went by the last event; left: and out of which it came by
 * the very next. */
void hst_timeline_undo(struct hst_timeline *timeline, const struct hst_agent_thread *thread, uint32_t context,
                       int left);

/* context was entered or left at the thread's last_ticks. */
static inline void hst_timeline_add(struct hst_timeline *timeline, struct hst_agent_thread *thread,
                                    uint32_t context, int leaves)
{
    uint32_t word = hst_agent_event_word(context, leaves);
    uint64_t ticks = thread->last_ticks, passed = ticks - timeline->ticks;
    if (__builtin_expect(timeline->at == timeline->end || passed >> 32 != 0, 0)) {
        hst_timeline_add_slowly(timeline, thread, word, ticks);
        return;
    }
    __atomic_store_n(timeline->at++, passed << 32 | word, __ATOMIC_RELEASE);
    timeline->ticks = ticks;
}

#endif
