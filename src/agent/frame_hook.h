/* Tracing by the frame evaluation function, for the back ends that run frames themselves. */
#ifndef HST_AGENT_FRAME_HOOK_H
#define HST_AGENT_FRAME_HOOK_H

#include "agent/python.h"

/* Runs a frame, and traces its call or resumption. */
PyObject *hst_frame_hook_trace(void *tstate, void *frame, int throwing);
/* Runs a frame, one deeper in the stack of C. */
PyObject *hst_frame_hook_run(void *tstate, void *frame, int throwing);
/* One frame more may be too much for the calling thread's stack of C. */
int hst_frame_hook_is_deep(void);
/* From now on, or no more, the calling thread's interpreter runs all frames by evaluate. 0: it cannot, or
 * another tool does so. */
int hst_frame_hook_set(hst_py_evaluate *evaluate);
void hst_frame_hook_unset(void);
/* What contexts that are traced so are flagged with. */
extern uint32_t hst_frame_hook_flags;

#endif
