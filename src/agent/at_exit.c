/* By a function that atexit calls after all of the program's own. */
#include "agent/at_exit.h"

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include "agent/hand.h"

static int watcher;

/* What the program has started does not stop: nobody would let it go on. Nor does the program when the one
 * that watches is gone. */
static PyObject *stop(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self;
    (void)arguments;
    (void)count;
    if (getppid() == watcher)
        (void)kill(getpid(), SIGSTOP);
    PyObject *none = hst_py_none();
    hst_python.Py_IncRef(none);
    return none;
}

static struct hst_py_method stop_method = {"stop", stop, HST_PY_METH_FASTCALL,
                                           "stands still for hasten heap"};

void hst_at_exit_stop_for(int pid)
{
    const char *why;
    watcher = pid;
    if (hst_python_find(&why))
        hst_hand_to_exit(&stop_method);
}
