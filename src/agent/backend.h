/* The ways in which the interpreter tells of calls and returns.  Each arms itself for one interpreter (or,
 * the profile hook, for one thread) and turns its events into those of the tracer. */
#ifndef HST_AGENT_BACKEND_H
#define HST_AGENT_BACKEND_H

#include "agent/python.h"
#include "event/agent_map.h"

/* sys.monitoring, 3.12 and later. With the interpreter's lock held, no exception set. 0: it could not be had.
 */
int hst_monitoring_arm(int python_only);
void hst_monitoring_disarm(void);

/* PyEval_SetProfile, to 3.11: of the calling thread, and of threads that it starts from then on. */
int hst_profile_hook_arm(int python_only);
void hst_profile_hook_disarm(void);
/* The calling thread is about to be given another hook, or none: audited as sys.setprofile. */
void hst_profile_hook_changes(void);

/* What a callable of C is known by: NULL when it is not one that is traced (a Python function, a class). */
const void *hst_callable_key(PyObject *callable);
/* Before the first of them is asked for. */
void hst_callable_find_new(void);

#endif
