/* One thread under watch: what it was doing, decided from the scheduler's figures, the system call it is in,
 * and the interpreter's lock; and which stretches of time its samples stand for. */
#ifndef HST_CAPTURE_THREAD_H
#define HST_CAPTURE_THREAD_H

#include "event/sample.h"
#include "reader/frames.h"
#include "reader/runtime.h"
#include "target/process.h"

/* What a sample says of a thread besides when. */
struct hst_observation {
    uint32_t stack;
    uint8_t state, flags;
    uint16_t detail;
};

struct hst_watched_thread {
    struct hst_tstate tstate;
    uint64_t begin_ns;      /* of the stretch that the next sample stands for */
    uint32_t skip, backoff; /* ticks left until the next look; ticks between looks while it sleeps */
    uint8_t seized, alive;
    int tid;
    uint32_t model_thread; /* index in the profile */
    struct hst_thread_files files;
    struct hst_walk *walk;
    struct hst_thread_times first, times; /* when the watch began; at the last look */
    uint64_t look_ns;                     /* last time the files were read */
    uint64_t ran_ns;                      /* last time it was seen to have run */
    double runnable_debt;                 /* time it waited for a CPU that no sample has shown yet, ns */
    struct hst_observation now;           /* of the last sample */
    struct hst_observation awake;         /* the last one that ran or wanted to; state UNKNOWN: none yet */
    uint64_t awake_ns, waited_ns; /* between the last two looks: ran or waited for a CPU; the latter alone */
};

enum hst_status hst_watched_thread_open(struct hst_watched_thread *thread, int pid, int tid,
                                        const struct hst_tstate *tstate, uint64_t now_ns) HST_MUST_CHECK;
void hst_watched_thread_close(struct hst_watched_thread *thread);

/* Looks at the thread's files. *ret_slept: it has not run since the last look and was blocked then:
 * everything about it is as it was. HST_E_GONE: it has ended. */
enum hst_status hst_watched_thread_look(struct hst_watched_thread *thread, const struct hst_gil *gil,
                                        uint32_t gil_bytes, uint64_t now_ns, int *ret_slept) HST_MUST_CHECK;

static inline int hst_state_is_awake(uint8_t state)
{
    return state == HST_STATE_RUNNING || state == HST_STATE_RUNNABLE;
}

#endif
