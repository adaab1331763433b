/* Series as objects of Python: one type a kind of cell, whose methods go straight to the cell. */
#ifndef HST_AGENT_CELL_TYPES_H
#define HST_AGENT_CELL_TYPES_H

#include "agent/module.h"
#include "event/counter_map.h"

enum hst_cell_type {
    HST_CELL_COUNTER,
    HST_CELL_TOTAL,
    HST_CELL_GAUGE,
    HST_CELL_FREQUENCY,
    HST_CELL_WINDOW,
    HST_CELL_HISTOGRAM,
    HST_CELL_TYPE_COUNT
};
/* Behind the head. */
struct hst_cell_object {
    void *cell;
    PyObject *name, *labels;
    PyObject *more; /* whatever counters.py wants to keep with it */
    int kind;       /* enum hst_counter_kind */
};

/* Makes the types of an interpreter and adds them to its module. 0: an exception is set. */
int hst_cell_types_add(PyObject *module);
/* _make(kind, name, labels as text, help, unit, window in s, labels) -> a series. */
PyObject *hst_cell_make(PyObject *module, PyObject *arguments);

#endif
