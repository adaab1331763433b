/* Tracing by the frame evaluation function, for the back ends that run frames themselves. */
#ifndef HST_AGENT_FRAME_HOOK_H
#define HST_AGENT_FRAME_HOOK_H

#include "agent/python.h"

/* Runs a frame, and traces its call or resumption. */
PyObject *hst_frame_hook_trace(void *tstate, void *frame, int throwing);
/* From now on, or no more, the calling thread's interpreter runs all frames by evaluate. 0: it cannot, or
 * another tool does so. */
int hst_frame_hook_set(hst_py_evaluate *evaluate);
void hst_frame_hook_unset(void);
/* What contexts that are traced so are flagged with. */
extern uint32_t hst_frame_hook_flags;

/* The calling thread's stack of C: its end, and up to where it is used for frames. */
struct hst_frame_hook_stack {
    uintptr_t low, kept;
    int known, depth; /* depth: frames that are run by us */
};
extern __thread struct hst_frame_hook_stack hst_frame_hook_stack __attribute__((tls_model("initial-exec")));
extern int hst_frame_hook_depth_max;
void hst_frame_hook_find_stack(void);

/* One frame more may be too much for it. A stack that is not the thread's own, such as a coroutine's, is
 * judged by the depth alone. */
static inline int hst_frame_hook_is_deep(void)
{
    const struct hst_frame_hook_stack *stack = &hst_frame_hook_stack;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (__builtin_expect(!stack->known, 0))
        hst_frame_hook_find_stack();
    return stack->depth >= hst_frame_hook_depth_max || (here < stack->kept && here >= stack->low);
}

/* Runs a frame, one deeper in the stack of C. */
static inline PyObject *hst_frame_hook_run(void *tstate, void *frame, int throwing)
{
    hst_frame_hook_stack.depth++;
    PyObject *result = hst_python._PyEval_EvalFrameDefault(tstate, frame, throwing);
    hst_frame_hook_stack.depth--;
    return result;
}

#endif
