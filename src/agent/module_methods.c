/* The functions of hasten._agent. */
#include "agent/backend.h"
#include "agent/cell_types.h"
#include "agent/counters.h"
#include "agent/measure.h"
#include "agent/preload.h"
#include "agent/selection.h"
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

/* --- measuring --- */

/* As in the environment of a preloaded agent (order.h). */
static PyObject *measure_begin(PyObject *module, PyObject *text)
{
    ssize_t bytes;
    struct hst_agent_order order;
    const char *words = hst_python.PyUnicode_AsUTF8AndSize(text, &bytes), *why = "";
    (void)module;
    if (words == NULL)
        return NULL;
    if (!hst_agent_order_read(words, &order))
        return hst_api.PyErr_Format(hst_api.PyExc_ValueError,
                                    "hasten and its command are of different versions");
    if (hst_preload_listen() && hst_measure_begin(&order, 0, &why))
        return hst_py_new_none();
    return hst_api.PyErr_Format(hst_api.PyExc_OSError, "%s", why);
}

static PyObject *measure_end(PyObject *module, PyObject *ignored)
{
    (void)module, (void)ignored;
    hst_measure_end();
    return hst_py_new_none();
}

static PyObject *pause(PyObject *module, PyObject *ignored)
{
    (void)module, (void)ignored;
    return hst_api.Py_BuildValue("i", hst_measure_pause());
}

static PyObject *resume(PyObject *module, PyObject *ignored)
{
    (void)module, (void)ignored;
    return hst_api.Py_BuildValue("i", hst_measure_resume());
}

/* What is measured ("calls", "lines" or nothing), whether it is under way, and whether it was ordered from
 * outside. */
static PyObject *measure_state(PyObject *module, PyObject *ignored)
{
    enum hst_measure_state state = hst_measure_state();
    (void)module, (void)ignored;
    return hst_api.Py_BuildValue("sii",
                                 state == HST_MEASURE_OFF     ? ""
                                 : hst_measure_order()->lines ? "lines"
                                                              : "calls",
                                 state == HST_MEASURE_ON, state != HST_MEASURE_OFF && hst_measure_early());
}

/* Whether it has code whose lines can be measured. */
static PyObject *choose(PyObject *module, PyObject *function)
{
    PyObject *code = hst_code_of_callable(function);
    (void)module;
    if (code != NULL) {
        hst_line_choose(code);
        hst_python.Py_DecRef(code);
    }
    return hst_api.Py_BuildValue("i", code != NULL);
}

static int are_lines_measured(void)
{
    return hst_measure_state() == HST_MEASURE_ON && hst_measure_order()->lines;
}

/* 1; 0: no line is measured in this process; -1: another tool has the thread's trace function. */
static PyObject *enter(PyObject *module, PyObject *ignored)
{
    (void)module, (void)ignored;
    return hst_api.Py_BuildValue("i", !are_lines_measured() ? 0 : hst_measure_enter() ? 1 : -1);
}

static PyObject *leave(PyObject *module, PyObject *ignored)
{
    (void)module, (void)ignored;
    if (are_lines_measured())
        hst_measure_leave();
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
    METHOD("_begin", measure_begin, HST_PY_METH_O, NULL),
    METHOD("_end", measure_end, HST_PY_METH_NOARGS, NULL),
    METHOD("_pause", pause, HST_PY_METH_NOARGS, NULL),
    METHOD("_resume", resume, HST_PY_METH_NOARGS, NULL),
    METHOD("_state", measure_state, HST_PY_METH_NOARGS, NULL),
    METHOD("_choose", choose, HST_PY_METH_O, NULL),
    METHOD("_enter", enter, HST_PY_METH_NOARGS, NULL),
    METHOD("_leave", leave, HST_PY_METH_NOARGS, NULL),
    {NULL, NULL, 0, NULL},
};
