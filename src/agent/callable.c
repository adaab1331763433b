/* Which callables are functions of C, and what each is known by. */
#include "agent/backend.h"

#define TYPE_IS_HEAP (UINT64_C(1) << 9) /* Py_TPFLAGS_HEAPTYPE, in every version */

/* All bound methods of one C function are one: its PyMethodDef, which lives as long as its module.  Classes
 * that are written in Python are seen by what they call. */
const void *hst_callable_key(PyObject *callable)
{
    PyObject *type = hst_py_type(callable);
    if (type == hst_python.PyFunction_Type)
        return NULL;
    if (type == hst_python.PyCFunction_Type || type == hst_python.PyCMethod_Type)
        return hst_py_method_of_function(callable);
    if (type == hst_python.PyMethodDescr_Type || type == hst_python.PyClassMethodDescr_Type)
        return hst_py_method_of_descriptor(callable);
    if (type == hst_python.PyType_Type)
        return (hst_py_word(callable, hst_python.abi.type_flags) & TYPE_IS_HEAP) == 0 ? callable : NULL;
    return type == hst_python.PyWrapperDescr_Type ? callable : NULL;
}
