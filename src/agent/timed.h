/* A function -> one that counts or times its calls, at the cost of some nanoseconds. */
#ifndef HST_AGENT_TIMED_H
#define HST_AGENT_TIMED_H

#include "agent/module.h"

int hst_timed_type_add(PyObject *module);
/* _wrap(function, series): what the series is says what is done: a Histogram times, a Counter counts, a
 * Frequency ticks. */
PyObject *hst_timed_wrap(PyObject *module, PyObject *arguments);

#endif
