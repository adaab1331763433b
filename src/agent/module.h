/* The agent as the extension module hasten._agent: what an interpreter that imported it has of it. */
#ifndef HST_AGENT_MODULE_H
#define HST_AGENT_MODULE_H

#include "agent/api.h"

/* Of each interpreter: types are not shared. */
struct hst_module {
    PyObject *types[8]; /* by enum hst_cell_type (cells.h) */
    PyObject *timed;    /* the type of decorated functions (timed.c) */
};

/* The module's own file of functions; ends with an empty row. */
extern struct hst_py_method hst_module_methods[];

/* Adds a name to the module, which takes the reference over. 0: an exception is set. */
int hst_module_add(PyObject *module, const char *name, PyObject *value);

#endif
