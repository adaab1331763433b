/* What was called -> its row in the arena, made when it is met first.  Keeps a reference to every code object
 * it has met, so that an address never becomes another function's. */
#ifndef HST_AGENT_FUNCTIONS_H
#define HST_AGENT_FUNCTIONS_H

#include "agent/python.h"
#include "event/agent_map.h"

/* Slot of the function's row; 0 when there is no room.  May run Python's own code for reading attributes; an
 * exception that is set stays set. */
uint32_t hst_functions_code(PyObject *code, uint32_t *ret_flags);
/* The same of a callable of C, known by its key (tracer.h). */
uint32_t hst_functions_callable(const void *key, PyObject *callable, uint32_t *ret_flags);
/* A row that is no function's, by its name. */
uint32_t hst_functions_named(uint64_t key, const char *name);
/* Its slot, if it was made; else 0. */
uint32_t hst_functions_find(uint64_t key);
/* In a child after fork, whose arena is empty: all is met anew, but for what is copied. */
void hst_functions_forget(void);
/* Before an arena that is empty, in the same process. */
void hst_functions_release(void);
/* A row of the old arena into the new one; 0 when there is no room. */
uint32_t hst_functions_copy(uint64_t key, const struct hst_agent_function *row);

#endif
