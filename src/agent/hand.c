/* By the interpreter's own modules. */
#include "agent/hand.h"

#include <stddef.h>

static void release(PyObject *object)
{
    if (object != NULL)
        hst_python.Py_DecRef(object);
}

void hst_hand_to_builtins(struct hst_py_method *method)
{
    PyObject *builtins = hst_python.PyImport_ImportModule("builtins");
    PyObject *function = hst_python.PyCFunction_NewEx(method, NULL, NULL);
    if (builtins != NULL && function != NULL)
        (void)hst_python.PyObject_SetAttrString(builtins, method->name, function);
    release(builtins);
    release(function);
    hst_python.PyErr_Clear();
}

void hst_hand_to_signal(struct hst_py_method *method, int number)
{
    PyObject *module = hst_python.PyImport_ImportModule("_signal");
    PyObject *function = hst_python.PyCFunction_NewEx(method, NULL, NULL);
    if (module != NULL && function != NULL)
        release(hst_python.PyObject_CallMethod(module, "signal", "iO", number, function));
    release(module);
    release(function);
    hst_python.PyErr_Clear();
}

void hst_hand_to_exit(struct hst_py_method *method)
{
    PyObject *module = hst_python.PyImport_ImportModule("atexit");
    PyObject *function = hst_python.PyCFunction_NewEx(method, NULL, NULL);
    if (module != NULL && function != NULL)
        release(hst_python.PyObject_CallMethod(module, "register", "O", function));
    release(module);
    release(function);
    hst_python.PyErr_Clear();
}
