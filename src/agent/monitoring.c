/* The back end on sys.monitoring (PEP 669): nine callbacks, armed once for an interpreter.
 *
 * CALL comes for every callable, also for Python functions, which then begin by PY_START and end by
 * PY_RETURN; C_RETURN and C_RAISE come for every callable that is not a Python function called directly.  So
 * a C function is entered by CALL and left by either, when hst_callable_key knows it, and all else is passed
 * over. */
#include "agent/backend.h"
#include "agent/monitor.h"
#include "agent/tasks.h"
#include "agent/tracer.h"

static int tool_id = -1;

static PyObject *on_start(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    struct hst_tracer *tracer = hst_tracer_entering();
    if (tracer != NULL) {
        struct hst_agent_context *context =
            hst_tasks_entered(tracer, hst_tracer_enter(tracer, arguments[0], arguments[0], 0), 1);
        if (context != NULL)
            context->calls++;
    }
    return hst_py_none();
}

/* PY_RESUME and PY_THROW. */
static PyObject *on_resume(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    struct hst_tracer *tracer = hst_tracer_entering();
    if (tracer != NULL) {
        struct hst_agent_context *context =
            hst_tasks_entered(tracer, hst_tracer_enter(tracer, arguments[0], arguments[0], 0), 0);
        if (context != NULL) {
            context->resumes++;
            hst_tracer_resumed(context, hst_py_frame_now(), tracer->thread->last_ticks);
        }
    }
    return hst_py_none();
}

static PyObject *on_return(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    struct hst_tracer *tracer = hst_tracer_self();
    if (tracer != NULL)
        (void)hst_tracer_leave(tracer, arguments[0]);
    return hst_py_none();
}

static PyObject *on_yield(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    struct hst_tracer *tracer = hst_tracer_self();
    if (tracer != NULL && hst_tracer_leave(tracer, arguments[0]) != NULL)
        hst_tracer_suspend(hst_py_frame_now(), tracer->thread->last_ticks);
    return hst_py_none();
}

static PyObject *on_unwind(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    struct hst_tracer *tracer = hst_tracer_self();
    struct hst_agent_context *context = tracer != NULL ? hst_tracer_leave(tracer, arguments[0]) : NULL;
    if (context != NULL)
        context->raises++;
    return hst_py_none();
}

/* What is called in the end: CALL comes for the bound method and C_RETURN for its function (3.12, 3.13), or
 * both for one of them. */
static PyObject *unbound(PyObject *callable)
{
    return hst_py_type(callable) == hst_python.PyMethod_Type ? hst_py_function_of_method(callable) : callable;
}

static PyObject *on_call(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    PyObject *callable = unbound(arguments[2]);
    if (__builtin_expect(hst_py_type(callable) == hst_python.PyFunction_Type, 1))
        return hst_py_none();
    const void *key = hst_callable_key(callable);
    struct hst_tracer *tracer = key != NULL ? hst_tracer_self() : NULL;
    if (tracer != NULL) {
        struct hst_agent_context *context = hst_tracer_enter(tracer, key, callable, 1);
        if (context != NULL)
            context->calls++;
    }
    return hst_py_none();
}

static PyObject *on_c_return(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    const void *key = hst_callable_key(unbound(arguments[2]));
    struct hst_tracer *tracer = key != NULL ? hst_tracer_self() : NULL;
    if (tracer != NULL)
        (void)hst_tracer_leave(tracer, key);
    return hst_py_none();
}

static PyObject *on_c_raise(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    const void *key = hst_callable_key(unbound(arguments[2]));
    struct hst_tracer *tracer = key != NULL ? hst_tracer_self() : NULL;
    struct hst_agent_context *context = tracer != NULL ? hst_tracer_leave(tracer, key) : NULL;
    if (context != NULL)
        context->raises++;
    return hst_py_none();
}

static struct event {
    const char *name;
    struct hst_py_method method;
    int of_c;
} events[] = {
    {"PY_START", {"py_start", on_start, HST_PY_METH_FASTCALL, NULL}, 0},
    {"PY_RESUME", {"py_resume", on_resume, HST_PY_METH_FASTCALL, NULL}, 0},
    {"PY_THROW", {"py_throw", on_resume, HST_PY_METH_FASTCALL, NULL}, 0},
    {"PY_RETURN", {"py_return", on_return, HST_PY_METH_FASTCALL, NULL}, 0},
    {"PY_YIELD", {"py_yield", on_yield, HST_PY_METH_FASTCALL, NULL}, 0},
    {"PY_UNWIND", {"py_unwind", on_unwind, HST_PY_METH_FASTCALL, NULL}, 0},
    {"CALL", {"call", on_call, HST_PY_METH_FASTCALL, NULL}, 1},
    {"C_RETURN", {"c_return", on_c_return, HST_PY_METH_FASTCALL, NULL}, 1},
    {"C_RAISE", {"c_raise", on_c_raise, HST_PY_METH_FASTCALL, NULL}, 1},
};
enum { EVENTS = sizeof events / sizeof events[0] };

int hst_monitoring_arm(int python_only)
{
    int id = hst_monitor_take();
    long wanted = 0;
    if (id < 0)
        return 0;
    hst_callable_find_new();
    for (size_t i = 0; i < EVENTS; i++) {
        if (events[i].of_c && python_only)
            continue;
        long number = hst_monitor_register(id, events[i].name, &events[i].method);
        if (number == 0)
            return 0;
        wanted |= number;
    }
    tool_id = id;
    return hst_monitor_set(id, wanted);
}

void hst_monitoring_disarm(void)
{
    hst_monitor_free(tool_id);
    tool_id = -1;
}
