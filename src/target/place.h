/* Which CPU hasten itself runs on.  Usually another one than the program: a timer that goes off on the
 * program's CPU takes it from the program.  For a moment the program's own: while hasten has that CPU the
 * thread that was on it stands still, as it does whenever another process runs there; no signal, no ptrace,
 * nothing written.  Only CPUs that hasten was allowed when it started are used. */
#ifndef HST_TARGET_PLACE_H
#define HST_TARGET_PLACE_H

#include <sched.h>

#include "base/status.h"

struct hst_place {
    cpu_set_t allowed; /* when hasten started */
    int kept_off;      /* a CPU that is left to the program; -1 = none */
    int policy;        /* scheduling class and priority before the CPU was shared */
    struct sched_param priority;
};

void hst_place_init(struct hst_place *place);
/* Back to where hasten started. */
void hst_place_release(struct hst_place *place);
/* Runs on any allowed CPU but this one from now on, if there is another. */
void hst_place_keep_off(struct hst_place *place, int cpu);
/* Takes the CPU that the thread was on last, ahead of the thread if that is permitted; hst_place_leave gives
 * it back.  HST_E_PERM: hasten may not run there. Whether the thread does stand still has to be seen: it may
 * be moved to another CPU. */
enum hst_status hst_place_join(struct hst_place *place, int pid, int tid) HST_MUST_CHECK;
void hst_place_leave(struct hst_place *place);

#endif
