/* A copy-on-write child of a process, made by a call to clone that is put into it: it never runs, and its
 * memory is the process's at one moment, to be read while the process goes on. */
#ifndef HST_TARGET_TWIN_H
#define HST_TARGET_TWIN_H

#include <stdint.h>

#include "base/status.h"

struct hst_twin {
    int pid;
    uint64_t pause_ns; /* for which all threads of the process stood still */
    /* The process that made it, traces it and takes it away: when this one is killed, that one cleans up. */
    int keeper;
    int channel;
};

struct hst_twin_cost {
    int reaped;             /* 0: the child stays a zombie of the process until that waits for it or ends */
    uint64_t reap_pause_ns; /* for which one thread stood still for that */
    /* Page faults of the process while the child lived: those for pages that had to be copied for it, and
     * those that it would have had anyway. Times what one costs, as measured meanwhile on memory of our own.
     */
    uint64_t faults, stolen_ns;
};

/* Asks hst_twin_allowed first. */
enum hst_status hst_twin_make(int pid, struct hst_twin *ret_twin, struct hst_error *err) HST_MUST_CHECK;
/* Kills the child and has the process forget it. */
void hst_twin_free(struct hst_twin *twin, struct hst_twin_cost *ret_cost);

#endif
