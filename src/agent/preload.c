/* Where the agent begins when it is preloaded into a program (LD_PRELOAD): it waits for a Python to be about
 * to run, and then measures as it was ordered to.  In any other program it does nothing.  Whatever goes wrong
 * is written into the arena for hasten to say; the program never notices. */
#include "agent/preload.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "agent/at_exit.h"
#include "agent/measure.h"

static struct hst_agent_order order;
static int waits; /* for the program to begin */

/* The interpreter tells when it is about to run the program, with its lock held. */
static int on_audit(const char *event, PyObject *arguments, void *data)
{
    (void)data;
    if (waits && strncmp(event, "cpython.run_", 12) == 0) {
        const char *why;
        waits = 0; /* before anything runs that is audited itself */
        if (order.stop_for != 0)
            hst_at_exit_stop_for(order.stop_for);
        else
            (void)hst_measure_begin(&order, 1, &why);
    } else {
        hst_measure_audit(event, arguments);
    }
    return 0;
}

int hst_preload_listen(void)
{
    static int listens;
    int (*add_hook)(hst_py_audit *, void *);
    void *found = dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
    if (listens || found == NULL)
        return listens;
    memcpy(&add_hook, &found, sizeof add_hook);
    listens = add_hook(on_audit, NULL) == 0;
    (void)pthread_atfork(hst_measure_forking, NULL, hst_measure_forked);
    return listens;
}

__attribute__((constructor)) static void loaded(void)
{
    waits = hst_agent_order_read(getenv(HST_AGENT_VARIABLE), &order);
    if (waits)
        (void)hst_preload_listen(); /* else there is no Python of 3.8 or later in this program */
}

__attribute__((destructor)) static void unloaded(void) { hst_measure_exit(); }
