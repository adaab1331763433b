/* A tool of sys.monitoring (3.12 and later), as the back ends for calls and for lines use it.  All with the
 * interpreter's lock held; none leaves an exception set. */
#ifndef HST_AGENT_MONITOR_H
#define HST_AGENT_MONITOR_H

#include "agent/python.h"

/* Takes a number that no other tool has, of the calling interpreter; -1: there is none. */
int hst_monitor_take(void);
/* Has method called for an event by its name, once the event is set. Gives the event's number, 0: it failed.
 */
long hst_monitor_register(int tool, const char *event, struct hst_py_method *method);
/* The events, of all code or of one code object. 0: it failed. */
int hst_monitor_set(int tool, long events);
int hst_monitor_set_local(int tool, PyObject *code, long events);
/* Gives the number back. */
void hst_monitor_free(int tool);
/* sys.monitoring.DISABLE; the caller's to Py_DecRef. NULL: there is none. */
PyObject *hst_monitor_disable(void);

#endif
