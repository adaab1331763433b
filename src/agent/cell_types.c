/* Methods bound to cells: what they are given is checked, what they do is cells.h. */
#include "agent/cell_types.h"

#include <math.h>
#include <stdlib.h>

#include "agent/cells.h"
#include "count/moment.h"

static inline struct hst_cell_object *body(PyObject *self) { return hst_py_body(self); }

/* A number as Python means it; 0: an exception is set. */
static inline int number(PyObject *object, double *ret_value)
{
    if (__builtin_expect(hst_py_type(object) == hst_api.PyFloat_Type, 1)) {
        *ret_value = *(const double *)hst_py_body(object);
        return 1;
    }
    *ret_value = hst_api.PyFloat_AsDouble(object);
    return *ret_value != -1 || hst_python.PyErr_Occurred() == NULL;
}

static int finite_number(PyObject *object, double *ret_value)
{
    if (!number(object, ret_value))
        return 0;
    if (isfinite(*ret_value))
        return 1;
    hst_api.PyErr_SetString(hst_api.PyExc_ValueError, "the value must be a finite number");
    return 0;
}

/* The only argument of a method that may have none; 0: there are more. */
static inline int optional(ssize_t count, const char *method)
{
    if (__builtin_expect(count <= 1, 1))
        return 1;
    (void)hst_api.PyErr_Format(hst_api.PyExc_TypeError, "%s() takes at most 1 argument (%zd given)", method,
                               count);
    return 0;
}

/* Adds a whole number to one part of a cell, any other to the other. 0: an exception is set. */
static int add(struct hst_counter_number *cell, PyObject *amount, int only_grows)
{
    double value;
    int overflow = 1;
    if ((hst_py_type_flags(hst_py_type(amount)) & HST_PY_FLAGS_LONG_SUBCLASS) != 0) {
        long long whole = hst_api.PyLong_AsLongLongAndOverflow(amount, &overflow);
        if (!overflow && (whole >= 0 || !only_grows)) {
            hst_cell_add_u64((uint64_t *)&cell->whole, (uint64_t)whole);
            return 1;
        }
    }
    if (!finite_number(amount, &value))
        return 0;
    if (value < 0 && only_grows) {
        hst_api.PyErr_SetString(hst_api.PyExc_ValueError,
                                "a counter only grows; hasten.counters.total adds negative numbers too");
        return 0;
    }
    hst_cell_add_double(&cell->part, value);
    return 1;
}

static PyObject *counter_inc(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    struct hst_counter_number *cell = body(self)->cell;
    if (__builtin_expect(count == 0, 1))
        hst_cell_add_u64((uint64_t *)&cell->whole, 1);
    else if (!optional(count, "inc") || !add(cell, arguments[0], 1))
        return NULL;
    return hst_py_new_none();
}

static PyObject *total_add(PyObject *self, PyObject *amount)
{
    return add(body(self)->cell, amount, 0) ? hst_py_new_none() : NULL;
}

static PyObject *gauge_set(PyObject *self, PyObject *argument)
{
    struct hst_counter_number *cell = body(self)->cell;
    double value;
    if (!number(argument, &value))
        return NULL;
    hst_cell_store_double(&cell->part, value);
    return hst_py_new_none();
}

static PyObject *gauge_change(PyObject *self, PyObject *const *arguments, ssize_t count, double sign,
                              const char *method)
{
    struct hst_counter_number *cell = body(self)->cell;
    double value = 1;
    if (!optional(count, method) || (count > 0 && !finite_number(arguments[0], &value)))
        return NULL;
    hst_cell_add_double(&cell->part, sign * value);
    return hst_py_new_none();
}
static PyObject *gauge_inc(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    return gauge_change(self, arguments, count, 1, "inc");
}
static PyObject *gauge_dec(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    return gauge_change(self, arguments, count, -1, "dec");
}

static PyObject *frequency_tick(PyObject *self, PyObject *const *arguments, ssize_t count)
{
    long long times = 1;
    int overflow = 0;
    if (!optional(count, "tick"))
        return NULL;
    if (count == 1) {
        times = hst_api.PyLong_AsLongLongAndOverflow(arguments[0], &overflow);
        if (times == -1 && hst_python.PyErr_Occurred() != NULL)
            return NULL;
        if (overflow != 0 || times < 0) {
            hst_api.PyErr_SetString(hst_api.PyExc_ValueError,
                                    "the number of events must be from 0 to 2^63 - 1");
            return NULL;
        }
    }
    hst_window_tick(body(self)->cell, (uint64_t)times);
    return hst_py_new_none();
}

static PyObject *window_observe(PyObject *self, PyObject *argument)
{
    double value;
    if (!finite_number(argument, &value))
        return NULL;
    hst_window_observe(body(self)->cell, value);
    return hst_py_new_none();
}

static PyObject *histogram_observe(PyObject *self, PyObject *argument)
{
    double value;
    if (!number(argument, &value))
        return NULL;
    hst_histogram_observe(body(self)->cell, value);
    return hst_py_new_none();
}

static PyObject *histogram_start(PyObject *self, PyObject *ignored)
{
    (void)self, (void)ignored;
    return hst_api.PyLong_FromUnsignedLongLong(hst_ticks());
}

static PyObject *histogram_stop(PyObject *self, PyObject *argument)
{
    uint64_t now = hst_ticks();
    unsigned long long start = hst_api.PyLong_AsUnsignedLongLong(argument);
    if (start == (unsigned long long)-1 && hst_python.PyErr_Occurred() != NULL)
        return NULL;
    double seconds = now >= start ? (double)(now - start) * hst_seconds_per_tick : 0;
    hst_histogram_observe(body(self)->cell, seconds);
    return hst_api.PyFloat_FromDouble(seconds);
}

static PyObject *histogram_quantile(PyObject *self, PyObject *argument)
{
    struct hst_histogram_moment moment;
    double q;
    if (!number(argument, &q))
        return NULL;
    if (!(q >= 0 && q <= 1)) {
        hst_api.PyErr_SetString(hst_api.PyExc_ValueError, "a quantile is from 0 to 1");
        return NULL;
    }
    hst_histogram_read(body(self)->cell, &moment);
    return hst_api.PyFloat_FromDouble(hst_histogram_quantile(&moment, q));
}

static PyObject *cell_clear(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct hst_cell_object *object = body(self);
    if (object->kind == HST_COUNTER_HISTOGRAM) {
        struct hst_counter_histogram *histogram = object->cell;
        for (size_t i = 0; i < HST_COUNTER_OCTAVES; i++)
            if ((histogram->octaves >> i & 1) != 0)
                memset(hst_counter_octave(histogram, histogram->places[i]), 0,
                       HST_COUNTER_OCTAVE_PARTS * sizeof(uint64_t));
        histogram->sum = 0;
        histogram->low = histogram->above = histogram->invalid = 0;
        hst_counter_cell_init(HST_COUNTER_HISTOGRAM, histogram, 0);
    } else if (object->kind >= HST_COUNTER_FREQUENCY) {
        struct hst_counter_window *window = object->cell;
        uint64_t window_ns = window->width_ns * HST_COUNTER_BUCKETS_OF_WINDOW;
        memset(window->buckets, 0, sizeof window->buckets);
        window->count = 0;
        window->sum = 0;
        hst_counter_cell_init((enum hst_counter_kind)object->kind, window, window_ns);
    } else {
        memset(object->cell, 0, sizeof(struct hst_counter_number));
    }
    return hst_py_new_none();
}

/* --- what a series says --- */

static PyObject *number_value(PyObject *self, void *data)
{
    (void)data;
    const struct hst_counter_number *cell = body(self)->cell;
    if (cell->part == 0 && body(self)->kind != HST_COUNTER_GAUGE)
        return hst_api.PyLong_FromLongLong(cell->whole);
    return hst_api.PyFloat_FromDouble((double)cell->whole + cell->part);
}

enum window_part { COUNT, SUM, FREQUENCY, AVERAGE, MIN, MAX };

static PyObject *float_or_none(double value, int known)
{
    return known ? hst_api.PyFloat_FromDouble(value) : hst_py_new_none();
}

static PyObject *window_get(PyObject *self, enum window_part part)
{
    struct hst_window_moment moment;
    hst_window_read(body(self)->cell, hst_now_ns(), &moment);
    switch (part) {
    case COUNT:
        return hst_api.PyLong_FromUnsignedLongLong(moment.count);
    case SUM:
        return hst_api.PyFloat_FromDouble(moment.sum);
    case FREQUENCY:
        return hst_api.PyFloat_FromDouble(moment.seconds > 0 ? (double)moment.count / moment.seconds : 0);
    case AVERAGE:
        return float_or_none(moment.sum / (double)moment.count, moment.count > 0);
    case MIN:
        return float_or_none(moment.min, moment.count > 0);
    case MAX:
        return float_or_none(moment.max, moment.count > 0);
    }
    return NULL;
}
static PyObject *window_part(PyObject *self, void *data)
{
    return window_get(self, (enum window_part)(uintptr_t)data);
}
static PyObject *window_value(PyObject *self, void *data)
{
    (void)data;
    switch (body(self)->kind) {
    case HST_COUNTER_FREQUENCY:
        return window_get(self, FREQUENCY);
    case HST_COUNTER_MIN:
        return window_get(self, MIN);
    case HST_COUNTER_MAX:
        return window_get(self, MAX);
    default:
        return window_get(self, AVERAGE);
    }
}
static PyObject *window_seconds(PyObject *self, void *data)
{
    (void)data;
    return hst_api.PyFloat_FromDouble(hst_window_seconds(body(self)->cell));
}

static PyObject *histogram_part(PyObject *self, void *data)
{
    struct hst_histogram_moment moment;
    hst_histogram_read(body(self)->cell, &moment);
    switch ((enum window_part)(uintptr_t)data) {
    case COUNT:
        return hst_api.PyLong_FromUnsignedLongLong(moment.count);
    case SUM:
        return hst_api.PyFloat_FromDouble(moment.sum);
    case MIN:
        return float_or_none(moment.min, moment.count > 0);
    case MAX:
        return float_or_none(moment.max, moment.count > 0);
    default:
        return float_or_none(moment.sum / (double)moment.count, moment.count > 0);
    }
}

/* --- the types --- */

static PyObject *refuse_new(PyObject *type, PyObject *arguments, PyObject *names)
{
    (void)type, (void)arguments, (void)names;
    hst_api.PyErr_SetString(
        hst_api.PyExc_TypeError,
        "series are made by the functions of hasten.counters: counter(\"name\") and so on");
    return NULL;
}

static void cell_dealloc(PyObject *self)
{
    PyObject *type = hst_py_type(self);
    PyObject *held[] = {body(self)->name, body(self)->labels, body(self)->more};
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        if (held[i] != NULL)
            hst_python.Py_DecRef(held[i]);
    hst_api.PyObject_Free(self);
    hst_python.Py_DecRef(type);
}

static PyObject *cell_name(PyObject *self, void *data)
{
    (void)data;
    hst_python.Py_IncRef(body(self)->name);
    return body(self)->name;
}
static PyObject *cell_labels(PyObject *self, void *data)
{
    (void)data;
    hst_python.Py_IncRef(body(self)->labels);
    return body(self)->labels;
}
static PyObject *cell_kind(PyObject *self, void *data)
{
    (void)data;
    return hst_api.PyLong_FromLongLong(body(self)->kind);
}
static PyObject *cell_more(PyObject *self, void *data)
{
    (void)data;
    if (body(self)->more == NULL)
        return hst_py_new_none();
    hst_python.Py_IncRef(body(self)->more);
    return body(self)->more;
}
static int cell_set_more(PyObject *self, PyObject *value, void *data)
{
    (void)data;
    PyObject *old = body(self)->more;
    if (value != NULL)
        hst_python.Py_IncRef(value);
    body(self)->more = value;
    if (old != NULL)
        hst_python.Py_DecRef(old);
    return 0;
}

#define METHOD(name, function, flags, doc)                                                                   \
    {                                                                                                        \
        name, (hst_py_fastcall *)(void (*)(void))(function), flags, doc                                      \
    }
#define METHODS_OF_ALL                                                                                       \
    METHOD("clear", cell_clear, HST_PY_METH_NOARGS, "Back to the beginning."), { NULL, NULL, 0, NULL }
#define GETSETS_OF_ALL                                                                                       \
    {"name", cell_name, NULL, "The name of the series.", NULL},                                              \
        {"label_pairs", cell_labels, NULL, "((key, value), ...) in the order of the keys.", NULL},           \
        {"_kind", cell_kind, NULL, NULL, NULL}, {"_more", cell_more, cell_set_more, NULL, NULL},             \
    {                                                                                                        \
        NULL, NULL, NULL, NULL, NULL                                                                         \
    }
#define PART(name, function, part, doc)                                                                      \
    {                                                                                                        \
        name, function, NULL, doc, (void *)(uintptr_t)(part)                                                 \
    }

static struct hst_py_method counter_methods[] = {
    METHOD("inc", counter_inc, HST_PY_METH_FASTCALL, "inc(amount=1): adds amount, which is not negative."),
    METHODS_OF_ALL};
static struct hst_py_method total_methods[] = {
    METHOD("add", total_add, HST_PY_METH_O, "add(amount): adds any finite number."), METHODS_OF_ALL};
static struct hst_py_method gauge_methods[] = {
    METHOD("set", gauge_set, HST_PY_METH_O, "set(value): this is how it is now."),
    METHOD("inc", gauge_inc, HST_PY_METH_FASTCALL, "inc(amount=1): so much more."),
    METHOD("dec", gauge_dec, HST_PY_METH_FASTCALL, "dec(amount=1): so much less."), METHODS_OF_ALL};
static struct hst_py_method frequency_methods[] = {
    METHOD("tick", frequency_tick, HST_PY_METH_FASTCALL, "tick(count=1): so many events happened now."),
    METHODS_OF_ALL};
static struct hst_py_method window_methods[] = {
    METHOD("observe", window_observe, HST_PY_METH_O, "observe(value): a value of now."), METHODS_OF_ALL};
static struct hst_py_method histogram_methods[] = {
    METHOD("observe", histogram_observe, HST_PY_METH_O, "observe(value): counts a value."),
    METHOD("quantile", histogram_quantile, HST_PY_METH_O,
           "quantile(q): the value that the share q (0 to 1) is not above, within 1.6 %; NaN of nothing."),
    METHOD("start", histogram_start, HST_PY_METH_NOARGS, "start(): a mark of now, for stop."),
    METHOD("stop", histogram_stop, HST_PY_METH_O, "stop(mark): counts the time since mark; gives it, in s."),
    METHODS_OF_ALL};

static struct hst_py_getset number_getsets[] = {
    {"value", number_value, NULL, "The value of this process now.", NULL}, GETSETS_OF_ALL};
#define WINDOW_GETSETS                                                                                       \
    {"value", window_value, NULL, "What it is for, in the window up to now; None of nothing.", NULL},        \
        {"window", window_seconds, NULL, "Length of the window, in s.", NULL},                               \
        PART("count", window_part, COUNT, "Events in the window."),                                          \
        PART("frequency", window_part, FREQUENCY, "Events per second in the window.")
static struct hst_py_getset frequency_getsets[] = {WINDOW_GETSETS, GETSETS_OF_ALL};
static struct hst_py_getset window_getsets[] = {
    WINDOW_GETSETS,
    PART("sum", window_part, SUM, "Sum of the values in the window."),
    PART("average", window_part, AVERAGE, "Average in the window; None of nothing."),
    PART("min", window_part, MIN, "Smallest in the window; None of nothing."),
    PART("max", window_part, MAX, "Largest in the window; None of nothing."),
    GETSETS_OF_ALL};
static struct hst_py_getset histogram_getsets[] = {
    PART("value", histogram_part, AVERAGE, "Average of all values; None of nothing."),
    PART("count", histogram_part, COUNT, "Number of values."),
    PART("sum", histogram_part, SUM, "Their sum."),
    PART("average", histogram_part, AVERAGE, "Their average; None of nothing."),
    PART("min", histogram_part, MIN, "The smallest, exactly; None of nothing."),
    PART("max", histogram_part, MAX, "The largest, exactly; None of nothing."),
    GETSETS_OF_ALL};

static const struct {
    const char *name, *doc;
    struct hst_py_method *methods;
    struct hst_py_getset *getsets;
} types[HST_CELL_TYPE_COUNT] = {
    [HST_CELL_COUNTER] = {"hasten._agent.Counter", "Counts; only grows.", counter_methods, number_getsets},
    [HST_CELL_TOTAL] = {"hasten._agent.Total", "Adds up.", total_methods, number_getsets},
    [HST_CELL_GAUGE] = {"hasten._agent.Gauge", "How something is now.", gauge_methods, number_getsets},
    [HST_CELL_FREQUENCY] = {"hasten._agent.Frequency", "Events per second in a window.", frequency_methods,
                            frequency_getsets},
    [HST_CELL_WINDOW] = {"hasten._agent.Window", "Average, smallest and largest in a window.", window_methods,
                         window_getsets},
    [HST_CELL_HISTOGRAM] = {"hasten._agent.Histogram", "How values are spread, within 1.6 %.",
                            histogram_methods, histogram_getsets},
};

static enum hst_cell_type type_of_kind(int kind)
{
    switch (kind) {
    case HST_COUNTER_COUNTER:
        return HST_CELL_COUNTER;
    case HST_COUNTER_TOTAL:
        return HST_CELL_TOTAL;
    case HST_COUNTER_GAUGE:
        return HST_CELL_GAUGE;
    case HST_COUNTER_FREQUENCY:
        return HST_CELL_FREQUENCY;
    case HST_COUNTER_HISTOGRAM:
        return HST_CELL_HISTOGRAM;
    default:
        return HST_CELL_WINDOW;
    }
}

int hst_cell_types_add(PyObject *module)
{
    struct hst_module *state = hst_api.PyModule_GetState(module);
    for (size_t i = 0; i < HST_CELL_TYPE_COUNT; i++) {
        struct hst_py_slot slots[] = {
            HST_PY_SLOT(HST_PY_TP_NEW, refuse_new),          HST_PY_SLOT(HST_PY_TP_DEALLOC, cell_dealloc),
            HST_PY_SLOT(HST_PY_TP_DOC, types[i].doc),        HST_PY_SLOT(HST_PY_TP_METHODS, types[i].methods),
            HST_PY_SLOT(HST_PY_TP_GETSET, types[i].getsets), {0, NULL}};
        struct hst_py_spec spec = {.name = types[i].name,
                                   .basicsize = (int)(hst_api.head + sizeof(struct hst_cell_object)),
                                   .flags = HST_PY_FLAGS_DEFAULT,
                                   .slots = slots};
        PyObject *type = hst_api.PyType_FromSpec(&spec);
        state->types[i] = type; /* the module's, which lives as long */
        if (!hst_module_add(module, strrchr(types[i].name, '.') + 1, type))
            return 0;
    }
    hst_ticks_calibrate();
    return 1;
}

static int text(PyObject *object, const char *what, size_t most, const char **ret_text, size_t *ret_bytes)
{
    ssize_t bytes;
    *ret_text = hst_python.PyUnicode_AsUTF8AndSize(object, &bytes);
    if (*ret_text == NULL)
        return 0;
    *ret_bytes = (size_t)bytes;
    if ((size_t)bytes <= most)
        return 1;
    (void)hst_api.PyErr_Format(hst_api.PyExc_ValueError, "%s is longer than %zd bytes", what, (ssize_t)most);
    return 0;
}

PyObject *hst_cell_make(PyObject *module, PyObject *arguments)
{
    PyObject *name, *labels, *help, *unit, *pairs;
    struct hst_counter_texts texts;
    int kind;
    double window_s;
    if (!hst_api.PyArg_ParseTuple(arguments, "iUUUUdO:_make", &kind, &name, &labels, &help, &unit, &window_s,
                                  &pairs) ||
        !text(name, "the name", HST_COUNTER_NAME_BYTES_MAX, &texts.name, &texts.name_bytes) ||
        !text(labels, "the text of all labels", HST_COUNTER_LABELS_BYTES_MAX, &texts.labels,
              &texts.labels_bytes) ||
        !text(help, "the help text", HST_COUNTER_TEXT_BYTES_MAX, &texts.help, &texts.help_bytes) ||
        !text(unit, "the unit", HST_COUNTER_NAME_BYTES_MAX, &texts.unit, &texts.unit_bytes))
        return NULL;
    if (kind <= HST_COUNTER_NONE || kind >= HST_COUNTER_KIND_COUNT ||
        !(window_s >= 0.1 && window_s <= 864000)) {
        hst_api.PyErr_SetString(hst_api.PyExc_ValueError, "a window is from 0.1 s to 10 days long");
        return NULL;
    }
    struct hst_module *state = hst_api.PyModule_GetState(module);
    if (kind == HST_COUNTER_HISTOGRAM)
        hst_ticks_calibrate();
    void *cell = hst_counters_add((enum hst_counter_kind)kind, &texts, (uint64_t)(window_s * 1e9));
    const char *trouble = hst_counters_trouble();
    if (trouble != NULL && hst_api.PyErr_WarnEx(hst_api.PyExc_RuntimeWarning, trouble, 2) != 0)
        return NULL;
    if (cell == NULL)
        return hst_api.PyErr_NoMemory();
    PyObject *self = hst_api.PyType_GenericAlloc(state->types[type_of_kind(kind)], 0);
    if (self == NULL)
        return NULL;
    hst_python.Py_IncRef(name);
    hst_python.Py_IncRef(pairs);
    *body(self) = (struct hst_cell_object){.cell = cell, .name = name, .labels = pairs, .kind = kind};
    return self;
}
