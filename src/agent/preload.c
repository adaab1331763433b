/* Where the agent begins: preloaded into a program (LD_PRELOAD), it waits for a Python to be about to run,
 * and then arms the tracer as it was ordered to.  In any other program it does nothing.  Whatever goes wrong
 * is written into the header for hasten to say; the program never notices. */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend.h"
#include "agent/calibrate.h"
#include "agent/order.h"
#include "agent/tracer.h"

enum { INTERPRETERS_MAX = 1 << 14 };

static struct hst_agent_order order;
static int armed; /* at least one interpreter */

static void fail(const char *why)
{
    if (hst_arena_base == NULL)
        return;
    (void)snprintf(hst_arena_header()->failure, sizeof hst_arena_header()->failure, "%s", why);
    hst_arena_header()->state = HST_AGENT_FAILED;
}

/* The arguments of the process, joined by spaces. */
static void read_command(char *into, size_t size)
{
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t length = file != NULL ? fread(into, 1, size - 1, file) : 0;
    if (file != NULL)
        (void)fclose(file);
    for (size_t i = 0; i + 1 < length; i++)
        if (into[i] == '\0')
            into[i] = ' ';
    into[length] = '\0';
}

static void fill_header(enum hst_agent_backend backend)
{
    struct hst_agent_header *header = hst_arena_header();
    if (order.clock < 0)
        hst_ticks_init();
    else
        hst_ticks_are_tsc = order.clock == HST_AGENT_CLOCK_TSC; /* a chroot may not show it */
    header->clock = hst_ticks_are_tsc ? HST_AGENT_CLOCK_TSC : HST_AGENT_CLOCK_SYSTEM;
    header->backend = backend;
    header->python_only = (uint32_t)order.python_only;
    (void)snprintf(header->interpreter, sizeof header->interpreter, "%s", hst_python.version);
    read_command(header->command, sizeof header->command);
    ssize_t length = readlink("/proc/self/exe", header->executable, sizeof header->executable - 1);
    header->executable[length > 0 ? length : 0] = '\0';
    header->start_ticks = hst_ticks();
    header->start_ns = hst_now_ns();
}

struct backend {
    enum hst_agent_backend id;
    unsigned oldest, newest; /* minor versions */
    int (*arm)(int python_only);
    void (*disarm)(void);
};
static const struct backend backends[] = {
    {HST_AGENT_BACKEND_MONITORING, 12, UINT_MAX, hst_monitoring_arm, hst_monitoring_disarm},
    {HST_AGENT_BACKEND_PROFILE, 8, 11, hst_profile_hook_arm, hst_profile_hook_disarm},
};

/* The one that was ordered, else the first that this version has. */
static const struct backend *choose_backend(void)
{
    unsigned minor = hst_python.abi.minor;
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++)
        if (minor >= backends[i].oldest && minor <= backends[i].newest &&
            (order.backend == HST_AGENT_BACKEND_NONE || order.backend == backends[i].id))
            return &backends[i];
    return NULL;
}

static void begin(void)
{
    const char *why = "";
    if (!hst_arena_open(order.folder))
        return;
    if (!hst_python_find(&why)) {
        fail(why);
        return;
    }
    const struct backend *backend = choose_backend();
    if (backend == NULL) {
        fail("this version of Python has no such backend");
        return;
    }
    fill_header(backend->id);
    hst_tracer_phase = HST_TRACER_ON;
    (void)hst_calibrate(backend->arm, backend->disarm, order.python_only);
    if (!backend->arm(order.python_only)) {
        fail("the hook could not be had: another tool holds it");
        return;
    }
    hst_arena_header()->state = HST_AGENT_TRACING;
}

/* Interpreters within the process are met as they begin, with nothing of theirs running yet: so all that they
 * ever enter is seen to be entered. */
static void arm_sub_interpreter(void)
{
    static uint64_t met[INTERPRETERS_MAX / 64];
    void *interpreter = hst_py_pointer(hst_python.PyThreadState_Get(), hst_python.abi.tstate_interp);
    int64_t id = hst_python.PyInterpreterState_GetID(interpreter);
    if (id <= 0 || id >= INTERPRETERS_MAX)
        return;
    uint64_t bit = UINT64_C(1) << (id % 64), *word = &met[id / 64];
    if ((__atomic_load_n(word, __ATOMIC_RELAXED) & bit) != 0 || hst_python.PyEval_GetFrame() != NULL)
        return;
    (void)__atomic_fetch_or(word, bit, __ATOMIC_RELAXED); /* what arming does is audited too */
    if (!choose_backend()->arm(order.python_only))
        (void)__atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED); /* too early: it has no sys yet */
}

/* What an interpreter is told to do early, by the thread that makes it. */
static int is_early(const char *event)
{
    return strcmp(event, "marshal.loads") == 0 || strcmp(event, "open") == 0 ||
           strcmp(event, "import") == 0 || strcmp(event, "exec") == 0;
}

/* The interpreter tells when it is about to run the program, with its lock held. */
static int on_audit(const char *event, PyObject *arguments, void *data)
{
    (void)arguments, (void)data;
    if (!armed && strncmp(event, "cpython.run_", 12) == 0) {
        armed = 1; /* before anything runs that is audited itself */
        begin();
    } else if (armed && hst_tracer_phase == HST_TRACER_ON && is_early(event)) {
        arm_sub_interpreter();
    } else if (armed && strcmp(event, "sys.setprofile") == 0) {
        hst_profile_hook_changes();
    }
    return 0;
}

static void after_fork_in_child(void)
{
    if (hst_arena_base != NULL)
        hst_tracer_forked();
}

__attribute__((constructor)) static void loaded(void)
{
    int (*add_hook)(hst_py_audit *, void *);
    void *found = dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
    if (found == NULL || !hst_agent_order_read(getenv(HST_AGENT_VARIABLE), &order))
        return; /* no Python of 3.8 or later in this program */
    memcpy(&add_hook, &found, sizeof add_hook);
    (void)add_hook(on_audit, NULL);
    (void)pthread_atfork(hst_tracer_fork, NULL, after_fork_in_child);
}

__attribute__((destructor)) static void unloaded(void)
{
    if (hst_arena_base == NULL || hst_arena_header()->state != HST_AGENT_TRACING)
        return;
    hst_tracer_settle();
    hst_arena_header()->end_ticks = hst_ticks();
    hst_arena_header()->state = HST_AGENT_ENDED;
}
