/* Decides a thread's state.
 *
 * schedstat counts what a thread has run, how long it waited for a CPU, and how often it was put on one;
 * syscall says which call it is blocked in.  A thread that was blocked and has not been put on a CPU since is
 * exactly where it was.  A thread that wants a CPU reads as "running", whether it has one or not: the time it
 * waited for one is known afterwards, as a sum, and is paid out in samples (runnable_debt), so that the
 * shares come right. */
#include "capture/thread.h"

#include <string.h>

#include "base/memory.h"

#ifdef __aarch64__
enum { SYSCALL_FUTEX = 98 };
#else
enum { SYSCALL_FUTEX = 202 };
#endif

enum hst_status hst_watched_thread_open(struct hst_watched_thread *thread, int pid, int tid,
                                        const struct hst_tstate *tstate, uint64_t now_ns)
{
    *thread = (struct hst_watched_thread){.tstate = *tstate,
                                          .tid = tid,
                                          .files = {.schedstat = -1, .syscall = -1},
                                          .begin_ns = now_ns,
                                          .ran_ns = now_ns,
                                          .alive = 1};
    HST_TRY(hst_thread_files_open(pid, tid, &thread->files));
    enum hst_status status = hst_thread_times_read(&thread->files, &thread->first);
    if (status == HST_OK)
        status = hst_walk_new(tstate->address, pid, tid, &thread->walk);
    if (status != HST_OK)
        hst_watched_thread_close(thread);
    thread->times = thread->first;
    return status;
}

void hst_watched_thread_close(struct hst_watched_thread *thread)
{
    hst_thread_files_close(&thread->files);
    hst_walk_free(thread->walk);
    thread->walk = NULL;
    thread->alive = 0;
}

/* The lock's condition and mutex lie inside its structure: a futex in there is a wait for the lock. */
static int waits_for_gil(const struct hst_thread_call *call, const struct hst_gil *gil, uint32_t gil_bytes)
{
    return gil->address != 0 && call->number == SYSCALL_FUTEX && call->arguments[0] >= gil->address &&
           call->arguments[0] < gil->address + gil_bytes;
}

static void decide_blocked(struct hst_watched_thread *thread, const struct hst_thread_call *call,
                           const struct hst_gil *gil, uint32_t gil_bytes)
{
    if (waits_for_gil(call, gil, gil_bytes)) {
        thread->now.state = HST_STATE_GIL_WAIT;
        thread->now.detail = 0;
    } else {
        thread->now.state = HST_STATE_BLOCKED;
        thread->now.detail = call->number < UINT16_MAX - 1 ? (uint16_t)(call->number + 1) : 0;
    }
}

enum hst_status hst_watched_thread_look(struct hst_watched_thread *thread, const struct hst_gil *gil,
                                        uint32_t gil_bytes, uint64_t now_ns, int *ret_slept)
{
    struct hst_thread_times times;
    struct hst_thread_call call = {.known = 1};
    HST_TRY(hst_thread_times_read(&thread->files, &times));
    int unchanged = times.switches == thread->times.switches && times.run_ns == thread->times.run_ns;
    int was_blocked = thread->now.state == HST_STATE_BLOCKED || thread->now.state == HST_STATE_IDLE ||
                      thread->now.state == HST_STATE_GIL_WAIT;
    uint64_t elapsed = now_ns - thread->look_ns;
    thread->look_ns = now_ns;
    if (was_blocked && unchanged) {
        if (thread->now.state == HST_STATE_BLOCKED && now_ns - thread->ran_ns >= HST_IDLE_AFTER_NS)
            thread->now.state = HST_STATE_IDLE;
        *ret_slept = 1;
        return HST_OK;
    }
    /* Who blocks leaves its CPU, and its figures change: with the same figures it is still in no call. */
    if (!unchanged || !hst_state_is_awake(thread->now.state))
        HST_TRY(hst_thread_call_read(&thread->files, &call));
    *ret_slept = 0;
    thread->ran_ns = now_ns;
    thread->waited_ns = times.runnable_ns - thread->times.runnable_ns;
    thread->awake_ns = times.run_ns - thread->times.run_ns + thread->waited_ns;
    thread->runnable_debt += (double)thread->waited_ns;
    thread->times = times;
    if (call.blocked) {
        decide_blocked(thread, &call, gil, gil_bytes);
    } else {
        thread->now.state = call.known ? HST_STATE_RUNNING : HST_STATE_UNKNOWN;
        thread->now.detail = 0;
        if (call.known && elapsed > 0 && thread->runnable_debt >= (double)elapsed / 2) {
            thread->now.state = HST_STATE_RUNNABLE;
            thread->runnable_debt -= (double)elapsed;
        }
    }
    return HST_OK;
}
