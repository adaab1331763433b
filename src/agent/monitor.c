/* Calls of sys.monitoring. */
#include "agent/monitor.h"

/* Those that no known tool asks for come first: another tool's wish must not fail because of hasten. */
static const int numbers[] = {4, 3, 2, 1, 0};

static PyObject *monitoring(void) { return hst_python.PySys_GetObject("monitoring"); /* borrowed */ }

/* A call whose result does not matter; 0 when it raised. */
static int done(PyObject *result)
{
    if (result == NULL) {
        hst_python.PyErr_Clear();
        return 0;
    }
    hst_python.Py_DecRef(result);
    return 1;
}

int hst_monitor_take(void)
{
    PyObject *module = monitoring();
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && module != NULL; i++)
        if (done(hst_python.PyObject_CallMethod(module, "use_tool_id", "is", numbers[i], "hasten")))
            return numbers[i];
    return -1;
}

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

long hst_monitor_register(int tool, const char *event, struct hst_py_method *method)
{
    PyObject *module = monitoring();
    long number = module != NULL ? event_number(module, event) : 0;
    PyObject *callback = number != 0 ? hst_python.PyCFunction_NewEx(method, NULL, NULL) : NULL;
    if (callback == NULL) {
        hst_python.PyErr_Clear();
        return 0;
    }
    int good =
        done(hst_python.PyObject_CallMethod(module, "register_callback", "ilO", tool, number, callback));
    hst_python.Py_DecRef(callback);
    return good ? number : 0;
}

int hst_monitor_set(int tool, long events)
{
    return done(hst_python.PyObject_CallMethod(monitoring(), "set_events", "il", tool, events));
}

int hst_monitor_set_local(int tool, PyObject *code, long events)
{
    return done(hst_python.PyObject_CallMethod(monitoring(), "set_local_events", "iOl", tool, code, events));
}

void hst_monitor_free(int tool)
{
    if (tool < 0 || monitoring() == NULL)
        return;
    (void)hst_monitor_set(tool, 0);
    (void)done(hst_python.PyObject_CallMethod(monitoring(), "free_tool_id", "i", tool));
}

PyObject *hst_monitor_disable(void)
{
    PyObject *module = monitoring();
    PyObject *disable = module != NULL ? hst_python.PyObject_GetAttrString(module, "DISABLE") : NULL;
    hst_python.PyErr_Clear();
    return disable;
}
