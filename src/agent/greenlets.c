/* One callback, and a table of the greenlets that have stopped. */
#include "agent/greenlets.h"

#include <string.h>

int hst_greenlets_loading;

static const char *const names[] = {"greenlet._greenlet", "greenlet"}; /* the second before 1.0 */

static PyObject *item(PyObject *tuple, size_t index)
{
    return hst_py_pointer(tuple, hst_python.abi.tuple_items + index * sizeof(PyObject *));
}

void hst_greenlets_import(PyObject *arguments)
{
    ssize_t length = 0;
    const char *name = hst_python.PyUnicode_AsUTF8AndSize(item(arguments, 0), &length);
    if (name == NULL)
        hst_python.PyErr_Clear();
    else if (strcmp(name, names[0]) == 0 || strcmp(name, names[1]) == 0)
        hst_greenlets_loading = 1;
}

static int is_dead(PyObject *greenlet)
{
    PyObject *dead = hst_python.PyObject_GetAttrString(greenlet, "dead");
    long answer = dead != NULL ? hst_python.PyLong_AsLong(dead) : 0;
    if (dead != NULL)
        hst_python.Py_DecRef(dead);
    hst_python.PyErr_Clear();
    return answer == 1;
}

/* ("switch" or "throw", (origin, target)), in the target; one that begins goes on below what began it. */
static PyObject *on_switch(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self;
    struct hst_tracer *tracer = hst_tracer_self();
    if (tracer != NULL && count == 2) {
        PyObject *origin = item(arguments[1], 0), *target = item(arguments[1], 1);
        uint64_t from = (uint64_t)(uintptr_t)origin, to = (uint64_t)(uintptr_t)target;
        uint32_t stopped = hst_map_find(&tracer->greenlets, to);
        tracer->busy = 1;
        (void)hst_map_set(&tracer->greenlets, from, is_dead(origin) ? 0 : tracer->thread->current);
        tracer->busy = 0;
        if (stopped != HST_MAP_ABSENT && stopped != 0)
            hst_tracer_move(tracer, stopped);
    }
    hst_python.Py_IncRef(hst_py_none());
    return hst_py_none();
}

/* What another tool has put there before is put there again, and the thread stays unwatched. */
static void set_hook(PyObject *setter)
{
    static struct hst_py_method method = {"on_switch", on_switch, HST_PY_METH_FASTCALL, NULL};
    PyObject *callback = hst_python.PyCFunction_NewEx(&method, NULL, NULL);
    PyObject *before = callback != NULL ? hst_python.PyObject_CallFunction(setter, "O", callback) : NULL;
    if (before != NULL && before != hst_py_none()) {
        PyObject *mine = hst_python.PyObject_CallFunction(setter, "O", before);
        if (mine != NULL)
            hst_python.Py_DecRef(mine);
    }
    if (before != NULL)
        hst_python.Py_DecRef(before);
    if (callback != NULL)
        hst_python.Py_DecRef(callback);
}

void hst_greenlets_watch_slowly(struct hst_tracer *tracer)
{
    PyObject *type, *value, *traceback;
    hst_python.PyErr_Fetch(&type, &value, &traceback);
    PyObject *modules = hst_python.PySys_GetObject("modules"); /* borrowed, as is what is in it */
    for (size_t i = 0; i < sizeof names / sizeof names[0] && modules != NULL; i++) {
        PyObject *module = hst_python.PyDict_GetItemString(modules, names[i]);
        PyObject *setter = module != NULL ? hst_python.PyObject_GetAttrString(module, "settrace") : NULL;
        if (setter == NULL)
            continue; /* not loaded yet */
        tracer->watches_greenlets = 1;
        set_hook(setter);
        hst_python.Py_DecRef(setter);
        break;
    }
    hst_python.PyErr_Clear();
    hst_python.PyErr_Restore(type, value, traceback);
}
