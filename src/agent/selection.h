/* Which code objects are to be looked at line by line: rules, one a line of a text, written by hasten (or
 * made by the program itself through @profile).
 *
 *   exact\tFILE\tLINE        the function that begins there
 *   name\tFILE-END\tGLOB     functions whose (qualified) name matches, in files that end so ("" = any)
 *   below\tFOLDER            all code of files below a folder, but not of libraries in it
 */
#ifndef HST_AGENT_SELECTION_H
#define HST_AGENT_SELECTION_H

#include "agent/python.h"

/* Grows when something is chosen that was not before. */
extern unsigned hst_selection_version;

/* Reads the rules of a file; 0: it cannot be read. */
int hst_selection_read(const char *path);
/* Chooses one code object by itself. */
void hst_selection_add(PyObject *code);
/* The code object of a function, a method, a static or class method, a property's getter, or what wraps one
 * (__wrapped__); NULL when there is none, without an exception. The caller's to Py_DecRef. */
PyObject *hst_code_of_callable(PyObject *callable);
/* Whether a rule chooses it. May ask the interpreter for names; keeps an exception that is set. */
int hst_selection_has(PyObject *code);
/* Whether there is any rule: else only what was added is chosen. */
int hst_selection_has_rules(void);

#endif
