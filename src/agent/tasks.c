/* Asks asyncio which task it is. */
#include "agent/tasks.h"

#include <stdio.h>
#include <string.h>

#include "agent/functions.h"

enum { NAMES_MAX = 1000, NAME_BYTES_MAX = 200 }; /* a server may name a task for each request */

static unsigned names_met;

void hst_tasks_renew(void) { names_met = 0; }

/* The event loop has called it, and no coroutine or generator in between. */
static int is_step(const struct hst_agent_context *context)
{
    const unsigned inside = HST_AGENT_FUNCTION_GENERATOR | HST_AGENT_FUNCTION_TASK;
    for (uint32_t at = context->parent; at != 0;) {
        const struct hst_agent_context *outer = hst_arena_slot(at);
        if ((outer->flags & inside) != 0)
            return 0;
        at = outer->parent;
    }
    return 1;
}

/* asyncio.current_task().get_name(); NULL: there is no asyncio, or no task. The caller's to Py_DecRef. */
static PyObject *name_of_current(void)
{
    PyObject *modules = hst_python.PySys_GetObject("modules"); /* borrowed, as is what is in it */
    PyObject *asyncio = modules != NULL ? hst_python.PyDict_GetItemString(modules, "asyncio.tasks") : NULL;
    PyObject *task = asyncio != NULL ? hst_python.PyObject_CallMethod(asyncio, "current_task", NULL) : NULL;
    PyObject *name = NULL;
    if (task != NULL && task != hst_py_none())
        name = hst_python.PyObject_CallMethod(task, "get_name", NULL);
    if (task != NULL)
        hst_python.Py_DecRef(task);
    hst_python.PyErr_Clear();
    return name;
}

/* "Task-12": asyncio's own way to name one. */
static int is_given(const char *name)
{
    return strncmp(name, "Task-", 5) != 0 || name[5] == '\0' ||
           strspn(name + 5, "0123456789") != strlen(name + 5);
}

/* The name that was given to the task; 0: it has none. */
static int find_name(struct hst_tracer *tracer, char *into, size_t size)
{
    PyObject *type, *value, *traceback;
    ssize_t length = 0;
    tracer->busy = 1;
    hst_python.PyErr_Fetch(&type, &value, &traceback);
    PyObject *name = name_of_current();
    const char *text = name != NULL ? hst_python.PyUnicode_AsUTF8AndSize(name, &length) : NULL;
    int found = text != NULL && length > 0 && is_given(text);
    if (found)
        (void)snprintf(into, size, "task %s", text);
    if (name != NULL)
        hst_python.Py_DecRef(name);
    hst_python.PyErr_Clear();
    hst_python.PyErr_Restore(type, value, traceback);
    tracer->busy = 0;
    return found;
}

static uint64_t key_of(const char *name)
{
    return hst_hash_bytes(name, strlen(name), 1) | 1; /* no address */
}

static struct hst_agent_context *task_context(struct hst_tracer *tracer, struct hst_agent_context *outer,
                                              const char *name)
{
    static const char others[] = "task (others)";
    uint32_t function = hst_functions_find(key_of(name));
    if (function == 0 && __atomic_add_fetch(&names_met, 1, __ATOMIC_RELAXED) > NAMES_MAX)
        name = others;
    uint64_t key = key_of(name);
    if (function == 0 || name == others)
        function = hst_functions_named(key, name);
    return function != 0 ? hst_tracer_between(tracer, outer, key, function) : NULL;
}

struct hst_agent_context *hst_tasks_enter(struct hst_tracer *tracer, struct hst_agent_context *context,
                                          int begins)
{
    char name[NAME_BYTES_MAX];
    struct hst_agent_thread *thread = tracer->thread;
    struct hst_agent_context *outer = hst_arena_slot(context->parent);
    if (thread->lost_depth != 0 || !is_step(context) || !find_name(tracer, name, sizeof name)) {
        thread->last_ticks = hst_ticks(); /* what this took is nobody's time */
        return context;
    }
    struct hst_agent_context *task = task_context(tracer, outer, name), *inner = NULL;
    hst_timeline_undo(&tracer->timeline, thread, thread->current, 0);
    thread->current = context->parent;
    if (task != NULL) {
        thread->current = hst_arena_number(task);
        hst_tracer_note(tracer, thread->current, 0);
        *(begins ? &task->calls : &task->resumes) += 1;
        const void *code = (const void *)(uintptr_t)context->key;
        inner = hst_tracer_child(tracer, task, code, (PyObject *)(uintptr_t)context->key, 0);
    }
    if (inner == NULL) { /* no room, or too deep */
        thread->current = hst_arena_number(context);
        inner = context;
    } else {
        inner->flags |= HST_AGENT_UNDER_TASK;
        thread->current = hst_arena_number(inner);
    }
    hst_tracer_note(tracer, thread->current, 0);
    thread->last_ticks = hst_ticks();
    return inner;
}
