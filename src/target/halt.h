/* All threads of a process stand still together, by ptrace.  They go on by themselves when hasten dies. */
#ifndef HST_TARGET_HALT_H
#define HST_TARGET_HALT_H

#include <stddef.h>

#include "base/status.h"

struct hst_halt {
    int *tids; /* that were stopped */
    size_t count, capacity;
};

/* Threads that begin meanwhile are stopped too. HST_E_GONE: the process has ended; HST_E_PERM: not allowed,
 * or another debugger has it. On failure all go on. */
enum hst_status hst_halt_begin(int pid, struct hst_halt *ret_halt) HST_MUST_CHECK;
void hst_halt_end(struct hst_halt *halt);

#endif
