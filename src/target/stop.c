/* ptrace: seize, interrupt, continue.  Signals that arrive while a thread is seized are handed on to it. */
#include "target/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum hst_status hst_stop_seize(int tid)
{
    return ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0 ? HST_OK : hst_status_from_errno(errno);
}

void hst_stop_release(int tid)
{
    if (hst_stop_interrupt(tid) == HST_OK)
        (void)ptrace(PTRACE_DETACH, tid, NULL, NULL);
}

enum hst_status hst_stop_interrupt(int tid)
{
    int status;
    if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0)
        return hst_status_from_errno(errno);
    for (;;) {
        /* A look first: the end of a process that is our child is for those who wait for its exit status. */
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)tid, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL) != 0)
            return errno == EINTR ? HST_E_INTERRUPTED : HST_E_GONE;
        if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
            return HST_E_GONE;
        if (waitpid(tid, &status, __WALL) != tid)
            return HST_E_GONE;
        if (!WIFSTOPPED(status))
            continue;
        if (status >> 16 == PTRACE_EVENT_STOP)
            return HST_OK;
        /* A signal on its way to the thread: deliver it, our own stop is still to come. */
        (void)ptrace(PTRACE_CONT, tid, NULL, (void *)(uintptr_t)WSTOPSIG(status));
    }
}

void hst_stop_continue(int tid) { (void)ptrace(PTRACE_CONT, tid, NULL, NULL); }

void hst_stop_leave(int tid) { (void)ptrace(PTRACE_DETACH, tid, NULL, NULL); }
