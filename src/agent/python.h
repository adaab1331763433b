/* The interpreter that the agent lives in, without its headers: functions found by name at run time, and the
 * few structures whose fields are read directly, through the layouts of src/pyabi. */
#ifndef HST_AGENT_PYTHON_H
#define HST_AGENT_PYTHON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pyabi/abi.h"

typedef struct hst_py_object PyObject; /* never looked into but through hst_python.abi */
typedef PyObject *hst_py_fastcall(PyObject *self, PyObject *const *arguments, ssize_t count);
typedef int hst_py_profile(PyObject *self, PyObject *frame, int what, PyObject *argument);
typedef PyObject *hst_py_evaluate(void *tstate, void *frame, int throwing);
typedef int hst_py_audit(const char *event, PyObject *arguments, void *data);

/* As CPython declares it, since 3.0. */
struct hst_py_method {
    const char *name;
    hst_py_fastcall *function;
    int flags;
    const char *doc;
};
enum { HST_PY_METH_FASTCALL = 0x80, HST_PY_METH_O = 0x8 };

/* Functions that every version has. */
#define HST_PY_FUNCTIONS(X)                                                                                  \
    X(const char *, Py_GetVersion, (void))                                                                   \
    X(int, Py_IsInitialized, (void))                                                                         \
    X(void, Py_IncRef, (PyObject *))                                                                         \
    X(void, Py_DecRef, (PyObject *))                                                                         \
    X(int, PySys_AddAuditHook, (hst_py_audit *, void *))                                                     \
    X(PyObject *, PySys_GetObject, (const char *))                                                           \
    X(PyObject *, PyImport_ImportModule, (const char *))                                                     \
    X(PyObject *, PyObject_GetAttrString, (PyObject *, const char *))                                        \
    X(PyObject *, PyObject_Repr, (PyObject *))                                                               \
    X(PyObject *, PyObject_CallFunction, (PyObject *, const char *, ...))                                    \
    X(PyObject *, PyObject_CallMethod, (PyObject *, const char *, const char *, ...))                        \
    X(const char *, PyUnicode_AsUTF8AndSize, (PyObject *, ssize_t *))                                        \
    X(long, PyLong_AsLong, (PyObject *))                                                                     \
    X(PyObject *, PyCFunction_NewEx, (struct hst_py_method *, PyObject *, PyObject *))                       \
    X(PyObject *, PyDict_New, (void))                                                                        \
    X(PyObject *, PyDict_GetItem, (PyObject *, PyObject *))                                                  \
    X(PyObject *, PyDict_GetItemString, (PyObject *, const char *))                                          \
    X(PyObject *, PyEval_GetBuiltins, (void))                                                                \
    X(PyObject *, PyErr_Occurred, (void))                                                                    \
    X(void, PyErr_Clear, (void))                                                                             \
    X(void, PyErr_Fetch, (PyObject **, PyObject **, PyObject **))                                            \
    X(void, PyErr_Restore, (PyObject *, PyObject *, PyObject *))                                             \
    X(PyObject *, PyRun_String, (const char *, int, PyObject *, PyObject *))                                 \
    X(int, PyDict_SetItemString, (PyObject *, const char *, PyObject *))                                     \
    X(int, PyObject_SetAttrString, (PyObject *, const char *, PyObject *))                                   \
    X(void, PyEval_SetTrace, (hst_py_profile *, PyObject *))                                                 \
    X(void, PyEval_SetProfile, (hst_py_profile *, PyObject *))                                               \
    X(PyObject *, PyEval_GetFrame, (void))                                                                   \
    X(int, Py_AddPendingCall, (int (*)(void *), void *))                                                     \
    X(void *, PyThreadState_Get, (void))                                                                     \
    X(void *, PyThreadState_Swap, (void *))                                                                  \
    X(void *, PyThreadState_Next, (void *))                                                                  \
    X(void *, PyInterpreterState_ThreadHead, (void *))                                                       \
    X(int64_t, PyInterpreterState_GetID, (void *))
/* Objects. */
#define HST_PY_OBJECTS(X)                                                                                    \
    X(_Py_NoneStruct)                                                                                        \
    X(PyFunction_Type)                                                                                       \
    X(PyMethod_Type)                                                                                         \
    X(PyCFunction_Type)                                                                                      \
    X(PyMethodDescr_Type)                                                                                    \
    X(PyClassMethodDescr_Type)                                                                               \
    X(PyWrapperDescr_Type)                                                                                   \
    X(PyDict_Type)                                                                                           \
    X(PyModule_Type)                                                                                         \
    X(PyType_Type)                                                                                           \
    X(_PyRuntime)

struct hst_python {
#define HST_PY_MEMBER(result, name, arguments) result(*name) arguments; /* NOLINT: a declaration */
    HST_PY_FUNCTIONS(HST_PY_MEMBER)
#undef HST_PY_MEMBER
#define HST_PY_MEMBER(name) PyObject *name;
    HST_PY_OBJECTS(HST_PY_MEMBER)
#undef HST_PY_MEMBER
    /* May be NULL, by version. */
    PyObject *PyCMethod_Type;                                                                   /* 3.9 */
    int (*set_profile_of)(void *tstate, hst_py_profile *function, PyObject *);                  /* 3.9 */
    int (*set_trace_of)(void *tstate, hst_py_profile *function, PyObject *);                    /* 3.9 */
    hst_py_evaluate *_PyEval_EvalFrameDefault;                                                  /* 3.9 */
    void (*_PyInterpreterState_SetEvalFrameFunc)(void *interpreter, hst_py_evaluate *function); /* 3.9 */
    hst_py_evaluate *(*_PyInterpreterState_GetEvalFrameFunc)(void *interpreter);                /* 3.9 */
    struct hst_abi abi;
    char version[64]; /* "CPython 3.13.0 free-threaded" */
};

extern struct hst_python hst_python;

/* Finds everything; 0 when this program has no CPython that can be traced, with *ret_why for people. */
int hst_python_find(const char **ret_why);

static inline uint64_t hst_py_word(const void *object, size_t offset)
{
    return *(const uint64_t *)(const void *)((const char *)object + offset);
}
static inline void *hst_py_pointer(const void *object, size_t offset)
{
    return *(void *const *)(const void *)((const char *)object + offset);
}
static inline PyObject *hst_py_type(const PyObject *object)
{
    return hst_py_pointer(object, hst_python.abi.object_type);
}
/* A C function and a method of a C type lead to a PyMethodDef: behind the head of the object, and behind
 * type, name and qualified name.  So in every version. */
static inline struct hst_py_method *hst_py_method_of_function(const PyObject *function)
{
    return hst_py_pointer(function, hst_python.abi.object_size);
}
static inline PyObject *hst_py_self_of_function(const PyObject *function)
{
    return hst_py_pointer(function, hst_python.abi.object_size + 8);
}
/* PyMethodObject: likewise. */
static inline PyObject *hst_py_function_of_method(const PyObject *method)
{
    return hst_py_pointer(method, hst_python.abi.object_size);
}
static inline struct hst_py_method *hst_py_method_of_descriptor(const PyObject *descriptor)
{
    return hst_py_pointer(descriptor, hst_python.abi.object_size + 24);
}
/* The frame that the calling thread runs in, from 3.12 on; it names a generator for as long as that lives. */
static inline const void *hst_py_frame_now(void)
{
    const struct hst_abi *abi = &hst_python.abi;
    const void *tstate = hst_python.PyThreadState_Get();
    return abi->minor == 12
               ? hst_py_pointer(hst_py_pointer(tstate, abi->tstate_cframe), abi->cframe_current_frame)
               : hst_py_pointer(tstate, abi->tstate_frame);
}
static inline PyObject *hst_py_none(void) { return hst_python._Py_NoneStruct; }

#endif
