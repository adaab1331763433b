/* Loops whose only difference is the tracer.
 *
 * They run over one small object again and again: one that is made for each round may come to lie at the end
 * of a page of the allocator, and then costs as much as a call does. */
#include "agent/calibrate.h"

#include "agent/backend.h"
#include "agent/liner.h"
#include "agent/selection.h"
#include "agent/tracer.h"

enum { CALLS = 200, PASSES = 3, PASSES_KEPT = 2 * PASSES, ROUNDS = 5, FILE_INPUT = 257 /* Py_file_input */ };
#define NOISE 0.05 /* by less than that nothing is called slowed */
#define SLOWING_MAX 9

/* The callee's own part of an untraced call: what is counted as its time when nothing is measured.  A Python
 * function that does nothing spends a third of the call in its own instructions, a C function half. */
static const double callee_part[HST_AGENT_KIND_COUNT] = {[HST_AGENT_PYTHON] = 1.0 / 3,
                                                         [HST_AGENT_C] = 0.5,
                                                         [HST_AGENT_C_METHOD] = 0.5,
                                                         [HST_AGENT_QUIET] = 1.0 / 3};

/* The leaf has an argument, as nearly all that is called has: on 3.10 the hook costs calls without one 12 ns
 * more, or not, by where things lie in memory.  work: what code does that calls nothing, some of each.  The
 * call that it could make, and that of loud(), are never made; but nobody can tell from the outside, so these
 * two, and those that call by a local name, are not quiet (quiet.h). */
static const char program[] = "items = range(1, 201) # CALLS\n"
                              "class Box: pass\n"
                              "box, row = Box(), [1] * 8\n"
                              "def leaf(i): return i\n"
                              "def loud(i): return i or i.bit_length()\n"
                              "def python(call=leaf):\n"
                              "    for i in items: call(i)\n"
                              "def python_loud(call=loud):\n"
                              "    for i in items: call(i)\n"
                              "def python_quiet():\n"
                              "    for i in items: leaf(i)\n"
                              "def c(call=abs):\n"
                              "    for i in items: call(i)\n"
                              "def method(table={}):\n"
                              "    for i in items: table.get(i)\n"
                              "def empty(): pass\n"
                              "def nothing():\n"
                              "    for i in items: pass\n"
                              "def work(box=box, row=row, word='word'):\n"
                              "    total, part = 0, 0.5\n"
                              "    if row is None: word.call()\n"
                              "    for i in items:\n"
                              "        total = (total * 3 ^ i) % 61\n"
                              "        part = part * 0.5 + 1.0\n"
                              "        if total > 32:\n"
                              "            last = row[total & 7]\n"
                              "        box.count = total\n"
                              "        name = word + 'tail'\n"
                              "        some = row[total & 3:6]\n"
                              "def lines():\n"
                              "    for i in items:\n"
                              "        a = i\n"
                              "        b = a\n"
                              "        c = b\n";

/* Of one pass, in ticks: the middle of its rounds. */
struct times {
    double untraced;
    double caller, callee; /* traced: in the loop's own context, and in that of what it calls */
};

enum loop { EMPTY, NOTHING, WORK, FIRST_KIND, LOOPS = FIRST_KIND + HST_AGENT_KIND_COUNT };
static const char *const names_of_loops[LOOPS] = {[EMPTY] = "empty",
                                                  [NOTHING] = "nothing",
                                                  [WORK] = "work",
                                                  [FIRST_KIND + HST_AGENT_PYTHON] = "python",
                                                  [FIRST_KIND + HST_AGENT_C] = "c",
                                                  [FIRST_KIND + HST_AGENT_C_METHOD] = "method",
                                                  [FIRST_KIND + HST_AGENT_QUIET] = "python_quiet"};

static int has_quiet(void) { return hst_arena_header()->backend == HST_AGENT_BACKEND_BOTH_HOOKS; }

/* Where quiet functions are traced in another way, others are measured by one that is none. */
static const char *name_of(enum loop loop)
{
    return has_quiet() && loop == FIRST_KIND + HST_AGENT_PYTHON ? "python_loud" : names_of_loops[loop];
}

static int is_wanted(enum loop loop, int python_only)
{
    if (loop == FIRST_KIND + HST_AGENT_QUIET)
        return has_quiet();
    return !python_only || (loop != FIRST_KIND + HST_AGENT_C && loop != FIRST_KIND + HST_AGENT_C_METHOD);
}

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

/* The lower of the two in the middle when count is even. */
static double middle(double *values, int count)
{
    for (int i = 1; i < count; i++)
        for (int at = i; at > 0 && values[at] < values[at - 1]; at--) {
            double greater = values[at - 1];
            values[at - 1] = values[at];
            values[at] = greater;
        }
    return values[(count - 1) / 2];
}

/* The middle of several rounds, in ticks; 0: it failed. */
static double time_of(PyObject *names, const char *name)
{
    double took[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t begin = hst_ticks();
        if (!call(names, name))
            return 0;
        took[i] = (double)(hst_ticks() - begin);
    }
    return middle(took, ROUNDS);
}

static int time_untraced(PyObject *names, enum loop loop, struct times *times)
{
    times->untraced = time_of(names, name_of(loop));
    return times->untraced > 0;
}

/* Of a loop that calls, by what its contexts are given. */
static int time_traced_calls(PyObject *names, enum loop loop, struct times *times)
{
    struct hst_tracer *tracer = hst_tracer_self();
    double in_caller[ROUNDS], in_callee[ROUNDS];
    if (tracer == NULL)
        return 0;
    const struct hst_agent_context *root = hst_arena_slot(tracer->thread->current);
    if (!call(names, name_of(loop))) /* contexts and specialised instructions are made */
        return 0;
    const struct hst_agent_context *caller = hst_arena_slot(root->first_child);
    const struct hst_agent_context *callee = hst_arena_slot(caller->first_child);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t caller_before = caller->self_ticks, callee_before = callee->self_ticks;
        if (!call(names, name_of(loop)))
            return 0;
        in_caller[i] = (double)(caller->self_ticks - caller_before);
        in_callee[i] = (double)(callee->self_ticks - callee_before);
    }
    times->caller = middle(in_caller, ROUNDS);
    times->callee = middle(in_callee, ROUNDS);
    return 1;
}

static int time_traced(PyObject *names, enum loop loop, struct times *times)
{
    if (loop >= FIRST_KIND)
        return time_traced_calls(names, loop, times);
    times->caller = time_of(names, name_of(loop));
    return times->caller > 0;
}

static void store_slowing(const struct times *work)
{
    double slowing = work->caller / work->untraced - 1;
    hst_arena_header()->slowing = slowing < NOISE ? 0 : slowing < SLOWING_MAX ? slowing : SLOWING_MAX;
}

/* The cost of a call is what remains of its traced time beside what Python's part of it takes when slowed. */
static void store(enum hst_agent_kind kind, double nothing, const struct times *times)
{
    double slowed = kind == HST_AGENT_QUIET ? 1 : 1 + hst_arena_header()->slowing;
    double call_ticks = times->untraced > nothing ? times->untraced - nothing : 0;
    double callee = call_ticks * callee_part[kind], caller = nothing + call_ticks - callee;
    double outer = times->caller - caller * slowed;
    int is_c = kind == HST_AGENT_C || kind == HST_AGENT_C_METHOD;
    double inner = times->callee - callee * (is_c ? 1 : slowed);
    double *cost = hst_arena_header()->cost_ticks[kind];
    cost[HST_AGENT_CALLER] = outer > 0 ? outer / CALLS : 0;
    cost[HST_AGENT_CALLEE] = inner > 0 ? inner / CALLS : 0;
}

static int measure_pass(PyObject *names, struct times times[LOOPS], int (*arm)(int), void (*disarm)(void),
                        int python_only)
{
    int good = 1;
    for (int loop = 0; loop < LOOPS && good; loop++)
        if (is_wanted((enum loop)loop, python_only))
            good = time_untraced(names, (enum loop)loop, &times[loop]);
    if (!good || !arm(python_only))
        return 0;
    for (int loop = 0; loop < LOOPS && good; loop++)
        if (is_wanted((enum loop)loop, python_only))
            good = time_traced(names, (enum loop)loop, &times[loop]);
    disarm();
    return good;
}

static struct times middle_of(struct times passes[][LOOPS], int count, int loop)
{
    double untraced[PASSES_KEPT], caller[PASSES_KEPT], callee[PASSES_KEPT];
    for (int i = 0; i < count; i++) {
        untraced[i] = passes[i][loop].untraced;
        caller[i] = passes[i][loop].caller;
        callee[i] = passes[i][loop].callee;
    }
    return (struct times){middle(untraced, count), middle(caller, count), middle(callee, count)};
}

/* Other work on the machine, such as a neighbour's on the same core, makes all slower for some milliseconds
 * or seconds.  So the passes of both ends are kept, and the middle counts: the least would be luckier than
 * what the program itself meets. */
static int measure(PyObject *names, int (*arm)(int), void (*disarm)(void), int python_only)
{
    static struct times passes[PASSES_KEPT][LOOPS];
    static int count;
    static uint32_t kind; /* of what they measured */
    uint32_t this_kind = hst_arena_header()->backend * 2 + (python_only ? 1 : 0);
    if (kind != this_kind || count + PASSES > PASSES_KEPT)
        count = 0;
    kind = this_kind;
    for (int i = 0; i < PASSES; i++, count++)
        if (!measure_pass(names, passes[count], arm, disarm, python_only))
            return 0;
    struct times empty = middle_of(passes, count, EMPTY), nothing = middle_of(passes, count, NOTHING);
    struct times work = middle_of(passes, count, WORK);
    store_slowing(&work);
    for (int loop = FIRST_KIND; loop < LOOPS; loop++) {
        struct times times = middle_of(passes, count, loop);
        times.untraced -= empty.untraced; /* contexts begin later than the clock does here */
        store((enum hst_agent_kind)(loop - FIRST_KIND), nothing.untraced - empty.untraced, &times);
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
    struct hst_tracer own;
    hst_tracer_lay_aside(&own); /* the contexts that the loops make are no part of the program's tree */
    PyObject *names = loops();
    int good = names != NULL && measure(names, arm, disarm, python_only);
    if (names != NULL)
        hst_python.Py_DecRef(names);
    hst_python.PyErr_Clear();
    hst_tracer_take_up(&own);
    return good;
}

int hst_calibrate_lines(int (*arm)(int unused), void (*disarm)(void))
{
    enum { LINES_A_ROUND = 4 };
    PyObject *names = loops();
    PyObject *code =
        names != NULL ? hst_code_of_callable(hst_python.PyDict_GetItemString(names, "lines")) : NULL;
    double untraced = code != NULL ? time_of(names, "lines") : 0, traced = 0;
    if (untraced != 0 && arm(0)) {
        hst_line_choose(code);
        traced = time_of(names, "lines");
        disarm();
        hst_liner_on = 1;
        hst_liner_discard();
        hst_liner_on = 0;
    }
    if (traced > untraced)
        hst_arena_header()->line_cost_ticks = (traced - untraced) / (CALLS * LINES_A_ROUND);
    if (code != NULL)
        hst_python.Py_DecRef(code);
    if (names != NULL)
        hst_python.Py_DecRef(names);
    return traced != 0;
}
