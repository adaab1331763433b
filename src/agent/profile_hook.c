/* The back end on PyEval_SetProfile, for 3.8 to 3.11.
 *
 * The hook is a thread's own.  A thread that Python starts exists before its starter comes back from
 * start_new_thread, with the lock held all the while: at that return the newest thread of the interpreter is
 * the new one, and gets its hook before it has run.  A generator's resumption looks like a call, and its
 * yield like a return: what instruction the frame is at tells them apart. */
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/backend.h"
#include "agent/frame.h"
#include "agent/tasks.h"
#include "agent/tracer.h"

enum { WHAT_CALL = 0, WHAT_RETURN = 3, WHAT_C_CALL = 4, WHAT_C_EXCEPTION = 5, WHAT_C_RETURN = 6 };
enum { FLAGS_OF_GENERATORS = 0x20 | 0x80 | 0x200 /* CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR */ };

static int python_only, in_use;
static int changing; /* the hook, by ourselves; guarded by the interpreter lock */
static const struct hst_py_method *start_new_thread[2];

/* Of a generator that is left by an exception: it was closed before its function began. */
static int has_not_begun(const void *frame)
{
    const uint8_t *instruction = hst_frame_instruction(frame);
    return instruction == NULL ||
           (hst_python.abi.minor >= 11 && instruction[0] == HST_OPCODE_RETURN_GENERATOR);
}

static void enter(struct hst_tracer *tracer, const PyObject *frame_object)
{
    const void *frame = hst_frame_of_object(frame_object);
    PyObject *code = hst_frame_code(frame);
    struct hst_agent_context *context = hst_tracer_enter(tracer, code, code, 0);
    if (context == NULL)
        return;
    context->flags &= ~(uint32_t)HST_AGENT_QUIET_CONTEXT;
    context = hst_tasks_entered(tracer, context, !hst_frame_is_resumed(frame));
    if ((context->flags & HST_AGENT_FUNCTION_GENERATOR) == 0 || !hst_frame_is_resumed(frame)) {
        context->calls++;
        return;
    }
    context->resumes++;
    hst_tracer_resumed(context, frame, tracer->thread->last_ticks);
}

/* 3.11 does not tell of a generator that goes on because what it delegated to returned when something was
 * thrown into it: it is known by its leaving. */
static void enter_unseen(struct hst_tracer *tracer, const void *frame)
{
    const struct hst_agent_context *current = hst_arena_slot(tracer->thread->current);
    PyObject *code = hst_frame_code(frame);
    if (hst_python.abi.minor != 11 || current->key == (uint64_t)(uintptr_t)code ||
        tracer->thread->lost_depth != 0 || /* too deep to be seen: entered without a context */
        ((uint32_t)hst_py_word(code, hst_python.abi.code_flags) & FLAGS_OF_GENERATORS) == 0)
        return;
    struct hst_agent_context *context = hst_tracer_enter(tracer, code, code, 0);
    if (context != NULL) {
        context->resumes++;
        hst_tracer_resumed(context, frame, tracer->thread->last_ticks);
    }
}

static void leave(struct hst_tracer *tracer, const PyObject *frame_object, const PyObject *value)
{
    const void *frame = hst_frame_of_object(frame_object);
    enter_unseen(tracer, frame);
    struct hst_agent_context *context = hst_tracer_leave(tracer, hst_frame_code(frame));
    if (context == NULL)
        return;
    int is_generator = (context->flags & HST_AGENT_FUNCTION_GENERATOR) != 0;
    if (value == NULL && is_generator && has_not_begun(frame)) {
        context->calls--;
        if (context->calls == 0 && context->resumes == 0) { /* what it took is its caller's */
            ((struct hst_agent_context *)hst_arena_slot(context->parent))->self_ticks += context->self_ticks;
            context->self_ticks = 0;
        }
        hst_timeline_undo(&tracer->timeline, tracer->thread, hst_arena_number(context), 1);
    } else if (value == NULL) {
        context->raises++;
    } else if (is_generator && hst_frame_has_yielded(frame)) {
        hst_tracer_suspend(frame, tracer->thread->last_ticks);
    }
}

static void hook_this_thread(hst_py_profile *function)
{
    changing++;
    hst_python.PyEval_SetProfile(function, NULL);
    changing--;
}

static void hook_other_thread(void *tstate, hst_py_profile *function)
{
    if (hst_python.set_profile_of != NULL) {
        changing++;
        if (hst_python.set_profile_of(tstate, function, NULL) != 0)
            hst_python.PyErr_Clear();
        changing--;
        return;
    }
    void *own = hst_python.PyThreadState_Swap(tstate); /* 3.8 knows only the current thread */
    hook_this_thread(function);
    (void)hst_python.PyThreadState_Swap(own);
}

static void *first_thread(const void *of)
{
    return hst_python.PyInterpreterState_ThreadHead(hst_py_pointer(of, hst_python.abi.tstate_interp));
}

static void hook_newest_thread(void)
{
    void *own = hst_python.PyThreadState_Get(), *newest = first_thread(own);
    if (newest != NULL && newest != own)
        hook_other_thread(newest, hst_profile_hook);
}

static void hook_other_threads(hst_py_profile *function)
{
    void *own = hst_python.PyThreadState_Get();
    for (void *at = first_thread(own); at != NULL; at = hst_python.PyThreadState_Next(at))
        if (at != own)
            hook_other_thread(at, function);
}

int hst_profile_hook(PyObject *self, PyObject *frame, int what, PyObject *argument)
{
    (void)self;
    struct hst_tracer *tracer = hst_tracer_for(what == WHAT_CALL);
    if (tracer == NULL)
        return 0;
    if (what == WHAT_CALL) {
        enter(tracer, frame);
    } else if (what == WHAT_RETURN) {
        leave(tracer, frame, argument);
    } else if (what == WHAT_C_CALL && !python_only) {
        const void *key = hst_callable_key(argument);
        struct hst_agent_context *context = key != NULL ? hst_tracer_enter(tracer, key, argument, 1) : NULL;
        if (context != NULL)
            context->calls++;
    } else if (what == WHAT_C_RETURN || what == WHAT_C_EXCEPTION) {
        const void *key = hst_callable_key(argument);
        if (key != NULL && !python_only) {
            struct hst_agent_context *context = hst_tracer_leave(tracer, key);
            if (context != NULL && what == WHAT_C_EXCEPTION)
                context->raises++;
        }
        if (key != NULL && (key == start_new_thread[0] || key == start_new_thread[1]))
            hook_newest_thread();
    }
    return 0;
}

/* Under both its names. */
static void find_start_new_thread(void)
{
    static const char *const names[] = {"start_new_thread", "start_new"};
    PyObject *module = hst_python.PyImport_ImportModule("_thread");
    for (int i = 0; i < 2 && module != NULL; i++) {
        PyObject *function = hst_python.PyObject_GetAttrString(module, names[i]);
        if (function != NULL && hst_py_type(function) == hst_python.PyCFunction_Type)
            start_new_thread[i] = hst_py_method_of_function(function);
        if (function != NULL)
            hst_python.Py_DecRef(function);
    }
    if (module != NULL)
        hst_python.Py_DecRef(module);
    hst_python.PyErr_Clear();
}

/* --- another tool's hook --- */

int hst_profile_hook_is_taken(void)
{
    PyObject *getter = hst_python.PySys_GetObject("getprofile"); /* borrowed */
    PyObject *other = getter != NULL ? hst_python.PyObject_CallFunction(getter, NULL) : NULL;
    if (other == NULL) {
        hst_python.PyErr_Clear();
        return -1;
    }
    int taken = other != hst_py_none(); /* ours is a function of C alone */
    hst_python.Py_DecRef(other);
    return taken;
}

/* Between two instructions of the main thread, after its hook was changed. */
static int take_back(void *unused)
{
    (void)unused;
    int taken = in_use ? hst_profile_hook_is_taken() : -1;
    struct hst_tracer *tracer = taken == 0 ? hst_tracer_self() : NULL;
    if (taken == 1)
        hst_arena_header()->hook_taken++;
    if (tracer != NULL) {
        hst_tracer_stand_here(tracer, 0);
        hook_this_thread(hst_profile_hook);
    }
    return 0;
}

/* What it will be is not known yet; and only the main thread can be asked to look again. */
void hst_profile_hook_changes(void)
{
    if (changing != 0 || !in_use)
        return;
    if ((pid_t)syscall(SYS_gettid) != getpid())
        hst_arena_header()->hook_taken++;
    else
        (void)hst_python.Py_AddPendingCall(take_back, NULL);
}

int hst_profile_hook_arm(int without_c)
{
    python_only = without_c;
    find_start_new_thread();
    hst_callable_find_new();
    hook_this_thread(hst_profile_hook);
    in_use = 1;
    return 1;
}

int hst_profile_hook_arm_all(int without_c)
{
    hook_other_threads(hst_profile_hook);
    return hst_profile_hook_arm(without_c);
}

void hst_profile_hook_disarm(void)
{
    in_use = 0;
    if (hst_profile_hook_is_taken() != 1)
        hook_this_thread(NULL);
}

void hst_profile_hook_disarm_all(void)
{
    hook_other_threads(NULL);
    hst_profile_hook_disarm();
}
