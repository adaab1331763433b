/* Has a thread that stands still make one system call of ours, and puts it back as it was.  All that depends
 * on the machine is here: x86-64. */
#ifndef HST_TARGET_INJECT_H
#define HST_TARGET_INJECT_H

#include <stdint.h>

#include "base/status.h"
#include "target/memory.h"

struct hst_inject_call {
    int number;
    uint64_t arguments[4];
};

/* Whether it can be done on this machine, for a program with this e_machine in its ELF header. */
int hst_inject_is_for(unsigned machine);
/* Where the process has an instruction that enters the kernel. HST_E_NOENT: nowhere. */
enum hst_status hst_inject_find(int pid, hst_raddr *ret_address) HST_MUST_CHECK;
/* The thread waits in a system call, or was about to leave one. */
int hst_inject_is_in_call(int tid);
/* The thread was stopped by hst_stop_interrupt, and its parent is another process. Signals wait meanwhile,
 * and a call that it was in goes on when it does. result: what the kernel answered, -errno if it failed.
 * child: that the call made, traced as its maker and stopped before its first instruction; 0: none; it is
 * said even on failure. If we are killed in here the thread goes on with wrong registers. */
enum hst_status hst_inject_call(int tid, hst_raddr address, const struct hst_inject_call *call,
                                int64_t *ret_result, int *ret_child) HST_MUST_CHECK;

#endif
