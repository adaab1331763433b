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
/* 1: the calling thread has another tool's hook; -1: it cannot be told. */
int hst_profile_hook_is_taken(void);
int hst_profile_hook(PyObject *self, PyObject *frame, int what, PyObject *argument);
/* The same of all threads that there are. */
int hst_profile_hook_arm_all(int python_only);
void hst_profile_hook_disarm_all(void);
/* The calling thread is about to be given another hook, or none: audited as sys.setprofile. */
void hst_profile_hook_changes(void);

/* The frame evaluation function, 3.9 to 3.12, Python functions only. */
int hst_frame_hook_arm(int python_only);
void hst_frame_hook_disarm(void);

/* Both for all calls, 3.11: what calls nothing of C is traced by the frame evaluation function. */
int hst_both_hooks_arm(int python_only);
void hst_both_hooks_disarm(void);
int hst_both_hooks_arm_all(int python_only);
void hst_both_hooks_disarm_all(void);

/* Lines: by sys.monitoring on the chosen code alone (3.12 and later), by PyEval_SetTrace on all code before.
 * The argument is not used. */
int hst_line_monitoring_arm(int unused);
void hst_line_monitoring_disarm(void);
int hst_line_trace_arm(int unused);
void hst_line_trace_disarm(void);
/* Where lines count only in threads that have entered (liner.h): there is nothing to be told of elsewhere. */
int hst_line_trace_arm_scoped(int unused);
int hst_line_trace_is_taken(void); /* by another tool: it has the calling thread's trace function */
void hst_line_trace_enter(void);
void hst_line_trace_leave(void);
/* Chooses one code object from now on (selection.h), however the interpreter tells of its lines. */
void hst_line_choose(PyObject *code);

/* What a callable of C is known by: NULL when it is not one that is traced (a Python function, a class). */
const void *hst_callable_key(PyObject *callable);
/* Before the first of them is asked for. */
void hst_callable_find_new(void);

#endif
