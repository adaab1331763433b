/* Two processes share the work: hasten reads, its keeper has the target in its hands.  So hasten may be
 * killed at any moment: the keeper, in a session of its own, sees the channel close and puts all in order. */
#include "target/twin.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "target/allowed.h"
#include "target/halt.h"
#include "target/inject.h"
#include "target/process.h"
#include "target/stop.h"

enum {
    PAGE = 4096,
    TRIAL_PAGES = 2048,
    /* The child's stack: should it ever run, because its keeper was killed before it could be marked, then it
     * dies of its next instruction that has to do with a stack, rather than do its maker's work once more. */
    NO_STACK = 16,
};

struct made {
    enum hst_status status;
    int error_number; /* of clone; 0: it was another step */
    int pid;
    uint64_t pause_ns;
};

struct keeper {
    int target, channel;
    hst_raddr instruction;
    int64_t inner_pid; /* of the child, as the target knows it */
    uint64_t faults;   /* of the target, when the child was made */
    struct made made;
};

/* --- the keeper: the child comes --- */

static uint64_t faults_of(int pid)
{
    struct hst_process_facts facts;
    return hst_process_read(pid, &facts) == HST_OK ? facts.minor_faults : 0;
}

/* A thread inside a call is in no restartable sequence, which would not learn that it was interrupted. */
static int choose_thread(const struct hst_halt *halt)
{
    for (size_t i = 0; i < halt->count; i++)
        if (hst_inject_is_in_call(halt->tids[i]))
            return halt->tids[i];
    return halt->tids[0];
}

/* Descriptors are shared with the child, or what the target closes would stay open. No signal at its end: the
 * target's waits do not see such a child. */
static void make_child(struct keeper *keeper)
{
    const struct hst_inject_call call = {.number = SYS_clone,
                                         .arguments = {CLONE_FILES | CLONE_FS, NO_STACK, 0, 0}};
    struct made *made = &keeper->made;
    struct hst_halt halt;
    uint64_t begin_ns = hst_now_ns();
    made->status = hst_halt_begin(keeper->target, &halt);
    if (made->status != HST_OK)
        return;
    made->status =
        hst_inject_call(choose_thread(&halt), keeper->instruction, &call, &keeper->inner_pid, &made->pid);
    keeper->faults = faults_of(keeper->target);
    hst_halt_end(&halt);
    made->pause_ns = hst_now_ns() - begin_ns;
    if (made->status == HST_OK && keeper->inner_pid < 0) {
        made->error_number = (int)-keeper->inner_pid;
        made->status = HST_E_UNSUPPORTED;
    } else if (made->status == HST_OK && made->pid == 0) {
        made->status = HST_E_IO;
    }
}

/* It is killed with the keeper; the target never is. */
static void mark_child(struct made *made)
{
    int status;
    if (waitpid(made->pid, &status, __WALL) != made->pid || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, made->pid, NULL, PTRACE_O_EXITKILL) != 0)
        made->status = HST_E_GONE;
}

/* --- what a page costs that has to be copied --- */

/* On the thread's own clock: others may want this CPU too. */
static uint64_t time_writes(volatile char *pages)
{
    for (size_t i = 0; i < TRIAL_PAGES; i++)
        (void)pages[i * PAGE];
    uint64_t begin_ns = hst_cpu_ns();
    for (size_t i = 0; i < TRIAL_PAGES; i++)
        pages[i * PAGE] = 1;
    return (hst_cpu_ns() - begin_ns) / TRIAL_PAGES;
}

/* A private mapping of a file is copied page by page as a parent's memory is. 0: it could not be measured. */
static uint64_t measure_fault_ns(void)
{
    HST_CLEANUP_FD int file = memfd_create("hasten", MFD_CLOEXEC);
    size_t bytes = (size_t)TRIAL_PAGES * PAGE;
    if (file < 0 || ftruncate(file, (off_t)bytes) != 0)
        return 0;
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (pages == MAP_FAILED)
        return 0;
    uint64_t cost_ns = time_writes(pages);
    (void)munmap(pages, bytes);
    return cost_ns;
}

/* --- the keeper: the child goes --- */

/* Its tracer has to have seen its end before its parent can. */
static void kill_child(int pid)
{
    int status;
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
        continue;
}

static enum hst_status reap_by(int tid, const struct keeper *keeper, int *ret_reaped)
{
    const struct hst_inject_call call = {.number = SYS_wait4,
                                         .arguments = {(uint64_t)keeper->inner_pid, 0, __WALL | WNOHANG, 0}};
    int64_t result = 0;
    int child;
    HST_TRY(hst_stop_seize(tid));
    HST_TRY(hst_stop_interrupt(tid));
    enum hst_status status = hst_inject_call(tid, keeper->instruction, &call, &result, &child);
    hst_stop_leave(tid);
    *ret_reaped = status == HST_OK && (result == keeper->inner_pid || result == -ECHILD);
    return status;
}

static void reap_child(const struct keeper *keeper, struct hst_twin_cost *cost)
{
    HST_CLEANUP_FREE int *tids = NULL;
    size_t count = 0;
    enum hst_status status = hst_process_threads(keeper->target, &tids, &count);
    uint64_t begin_ns = hst_now_ns();
    for (size_t i = 0; i < count; i++) {
        status = reap_by(tids[i], keeper, &cost->reaped);
        if (status != HST_E_GONE)
            break; /* that one had just ended */
    }
    cost->reap_pause_ns = hst_now_ns() - begin_ns;
    if (status == HST_E_GONE)
        cost->reaped = 1; /* so has the target: its children are the system's */
}

/* --- the keeper as a whole --- */

static void keep(struct keeper *keeper)
{
    sigset_t all;
    char byte;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)setsid(); /* what is sent to hasten's group is not for us */
    (void)prctl(PR_SET_NAME, "hasten-keeper");
    struct made *made = &keeper->made;
    make_child(keeper);
    if (made->status == HST_OK)
        mark_child(made);
    (void)send(keeper->channel, made, sizeof *made, MSG_NOSIGNAL);
    if (made->pid == 0)
        return;
    uint64_t fault_ns = measure_fault_ns();
    while (recv(keeper->channel, &byte, 1, 0) > 0)
        continue; /* until hasten closes its end, or ends */
    uint64_t faults = faults_of(keeper->target);
    struct hst_twin_cost cost = {.faults = faults > keeper->faults ? faults - keeper->faults : 0};
    cost.stolen_ns = cost.faults * fault_ns;
    kill_child(made->pid);
    reap_child(keeper, &cost);
    (void)send(keeper->channel, &cost, sizeof cost, MSG_NOSIGNAL);
}

/* --- hasten --- */

static void join_keeper(const struct hst_twin *twin)
{
    (void)close(twin->channel);
    while (waitpid(twin->keeper, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static int receive(int channel, void *into, size_t size)
{
    ssize_t got;
    do
        got = recv(channel, into, size, MSG_WAITALL);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)size;
}

static enum hst_status explain(const struct made *made, struct hst_error *err)
{
    if (made->error_number != 0)
        (void)hst_error_set(err, made->status, "the system refused it the child: %s",
                            strerror(made->error_number));
    else if (made->status != HST_OK && made->status != HST_E_PERM)
        (void)hst_error_set(err, made->status, "no child could be made of it: %s",
                            hst_status_name(made->status));
    hst_error_hint(err, "without --fork it stands still while its memory is copied");
    return made->status;
}

static enum hst_status begin_keeper(struct keeper *keeper, struct hst_twin *ret_twin)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return hst_status_from_errno(errno);
    int pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        keeper->channel = ends[1];
        keep(keeper);
        _exit(0);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return hst_status_from_errno(errno);
    }
    *ret_twin = (struct hst_twin){.keeper = pid, .channel = ends[0]};
    return HST_OK;
}

enum hst_status hst_twin_make(int pid, struct hst_twin *ret_twin, struct hst_error *err)
{
    struct keeper keeper = {.target = pid};
    struct made made = {.status = HST_E_GONE};
    HST_TRY(hst_twin_allowed("", pid, err));
    made.status = hst_inject_find(pid, &keeper.instruction);
    if (made.status == HST_OK)
        made.status = begin_keeper(&keeper, ret_twin);
    if (made.status != HST_OK)
        return explain(&made, err);
    if (!receive(ret_twin->channel, &made, sizeof made))
        made = (struct made){.status = HST_E_INTERRUPTED}; /* somebody killed the keeper */
    ret_twin->pid = made.pid;
    ret_twin->pause_ns = made.pause_ns;
    if (made.status != HST_OK)
        join_keeper(ret_twin);
    return made.status == HST_OK ? HST_OK : explain(&made, err);
}

void hst_twin_free(struct hst_twin *twin, struct hst_twin_cost *ret_cost)
{
    (void)shutdown(twin->channel, SHUT_WR);
    if (!receive(twin->channel, ret_cost, sizeof *ret_cost))
        *ret_cost = (struct hst_twin_cost){0};
    join_keeper(twin);
    *twin = (struct hst_twin){0};
}
