/* The functions of hasten._agent. */
#include "agent/cell_types.h"
#include "agent/counters.h"
#include "agent/timed.h"
#include "count/fold.h"

static PyObject *set_service(PyObject *module, PyObject *name)
{
    ssize_t bytes;
    (void)module;
    const char *text = hst_python.PyUnicode_AsUTF8AndSize(name, &bytes);
    if (text == NULL)
        return NULL;
    if (bytes == 0 || bytes >= (ssize_t)HST_COUNTER_SERVICE_BYTES || strlen(text) != (size_t)bytes) {
        (void)hst_api.PyErr_Format(hst_api.PyExc_ValueError,
                                   "a service's name is 1 to %d bytes long, without a zero byte",
                                   (int)HST_COUNTER_SERVICE_BYTES - 1);
        return NULL;
    }
    hst_counters_set_service(text);
    return hst_py_new_none();
}

static PyObject *path(PyObject *module, PyObject *ignored)
{
    (void)module, (void)ignored;
    return hst_api.Py_BuildValue("s", hst_counters_path());
}

/* A child of fork begins at 0, in a file of its own. */
static PyObject *forked(PyObject *module, PyObject *ignored)
{
    (void)module, (void)ignored;
    hst_counters_forked();
    return hst_py_new_none();
}

/* Puts what dead processes counted together; whoever is at it already goes on alone. */
static PyObject *fold(PyObject *module, PyObject *ignored)
{
    char folder[512];
    (void)module, (void)ignored;
    if (hst_counter_folder(folder, sizeof folder, 0))
        hst_counter_fold(folder, 0);
    return hst_py_new_none();
}

#define METHOD(name, function, flags, doc)                                                                   \
    {                                                                                                        \
        name, (hst_py_fastcall *)(void (*)(void))(function), flags, doc                                      \
    }
struct hst_py_method hst_module_methods[] = {
    METHOD("_make", hst_cell_make, HST_PY_METH_VARARGS, NULL),
    METHOD("_wrap", hst_timed_wrap, HST_PY_METH_VARARGS, NULL),
    METHOD("_set_service", set_service, HST_PY_METH_O, NULL),
    METHOD("_path", path, HST_PY_METH_NOARGS, NULL),
    METHOD("_forked", forked, HST_PY_METH_NOARGS, NULL),
    METHOD("_fold", fold, HST_PY_METH_NOARGS, NULL),
    {NULL, NULL, 0, NULL},
};
