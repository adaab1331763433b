/* Whether a call's end is to be told is asked when it has come: a profile function that sys.setprofile sets
 * in a thread that is traced would be told that sys.setprofile returned, a call of which it knows nothing
 * (from 3.12 on because the instruction was instrumented when it began).  Without hasten nothing is told, and
 * the standard library's profile takes it for a broken stack.  Calls that C makes are not told of; so the
 * function is put behind an object that calls it. */
#include "agent/setprofile.h"

#include "agent/python.h"

static void look_alike(PyObject *hidden, PyObject *function)
{
    static const char *const names[] = {"__name__", "__qualname__", "__module__", "__doc__"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        PyObject *value = hst_python.PyObject_GetAttrString(function, names[i]);
        if (value == NULL)
            continue;
        (void)hst_python.PyObject_SetAttrString(hidden, names[i], value);
        hst_python.Py_DecRef(value);
    }
}

static void hide(PyObject *sys, PyObject *partial)
{
    PyObject *function = hst_python.PySys_GetObject("setprofile"); /* borrowed */
    if (function == NULL || hst_py_type(function) != hst_python.PyCFunction_Type)
        return;
    PyObject *hidden = hst_python.PyObject_CallFunction(partial, "O", function);
    if (hidden == NULL)
        return;
    look_alike(hidden, function);
    (void)hst_python.PyObject_SetAttrString(sys, "setprofile", hidden);
    hst_python.Py_DecRef(hidden);
}

void hst_setprofile_hide(void)
{
    PyObject *sys = hst_python.PyImport_ImportModule("sys");
    PyObject *functools = hst_python.PyImport_ImportModule("_functools");
    PyObject *partial = functools != NULL ? hst_python.PyObject_GetAttrString(functools, "partial") : NULL;
    if (sys != NULL && partial != NULL)
        hide(sys, partial);
    PyObject *held[] = {sys, functools, partial};
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        if (held[i] != NULL)
            hst_python.Py_DecRef(held[i]);
    hst_python.PyErr_Clear();
}
