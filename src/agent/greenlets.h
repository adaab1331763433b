/* Greenlets change the stack of calls under a thread's feet, within a call of C.  Once greenlet is loaded,
 * each thread has itself told by greenlet's own trace hook, and remembers where each greenlet stopped. */
#ifndef HST_AGENT_GREENLETS_H
#define HST_AGENT_GREENLETS_H

#include "agent/tracer.h"

/* A module is about to be imported: the arguments of the audit event. */
void hst_greenlets_import(PyObject *arguments);
/* Of the calling thread, in its tracer's own time. */
void hst_greenlets_watch_slowly(struct hst_tracer *tracer);

extern int hst_greenlets_loading;

static inline void hst_greenlets_watch(struct hst_tracer *tracer)
{
    if (__builtin_expect(hst_greenlets_loading && !tracer->watches_greenlets, 0))
        hst_greenlets_watch_slowly(tracer);
}

#endif
