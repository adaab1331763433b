/* The back end on the frame evaluation function (PEP 523), for Python functions alone: the interpreter asks
 * us to run each frame, and we ask it back.  One function is entered and left, with no frame object made for
 * it: the cheapest way up to 3.12.
 *
 * Every Python call is then a call in C as well, and the stack of C is not as deep as Python's.  Past a depth
 * the hook gives itself up and another back end goes on; the frames that are under way are left by whichever
 * notices first. */
#include "agent/frame_hook.h"

#include <pthread.h>

#include "agent/backend.h"
#include "agent/frame.h"
#include "agent/tasks.h"
#include "agent/tracer.h"

enum {
    DEPTH_MAX = 1500,      /* a raised recursion limit; the usual one is 1000 */
    DEPTH_MAX_3_12 = 300,  /* whose limit for C is 1500 at first, and each call takes two */
    STACK_KEPT = 96 << 10, /* bytes of the stack of C that are left to others */
    OWNED_BY_GENERATOR = 1,
};

uint32_t hst_frame_hook_flags;
__thread struct hst_frame_hook_stack hst_frame_hook_stack __attribute__((tls_model("initial-exec")));
int hst_frame_hook_depth_max;
static int given_up;

void hst_frame_hook_find_stack(void)
{
    struct hst_frame_hook_stack *stack = &hst_frame_hook_stack;
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        (void)pthread_attr_getstack(&attributes, &low, &size);
        (void)pthread_attr_destroy(&attributes);
    }
    stack->low = (uintptr_t)low;
    stack->kept = stack->low + (size / 2 < STACK_KEPT ? size / 2 : STACK_KEPT);
    stack->known = 1;
}

/* A generator function that is called makes its generator by a frame's first instructions, which is no call
 * yet; its own frame is the generator's. */
static int makes_a_generator(const void *frame)
{
    const struct hst_abi *abi = &hst_python.abi;
    return abi->minor >= 11 && *((const char *)frame + abi->frame_owner) != OWNED_BY_GENERATOR;
}

/* Its frame stands behind the instruction that made it, or has not begun to 3.10. */
static int is_resumed(const void *frame)
{
    const uint8_t *instruction = hst_frame_instruction(frame);
    return instruction != NULL && (hst_python.abi.minor <= 10 || *instruction != HST_OPCODE_RETURN_GENERATOR);
}

/* Leaves the context. 0: another back end has done so already. */
static int leave(struct hst_tracer *tracer, struct hst_agent_context *context)
{
    struct hst_agent_thread *thread = tracer->thread;
    (void)hst_tracer_tick(thread, hst_ticks());
    for (uint32_t at = thread->current; at != 0;) {
        const struct hst_agent_context *open = hst_arena_slot(at);
        if (open == context) {
            hst_tracer_go_out(tracer, context);
            return 1;
        }
        at = open->parent;
    }
    return 0;
}

/* A generator's frame: entered by its first start and by every resumption. */
static PyObject *run_generator(struct hst_tracer *tracer, struct hst_agent_context *context, void *tstate,
                               void *frame, int throwing)
{
    uint32_t generation = tracer->generation;
    int resumed = is_resumed(frame);
    context = hst_tasks_entered(tracer, context, !resumed);
    if (resumed) {
        context->resumes++;
        hst_tracer_resumed(context, frame, tracer->thread->last_ticks);
    } else {
        context->calls++;
    }
    PyObject *result = hst_frame_hook_run(tstate, frame, throwing);
    tracer = hst_tracer_self();
    if (tracer == NULL || hst_tracer_generation != generation)
        return result; /* paused meanwhile, or a child by fork, whose tree is another */
    if (!leave(tracer, context))
        return result;
    if (result == NULL)
        context->raises++;
    else if (hst_frame_has_yielded(frame))
        hst_tracer_suspend(frame, tracer->thread->last_ticks);
    return result;
}

PyObject *hst_frame_hook_trace(void *tstate, void *frame, int throwing)
{
    PyObject *code = hst_frame_code(frame);
    struct hst_tracer *tracer = hst_tracer_self();
    if (tracer == NULL)
        return hst_frame_hook_run(tstate, frame, throwing);
    uint32_t before = tracer->thread->current, generation = tracer->generation;
    struct hst_agent_context *context = hst_tracer_enter(tracer, code, code, 0);
    if (context == NULL) {
        PyObject *result = hst_frame_hook_run(tstate, frame, throwing);
        (void)hst_tracer_leave(tracer, code); /* one less of those without a context */
        return result;
    }
    context->flags |= hst_frame_hook_flags;
    if ((context->flags & HST_AGENT_FUNCTION_GENERATOR) != 0) {
        if (!makes_a_generator(frame) && (!throwing || is_resumed(frame)))
            return run_generator(tracer, context, tstate, frame, throwing);
        hst_timeline_undo(&tracer->timeline, tracer->thread, tracer->thread->current, 0);
        tracer->thread->current = before;
        return hst_frame_hook_run(tstate, frame, throwing);
    }
    context->calls++;
    PyObject *result = hst_frame_hook_run(tstate, frame, throwing);
    if (__builtin_expect(tracer->thread == NULL || tracer->busy || hst_tracer_generation != generation, 0))
        return result;
    if (__builtin_expect(tracer->thread->current == hst_arena_number(context), 1)) {
        (void)hst_tracer_tick(tracer->thread, hst_ticks());
        hst_tracer_note(tracer, tracer->thread->current, 1);
        tracer->thread->current = context->parent;
    } else if (!leave(tracer, context)) {
        return result;
    }
    if (result == NULL)
        context->raises++;
    return result;
}

static void *interpreter(void)
{
    return hst_py_pointer(hst_python.PyThreadState_Get(), hst_python.abi.tstate_interp);
}

int hst_frame_hook_set(hst_py_evaluate *evaluate)
{
    if (hst_python._PyInterpreterState_SetEvalFrameFunc == NULL ||
        hst_python._PyInterpreterState_GetEvalFrameFunc == NULL ||
        hst_python._PyEval_EvalFrameDefault == NULL ||
        hst_python._PyInterpreterState_GetEvalFrameFunc(interpreter()) != hst_python._PyEval_EvalFrameDefault)
        return 0;
    hst_frame_hook_depth_max = hst_python.abi.minor >= 12 ? DEPTH_MAX_3_12 : DEPTH_MAX;
    hst_python._PyInterpreterState_SetEvalFrameFunc(interpreter(), evaluate);
    return 1;
}

void hst_frame_hook_unset(void)
{
    hst_python._PyInterpreterState_SetEvalFrameFunc(interpreter(), hst_python._PyEval_EvalFrameDefault);
}

/* --- the back end --- */

/* Too deep for the stack of C: what is entered from now on comes by another way. */
static void give_up(void)
{
    given_up = 1;
    hst_frame_hook_unset();
    PyObject *type, *value, *traceback;
    hst_python.PyErr_Fetch(&type, &value, &traceback);
    int armed = hst_python.abi.minor >= 12 ? hst_monitoring_arm(1) : hst_profile_hook_arm_all(1);
    hst_python.PyErr_Restore(type, value, traceback);
    hst_arena_header()->backend = !armed                       ? HST_AGENT_BACKEND_NONE
                                  : hst_python.abi.minor >= 12 ? HST_AGENT_BACKEND_MONITORING
                                                               : HST_AGENT_BACKEND_PROFILE;
}

static PyObject *evaluate(void *tstate, void *frame, int throwing)
{
    if (__builtin_expect(!given_up && hst_frame_hook_is_deep(), 0))
        give_up();
    return given_up ? hst_frame_hook_run(tstate, frame, throwing)
                    : hst_frame_hook_trace(tstate, frame, throwing);
}

int hst_frame_hook_arm(int python_only) { return python_only && hst_frame_hook_set(evaluate); }

void hst_frame_hook_disarm(void)
{
    if (!given_up)
        hst_frame_hook_unset();
}
