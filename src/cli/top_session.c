/* The thread that samples: every sample goes into a batch, every flush publishes it. */
#include "cli/top_session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

static void wake(const struct hst_top_session *top)
{
    uint64_t one = 1;
    ssize_t written = write(top->event_fd, &one, sizeof one);
    (void)written; /* full: it is readable anyway */
}

static enum hst_status take_sample(void *context, const struct hst_sample *sample)
{
    struct hst_top_session *top = context;
    if (atomic_load_explicit(&top->stop, memory_order_relaxed))
        return HST_E_INTERRUPTED;
    return hst_top_batch_add(&top->batch, sample);
}

/* What is in the way while nothing is sampled, as the target itself last said it. */
static void find_waiting(const struct hst_session *session, struct hst_error *ret_waiting)
{
    *ret_waiting = (struct hst_error){.status = HST_OK};
    for (size_t i = 0; i < session->watch_count; i++)
        if (session->watches[i]->state == HST_WATCH_SAMPLING)
            return;
    if (session->watch_count == 0 || session->watches[0]->state == HST_WATCH_GONE)
        return;
    *ret_waiting = session->watches[0]->error;
    ret_waiting->status = session->watches[0]->why != HST_OK ? session->watches[0]->why : HST_E_BUSY;
}

static enum hst_status publish(struct hst_top_session *top, int wait)
{
    struct hst_error waiting;
    find_waiting(&top->session, &waiting);
    enum hst_status status = hst_top_live_publish(&top->live, &top->batch, &top->profile, &top->info,
                                                  top->session.thread_total, &waiting, wait);
    if (status == HST_OK)
        wake(top);
    return status == HST_E_BUSY ? HST_OK : status;
}

static enum hst_status take_flush(void *context, const struct hst_profile *profile,
                                  const struct hst_run_info *info, struct hst_error *err)
{
    struct hst_top_session *top = context;
    (void)profile, (void)info; /* they are its own */
    if (atomic_load_explicit(&top->stop, memory_order_relaxed))
        return HST_E_INTERRUPTED;
    enum hst_status status = publish(top, 0);
    if (status != HST_OK)
        return hst_error_set(err, status, "out of memory");
    top->full = top->batch.table_bytes > top->table_bytes_max;
    return top->full ? HST_E_INTERRUPTED : HST_OK;
}

/* One session with tables of its own. HST_OK also when it was stopped or is full. */
static enum hst_status run_once(struct hst_top_session *top)
{
    struct hst_sink sink = {.context = top, .sample = take_sample, .flush = take_flush};
    struct hst_session_options options = top->options;
    if (options.duration_ns != 0) { /* what is left of it */
        uint64_t spent = hst_now_ns() - top->first_ns;
        options.duration_ns = spent < options.duration_ns ? options.duration_ns - spent : 1;
    }
    top->full = 0;
    top->info.cost = (struct hst_run_cost){0};
    if (!hst_profile_init(&top->profile))
        return hst_error_set(&top->error, HST_E_NOMEM, "out of memory");
    hst_session_init(&top->session, &options, &top->profile, &top->info, &sink);
    top->end = HST_END_EXITED;
    enum hst_status status = hst_session_run(&top->session, top->pid, 0, &top->end, &top->error);
    if (status == HST_E_INTERRUPTED || status == HST_E_GONE)
        status = HST_OK;
    return status;
}

static void *work(void *context)
{
    struct hst_top_session *top = context;
    top->first_ns = hst_now_ns();
    top->status = run_once(top);
    while (top->status == HST_OK && top->full && !atomic_load(&top->stop)) {
        hst_top_live_renew(&top->live); /* shares texts with the profile: goes first */
        hst_session_release(&top->session);
        hst_profile_release(&top->profile);
        hst_top_batch_release(&top->batch);
        top->status = run_once(top);
    }
    if (top->status == HST_OK && publish(top, 1) != HST_OK)
        top->status = hst_error_set(&top->error, HST_E_NOMEM, "out of memory");
    (void)pthread_mutex_lock(&top->live.lock);
    top->live.end = top->end == HST_END_DURATION ? HST_TOP_TIME_UP : HST_TOP_ENDED;
    (void)pthread_mutex_unlock(&top->live.lock);
    atomic_store(&top->done, 1);
    wake(top);
    return NULL;
}

enum hst_status hst_top_session_start(struct hst_top_session *top, int pid, const char *directory,
                                      const struct hst_session_options *options, uint64_t table_bytes_max,
                                      struct hst_error *err)
{
    *top = (struct hst_top_session){
        .pid = pid, .options = *options, .table_bytes_max = table_bytes_max, .event_fd = -1};
    (void)snprintf(top->info.directory, sizeof top->info.directory, "%s", directory);
    top->info.start_wall_ns = hst_wall_ns();
    top->info.exit_status = -1;
    if (!hst_top_live_init(&top->live))
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    top->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (top->event_fd < 0)
        return hst_error_set(err, hst_status_from_errno(errno), "cannot make an eventfd: %s",
                             strerror(errno));
    /* A changed window size must reach the thread that draws. */
    sigset_t resize;
    (void)sigemptyset(&resize);
    (void)sigaddset(&resize, SIGWINCH);
    (void)pthread_sigmask(SIG_BLOCK, &resize, NULL);
    int failed = pthread_create(&top->thread, NULL, work, top);
    (void)pthread_sigmask(SIG_UNBLOCK, &resize, NULL);
    if (failed != 0)
        return hst_error_set(err, HST_E_NOMEM, "cannot start a thread: %s", strerror(failed));
    top->started = 1;
    return HST_OK;
}

void hst_top_session_stop(struct hst_top_session *top)
{
    if (!top->started)
        return;
    atomic_store(&top->stop, 1);
    if (!atomic_load(&top->done))
        (void)kill(getpid(), SIGCHLD); /* wakes the session, which takes it for nothing else */
    (void)pthread_join(top->thread, NULL);
    top->started = 0;
}

void hst_top_session_release(struct hst_top_session *top)
{
    hst_top_session_stop(top);
    hst_top_live_release(&top->live);
    hst_session_release(&top->session);
    hst_profile_release(&top->profile);
    hst_top_batch_release(&top->batch);
    if (top->event_fd >= 0)
        (void)close(top->event_fd);
    top->event_fd = -1;
}
