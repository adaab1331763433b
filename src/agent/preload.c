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
#include "agent/greenlets.h"
#include "agent/liner.h"
#include "agent/order.h"
#include "agent/selection.h"
#include "agent/setprofile.h"
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

static void fill_header(void)
{
    struct hst_agent_header *header = hst_arena_header();
    if (order.clock < 0)
        hst_ticks_init();
    else
        hst_ticks_are_tsc = order.clock == HST_AGENT_CLOCK_TSC; /* a chroot may not show it */
    header->clock = hst_ticks_are_tsc ? HST_AGENT_CLOCK_TSC : HST_AGENT_CLOCK_SYSTEM;
    header->python_only = (uint32_t)order.python_only;
    read_command(header->command, sizeof header->command);
    ssize_t length = readlink("/proc/self/exe", header->executable, sizeof header->executable - 1);
    header->executable[length > 0 ? length : 0] = '\0';
    header->start_ticks = hst_ticks();
    header->start_ns = hst_now_ns();
}

struct backend {
    enum hst_agent_backend id;
    unsigned oldest, newest; /* minor versions */
    int python_only;         /* it knows nothing of functions of C */
    int (*arm)(int python_only);
    void (*disarm)(void);
    int lines;
};
/* The cheapest first. */
static const struct backend backends[] = {
    {HST_AGENT_BACKEND_FRAMES, 9, 12, 1, hst_frame_hook_arm, hst_frame_hook_disarm, 0},
    {HST_AGENT_BACKEND_MONITORING, 12, UINT_MAX, 0, hst_monitoring_arm, hst_monitoring_disarm, 0},
    {HST_AGENT_BACKEND_PROFILE, 8, 11, 0, hst_profile_hook_arm, hst_profile_hook_disarm, 0},
    {HST_AGENT_BACKEND_LINE_MONITORING, 12, UINT_MAX, 0, hst_line_monitoring_arm, hst_line_monitoring_disarm,
     1},
    {HST_AGENT_BACKEND_LINE_TRACE, 8, 11, 0, hst_line_trace_arm, hst_line_trace_disarm, 1},
};

/* The one that was ordered, else the first that this version has. */
static const struct backend *choose_backend(void)
{
    unsigned minor = hst_python.abi.minor;
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++)
        if (order.lines == backends[i].lines && minor >= backends[i].oldest && minor <= backends[i].newest &&
            (order.python_only || !backends[i].python_only) &&
            (order.backend == HST_AGENT_BACKEND_NONE || order.backend == backends[i].id))
            return &backends[i];
    return NULL;
}

static const struct backend *in_use; /* NULL: none yet */

/* As kernprof does: what the program decorates with @profile is chosen. */
static PyObject *choose(PyObject *self, PyObject *function)
{
    (void)self;
    PyObject *code = hst_code_of_callable(function);
    if (code != NULL) {
        hst_line_choose(code);
        hst_python.Py_DecRef(code);
    }
    hst_python.Py_IncRef(function);
    return function;
}

static void add_builtin(void)
{
    static struct hst_py_method method = {"profile", (hst_py_fastcall *)(void (*)(void))choose, HST_PY_METH_O,
                                          "Has the lines of a function measured by hasten."};
    PyObject *builtins = hst_python.PyImport_ImportModule("builtins");
    PyObject *function = hst_python.PyCFunction_NewEx(&method, NULL, NULL);
    if (builtins != NULL && function != NULL)
        (void)hst_python.PyObject_SetAttrString(builtins, "profile", function);
    if (builtins != NULL)
        hst_python.Py_DecRef(builtins);
    if (function != NULL)
        hst_python.Py_DecRef(function);
    hst_python.PyErr_Clear();
}

static void begin_lines(int (*arm)(int), void (*disarm)(void))
{
    char rules[600];
    (void)hst_calibrate_lines(arm, disarm);
    (void)snprintf(rules, sizeof rules, "%s/rules", order.folder);
    (void)hst_selection_read(rules);
    add_builtin();
}

static void begin(void)
{
    const char *why = "";
    if (!hst_arena_open(order.folder))
        return;
    fill_header();
    if (!hst_python_find(&why)) {
        fail(why);
        return;
    }
    (void)snprintf(hst_arena_header()->interpreter, sizeof hst_arena_header()->interpreter, "%s",
                   hst_python.version);
    const struct backend *backend = choose_backend();
    if (backend == NULL) {
        fail("this version of Python has no such backend");
        return;
    }
    hst_arena_header()->backend = backend->id;
    if (order.lines) {
        begin_lines(backend->arm, backend->disarm);
    } else {
        hst_tracer_phase = HST_TRACER_ON;
        hst_timeline_chunks_max = order.timeline;
        hst_arena_header()->has_timeline = order.timeline != 0;
        (void)hst_calibrate(backend->arm, backend->disarm, order.python_only);
        hst_tracer_depth_max = order.depth;
    }
    if (!backend->arm(order.python_only)) {
        fail("the hook could not be had: another tool holds it");
        return;
    }
    hst_setprofile_hide();
    hst_arena_header()->state = HST_AGENT_TRACING;
    in_use = backend;
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
    PyObject *type, *value, *traceback;
    hst_python.PyErr_Fetch(&type, &value, &traceback);
    (void)__atomic_fetch_or(word, bit, __ATOMIC_RELAXED); /* what arming does is audited too */
    if (in_use->arm(order.python_only))
        hst_setprofile_hide();
    else
        (void)__atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED); /* too early: it has no sys yet */
    hst_python.PyErr_Restore(type, value, traceback);
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
    (void)data;
    if (!armed && strncmp(event, "cpython.run_", 12) == 0) {
        armed = 1; /* before anything runs that is audited itself */
        begin();
    } else if (in_use != NULL && is_early(event)) {
        arm_sub_interpreter();
        if (strcmp(event, "import") == 0)
            hst_greenlets_import(arguments);
    } else if (in_use != NULL && strcmp(event, "sys.setprofile") == 0) {
        hst_profile_hook_changes();
    }
    return 0;
}

static void before_fork(void)
{
    if (hst_arena_base != NULL)
        hst_tracer_forking();
}

static void after_fork_in_child(void)
{
    if (hst_arena_base != NULL)
        hst_tracer_forked();
    hst_liner_forked();
}

__attribute__((constructor)) static void loaded(void)
{
    int (*add_hook)(hst_py_audit *, void *);
    void *found = dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
    if (found == NULL || !hst_agent_order_read(getenv(HST_AGENT_VARIABLE), &order))
        return; /* no Python of 3.8 or later in this program */
    memcpy(&add_hook, &found, sizeof add_hook);
    (void)add_hook(on_audit, NULL);
    (void)pthread_atfork(before_fork, NULL, after_fork_in_child);
}

__attribute__((destructor)) static void unloaded(void)
{
    if (hst_arena_base == NULL || hst_arena_header()->state != HST_AGENT_TRACING)
        return;
    hst_tracer_settle();
    hst_arena_header()->end_ticks = hst_ticks();
    hst_arena_header()->state = HST_AGENT_ENDED;
}
