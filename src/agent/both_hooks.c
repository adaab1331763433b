/* The back end of 3.11 for all calls: the profile function, but the frame evaluation function for the
 * functions of Python that are quiet (quiet.h), which so run as fast as untraced.
 *
 * Whether the profile function is told of what a frame does is a byte of the C structure that its evaluation
 * begins with, taken over from the one before (use_tracing of _PyCFrame).  It is set before a frame is run,
 * and set back after: to what it was, unless another tool has come to trace this thread meanwhile, or the
 * names that the caller calls have come to mean something else. */
#include "agent/backend.h"
#include "agent/frame.h"
#include "agent/frame_hook.h"
#include "agent/quiet.h"
#include "agent/tracer.h"

enum {
    TSTATE_TRACING = 44, /* PyThreadState of 3.11 */
    TSTATE_PROFILE_FUNCTION = 64,
    TSTATE_TRACE_FUNCTION = 72,
    TOLD = 255,             /* as the interpreter has it: a mask over the instructions */
    CFRAME_USE_TRACING = 0, /* _PyCFrame of 3.11 */
    CFRAME_PREVIOUS = 16,
};

/* The quiet frame whose instructions the thread runs; id 0: it runs another's. */
struct quiet_frame {
    const void *frame;
    uint32_t id;
};
static __thread struct quiet_frame running __attribute__((tls_model("initial-exec")));
static int given_up;

static uint8_t *use_tracing_of(void *cframe) { return (uint8_t *)cframe + CFRAME_USE_TRACING; }

/* The thread tells our profile function of what it does now, and no trace function beside it. */
static inline int is_ours(const void *tstate)
{
    return *(const int *)(const void *)((const char *)tstate + TSTATE_TRACING) == 0 &&
           hst_py_word(tstate, TSTATE_PROFILE_FUNCTION) == (uint64_t)(uintptr_t)hst_profile_hook &&
           hst_py_word(tstate, TSTATE_TRACE_FUNCTION) == 0;
}

static void *interpreter_of(const void *tstate)
{
    return hst_py_pointer(tstate, hst_python.abi.tstate_interp);
}

/* All frames that are under way in the calling thread's interpreter tell the profile function from now on. */
static void wake(void)
{
    void *interpreter = interpreter_of(hst_python.PyThreadState_Get());
    for (void *tstate = hst_python.PyInterpreterState_ThreadHead(interpreter); tstate != NULL;
         tstate = hst_python.PyThreadState_Next(tstate))
        for (void *cframe = hst_py_pointer(tstate, hst_python.abi.tstate_cframe); cframe != NULL;
             cframe = hst_py_pointer(cframe, CFRAME_PREVIOUS))
            if (is_ours(tstate))
                *use_tracing_of(cframe) = TOLD;
}

/* Too deep for the stack of C: the profile function alone goes on. */
static void give_up(void)
{
    given_up = 1;
    hst_frame_hook_unset();
    wake();
    hst_arena_header()->backend = HST_AGENT_BACKEND_PROFILE;
}

static void set_back(uint8_t *use_tracing, uint8_t before, uint32_t generation)
{
    int woken = given_up || hst_tracer_generation != generation;
    if (woken || (before == 0 && running.id != 0 && !hst_quiet_now(running.id, running.frame)))
        *use_tracing = TOLD;
    else
        *use_tracing = before;
}

static PyObject *evaluate(void *tstate, void *frame, int throwing)
{
    if (!is_ours(tstate))
        return hst_frame_hook_run(tstate, frame, throwing);
    if (__builtin_expect(!given_up && hst_frame_hook_is_deep(), 0))
        give_up();
    uint32_t id = given_up ? 0 : hst_quiet_id(hst_frame_code(frame)), generation = hst_tracer_generation;
    int quiet = hst_quiet_now(id, frame);
    uint8_t *use_tracing = use_tracing_of(hst_py_pointer(tstate, hst_python.abi.tstate_cframe));
    uint8_t before = *use_tracing;
    struct quiet_frame caller = running;
    running = (struct quiet_frame){frame, quiet ? id : 0};
    *use_tracing = quiet ? 0 : TOLD;
    PyObject *result =
        quiet ? hst_frame_hook_trace(tstate, frame, throwing) : hst_frame_hook_run(tstate, frame, throwing);
    running = caller;
    if (is_ours(tstate))
        set_back(use_tracing, before, generation);
    return result;
}

int hst_both_hooks_arm(int python_only)
{
    if (!hst_profile_hook_arm(python_only))
        return 0;
    given_up = !is_ours(hst_python.PyThreadState_Get()) || !hst_frame_hook_set(evaluate);
    if (given_up)
        hst_arena_header()->backend = HST_AGENT_BACKEND_PROFILE;
    hst_frame_hook_flags = HST_AGENT_QUIET_CONTEXT;
    return 1;
}

int hst_both_hooks_arm_all(int python_only)
{
    int armed = hst_profile_hook_arm_all(python_only) && hst_both_hooks_arm(python_only);
    if (armed)
        wake();
    return armed;
}

static void unset(void)
{
    if (!given_up)
        hst_frame_hook_unset();
    given_up = 1;
    hst_quiet_forget();
}

void hst_both_hooks_disarm(void)
{
    unset();
    hst_profile_hook_disarm();
}

void hst_both_hooks_disarm_all(void)
{
    unset();
    hst_profile_hook_disarm_all();
}
