/* One round of sampling: for every thread what it does and, unless it has slept since, its stack. */
#include <string.h>

#include "base/clock.h"
#include "capture/session.h"
#include "target/stop.h"

enum {
    TRIES = 16,
    MANY_THREADS = 8, /* below, every thread is looked at in every round */
    BACKOFF_MAX = 16, /* rounds between two looks at a thread that sleeps */
};
/* Flat out, the files in /proc are read no more often than this, and the lock's state likewise. */
#define LOOK_EVERY_NS 200000u
#define GIL_EVERY_NS 20000u

static enum hst_status emit(struct hst_session *session, struct hst_watched_thread *thread, uint64_t now_ns,
                            uint64_t weight_ns)
{
    struct hst_sample sample = {.time_ns = now_ns,
                                .weight_ns = weight_ns,
                                .thread = thread->model_thread,
                                .stack = thread->stack,
                                .state = thread->state,
                                .flags = thread->flags,
                                .detail = thread->detail};
    session->info->cost.samples++;
    if (session->first_sample_ns == 0)
        session->first_sample_ns = now_ns;
    return session->sink.sample(session->sink.context, &sample);
}

/* Stops the thread for the read when that was asked for. */
static enum hst_status read_stack(struct hst_session *session, struct hst_watch *watch,
                                  struct hst_watched_thread *thread, uint64_t now_ns)
{
    if (!session->options.blocking)
        return hst_walk_read(&watch->frames, thread->walk, now_ns, TRIES, &thread->stack);
    if (!thread->seized && hst_stop_seize(thread->tid) == HST_OK)
        thread->seized = 1;
    if (!thread->seized || hst_stop_interrupt(thread->tid) != HST_OK)
        return HST_E_TORN;
    enum hst_status status = hst_walk_read(&watch->frames, thread->walk, now_ns, TRIES, &thread->stack);
    hst_stop_continue(thread->tid);
    return status;
}

static void set_flags(const struct hst_watch *watch, struct hst_watched_thread *thread,
                      const struct hst_gil *gil)
{
    int holds = watch->runtime.abi.free_threaded
                    ? thread->state == HST_STATE_RUNNING || thread->state == HST_STATE_RUNNABLE
                    : gil->holder == thread->tstate.address;
    thread->flags =
        (uint8_t)((holds ? HST_SAMPLE_HOLDS_GIL : 0) | (holds && gil->collecting ? HST_SAMPLE_IN_GC : 0));
}

/* The thread was passed over in some rounds and has run since: what it slept of them goes to what it was
 * then. */
static enum hst_status settle_sleep(struct hst_session *session, struct hst_watched_thread *thread,
                                    uint64_t now_ns, uint64_t boundary_ns, uint64_t ran_ns)
{
    uint64_t weight = boundary_ns - thread->begin_ns;
    uint64_t awake = ran_ns + session->period_ns;
    if (thread->backoff < 2 || weight <= awake)
        return HST_OK;
    thread->begin_ns += weight - awake;
    return emit(session, thread, now_ns, weight - awake);
}

static void back_off(struct hst_session *session, struct hst_watched_thread *thread)
{
    if (session->thread_total <= MANY_THREADS || session->period_ns == 0)
        return;
    thread->backoff = thread->backoff < BACKOFF_MAX / 2 ? thread->backoff * 2 + 1 : BACKOFF_MAX;
    thread->skip = thread->backoff;
}

static enum hst_status sample_thread(struct hst_session *session, struct hst_watch *watch,
                                     struct hst_watched_thread *thread, uint64_t now_ns, uint64_t boundary_ns)
{
    uint64_t gil_tick = session->period_ns != 0 ? session->tick : now_ns / GIL_EVERY_NS;
    const struct hst_gil *gil = hst_watch_gil(watch, thread->tstate.interpreter, gil_tick);
    int slept = 0;
    if (session->period_ns != 0 || now_ns - thread->look_ns >= LOOK_EVERY_NS) {
        struct hst_watched_thread before = *thread;
        enum hst_status status =
            hst_watched_thread_look(thread, gil, watch->runtime.abi.gil_size, now_ns, &slept);
        if (status != HST_OK) {
            thread->alive = status != HST_E_GONE && thread->alive;
            return HST_OK;
        }
        if (!slept && before.skip == 0 && before.backoff != 0) {
            struct hst_watched_thread after = *thread;
            *thread = before;
            HST_TRY(
                settle_sleep(session, thread, now_ns, boundary_ns, after.times.run_ns - before.times.run_ns));
            after.begin_ns = thread->begin_ns;
            *thread = after;
            thread->backoff = 0;
        }
    }
    if (slept) {
        back_off(session, thread);
    } else {
        enum hst_status status = read_stack(session, watch, thread, now_ns);
        if (status != HST_OK)
            return status == HST_E_NOMEM ? status : HST_OK;
        set_flags(watch, thread, gil);
    }
    uint64_t weight = boundary_ns > thread->begin_ns ? boundary_ns - thread->begin_ns : 0;
    thread->begin_ns = boundary_ns > thread->begin_ns ? boundary_ns : thread->begin_ns;
    return weight > 0 ? emit(session, thread, now_ns, weight) : HST_OK;
}

enum hst_status hst_session_sample(struct hst_session *session, uint64_t now_ns, uint64_t boundary_ns)
{
    for (size_t i = 0; i < session->watch_count; i++) {
        struct hst_watch *watch = session->watches[i];
        if (watch->state != HST_WATCH_SAMPLING)
            continue;
        for (size_t k = 0; k < watch->thread_count; k++) {
            struct hst_watched_thread *thread = &watch->threads[k];
            if (thread->skip > 0) {
                thread->skip--;
                continue;
            }
            if (thread->alive)
                HST_TRY(sample_thread(session, watch, thread, now_ns, boundary_ns));
        }
    }
    return HST_OK;
}
