/* A tree for each task of asyncio that has a name of its own: where the event loop goes on with its
 * coroutine, a context "task NAME" stands between the loop and the coroutine.  Tasks that asyncio has named
 * (Task-7) are told apart by their coroutine, as they are anyway. */
#ifndef HST_AGENT_TASKS_H
#define HST_AGENT_TASKS_H

#include "agent/tracer.h"

/* A coroutine was entered, perhaps by its task's step: gives the context in which it then is. begins: for the
 * first time. */
struct hst_agent_context *hst_tasks_enter(struct hst_tracer *tracer, struct hst_agent_context *context,
                                          int begins);
/* The arena is another. */
void hst_tasks_renew(void);

static inline struct hst_agent_context *hst_tasks_entered(struct hst_tracer *tracer,
                                                          struct hst_agent_context *context, int begins)
{
    if (__builtin_expect(context != NULL && (context->flags & HST_AGENT_FUNCTION_COROUTINE) != 0, 0))
        return hst_tasks_enter(tracer, context, begins);
    return context;
}

#endif
