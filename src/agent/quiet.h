/* Quiet functions of 3.11: those that call nothing of which the profile function would be told.
 *
 * With a profile function set, 3.11 runs no specialised instruction: code is slowed by half to three times,
 * each code differently.  A function that calls no function of C need not be, when its own call and return
 * are known by other means (both_hooks.c). */
#ifndef HST_AGENT_QUIET_H
#define HST_AGENT_QUIET_H

#include "agent/python.h"

/* What is known of the function, by its instructions; made when it is met first. 0: it is not quiet. Keeps a
 * reference to code. An exception that is set stays set. */
uint32_t hst_quiet_id(PyObject *code);
/* 1: a function with that id is quiet in this frame, by what the names that it calls mean at this moment. */
int hst_quiet_now(uint32_t id, const void *frame);
/* All ids count as never given. */
void hst_quiet_forget(void);

#endif
