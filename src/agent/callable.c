/* Which callables are functions of C, and what each is known by. */
#include "agent/backend.h"

#define TYPE_IS_HEAP (UINT64_C(1) << 9) /* Py_TPFLAGS_HEAPTYPE, in every version */

/* The one PyMethodDef of every __new__, which says nothing about whose it is. */
static const struct hst_py_method *method_of_new;

void hst_callable_find_new(void)
{
    PyObject *function = hst_python.PyObject_GetAttrString(hst_python.PyType_Type, "__new__");
    if (function != NULL && hst_py_type(function) == hst_python.PyCFunction_Type)
        method_of_new = hst_py_method_of_function(function);
    if (function != NULL)
        hst_python.Py_DecRef(function);
    hst_python.PyErr_Clear();
}

/* All bound methods of one C function are one: its PyMethodDef, which lives as long as its module.  Classes
 * that are written in Python are seen by what they call. */
const void *hst_callable_key(PyObject *callable)
{
    PyObject *type = hst_py_type(callable);
    if (type == hst_python.PyFunction_Type)
        return NULL;
    if (type == hst_python.PyCFunction_Type || type == hst_python.PyCMethod_Type) {
        const struct hst_py_method *method = hst_py_method_of_function(callable);
        return method != method_of_new ? (const void *)method : callable;
    }
    if (type == hst_python.PyMethodDescr_Type || type == hst_python.PyClassMethodDescr_Type)
        return hst_py_method_of_descriptor(callable);
    if (type == hst_python.PyType_Type)
        return (hst_py_word(callable, hst_python.abi.type_flags) & TYPE_IS_HEAP) == 0 ? callable : NULL;
    return type == hst_python.PyWrapperDescr_Type ? callable : NULL;
}
