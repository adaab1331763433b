/* Lines by sys.monitoring: a global PY_START looks at every code object once; one that is not chosen is never
 * asked again (DISABLE), one that is gets events of its own. Where nothing is chosen by rules there is not
 * even that. Exceptions have no events of one code object before 3.15: those of all code pass by here. */
#include "agent/backend.h"
#include "agent/liner.h"
#include "agent/selection.h"

static const int tool_ids[] = {4, 3, 2, 1, 0};
static int tool_id = -1;
static PyObject *disable;
static long own_events; /* of a chosen code object */

static PyObject *monitoring(void) { return hst_python.PySys_GetObject("monitoring"); /* borrowed */ }

static int done(PyObject *result)
{
    if (result == NULL) {
        hst_python.PyErr_Clear();
        return 0;
    }
    hst_python.Py_DecRef(result);
    return 1;
}

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
    (void)done(
        hst_python.PyObject_CallMethod(monitoring(), "set_local_events", "iOl", tool_id, code, own_events));
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

static long event_number(PyObject *module, const char *name)
{
    PyObject *all = hst_python.PyObject_GetAttrString(module, "events");
    PyObject *one = all != NULL ? hst_python.PyObject_GetAttrString(all, name) : NULL;
    long number = one != NULL ? hst_python.PyLong_AsLong(one) : 0;
    if (one != NULL)
        hst_python.Py_DecRef(one);
    if (all != NULL)
        hst_python.Py_DecRef(all);
    hst_python.PyErr_Clear();
    return number > 0 ? number : 0;
}

static int take_tool_id(PyObject *module)
{
    for (size_t i = 0; i < sizeof tool_ids / sizeof tool_ids[0]; i++)
        if (done(hst_python.PyObject_CallMethod(module, "use_tool_id", "is", tool_ids[i], "hasten")))
            return tool_ids[i];
    return -1;
}

int hst_line_monitoring_arm(int unused)
{
    (void)unused;
    PyObject *module = monitoring();
    tool_id = module != NULL ? take_tool_id(module) : -1;
    long everywhere = 0;
    own_events = 0;
    if (tool_id < 0)
        return 0;
    if (disable == NULL)
        disable = hst_python.PyObject_GetAttrString(module, "DISABLE");
    for (size_t i = 0; i < EVENTS; i++) {
        PyObject *callback = hst_python.PyCFunction_NewEx(&events[i].method, NULL, NULL);
        long number = event_number(module, events[i].name);
        if (disable == NULL || callback == NULL || number == 0 ||
            !done(hst_python.PyObject_CallMethod(module, "register_callback", "ilO", tool_id, number,
                                                 callback)))
            return 0;
        hst_python.Py_DecRef(callback);
        if (events[i].scope == EVERYWHERE || (i == 0 && hst_selection_has_rules()))
            everywhere |= number;
        if (events[i].scope == IN_CHOSEN)
            own_events |= number;
    }
    hst_liner_on = 1;
    return done(hst_python.PyObject_CallMethod(module, "set_events", "il", tool_id, everywhere));
}

void hst_line_monitoring_disarm(void)
{
    PyObject *module = monitoring();
    hst_liner_on = 0;
    if (module == NULL || tool_id < 0)
        return;
    (void)done(hst_python.PyObject_CallMethod(module, "set_events", "ii", tool_id, 0));
    (void)done(hst_python.PyObject_CallMethod(module, "free_tool_id", "i", tool_id));
    tool_id = -1;
}

void hst_line_choose(PyObject *code)
{
    struct hst_liner *liner = hst_liner_self();
    hst_selection_add(code);
    if (liner != NULL && tool_id >= 0)
        arm_code(liner, code);
}
