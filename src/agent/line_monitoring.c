/* Lines by sys.monitoring: a global PY_START looks at every code object once; one that is not chosen is never
 * asked again (DISABLE), one that is gets events of its own. Where nothing is chosen by rules there is not
 * even that. Exceptions have no events of one code object before 3.15: those of all code pass by here. */
#include "agent/backend.h"
#include "agent/liner.h"
#include "agent/monitor.h"
#include "agent/selection.h"

static int tool_id = -1;
static PyObject *disable;
static long own_events; /* of a chosen code object */

static PyObject *not_again(void)
{
    hst_python.Py_IncRef(disable);
    return disable;
}

static void arm_code(struct hst_liner *liner, PyObject *code)
{
    PyObject *type, *value, *traceback;
    liner->busy = 1;
    hst_python.PyErr_Fetch(&type, &value, &traceback);
    (void)hst_monitor_set_local(tool_id, code, own_events);
    hst_python.PyErr_Restore(type, value, traceback);
    liner->busy = 0;
}

static const void *frame_of(const struct hst_line_code *lines)
{
    return lines->generator ? hst_py_frame_now() : NULL;
}

static PyObject *on_start(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    struct hst_liner *liner = hst_liner_self();
    if (liner == NULL)
        return hst_py_none();
    size_t known = liner->known_count;
    struct hst_line_code *lines = hst_liner_code(liner, arguments[0]);
    if (lines == NULL)
        return not_again();
    if (liner->known_count != known)
        arm_code(liner, arguments[0]);
    (void)hst_liner_push(liner, lines, frame_of(lines), 0);
    return hst_py_none();
}

/* PY_RESUME of chosen code, PY_THROW of all. */
static PyObject *on_resume(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    struct hst_liner *liner = hst_liner_self();
    struct hst_line_code *lines = liner != NULL ? hst_liner_code(liner, arguments[0]) : NULL;
    if (lines != NULL)
        (void)hst_liner_push(liner, lines, frame_of(lines), 1);
    return hst_py_none();
}

static PyObject *leave(PyObject *code, int yields)
{
    struct hst_liner *liner = hst_liner_self();
    struct hst_line_frame *top = liner != NULL ? hst_liner_top(liner) : NULL;
    if (top != NULL && top->lines->code == code)
        hst_liner_pop(liner, yields);
    return hst_py_none();
}

/* PY_RETURN of chosen code, PY_UNWIND of all. */
static PyObject *on_return(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    return leave(arguments[0], 0);
}

static PyObject *on_yield(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    return leave(arguments[0], 1);
}

/* A line's number is below 2^30: one digit. */
static uint32_t number_of(const PyObject *value)
{
    uint32_t digit = (uint32_t)hst_py_word(value, hst_python.abi.long_digits);
    return digit & 0x3fffffff;
}

static PyObject *on_line(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    (void)self, (void)count;
    struct hst_liner *liner = hst_liner_self();
    if (__builtin_expect(liner == NULL, 0))
        return hst_py_none();
    struct hst_line_frame *top = hst_liner_top(liner);
    if (__builtin_expect(top == NULL || top->lines->code != arguments[0], 0))
        top = hst_liner_find(liner, arguments[0], NULL);
    if (__builtin_expect(top != NULL, 1))
        hst_liner_hit(liner, top, number_of(arguments[1]));
    return hst_py_none();
}

enum scope { EVERYWHERE, IN_CHOSEN };
static struct event {
    const char *name;
    struct hst_py_method method;
    enum scope scope;
} events[] = {
    {"PY_START", {"py_start", on_start, HST_PY_METH_FASTCALL, NULL}, IN_CHOSEN},
    {"PY_RESUME", {"py_resume", on_resume, HST_PY_METH_FASTCALL, NULL}, IN_CHOSEN},
    {"PY_RETURN", {"py_return", on_return, HST_PY_METH_FASTCALL, NULL}, IN_CHOSEN},
    {"PY_YIELD", {"py_yield", on_yield, HST_PY_METH_FASTCALL, NULL}, IN_CHOSEN},
    {"LINE", {"line", on_line, HST_PY_METH_FASTCALL, NULL}, IN_CHOSEN},
    {"PY_THROW", {"py_throw", on_resume, HST_PY_METH_FASTCALL, NULL}, EVERYWHERE},
    {"PY_UNWIND", {"py_unwind", on_return, HST_PY_METH_FASTCALL, NULL}, EVERYWHERE},
};
enum { EVENTS = sizeof events / sizeof events[0] };

int hst_line_monitoring_arm(int unused)
{
    (void)unused;
    long everywhere = 0;
    tool_id = hst_monitor_take();
    own_events = 0;
    if (tool_id >= 0 && disable == NULL)
        disable = hst_monitor_disable();
    if (tool_id < 0 || disable == NULL)
        return 0;
    for (size_t i = 0; i < EVENTS; i++) {
        long number = hst_monitor_register(tool_id, events[i].name, &events[i].method);
        if (number == 0)
            return 0;
        if (events[i].scope == EVERYWHERE || (i == 0 && hst_selection_has_rules()))
            everywhere |= number;
        if (events[i].scope == IN_CHOSEN)
            own_events |= number;
    }
    hst_liner_on = 1;
    return hst_monitor_set(tool_id, everywhere);
}

void hst_line_monitoring_disarm(void)
{
    hst_liner_on = 0;
    hst_monitor_free(tool_id);
    tool_id = -1;
}

void hst_line_choose(PyObject *code)
{
    hst_selection_add(code);
    if (hst_liner_on && tool_id >= 0)
        arm_code(&hst_liner_of_thread, code);
}
