/* What the extension module calls of the interpreter beyond what tracing needs (python.h), found by name too;
 * and the structures that CPython's API has a module fill in, which are the same in every version but for the
 * head of an object. */
#ifndef HST_AGENT_API_H
#define HST_AGENT_API_H

#include "agent/python.h"

#define HST_API_FUNCTIONS(X)                                                                                 \
    X(PyObject *, PyModuleDef_Init, (void *))                                                                \
    X(void *, PyModule_GetState, (PyObject *))                                                               \
    X(int, PyModule_AddObject, (PyObject *, const char *, PyObject *))                                       \
    X(PyObject *, PyType_FromSpec, (struct hst_py_spec *))                                                   \
    X(PyObject *, PyType_GenericAlloc, (PyObject *, ssize_t))                                                \
    X(void, PyObject_Free, (void *))                                                                         \
    X(void, PyObject_GC_UnTrack, (void *))                                                                   \
    X(void, PyObject_GC_Del, (void *))                                                                       \
    X(void, PyObject_ClearWeakRefs, (PyObject *))                                                            \
    X(PyObject *, PyObject_GenericGetDict, (PyObject *, void *))                                             \
    X(int, PyObject_GenericSetDict, (PyObject *, PyObject *, void *))                                        \
    X(PyObject *, PyObject_Call, (PyObject *, PyObject *, PyObject *))                                       \
    X(PyObject *, PyVectorcall_Call, (PyObject *, PyObject *, PyObject *))                                   \
    X(PyObject *, PyMethod_New, (PyObject *, PyObject *))                                                    \
    X(int, PyArg_ParseTuple, (PyObject *, const char *, ...))                                                \
    X(PyObject *, Py_BuildValue, (const char *, ...))                                                        \
    X(PyObject *, PyTuple_New, (ssize_t))                                                                    \
    X(int, PyTuple_SetItem, (PyObject *, ssize_t, PyObject *))                                               \
    X(PyObject *, PyTuple_GetItem, (PyObject *, ssize_t))                                                    \
    X(ssize_t, PyTuple_Size, (PyObject *))                                                                   \
    X(int, PyDict_SetItem, (PyObject *, PyObject *, PyObject *))                                             \
    X(int, PyCallable_Check, (PyObject *))                                                                   \
    X(double, PyFloat_AsDouble, (PyObject *))                                                                \
    X(PyObject *, PyFloat_FromDouble, (double))                                                              \
    X(long long, PyLong_AsLongLongAndOverflow, (PyObject *, int *))                                          \
    X(unsigned long long, PyLong_AsUnsignedLongLong, (PyObject *))                                           \
    X(PyObject *, PyLong_FromLongLong, (long long))                                                          \
    X(PyObject *, PyLong_FromUnsignedLongLong, (unsigned long long))                                         \
    X(PyObject *, PyErr_NoMemory, (void))                                                                    \
    X(void, PyErr_SetString, (PyObject *, const char *))                                                     \
    X(PyObject *, PyErr_Format, (PyObject *, const char *, ...))                                             \
    X(int, PyErr_WarnEx, (PyObject *, const char *, ssize_t))
#define HST_API_OBJECTS(X) X(PyFloat_Type)
/* Variables that hold an object. */
#define HST_API_EXCEPTIONS(X)                                                                                \
    X(PyExc_TypeError)                                                                                       \
    X(PyExc_ValueError)                                                                                      \
    X(PyExc_OSError)                                                                                         \
    X(PyExc_RuntimeWarning)

typedef PyObject *hst_py_vectorcall(PyObject *callable, PyObject *const *arguments, size_t count,
                                    PyObject *names);
struct hst_py_slot {
    int slot;
    void *value;
};
struct hst_py_spec {
    const char *name;
    int basicsize, itemsize;
    unsigned flags;
    struct hst_py_slot *slots;
};
struct hst_py_member {
    const char *name;
    int type;
    ssize_t offset;
    int flags;
    const char *doc;
};
struct hst_py_getset {
    const char *name;
    PyObject *(*get)(PyObject *self, void *data);
    int (*set)(PyObject *self, PyObject *value, void *data);
    const char *doc;
    void *data;
};
enum {
    HST_PY_METH_VARARGS = 0x1,
    HST_PY_METH_NOARGS = 0x4,
    HST_PY_T_OBJECT = 6,
    HST_PY_T_OBJECT_EX = 16,
    HST_PY_T_PYSSIZET = 19,
    HST_PY_READONLY = 1,
};
enum hst_py_slot_number {
    HST_PY_TP_CALL = 50,
    HST_PY_TP_CLEAR = 51,
    HST_PY_TP_DEALLOC = 52,
    HST_PY_TP_DESCR_GET = 54,
    HST_PY_TP_DOC = 56,
    HST_PY_TP_METHODS = 64,
    HST_PY_TP_NEW = 65,
    HST_PY_TP_TRAVERSE = 71,
    HST_PY_TP_MEMBERS = 72,
    HST_PY_TP_GETSET = 73,
};
#define HST_PY_FLAGS_DEFAULT (1u << 18)
#define HST_PY_FLAGS_HAVE_GC (1u << 14)
#define HST_PY_FLAGS_VECTORCALL (1u << 11)
#define HST_PY_FLAGS_LONG_SUBCLASS (1u << 24)
#define HST_PY_FLAGS_METHOD_DESCRIPTOR (1u << 17)

struct hst_api {
#define HST_API_MEMBER(result, name, arguments) result(*name) arguments; /* NOLINT: a declaration */
    HST_API_FUNCTIONS(HST_API_MEMBER)
#undef HST_API_MEMBER
#define HST_API_MEMBER(name) PyObject *name;
    HST_API_OBJECTS(HST_API_MEMBER)
    HST_API_EXCEPTIONS(HST_API_MEMBER)
#undef HST_API_MEMBER
    size_t head;       /* bytes before an object's own fields */
    int free_threaded; /* no lock: what threads share is changed by atomic operations */
    int count_none;    /* None has a count of references: before 3.12 */
};
extern struct hst_api hst_api;

/* After hst_python_find. 0: something is missing. */
int hst_api_find(void);

/* An object's own fields. */
static inline void *hst_py_body(PyObject *object) { return (char *)object + hst_api.head; }
/* A new reference to None. */
static inline PyObject *hst_py_new_none(void)
{
    PyObject *none = hst_python._Py_NoneStruct;
    if (hst_api.count_none)
        ++*(ssize_t *)(void *)none;
    return none;
}
static inline unsigned long hst_py_type_flags(const PyObject *type)
{
    return (unsigned long)hst_py_word(type, hst_python.abi.type_flags);
}
/* A function as the void pointer that a slot wants. */
static inline struct hst_py_slot hst_py_slot(int number, void *value)
{
    return (struct hst_py_slot){number, value};
}
#define HST_PY_SLOT(number, function) hst_py_slot(number, (void *)(uintptr_t)(function))

#endif
