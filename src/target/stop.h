/* Stops one thread by ptrace for the time of a read, for those who want certainty rather than speed. */
#ifndef HST_TARGET_STOP_H
#define HST_TARGET_STOP_H

#include "base/status.h"

/* Seizes the thread once (it goes on running); released by itself when this process ends. */
enum hst_status hst_stop_seize(int tid) HST_MUST_CHECK;
void hst_stop_release(int tid);
/* Interrupts a seized thread and waits until it stands still; HST_E_GONE when it has ended. */
enum hst_status hst_stop_interrupt(int tid) HST_MUST_CHECK;
void hst_stop_continue(int tid);
/* Of one that stands still: it goes on, unless a signal had stopped it before, and is seized no more. */
void hst_stop_leave(int tid);

#endif
