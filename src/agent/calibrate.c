/* Loops whose only difference is the tracer. */
#include "agent/calibrate.h"

#include "agent/backend.h"
#include "agent/liner.h"
#include "agent/selection.h"
#include "agent/tracer.h"

enum { ROUNDS = 9, FILE_INPUT = 257 /* Py_file_input */ };
#define CALLS 500
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

/* The callee's own part of an untraced call: what is counted as its time when nothing is measured.  A Python
 * function that does nothing spends a third of the call in its own instructions, a C function half. */
static const double callee_part[HST_AGENT_KIND_COUNT] = {[HST_AGENT_PYTHON] = 1.0 / 3, [HST_AGENT_C] = 0.5};

static const char program[] =
    "def leaf(): pass\n"
    "def python():\n"
    "    for i in range(" TEXT(CALLS) "): leaf()\n"
                                      "def c(call=abs):\n"
                                      "    for i in range(" TEXT(CALLS) "): call(i)\n"
                                                                        "def lines():\n"
                                                                        "    for i in range(" TEXT(
                                                                            CALLS) "):\n"
                                                                                   "        a = i\n"
                                                                                   "        b = a\n"
                                                                                   "        c = b\n"
                                                                                   "def nothing():\n"
                                                                                   "    for i in range(" TEXT(
                                                                                       CALLS) "): pass\n";

static int call(PyObject *names, const char *name)
{
    PyObject *function = hst_python.PyDict_GetItemString(names, name);
    PyObject *result = function != NULL ? hst_python.PyObject_CallFunction(function, NULL) : NULL;
    if (result == NULL) {
        hst_python.PyErr_Clear();
        return 0;
    }
    hst_python.Py_DecRef(result);
    return 1;
}

/* The least of several rounds, in ticks; 0: it failed. */
static uint64_t time_of(PyObject *names, const char *name)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t begin = hst_ticks();
        if (!call(names, name))
            return 0;
        uint64_t took = hst_ticks() - begin;
        least = took < least ? took : least;
    }
    return least;
}

/* Of one traced round: in the loop's own context and in that of what it calls. */
static int traced_times(PyObject *names, const char *name, double *ret_caller, double *ret_callee)
{
    struct hst_tracer *tracer = hst_tracer_self();
    uint64_t least = UINT64_MAX;
    if (tracer == NULL)
        return 0;
    struct hst_agent_context *root = hst_arena_slot(tracer->thread->current);
    for (int i = 0; i < ROUNDS; i++) {
        struct hst_agent_context *loop = hst_arena_slot(root->first_child);
        struct hst_agent_context *leaf = hst_arena_slot(loop->first_child);
        uint64_t loop_before = loop->self_ticks, leaf_before = leaf->self_ticks;
        if (!call(names, name))
            return 0;
        if (i == 0)
            continue; /* contexts and specialised instructions are made */
        uint64_t loop_took = loop->self_ticks - loop_before, leaf_took = leaf->self_ticks - leaf_before;
        if (loop_took + leaf_took < least) {
            least = loop_took + leaf_took;
            *ret_caller = (double)loop_took / CALLS;
            *ret_callee = (double)leaf_took / CALLS;
        }
    }
    return least != UINT64_MAX;
}

static void store(enum hst_agent_kind kind, double call_ticks, double loop_ticks, double caller,
                  double callee)
{
    double own = call_ticks > 0 ? call_ticks * callee_part[kind] : 0;
    double *cost = hst_arena_header()->cost_ticks[kind];
    double outer = caller - loop_ticks - (call_ticks - own), inner = callee - own;
    cost[HST_AGENT_CALLER] = outer > 0 ? outer : 0;
    cost[HST_AGENT_CALLEE] = inner > 0 ? inner : 0;
}

static int measure(PyObject *names, int (*arm)(int), void (*disarm)(void), int python_only)
{
    static const char *const loops[HST_AGENT_KIND_COUNT] = {
        [HST_AGENT_PYTHON] = "python", [HST_AGENT_C] = "c"};
    double loop = (double)time_of(names, "nothing") / CALLS;
    for (int kind = 0; kind < (python_only ? 1 : HST_AGENT_KIND_COUNT); kind++) {
        double untraced = (double)time_of(names, loops[kind]) / CALLS, caller = 0, callee = 0;
        if (untraced <= 0 || !arm(python_only))
            return 0;
        int good = traced_times(names, loops[kind], &caller, &callee);
        disarm();
        if (!good)
            return 0;
        store((enum hst_agent_kind)kind, untraced - loop, loop, caller, callee);
    }
    return 1;
}

/* All the names that the loops need; NULL: they could not be made. */
static PyObject *loops(void)
{
    PyObject *names = hst_python.PyDict_New(), *builtins = hst_python.PyEval_GetBuiltins(), *result = NULL;
    if (names != NULL && builtins != NULL &&
        hst_python.PyDict_SetItemString(names, "__builtins__", builtins) == 0)
        result = hst_python.PyRun_String(program, FILE_INPUT, names, names);
    if (result != NULL) {
        hst_python.Py_DecRef(result);
        return names;
    }
    if (names != NULL)
        hst_python.Py_DecRef(names);
    hst_python.PyErr_Clear();
    return NULL;
}

int hst_calibrate(int (*arm)(int python_only), void (*disarm)(void), int python_only)
{
    PyObject *names = loops();
    int good = names != NULL && measure(names, arm, disarm, python_only);
    if (names != NULL)
        hst_python.Py_DecRef(names);
    hst_python.PyErr_Clear();
    hst_tracer_discard(); /* the contexts that the loops made are no part of the program's tree */
    return good;
}

int hst_calibrate_lines(int (*arm)(int unused), void (*disarm)(void))
{
    enum { LINES_A_ROUND = 4 };
    PyObject *names = loops();
    PyObject *code =
        names != NULL ? hst_code_of_callable(hst_python.PyDict_GetItemString(names, "lines")) : NULL;
    uint64_t untraced = code != NULL ? time_of(names, "lines") : 0, traced = 0;
    if (untraced != 0 && arm(0)) {
        hst_line_choose(code);
        traced = time_of(names, "lines");
        disarm();
        hst_liner_on = 1;
        hst_liner_discard();
        hst_liner_on = 0;
    }
    if (traced > untraced)
        hst_arena_header()->line_cost_ticks = (double)(traced - untraced) / (CALLS * LINES_A_ROUND);
    if (code != NULL)
        hst_python.Py_DecRef(code);
    if (names != NULL)
        hst_python.Py_DecRef(names);
    return traced != 0;
}
