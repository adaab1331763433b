/* Which back end, and in which state. */
#include "agent/measure.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend.h"
#include "agent/calibrate.h"
#include "agent/functions.h"
#include "agent/greenlets.h"
#include "agent/hand.h"
#include "agent/liner.h"
#include "agent/selection.h"
#include "agent/setprofile.h"
#include "agent/tracer.h"

enum { INTERPRETERS_MAX = 1 << 14 };

typedef int arm_function(int python_only);
typedef void disarm_function(void);
struct backend {
    enum hst_agent_backend id;
    unsigned oldest, newest; /* minor versions */
    int lines, python_only;  /* python_only: it knows nothing of functions of C */
    arm_function *arm;       /* of the calling thread, and what it starts */
    disarm_function *disarm;
    arm_function *arm_all; /* of all threads; NULL: it cannot begin in the middle */
    disarm_function *disarm_all;
};
/* The cheapest first. */
static const struct backend backends[] = {
    {HST_AGENT_BACKEND_FRAMES, 9, 12, 0, 1, hst_frame_hook_arm, hst_frame_hook_disarm, NULL, NULL},
    {HST_AGENT_BACKEND_MONITORING, 12, UINT_MAX, 0, 0, hst_monitoring_arm, hst_monitoring_disarm,
     hst_monitoring_arm, hst_monitoring_disarm},
    {HST_AGENT_BACKEND_BOTH_HOOKS, 11, 11, 0, 0, hst_both_hooks_arm, hst_both_hooks_disarm,
     hst_both_hooks_arm_all, hst_both_hooks_disarm_all},
    {HST_AGENT_BACKEND_PROFILE, 8, 11, 0, 0, hst_profile_hook_arm, hst_profile_hook_disarm,
     hst_profile_hook_arm_all, hst_profile_hook_disarm_all},
    {HST_AGENT_BACKEND_LINE_MONITORING, 12, UINT_MAX, 1, 0, hst_line_monitoring_arm,
     hst_line_monitoring_disarm, hst_line_monitoring_arm, hst_line_monitoring_disarm},
    {HST_AGENT_BACKEND_LINE_TRACE, 8, 11, 1, 0, hst_line_trace_arm, hst_line_trace_disarm,
     hst_line_trace_arm_scoped, hst_line_trace_disarm},
};

static struct hst_agent_order order;
static const struct backend *backend;
static enum hst_measure_state state;
static int begun_early, lines_calibrated;

enum hst_measure_state hst_measure_state(void) { return state; }

const struct hst_agent_order *hst_measure_order(void) { return &order; }

int hst_measure_early(void) { return begun_early; }

/* The one that was ordered, else the first that this version has; anywhere: that can begin at any moment. */
static const struct backend *choose_backend(int anywhere)
{
    unsigned minor = hst_python.abi.minor;
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        const struct backend *b = &backends[i];
        if (order.lines == b->lines && minor >= b->oldest && minor <= b->newest &&
            (order.python_only || !b->python_only) && (!anywhere || b->arm_all != NULL) &&
            (order.backend == HST_AGENT_BACKEND_NONE || order.backend == b->id))
            return b;
    }
    return NULL;
}

static int fail(const char *why, const char **ret_why)
{
    (void)snprintf(hst_arena_header()->failure, sizeof hst_arena_header()->failure, "%s", why);
    hst_arena_header()->state = HST_AGENT_FAILED;
    *ret_why = why;
    return 0;
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
    header->has_timeline = order.timeline != 0;
    read_command(header->command, sizeof header->command);
    ssize_t length = readlink("/proc/self/exe", header->executable, sizeof header->executable - 1);
    header->executable[length > 0 ? length : 0] = '\0';
    header->start_ticks = hst_ticks();
    header->start_ns = hst_now_ns();
}

/* --- the program's own hand --- */

static int another_has_the_hook(void)
{
    return (backend->id == HST_AGENT_BACKEND_LINE_TRACE && hst_line_trace_is_taken()) ||
           ((backend->id == HST_AGENT_BACKEND_PROFILE || backend->id == HST_AGENT_BACKEND_BOTH_HOOKS) &&
            hst_profile_hook_is_taken() == 1);
}

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

static struct hst_py_method choose_method = {"profile", (hst_py_fastcall *)(void (*)(void))choose,
                                             HST_PY_METH_O,
                                             "Has the lines of a function measured by hasten."};

static PyObject *toggle(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)arguments, (void)count;
    if (!hst_measure_pause())
        (void)hst_measure_resume();
    hst_python.Py_IncRef(hst_py_none());
    return hst_py_none();
}

static struct hst_py_method toggle_method = {"toggle", toggle, HST_PY_METH_FASTCALL,
                                             "Pauses and resumes what hasten measures."};

/* What calls cost is measured at both ends (calibrate.c). Nothing of the program may run meanwhile. */
static PyObject *at_exit(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)arguments, (void)count;
    void *own = hst_python.PyThreadState_Get();
    void *first = hst_python.PyInterpreterState_ThreadHead(hst_py_pointer(own, hst_python.abi.tstate_interp));
    int alone = first == own && hst_python.PyThreadState_Next(own) == NULL;
    if (state == HST_MEASURE_ON && alone && hst_python.PyEval_GetFrame() == NULL && !another_has_the_hook()) {
        backend->disarm();
        (void)hst_calibrate(backend->arm, backend->disarm, order.python_only);
        (void)backend->arm(order.python_only);
    }
    hst_python.Py_IncRef(hst_py_none());
    return hst_py_none();
}

static struct hst_py_method at_exit_method = {"calibrate", at_exit, HST_PY_METH_FASTCALL,
                                              "Measures again what hasten's tracing costs."};

/* --- begin and end --- */

static void calibrate_lines(void)
{
    hst_liner_scoped = 0;
    lines_calibrated = hst_calibrate_lines(backend->arm, backend->disarm);
    hst_liner_scoped = order.scoped;
}

static void prepare_lines(int early)
{
    char rules[600];
    lines_calibrated = 0;
    hst_liner_scoped = order.scoped;
    if (!another_has_the_hook())
        calibrate_lines(); /* else when it is ours first */
    (void)snprintf(rules, sizeof rules, "%s/rules", order.folder);
    (void)hst_selection_read(rules);
    if (early)
        hst_hand_to_builtins(&choose_method);
}

static void prepare_calls(int early)
{
    hst_tracer_phase = HST_TRACER_ON;
    hst_tracer_depth_max = 0;
    hst_timeline_chunks_max = order.timeline;
    (void)hst_calibrate(backend->arm, backend->disarm, order.python_only);
    hst_tracer_depth_max = order.depth;
    if (early)
        hst_hand_to_exit(&at_exit_method);
    else
        hst_greenlets_loading = 1; /* perhaps long ago */
}

static int arm(int early)
{
    int armed = early ? backend->arm(order.python_only) : backend->arm_all(order.python_only);
    if (armed) {
        if (early)
            hst_setprofile_hide();
        hst_arena_header()->state = HST_AGENT_TRACING;
        state = HST_MEASURE_ON;
    }
    return armed;
}

/* The interpreter is known, and the arena open. */
static int begin(int early, const char **ret_why)
{
    fill_header();
    if (hst_python.version[0] == '\0' && !hst_python_find(ret_why))
        return fail(*ret_why, ret_why);
    (void)snprintf(hst_arena_header()->interpreter, sizeof hst_arena_header()->interpreter, "%s",
                   hst_python.version);
    backend = choose_backend(!early || order.paused || order.toggle != 0);
    if (backend == NULL)
        return fail("this version of Python has no such backend", ret_why);
    hst_arena_header()->backend = backend->id;
    if (!order.lines && !early && another_has_the_hook())
        return fail("another tool has the profile function (sys.setprofile, cProfile)", ret_why);
    if (order.lines)
        prepare_lines(early);
    else
        prepare_calls(early);
    if (order.toggle != 0)
        hst_hand_to_signal(&toggle_method, order.toggle);
    if (order.paused) {
        hst_tracer_phase = HST_TRACER_OFF;
        hst_arena_header()->paused_ticks = hst_ticks();
        hst_arena_header()->state = HST_AGENT_PAUSED;
        state = HST_MEASURE_PAUSED;
        return 1;
    }
    return arm(early) || fail("the hook could not be had: another tool holds it", ret_why);
}

int hst_measure_begin(const struct hst_agent_order *as_ordered, int early, const char **ret_why)
{
    if (state != HST_MEASURE_OFF) {
        *ret_why = order.lines ? "lines are measured in this process already"
                               : "calls are traced in this process already";
        return 0;
    }
    order = *as_ordered;
    begun_early = early;
    *ret_why = "the file that it shares with hasten cannot be made";
    if (!hst_arena_open(order.folder))
        return 0;
    hst_tracer_renew();
    if (begin(early, ret_why))
        return 1;
    hst_tracer_phase = HST_TRACER_OFF;
    hst_arena_close();
    return 0;
}

static void stop_hooks(void)
{
    hst_tracer_settle();
    hst_tracer_phase = HST_TRACER_OFF;
    hst_tracer_generation++;
    if (backend->disarm_all != NULL)
        backend->disarm_all();
    else
        backend->disarm();
}

void hst_measure_end(void)
{
    if (state == HST_MEASURE_OFF)
        return;
    struct hst_agent_header *header = hst_arena_header();
    if (state == HST_MEASURE_ON)
        stop_hooks();
    header->end_ticks = state == HST_MEASURE_PAUSED ? header->paused_ticks : hst_ticks();
    header->state = HST_AGENT_ENDED;
    state = HST_MEASURE_OFF;
    hst_liner_on = hst_liner_scoped = 0;
    hst_functions_release();
    hst_arena_close();
    hst_tracer_renew();
}

int hst_measure_pause(void)
{
    if (state != HST_MEASURE_ON || order.lines)
        return 0;
    stop_hooks();
    state = HST_MEASURE_PAUSED;
    hst_arena_header()->paused_ticks = hst_ticks();
    hst_arena_header()->state = HST_AGENT_PAUSED;
    return 1;
}

/* To one that can begin in the middle. */
static int change_backend(void)
{
    order.backend = HST_AGENT_BACKEND_NONE;
    const struct backend *other = choose_backend(1);
    if (other == NULL)
        return 0;
    backend = other;
    hst_arena_header()->backend = other->id;
    (void)hst_calibrate(other->arm, other->disarm, order.python_only);
    return 1;
}

int hst_measure_resume(void)
{
    if (state != HST_MEASURE_PAUSED)
        return 0;
    hst_arena_header()->resumed_ticks = hst_ticks();
    hst_tracer_generation++;
    hst_tracer_phase = HST_TRACER_ON;
    if ((backend->arm_all != NULL || change_backend()) && arm(0))
        return 1;
    hst_tracer_phase = HST_TRACER_OFF;
    return 0;
}

int hst_measure_enter(void)
{
    if (!hst_liner_enter() || backend->id != HST_AGENT_BACKEND_LINE_TRACE)
        return 1;
    if (another_has_the_hook())
        return 0;
    if (!lines_calibrated) {
        calibrate_lines();
        hst_liner_on = 1;
    }
    hst_line_trace_enter();
    return 1;
}

void hst_measure_leave(void)
{
    if (hst_liner_leave() && backend->id == HST_AGENT_BACKEND_LINE_TRACE)
        hst_line_trace_leave();
}

/* --- what happens meanwhile --- */

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
    if (backend->arm(order.python_only))
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

void hst_measure_audit(const char *event, PyObject *arguments)
{
    if (state != HST_MEASURE_ON)
        return;
    if (is_early(event)) {
        arm_sub_interpreter();
        if (strcmp(event, "import") == 0)
            hst_greenlets_import(arguments);
    } else if (strcmp(event, "sys.setprofile") == 0) {
        hst_profile_hook_changes();
    }
}

void hst_measure_forking(void)
{
    if (hst_arena_serial != 0)
        hst_tracer_forking();
}

void hst_measure_forked(void)
{
    if (hst_arena_serial != 0)
        hst_tracer_forked();
    hst_liner_forked();
}

void hst_measure_exit(void)
{
    if (state == HST_MEASURE_OFF || hst_arena_serial == 0)
        return;
    if (state == HST_MEASURE_ON)
        hst_tracer_settle();
    hst_arena_header()->end_ticks =
        state == HST_MEASURE_PAUSED ? hst_arena_header()->paused_ticks : hst_ticks();
    hst_arena_header()->state = HST_AGENT_ENDED;
}
