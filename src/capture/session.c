/* The clock loop: when to sample, when to look for children and ended processes, when to flush, when to stop.
 *
 * Time is cut into stretches of one period; in each there is one sample at a random moment, so that no
 * program can be in step with the sampler, and each sample stands for its whole stretch, so that the sum is
 * the wall time. */
#include "capture/session.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "capture/relay.h"

#define CHECK_EVERY_NS 10000000u
#define CHECK_THREAD_NS 100000u /* more for each thread: the kernel adds up their times for it */
#define BUDGET_EVERY_NS 250000000u
#define FLUSH_EVERY_NS 900000000u
#define SPIN_POLL_NS 1000000u
#define NOT_YET_NS 1000000u /* between two looks for a beginning */
#define CHILDREN_PART 300u  /* of the time, to look for children of all threads; but each */
#define CHILDREN_AFTER_NS 250000000u
#define MOVE_EVERY_NS 50000000u
#define SAMPLER_NICE (-10)
#define REALTIME_PERIOD_NS 90000u /* up to 10 kHz */
#define REALTIME_FRACTION 2
#define LONG_ROUNDS_MAX 8
#define GIVE_UP_NS 300000000u
/* A read of a running thread costs it about this much: its hot stack lines go to another core and back. */
#define TARGET_NS_PER_SAMPLE 1800.0

void hst_session_init(struct hst_session *session, const struct hst_session_options *options,
                      struct hst_profile *profile, struct hst_run_info *info, const struct hst_sink *sink)
{
    *session = (struct hst_session){
        .options = *options, .profile = profile, .info = info, .sink = *sink, .exit_status = -1};
    session->period_ns = options->rate_hz > 0 ? (uint64_t)(1e9 / options->rate_hz) : 0;
    if (session->options.flush_ns == 0)
        session->options.flush_ns = FLUSH_EVERY_NS;
    session->random = hst_now_ns() | 1;
    info->cost.slowdown_percent = -1;
}

void hst_session_release(struct hst_session *session)
{
    uint64_t now = hst_now_ns() - session->start_ns;
    for (size_t i = 0; i < session->watch_count; i++)
        hst_watch_free(session->watches[i], session->profile, now);
    hst_free(session->watches);
    session->watches = NULL;
    session->watch_count = session->watch_capacity = 0;
}

/* xorshift64: a period cannot be guessed, and that is all that is asked of it. */
static uint64_t random_below(struct hst_session *session, uint64_t limit)
{
    session->random ^= session->random << 13;
    session->random ^= session->random >> 7;
    session->random ^= session->random << 17;
    return limit != 0 ? session->random % limit : 0;
}

static enum hst_status watch_pid(struct hst_session *session, int pid, uint64_t now_ns)
{
    for (size_t i = 0; i < session->watch_count; i++)
        if (session->watches[i]->pid == pid && session->watches[i]->state != HST_WATCH_GONE)
            return HST_OK;
    struct hst_watch *watch;
    enum hst_status status = hst_watch_new(pid, now_ns, &watch);
    if (status != HST_OK)
        return status == HST_E_NOMEM ? status : HST_OK; /* it was short-lived */
    if (!HST_RESERVE(session->watches, session->watch_capacity, session->watch_count + 1)) {
        hst_watch_free(watch, session->profile, now_ns);
        return HST_E_NOMEM;
    }
    session->watches[session->watch_count++] = watch;
    return HST_OK;
}

/* The children of a watch's main thread, and, as often as that is cheap, of all its threads. */
static enum hst_status list_children(struct hst_watch *watch, uint64_t now_ns, int **ret_pids,
                                     size_t *ret_count)
{
    if (now_ns < watch->children_ns)
        return hst_thread_children(watch->pid, watch->pid, ret_pids, ret_count);
    uint64_t begin = hst_now_ns();
    enum hst_status status = hst_process_children(watch->pid, ret_pids, ret_count);
    uint64_t pause = (hst_now_ns() - begin) * CHILDREN_PART;
    watch->children_ns = now_ns + (pause < CHILDREN_AFTER_NS ? pause : CHILDREN_AFTER_NS);
    return status;
}

/* Children of what is under watch come under watch. */
static enum hst_status find_children(struct hst_session *session, uint64_t now_ns)
{
    for (size_t i = 0; i < session->watch_count; i++) { /* grows meanwhile: grandchildren in the same round */
        HST_CLEANUP_FREE int *pids = NULL;
        size_t count = 0;
        if (session->watches[i]->state == HST_WATCH_GONE ||
            list_children(session->watches[i], now_ns, &pids, &count) != HST_OK)
            continue;
        for (size_t k = 0; k < count; k++)
            HST_TRY(watch_pid(session, pids[k], now_ns));
    }
    return HST_OK;
}

/* How long to wait before another attempt to find a Python: at once while a program starts, seldom later. */
static uint64_t retry_after(const struct hst_watch *watch, uint64_t now_ns)
{
    uint64_t age = now_ns - watch->begin_ns;
    return age < 100000000u ? 1000000u : age < 2000000000u ? 10000000u : 100000000u;
}

static enum hst_status attach_waiting(struct hst_session *session, uint64_t now_ns)
{
    for (size_t i = 0; i < session->watch_count; i++) {
        struct hst_watch *watch = session->watches[i];
        if (watch->state != HST_WATCH_WAITING || now_ns < watch->retry_ns)
            continue;
        enum hst_status status = hst_watch_attach(watch, session->profile,
                                                  session->options.blocking ? NULL : &session->place, now_ns);
        if (status == HST_E_NOMEM)
            return status;
        watch->retry_ns = now_ns + retry_after(watch, now_ns);
    }
    return HST_OK;
}

/* A program that is at work on our CPU gets it for itself, when there is another for us. */
static void make_way(struct hst_session *session, const struct hst_watch *watch, uint64_t cpu_before_ns,
                     uint64_t now_ns)
{
    if (watch->cpu_ns == cpu_before_ns || watch->cpu != sched_getcpu() ||
        (session->moved_ns != 0 && now_ns - session->moved_ns < MOVE_EVERY_NS))
        return;
    session->moved_ns = now_ns;
    hst_place_keep_off(&session->place, watch->cpu);
}

/* What is due besides sampling: ended and new processes and threads. */
static enum hst_status check_processes(struct hst_session *session, uint64_t now_ns)
{
    session->thread_total = 0;
    for (size_t i = 0; i < session->watch_count; i++) {
        struct hst_watch *watch = session->watches[i];
        uint64_t cpu_before_ns = watch->cpu_ns;
        hst_watch_check(watch, session->profile, now_ns);
        make_way(session, watch, cpu_before_ns, now_ns);
        uint64_t every = CHECK_EVERY_NS + watch->thread_count * 500000u;
        if (watch->state == HST_WATCH_SAMPLING && now_ns - watch->refresh_ns >= every)
            if (hst_watch_refresh(watch, session->profile, now_ns) == HST_E_NOMEM)
                return HST_E_NOMEM;
        session->thread_total += watch->thread_count;
    }
    return session->options.alone ? HST_OK : find_children(session, now_ns);
}

static uint64_t own_cpu_ns(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
}

/* Adds up what all watches have cost so far. */
static void account(struct hst_session *session, uint64_t now_ns)
{
    struct hst_run_cost *cost = &session->info->cost;
    uint64_t cpu = 0;
    cost->torn = cost->dropped = cost->remote_reads = cost->remote_bytes = 0;
    for (size_t i = 0; i < session->watch_count; i++) {
        const struct hst_watch *w = session->watches[i];
        int open = w->state == HST_WATCH_SAMPLING;
        cost->torn += w->past.torn + (open ? w->frames.stats.torn : 0);
        cost->dropped += w->past.dropped + (open ? w->frames.stats.dropped : 0);
        cost->remote_reads += w->past_reads + (open ? w->memory->reads : 0);
        cost->remote_bytes += w->past_bytes + (open ? w->memory->bytes : 0);
        cpu += w->cpu_ns - w->first_cpu_ns;
    }
    uint64_t own = own_cpu_ns();
    cost->read_cpu_ns = session->read_ns < own ? session->read_ns : own;
    cost->wake_cpu_ns = own - cost->read_cpu_ns;
    session->info->duration_ns = now_ns;
    session->info->cpu_ns = cpu;
    if (now_ns > 0)
        cost->slowdown_percent = (double)cost->remote_reads * TARGET_NS_PER_SAMPLE / (double)now_ns * 100;
}

static enum hst_status flush(struct hst_session *session, uint64_t now_ns, struct hst_error *err)
{
    account(session, now_ns);
    session->next_flush_ns = now_ns + session->options.flush_ns;
    HST_TRY(session->sink.flush(session->sink.context, session->profile, session->info, err));
    if (session->answer)
        hst_control_answer(session->options.control, "ok");
    session->answer = 0;
    return HST_OK;
}

/* More CPU than allowed: a longer period; less again: back towards the one asked for. */
static void keep_budget(struct hst_session *session, uint64_t now_ns)
{
    if (session->options.budget_percent <= 0 || now_ns < session->next_budget_ns)
        return;
    uint64_t cpu = own_cpu_ns();
    double used = (double)(cpu - session->budget_cpu_ns) / BUDGET_EVERY_NS * 100;
    double asked = session->options.rate_hz > 0 ? 1e9 / session->options.rate_hz : 1000;
    double period = (double)(session->period_ns != 0 ? session->period_ns : 1000);
    double factor = used / session->options.budget_percent;
    if (factor > 1.02 || (factor < 0.9 && period > asked)) {
        period *= factor > 4 ? 4 : factor < 0.7 ? 0.7 : factor;
        session->period_ns = (uint64_t)(period > asked ? period : asked);
        session->slowed |= period > asked * 1.05;
    }
    session->budget_cpu_ns = cpu;
    session->next_budget_ns = now_ns + BUDGET_EVERY_NS;
}

/* A program that asked for this waits until it can be sampled, and then says when that begins. */
static int may_sample(const struct hst_session *session)
{
    struct hst_control *control = session->options.control;
    if (control == NULL)
        return 1;
    if (!control->ready && session->watches[0]->state == HST_WATCH_SAMPLING) {
        control->ready = 1;
        hst_control_answer(control, "ready");
    }
    return control->begun;
}

/* Everything but sampling, each at its time. */
static enum hst_status housekeeping(struct hst_session *session, uint64_t now_ns, struct hst_error *err)
{
    HST_TRY(attach_waiting(session, now_ns));
    if (now_ns >= session->next_check_ns) {
        session->next_check_ns = now_ns + CHECK_EVERY_NS + session->thread_total * CHECK_THREAD_NS;
        HST_TRY(check_processes(session, now_ns));
    }
    keep_budget(session, now_ns);
    return now_ns >= session->next_flush_ns ? flush(session, now_ns, err) : HST_OK;
}

struct waits {
    struct pollfd fds[3]; /* the target's end, signals to us, what the target asks for */
};

/* Nonzero: the session is over. */
static int listen_to(struct hst_session *session, struct waits *waits)
{
    enum hst_control_word word = hst_control_take(session->options.control);
    waits->fds[2].fd = session->options.control->in;
    if (word == HST_CONTROL_FLUSH) {
        session->answer = 1;
        session->next_flush_ns = 0;
    }
    return word == HST_CONTROL_END;
}

/* Sleeps until wake_ns (session time), or until the session is over: then *ret_end is set.  Other signals do
 * not end the sleep: each stop of a thread by ptrace sends one. */
static int wait_until(struct hst_session *session, struct waits *waits, uint64_t wake_ns,
                      enum hst_session_end *ret_end)
{
    for (;;) {
        uint64_t now = hst_now_ns() - session->start_ns;
        uint64_t left = wake_ns > now ? wake_ns - now : 0;
        struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000u),
                                   .tv_nsec = (long)(left % 1000000000u)};
        if (ppoll(waits->fds, 3, &timeout, NULL) <= 0)
            return 0;
        if (waits->fds[2].revents != 0 && listen_to(session, waits)) {
            *ret_end = HST_END_ASKED;
            return 1;
        }
        if ((waits->fds[1].revents & POLLIN) != 0 &&
            hst_relay_take(waits->fds[1].fd, session->child ? session->target : 0)) {
            *ret_end = HST_END_INTERRUPTED;
            return 1;
        }
        if (waits->fds[0].revents != 0) {
            *ret_end = HST_END_EXITED;
            return 1;
        }
        if (left == 0)
            return 0;
    }
}

/* The moment of the next sample and the end of the stretch it stands for. Missed stretches are passed over
 * and counted. */
static void next_tick(struct hst_session *session, uint64_t *boundary, uint64_t *ret_wake)
{
    uint64_t now = hst_now_ns() - session->start_ns, period = session->period_ns;
    if (now >= *boundary + period) {
        uint64_t missed = (now - *boundary) / period;
        session->info->cost.late += missed;
        *boundary += missed * period;
    }
    *ret_wake = *boundary + random_below(session, period);
    *boundary += period;
}

/* A timer that goes off on the target's own CPU does not make the target give it up: the sampler gets its
 * turn when the target rests, and sees it resting.  A real-time class gets it at once, and needs it for
 * microseconds. Who may not ask for that, or needs more than a fraction of its period, asks for a little more
 * than others get, and goes on without. */
static void ask_for_priority(struct hst_session *session)
{
    struct sched_param lowest = {.sched_priority = 1};
    session->realtime = !session->options.blocking && session->period_ns >= REALTIME_PERIOD_NS &&
                        sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest) == 0;
    if (!session->realtime)
        (void)setpriority(PRIO_PROCESS, 0, SAMPLER_NICE);
}

/* Rounds take long: in a real-time class they could take all of the CPU from the program. */
static void give_up_realtime(struct hst_session *session)
{
    struct sched_param none = {0};
    session->realtime = 0;
    (void)sched_setscheduler(0, SCHED_OTHER, &none);
    (void)setpriority(PRIO_PROCESS, 0, SAMPLER_NICE);
}

static uint64_t session_now(const struct hst_session *session) { return hst_now_ns() - session->start_ns; }

/* One round at *now, which becomes its end. */
static enum hst_status sample_now(struct hst_session *session, uint64_t boundary, uint64_t *now)
{
    uint64_t begin = *now;
    if (session->tick > 0 && begin - session->sampled_ns > session->info->cost.longest_gap_ns)
        session->info->cost.longest_gap_ns = begin - session->sampled_ns;
    session->sampled_ns = begin;
    session->tick++;
    session->info->cost.ticks++;
    enum hst_status status = hst_session_sample(session, begin, boundary != 0 ? boundary : begin);
    *now = session_now(session);
    uint64_t took = *now - begin;
    session->read_ns += took;
    session->long_rounds = took > session->period_ns / REALTIME_FRACTION ? session->long_rounds + 1 : 0;
    if (session->realtime && session->long_rounds >= LONG_ROUNDS_MAX)
        give_up_realtime(session);
    return status;
}

/* A running process that was attached to is no Python that can be read, and neither is a child of it: that
 * will not change by waiting.  (One that was just started may still become a Python by exec.) */
static int nothing_to_sample(const struct hst_session *session)
{
    if (session->options.patient || session->info->cost.samples > 0 ||
        hst_now_ns() - session->start_ns < GIVE_UP_NS)
        return 0;
    for (size_t i = 0; i < session->watch_count; i++)
        if (session->watches[i]->state == HST_WATCH_SAMPLING || session->watches[i]->why == HST_E_BUSY)
            return 0;
    return 1;
}

static enum hst_status loop(struct hst_session *session, struct waits *waits, enum hst_session_end *ret_end,
                            struct hst_error *err)
{
    uint64_t boundary = 0, polled = 0, now = session_now(session);
    for (;;) {
        uint64_t wake = now;
        if (session->options.duration_ns != 0 && now >= session->options.duration_ns) {
            *ret_end = HST_END_DURATION;
            return HST_OK;
        }
        if (!may_sample(session))
            wake = boundary = now + NOT_YET_NS;
        else if (session->period_ns != 0)
            next_tick(session, &boundary, &wake);
        else
            boundary = 0;
        /* Flat out, a round takes a microsecond or two: what else there is to do is looked for more seldom.
         */
        if (session->period_ns != 0 || now - polled >= SPIN_POLL_NS || session->tick == 0) {
            if (wait_until(session, waits, wake, ret_end))
                return HST_OK;
            polled = session_now(session);
            HST_TRY(housekeeping(session, polled, err));
            if (!session->child &&
                (session->watches[0]->state == HST_WATCH_GONE || nothing_to_sample(session))) {
                *ret_end = HST_END_EXITED;
                return HST_OK;
            }
            now = session_now(session);
        }
        if (may_sample(session))
            HST_TRY(sample_now(session, boundary, &now));
    }
}

/* Collects the child's end, so that its code can become ours. */
static void reap(struct hst_session *session)
{
    int status;
    if (session->child && waitpid(session->target, &status, WNOHANG) == session->target)
        session->exit_status = status;
}

void hst_session_wait_child(struct hst_session *session)
{
    reap(session);
    if (session->exit_status == -1)
        session->exit_status = hst_relay_wait(session->target);
}

enum hst_status hst_session_run(struct hst_session *session, int pid, int child,
                                enum hst_session_end *ret_end, struct hst_error *err)
{
    HST_CLEANUP_FD int signals = hst_relay_open();
    HST_CLEANUP_FD int end = hst_process_handle(pid);
    const struct hst_control *control = session->options.control;
    struct waits waits = {.fds = {{.fd = end, .events = POLLIN},
                                  {.fd = signals, .events = POLLIN},
                                  {.fd = control != NULL ? control->in : -1, .events = POLLIN}}};
    (void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    if (session->period_ns != 0)
        ask_for_priority(session);
    hst_place_init(&session->place);
    session->target = pid;
    session->child = child;
    session->start_ns = hst_now_ns();
    session->info->start_wall_ns = hst_wall_ns();
    HST_TRY(watch_pid(session, pid, 0));
    if (session->watch_count == 0)
        return hst_error_set(err, HST_E_GONE, "process %d is gone", pid);
    enum hst_status status = loop(session, &waits, ret_end, err);
    uint64_t now = hst_now_ns() - session->start_ns;
    for (size_t i = 0; i < session->watch_count; i++)
        hst_watch_check(session->watches[i], session->profile, now);
    account(session, now);
    hst_place_release(&session->place);
    for (size_t i = 0; i < session->watch_count; i++)
        hst_watch_detach(session->watches[i], session->profile, now);
    reap(session);
    session->info->exit_status = session->exit_status;
    return status;
}
