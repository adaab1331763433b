/* Calls and returns -> a tree of calling contexts for each thread, in the arena.  Each event reads the clock
 * once: the time since the event before belongs to the context in which the thread was.  The back ends
 * (monitoring.c, profile_hook.c) bring the events; nothing here knows where they come from. */
#ifndef HST_AGENT_TRACER_H
#define HST_AGENT_TRACER_H

#include "agent/arena.h"
#include "agent/python.h"
#include "agent/timeline.h"
#include "base/ticks.h"
#include "base/map.h"

/* What the agent itself keeps of a thread. */
struct hst_tracer {
    struct hst_agent_thread *thread; /* in the arena; NULL: not begun, or no room for it */
    uint32_t chunk;                  /* of contexts, in use */
    uint32_t arena;                  /* its serial number */
    uint32_t generation;             /* another after a fork, and after each pause */
    int busy;                        /* the tracer is at work: what happens now is its own doing */
    struct hst_timeline timeline;
    uint32_t fork_context, fork_lost_depth; /* of the thread when it began to fork */
    struct hst_map children;                /* hash of parent and key -> context */
    struct hst_map greenlets;               /* that have stopped -> context; 0: they ended */
    int watches_greenlets;
};

enum hst_tracer_phase { HST_TRACER_OFF, HST_TRACER_ON };
extern int hst_tracer_phase;
extern uint32_t hst_tracer_generation;
extern uint32_t hst_tracer_depth_max; /* calls below it have no context; 0: none is too deep */
extern __thread struct hst_tracer hst_tracer_of_thread __attribute__((tls_model("initial-exec")));

/* The thread's row, made at its first event, or found again after a pause; it goes on in the context in which
 * the thread then is. entering: the innermost frame is the one that the event is about. NULL: it is not
 * traced. */
struct hst_tracer *hst_tracer_begin(int entering);
/* The child of the current context that key is, made when there is none; NULL: no room. */
struct hst_agent_context *hst_tracer_child(struct hst_tracer *tracer, struct hst_agent_context *parent,
                                           const void *key, PyObject *what, int is_c);
/* The child of a context that is no call (tasks.h), made when there is none; NULL: no room. */
struct hst_agent_context *hst_tracer_between(struct hst_tracer *tracer, struct hst_agent_context *parent,
                                             uint64_t key, uint32_t function);
/* Leaves the nearest context outward that is key, and all inside it; nothing when there is none. */
struct hst_agent_context *hst_tracer_resync(struct hst_tracer *tracer, const void *key);

/* The thread goes on in another context, which is one of its own. */
void hst_tracer_move(struct hst_tracer *tracer, uint32_t to);
/* Events were missed: the thread is in these functions, outermost first. What it did is nobody's time. */
void hst_tracer_stand(struct hst_tracer *tracer, PyObject *const *codes, size_t count);
/* The same by the frames that the thread has now, but for so many of the innermost. */
void hst_tracer_stand_here(struct hst_tracer *tracer, int but);

/* A generator's frame stops at a yield and goes on: how long it stood. */
void hst_tracer_suspend(const void *frame, uint64_t now_ticks);
void hst_tracer_resumed(struct hst_agent_context *context, const void *frame, uint64_t now_ticks);

/* The calling thread begins anew; what it does until its own row and tree are taken up again was never done.
 */
void hst_tracer_lay_aside(struct hst_tracer *own);
void hst_tracer_take_up(const struct hst_tracer *own);
/* Gives the thread's row the name that Python has for it, where it has one. */
void hst_tracer_name(struct hst_tracer *tracer);
/* The arena is another, and empty: all threads begin anew. */
void hst_tracer_renew(void);
/* Before a fork: notes where the thread is, in memory that the parent does not go on to change in the child.
 */
void hst_tracer_forking(void);
/* In a child after fork: a tree of its own, with the contexts that the thread is in. */
void hst_tracer_forked(void);
/* Gives all open stretches of time of the calling thread to their contexts. */
void hst_tracer_settle(void);

static inline struct hst_tracer *hst_tracer_for(int entering)
{
    struct hst_tracer *tracer = &hst_tracer_of_thread;
    if (__builtin_expect(tracer->thread != NULL && tracer->generation == hst_tracer_generation, 1))
        return __builtin_expect(tracer->busy, 0) ? NULL : tracer;
    return hst_tracer_begin(entering);
}
static inline struct hst_tracer *hst_tracer_self(void) { return hst_tracer_for(0); }
/* For the event that a frame begins or goes on, which is the innermost already. */
static inline struct hst_tracer *hst_tracer_entering(void) { return hst_tracer_for(1); }

/* The time up to now belongs to the current context, which is returned. */
static inline struct hst_agent_context *hst_tracer_tick(struct hst_agent_thread *thread, uint64_t now)
{
    struct hst_agent_context *context = hst_arena_slot(thread->current);
    context->self_ticks += now - thread->last_ticks;
    thread->last_ticks = now;
    return context;
}

/* The thread went into context or out of it, at its last_ticks. */
static inline void hst_tracer_note(struct hst_tracer *tracer, uint32_t context, int leaves)
{
    if (__builtin_expect(tracer->timeline.end != NULL, 0))
        hst_timeline_add(&tracer->timeline, tracer->thread, context, leaves);
}

/* Out of a context, and of the task that is left with it. */
static inline void hst_tracer_go_out(struct hst_tracer *tracer, const struct hst_agent_context *context)
{
    struct hst_agent_thread *thread = tracer->thread;
    hst_tracer_note(tracer, hst_arena_number(context), 1);
    thread->current = context->parent;
    if (__builtin_expect((context->flags & HST_AGENT_UNDER_TASK) != 0, 0)) {
        hst_tracer_note(tracer, thread->current, 1);
        thread->current = ((const struct hst_agent_context *)hst_arena_slot(thread->current))->parent;
    }
}

/* what is called (key names it). NULL: it could not be noted. The caller counts call or resumption. */
static inline struct hst_agent_context *hst_tracer_enter(struct hst_tracer *tracer, const void *key,
                                                         PyObject *what, int is_c)
{
    struct hst_agent_thread *thread = tracer->thread;
    struct hst_agent_context *context = hst_tracer_tick(thread, hst_ticks());
    struct hst_agent_context *child = hst_arena_slot(context->first_child);
    if (__builtin_expect(child->key != (uint64_t)(uintptr_t)key || context->first_child == 0, 0)) {
        child = hst_tracer_child(tracer, context, key, what, is_c);
        if (child == NULL)
            return NULL;
    }
    thread->current = context->first_child;
    hst_tracer_note(tracer, thread->current, 0);
    return child;
}

/* What key names is left. NULL: it was not known to be entered. */
static inline struct hst_agent_context *hst_tracer_leave(struct hst_tracer *tracer, const void *key)
{
    struct hst_agent_thread *thread = tracer->thread;
    struct hst_agent_context *context = hst_tracer_tick(thread, hst_ticks());
    if (__builtin_expect(context->key != (uint64_t)(uintptr_t)key || thread->lost_depth != 0, 0))
        return hst_tracer_resync(tracer, key);
    hst_tracer_go_out(tracer, context);
    return context;
}

#endif
