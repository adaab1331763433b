/* What a live view knows of a measurement that goes on. The thread that samples fills a batch by itself and
 * publishes it now and then; the thread that draws looks at everything under the lock. Publishing never waits
 * for drawing: what cannot be published now goes with the next batch. */
#ifndef HST_REPORT_TOP_LIVE_H
#define HST_REPORT_TOP_LIVE_H

#include <pthread.h>

#include "analyze/aggregate.h"
#include "model/profile.h"
#include "model/run.h"

#define HST_TOP_SLOTS 64
/* "Now" is the last few seconds: long enough for shares that hold still, short enough to see a change. */
#define HST_TOP_NOW_NS 5000000000u

/* What a thread was last seen doing. */
struct hst_top_seen {
    uint64_t time_ns; /* of the live view's clock; 0 = never */
    uint32_t stack;
    uint8_t state, flags;
    uint16_t detail;
};

/* What was sampled since it was last published; belongs to the thread that samples. */
struct hst_top_batch {
    struct hst_aggregate sums;
    struct hst_top_seen *seen; /* by thread */
    size_t seen_count, seen_capacity;
    uint64_t table_bytes; /* about what all tables took when the last batch was published */
};

/* One published batch and the exact figures of its stretch of time. */
struct hst_top_slot {
    uint64_t begin_ns, end_ns, cpu_ns, samples, dropped;
    struct hst_aggregate sums;
};

enum hst_top_end {
    HST_TOP_GOES_ON,
    HST_TOP_ENDED,   /* the program ended */
    HST_TOP_TIME_UP, /* the time asked for is over */
};

struct hst_top_live {
    pthread_mutex_t lock;
    struct hst_profile
        profile; /* rows as in the sampler's own, by the same ids; the texts are shared with it */
    struct hst_aggregate since;               /* all batches since the start or since the last reset */
    struct hst_top_slot slots[HST_TOP_SLOTS]; /* ring: the last HST_TOP_NOW_NS */
    size_t first_slot, slot_count;
    struct hst_top_seen *seen;
    size_t seen_count, seen_capacity;
    struct hst_run_info info; /* as last published */
    uint64_t base_ns;         /* of the clock at the start of the present session */
    uint64_t now_ns;          /* of the last batch, since the first session began */
    uint64_t since_ns;        /* when since began */
    uint64_t samples;         /* of all sessions */
    size_t threads;           /* under watch */
    size_t publishes, renewals;
    struct hst_error waiting; /* no Python is being sampled: why, as last tried; status HST_OK = one is */
    enum hst_top_end end;
};

int hst_top_live_init(struct hst_top_live *live);
void hst_top_live_release(struct hst_top_live *live);

enum hst_status hst_top_batch_add(struct hst_top_batch *batch,
                                  const struct hst_sample *sample) HST_MUST_CHECK;
void hst_top_batch_release(struct hst_top_batch *batch);

/* Hands the batch over and empties it. wait: even if the lock is taken. HST_E_BUSY: it was, nothing has
 * changed. */
enum hst_status hst_top_live_publish(struct hst_top_live *live, struct hst_top_batch *batch,
                                     const struct hst_profile *profile, const struct hst_run_info *info,
                                     size_t threads, const struct hst_error *waiting,
                                     int wait) HST_MUST_CHECK;
/* Forgets the tables, before the sampler's own go: the next publish comes from a new session. Takes the lock.
 */
void hst_top_live_renew(struct hst_top_live *live);

/* With the lock held by the caller: begins to count anew. */
void hst_top_live_reset(struct hst_top_live *live);
/* With the lock held: the slots, oldest first. */
static inline const struct hst_top_slot *hst_top_live_slot(const struct hst_top_live *live, size_t i)
{
    return &live->slots[(live->first_slot + i) % HST_TOP_SLOTS];
}

#endif
