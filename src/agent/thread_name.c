/* Python's own name of a thread: of the Thread object that its outermost function was called with.  The
 * system knows the names only from 3.14 on. */
#include <stdio.h>
#include <string.h>

#include "agent/frame.h"
#include "agent/tracer.h"

static int is_bootstrap(PyObject *code)
{
    ssize_t length = 0;
    PyObject *name = hst_python.PyObject_GetAttrString(code, "co_name");
    const char *text = name != NULL ? hst_python.PyUnicode_AsUTF8AndSize(name, &length) : NULL;
    int found = text != NULL && strcmp(text, "_bootstrap") == 0;
    if (name != NULL)
        hst_python.Py_DecRef(name);
    return found;
}

static void copy_name(PyObject *thread_object, struct hst_agent_thread *thread)
{
    ssize_t length = 0;
    PyObject *name = hst_python.PyObject_GetAttrString(thread_object, "_name");
    const char *text = name != NULL ? hst_python.PyUnicode_AsUTF8AndSize(name, &length) : NULL;
    if (text != NULL && length > 0)
        (void)snprintf(thread->name, sizeof thread->name, "%s", text);
    if (name != NULL)
        hst_python.Py_DecRef(name);
}

void hst_tracer_name(struct hst_tracer *tracer)
{
    const struct hst_abi *abi = &hst_python.abi;
    const void *frame = hst_frame_outermost();
    PyObject *code = frame != NULL ? hst_frame_code_of_any(frame) : NULL, *type, *value, *traceback;
    if (code == NULL)
        return;
    tracer->busy = 1;
    hst_python.PyErr_Fetch(&type, &value, &traceback);
    uint64_t first = is_bootstrap(code) ? hst_py_word(frame, abi->frame_localsplus) : 0;
    if (abi->minor >= 14)
        first &= ~UINT64_C(7);
    if (first != 0)
        copy_name((PyObject *)(uintptr_t)first, tracer->thread);
    hst_python.PyErr_Clear();
    hst_python.PyErr_Restore(type, value, traceback);
    tracer->busy = 0;
}
