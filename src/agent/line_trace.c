/* Lines by PyEval_SetTrace, for 3.8 to 3.11: the interpreter tells of every line of all code, and those of
 * what is not chosen are passed over. The hook is a thread's own: one that a thread of ours has started gets
 * it at our next event, before it has run. */
#include "agent/backend.h"
#include "agent/frame.h"
#include "agent/liner.h"

enum { WHAT_CALL = 0, WHAT_LINE = 2, WHAT_RETURN = 3 };
/* PyFrameObject.f_lineno, which the interpreter sets before it tells of a line. */
static const unsigned char line_offset[] = {[8] = 108, [9] = 108, [10] = 100, [11] = 40};

static void *newest; /* thread state at the head of the interpreter's list, when it was last looked at */
static int hook(PyObject *self, PyObject *object, int what, PyObject *argument);

static void hook_threads(void)
{
    void *own = hst_python.PyThreadState_Get();
    void *head = hst_python.PyInterpreterState_ThreadHead(hst_py_pointer(own, hst_python.abi.tstate_interp));
    if (head == newest)
        return;
    newest = head;
    if (head == own)
        return;
    if (hst_python.set_trace_of != NULL) {
        if (hst_python.set_trace_of(head, hook, NULL) != 0)
            hst_python.PyErr_Clear();
        return;
    }
    (void)hst_python.PyThreadState_Swap(head); /* 3.8 knows only the current thread */
    hst_python.PyEval_SetTrace(hook, NULL);
    (void)hst_python.PyThreadState_Swap(own);
}

static void begin_call(struct hst_liner *liner, const void *frame)
{
    struct hst_line_code *lines = hst_liner_code(liner, hst_frame_code(frame));
    if (lines != NULL)
        (void)hst_liner_push(liner, lines, frame, lines->generator && hst_frame_is_resumed(frame));
}

static void end_call(struct hst_liner *liner, const void *frame, const PyObject *value)
{
    struct hst_line_frame *top = hst_liner_top(liner);
    if (top != NULL && top->frame == frame)
        hst_liner_pop(liner, value != NULL && top->lines->generator && hst_frame_has_yielded(frame));
}

static int hook(PyObject *self, PyObject *object, int what, PyObject *argument)
{
    (void)self;
    struct hst_liner *liner = hst_liner_self();
    const void *frame = hst_frame_of_object(object);
    if (liner == NULL)
        return 0;
    if (what == WHAT_LINE) {
        struct hst_line_frame *top = hst_liner_top(liner);
        if (top != NULL && top->frame == frame)
            hst_liner_hit(liner, top, (uint32_t)hst_py_word(object, line_offset[hst_python.abi.minor]));
    } else if (what == WHAT_CALL) {
        begin_call(liner, frame);
        if (!hst_liner_scoped)
            hook_threads();
    } else if (what == WHAT_RETURN) {
        end_call(liner, frame, argument);
    }
    return 0;
}

int hst_line_trace_arm(int unused)
{
    (void)unused;
    if (hst_python.abi.minor >= sizeof line_offset)
        return 0;
    hst_liner_on = 1;
    hst_python.PyEval_SetTrace(hook, NULL);
    return 1;
}

int hst_line_trace_arm_scoped(int unused)
{
    (void)unused;
    hst_liner_on = hst_python.abi.minor < sizeof line_offset;
    return hst_liner_on;
}

/* A debugger's, coverage's: it is left to them. Ours is a function of C alone, which gettrace does not tell.
 */
int hst_line_trace_is_taken(void)
{
    PyObject *getter = hst_python.PySys_GetObject("gettrace"); /* borrowed */
    PyObject *other = getter != NULL ? hst_python.PyObject_CallFunction(getter, NULL) : NULL;
    int taken = other != NULL && other != hst_py_none();
    if (other != NULL)
        hst_python.Py_DecRef(other);
    hst_python.PyErr_Clear();
    return taken;
}

void hst_line_trace_enter(void) { hst_python.PyEval_SetTrace(hook, NULL); }

void hst_line_trace_leave(void)
{
    if (!hst_line_trace_is_taken())
        hst_python.PyEval_SetTrace(NULL, NULL);
}

void hst_line_trace_disarm(void)
{
    hst_liner_on = 0;
    hst_python.PyEval_SetTrace(NULL, NULL);
}
