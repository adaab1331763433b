/* One round of sampling: for every thread what it does and, unless it has slept since, its stack. */
#include "base/clock.h"
#include "capture/session.h"
#include "target/stop.h"

enum {
    TRIES = 16,
    MANY_THREADS = 8, /* below, every thread is looked at in every round */
    UNMET_PERIODS_MAX = 50,
    BACKOFF_MIN = 5, /* rounds between two looks at a thread that sleeps; it doubles and more, up to: */
};
#define BACKOFF_NS 16000000u
#define IDLE_BACKOFF_NS 100000000u
/* Flat out, the files in /proc are read no more often than this, and the lock's state likewise. */
#define LOOK_EVERY_NS 200000u
#define GIL_EVERY_NS 100000u

static enum hst_status emit(struct hst_session *session, const struct hst_watched_thread *thread,
                            const struct hst_observation *what, uint64_t now_ns, uint64_t weight_ns)
{
    struct hst_sample sample = {.time_ns = now_ns,
                                .weight_ns = weight_ns,
                                .thread = thread->model_thread,
                                .stack = what->stack,
                                .state = what->state,
                                .flags = what->flags,
                                .detail = what->detail};
    if (weight_ns == 0)
        return HST_OK;
    session->info->cost.samples++;
    if (session->first_sample_ns == 0)
        session->first_sample_ns = now_ns;
    return session->sink.sample(session->sink.context, &sample);
}

/* A thread that sleeps stands still: if its stack was not believed to its end, it is looked at in that light.
 * It may sleep for long, and would be shown by the part all that time. */
static enum hst_status read_walk(struct hst_watch *watch, struct hst_watched_thread *thread, uint64_t now_ns)
{
    HST_TRY(hst_walk_read(&watch->frames, thread->walk, now_ns, TRIES, &thread->now.stack));
    if (hst_walk_is_whole(thread->walk) || hst_state_is_awake(thread->now.state))
        return HST_OK;
    enum hst_status status = hst_walk_read_still(&watch->frames, thread->walk, now_ns, &thread->now.stack);
    return status == HST_E_TORN ? HST_OK : status;
}

/* Stops the thread for the read when that was asked for. */
static enum hst_status read_stack(struct hst_session *session, struct hst_watch *watch,
                                  struct hst_watched_thread *thread, uint64_t now_ns)
{
    if (!session->options.blocking)
        return read_walk(watch, thread, now_ns);
    if (!thread->seized && hst_stop_seize(thread->tid) == HST_OK)
        thread->seized = 1;
    if (!thread->seized || hst_stop_interrupt(thread->tid) != HST_OK)
        return HST_E_TORN;
    enum hst_status status = hst_walk_read_still(&watch->frames, thread->walk, now_ns, &thread->now.stack);
    if (status == HST_E_TORN)
        status = hst_walk_read(&watch->frames, thread->walk, now_ns, TRIES, &thread->now.stack);
    hst_stop_continue(thread->tid);
    return status;
}

static void set_flags(const struct hst_watch *watch, struct hst_watched_thread *thread,
                      const struct hst_gil *gil)
{
    int holds = watch->runtime.abi.free_threaded
                    ? thread->now.state == HST_STATE_RUNNING || thread->now.state == HST_STATE_RUNNABLE
                    : gil->holder == thread->tstate.address;
    thread->now.flags =
        (uint8_t)((holds ? HST_SAMPLE_HOLDS_GIL : 0) | (holds && gil->collecting ? HST_SAMPLE_IN_GC : 0));
}

/* A sample that comes late would count for a long stretch, and late samples come when the thread sleeps and
 * leaves its CPU to the sampler. But how long the thread was awake in the stretch is known: that part goes to
 * what it last did awake, and what it slept before it woke to what it was blocked in. *ret_settled is what of
 * weight_ns has been given away. */
static enum hst_status settle_gap(struct hst_session *session, const struct hst_watched_thread *thread,
                                  const struct hst_observation *before, uint64_t now_ns, uint64_t weight_ns,
                                  uint64_t *ret_settled)
{
    uint64_t awake = thread->awake_ns < weight_ns ? thread->awake_ns : weight_ns;
    *ret_settled = 0;
    if (!hst_state_is_awake(thread->now.state)) {
        /* Never seen awake: then where it sleeps is the nearest that is known. */
        struct hst_observation then = thread->awake.state != HST_STATE_UNKNOWN ? thread->awake : thread->now;
        uint64_t waited = thread->waited_ns < awake ? thread->waited_ns : awake;
        then.detail = 0;
        then.state = HST_STATE_RUNNING;
        HST_TRY(emit(session, thread, &then, now_ns, awake - waited));
        then.state = HST_STATE_RUNNABLE;
        HST_TRY(emit(session, thread, &then, now_ns, waited));
        *ret_settled = awake;
    } else if (hst_state_is_awake(thread->now.state) && !hst_state_is_awake(before->state) &&
               before->state != HST_STATE_UNKNOWN && weight_ns > awake + session->period_ns) {
        *ret_settled = weight_ns - awake - session->period_ns;
        return emit(session, thread, before, now_ns, *ret_settled);
    }
    return HST_OK;
}

/* A thread that sleeps is looked at ever more seldom, as long as it does not get the lock.  When it has woken
 * and slept again meanwhile, the scheduler's figures tell for how long (settle_gap). */
static void back_off(struct hst_session *session, struct hst_watched_thread *thread)
{
    if (session->thread_total <= MANY_THREADS || session->period_ns == 0)
        return;
    uint64_t most = (thread->now.state == HST_STATE_IDLE ? IDLE_BACKOFF_NS : BACKOFF_NS) / session->period_ns;
    uint64_t next = thread->backoff * 2u + BACKOFF_MIN;
    thread->backoff = (uint32_t)(next < most ? next : most);
    thread->skip = thread->backoff;
}

/* What the thread does, looked up as far as it can have changed. *ret_slept: nothing has. HST_E_GONE,
 * HST_E_TORN: no sample. */
static enum hst_status observe(struct hst_session *session, struct hst_watch *watch,
                               struct hst_watched_thread *thread, const struct hst_gil *gil, uint64_t now_ns,
                               int *ret_slept)
{
    *ret_slept = 0;
    if (session->period_ns != 0 || now_ns - thread->look_ns >= LOOK_EVERY_NS)
        HST_TRY(hst_watched_thread_look(thread, gil, watch->runtime.abi.gil_size, now_ns, ret_slept));
    int is_known = *ret_slept && hst_walk_is_whole(thread->walk);
    enum hst_status status = is_known ? HST_OK : read_stack(session, watch, thread, now_ns);
    if (status != HST_OK) {
        thread->now.state =
            HST_STATE_UNKNOWN; /* or the next look would take the old stack for that of this sleep */
        return status;
    }
    set_flags(watch, thread, gil); /* others move the lock while a thread sleeps */
    return HST_OK;
}

static enum hst_status sample_thread(struct hst_session *session, struct hst_watch *watch,
                                     struct hst_watched_thread *thread, const struct hst_gil *gil,
                                     uint64_t now_ns, uint64_t boundary_ns)
{
    struct hst_observation before = thread->now;
    int slept;
    enum hst_status status = observe(session, watch, thread, gil, now_ns, &slept);
    if (status == HST_E_GONE)
        thread->alive = 0;
    if (status != HST_OK)
        return status == HST_E_NOMEM ? status : HST_OK;
    uint64_t weight = boundary_ns > thread->begin_ns ? boundary_ns - thread->begin_ns : 0, settled = 0;
    thread->begin_ns += weight;
    if (!slept && session->period_ns != 0 && weight >= 2 * session->period_ns)
        HST_TRY(settle_gap(session, thread, &before, now_ns, weight, &settled));
    if (!slept)
        thread->backoff = 0;
    if (hst_state_is_awake(thread->now.state))
        thread->awake = thread->now;
    else
        back_off(session, thread);
    return emit(session, thread, &thread->now, now_ns, weight - settled);
}

/* Whether the list of threads may be another by now. */
enum changed {
    NOTHING_CHANGED,
    THREAD_ENDED,   /* and what has its address is another thread */
    HOLDER_UNKNOWN, /* a lock is held by none of them, or nobody can tell */
};

/* Every thread that has not had its turn in this round. */
static enum hst_status sample_threads(struct hst_session *session, struct hst_watch *watch, uint64_t now_ns,
                                      uint64_t boundary_ns, enum changed *ret_changed)
{
    uint64_t tick = session->period_ns != 0 ? session->tick : now_ns / GIL_EVERY_NS;
    const struct hst_gil *gil = NULL;
    hst_raddr interpreter = 0;
    size_t holders = 0;
    *ret_changed = NOTHING_CHANGED;
    for (size_t k = 0; k < watch->thread_count; k++) {
        struct hst_watched_thread *thread = &watch->threads[k];
        if (!thread->alive || thread->begin_ns >= boundary_ns)
            continue;
        if (gil == NULL || interpreter != thread->tstate.interpreter) {
            interpreter = thread->tstate.interpreter;
            gil = hst_watch_gil(watch, interpreter, tick);
        }
        /* A thread that holds the lock does not sleep, whatever it did when it was last looked at. */
        int holds = gil->holder == thread->tstate.address;
        holders += (size_t)holds;
        if (thread->skip > 0 && !holds) {
            thread->skip--;
            continue;
        }
        HST_TRY(sample_thread(session, watch, thread, gil, now_ns, boundary_ns));
        if (!thread->alive)
            *ret_changed = THREAD_ENDED;
    }
    if (watch->runtime.abi.free_threaded || holders < hst_watch_held_locks(watch))
        *ret_changed = HOLDER_UNKNOWN;
    return HST_OK;
}

static enum hst_status sample_watch(struct hst_session *session, struct hst_watch *watch, uint64_t now_ns,
                                    uint64_t boundary_ns)
{
    uint64_t since_ns = session->period_ns != 0 ? boundary_ns - session->period_ns : now_ns;
    enum changed changed;
    HST_TRY(sample_threads(session, watch, now_ns, boundary_ns, &changed));
    if (changed == NOTHING_CHANGED)
        return HST_OK;
    if (now_ns < watch->meet_ns) {
        if (changed == HOLDER_UNKNOWN && watch->unmet_ns < UNMET_PERIODS_MAX * session->period_ns)
            watch->unmet_ns += session->period_ns;
        return HST_OK;
    }
    HST_TRY(hst_watch_meet(watch, session->profile, now_ns, since_ns));
    return sample_threads(session, watch, now_ns, boundary_ns, &changed);
}

enum hst_status hst_session_sample(struct hst_session *session, uint64_t now_ns, uint64_t boundary_ns)
{
    for (size_t i = 0; i < session->watch_count; i++)
        if (session->watches[i]->state == HST_WATCH_SAMPLING)
            HST_TRY(sample_watch(session, session->watches[i], now_ns, boundary_ns));
    return HST_OK;
}
