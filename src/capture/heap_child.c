/* The agent in the program stops it (SIGSTOP) when it has done its work; wait(2) tells. */
#include "capture/heap_child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "capture/agent_env.h"
#include "capture/command.h"
#include "capture/relay.h"

static void look(struct hst_heap_child *child, int pid, enum hst_status *status, struct hst_error *err)
{
    struct hst_heap heap;
    struct hst_error own = {0};
    enum hst_status found = hst_heap_read_process(pid, child->options, &heap, &own);
    if (found == HST_OK) {
        child->snapshots++;
        found = child->taken(child->context, &heap, &own);
        hst_heap_release(&heap);
    }
    if (found != HST_OK && *status == HST_OK) {
        *status = found;
        *err = own;
    }
}

/* 1: the program has ended. */
static int take_state(struct hst_heap_child *child, int pid, enum hst_status *status, struct hst_error *err)
{
    int state;
    while (waitpid(pid, &state, WNOHANG | WUNTRACED) == pid) {
        if (!WIFSTOPPED(state)) {
            child->exit_status = state;
            return 1;
        }
        if (WSTOPSIG(state) == SIGSTOP) {
            look(child, pid, status, err);
            (void)kill(pid, SIGCONT);
        }
    }
    return 0;
}

enum hst_status hst_heap_child_run(struct hst_heap_child *child, char *const *words, struct hst_error *err)
{
    int pid;
    enum hst_status status = HST_OK;
    child->exit_status = -1;
    HST_CLEANUP_FREE char *order = hst_asprintf("stop_for=%d", (int)getpid());
    if (order == NULL)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    HST_TRY(hst_agent_env_set(order, err));
    hst_relay_block();
    HST_CLEANUP_FD int signals = hst_relay_open();
    if (signals < 0)
        return hst_error_set(err, hst_status_from_errno(errno), "cannot wait for signals");
    HST_TRY(hst_command_start(words, &pid, err));
    struct pollfd wait = {.fd = signals, .events = POLLIN};
    while (!take_state(child, pid, &status, err))
        if (poll(&wait, 1, -1) > 0 && hst_relay_take_but(signals, pid, child->signal))
            look(child, pid, &status, err);
    return status;
}
