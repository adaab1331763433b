/* The type of decorated functions: called by vectorcall, it calls on by vectorcall, so that nothing is
 * packed. It binds as a function does, and looks like the function (functools.update_wrapper fills its
 * dictionary). */
#include "agent/timed.h"

#include "agent/cell_types.h"
#include "agent/cells.h"

struct timed {
    hst_py_vectorcall *vectorcall;
    PyObject *function, *series, *dict, *weak;
    void *cell;
    ssize_t offset; /* of the vectorcall of the function, in it; 0: it has none */
};
enum { TYPE_VECTORCALL_OFFSET = 40, TYPE_WEAK_OFFSET = 192, TYPE_DICT_OFFSET = 272 }; /* behind the head */

static inline struct timed *body(PyObject *self) { return hst_py_body(self); }

/* By tuple and dictionary: what has no vectorcall. */
static PyObject *call_packed(PyObject *function, PyObject *const *arguments, size_t count, PyObject *names)
{
    ssize_t positional = (ssize_t)(count & ~((size_t)1 << 63));
    ssize_t named = names != NULL ? hst_api.PyTuple_Size(names) : 0;
    PyObject *tuple = hst_api.PyTuple_New(positional), *dict = named > 0 ? hst_python.PyDict_New() : NULL;
    PyObject *result = NULL;
    if (tuple == NULL || (named > 0 && dict == NULL))
        goto end;
    for (ssize_t i = 0; i < positional; i++) {
        hst_python.Py_IncRef(arguments[i]);
        (void)hst_api.PyTuple_SetItem(tuple, i, arguments[i]);
    }
    for (ssize_t i = 0; i < named; i++)
        if (hst_api.PyDict_SetItem(dict, hst_api.PyTuple_GetItem(names, i), arguments[positional + i]) != 0)
            goto end;
    result = hst_api.PyObject_Call(function, tuple, dict);
end:
    if (tuple != NULL)
        hst_python.Py_DecRef(tuple);
    if (dict != NULL)
        hst_python.Py_DecRef(dict);
    return result;
}

static inline PyObject *call(const struct timed *timed, PyObject *const *arguments, size_t count,
                             PyObject *names)
{
    hst_py_vectorcall *vectorcall =
        timed->offset != 0 ? *(hst_py_vectorcall **)(void *)((char *)timed->function + timed->offset) : NULL;
    if (__builtin_expect(vectorcall != NULL, 1))
        return vectorcall(timed->function, arguments, count, names);
    return call_packed(timed->function, arguments, count, names);
}

static PyObject *call_timed(PyObject *self, PyObject *const *arguments, size_t count, PyObject *names)
{
    const struct timed *timed = body(self);
    uint64_t start = hst_ticks();
    PyObject *result = call(timed, arguments, count, names);
    uint64_t now = hst_ticks();
    hst_histogram_observe(timed->cell, (double)(now - start) * hst_seconds_per_tick);
    return result;
}
static PyObject *call_counted(PyObject *self, PyObject *const *arguments, size_t count, PyObject *names)
{
    const struct timed *timed = body(self);
    hst_cell_add_u64((uint64_t *)&((struct hst_counter_number *)timed->cell)->whole, 1);
    return call(timed, arguments, count, names);
}
static PyObject *call_ticked(PyObject *self, PyObject *const *arguments, size_t count, PyObject *names)
{
    const struct timed *timed = body(self);
    hst_window_tick(timed->cell, 1);
    return call(timed, arguments, count, names);
}

static PyObject *descr_get(PyObject *self, PyObject *object, PyObject *type)
{
    (void)type;
    if (object != NULL && object != hst_python._Py_NoneStruct)
        return hst_api.PyMethod_New(self, object);
    hst_python.Py_IncRef(self);
    return self;
}

static int traverse(PyObject *self, int (*visit)(PyObject *, void *), void *data)
{
    const struct timed *timed = body(self);
    PyObject *held[] = {timed->function, timed->series, timed->dict,
                        hst_python.abi.minor >= 9 ? hst_py_type(self) : NULL};
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
        int stop = held[i] != NULL ? visit(held[i], data) : 0;
        if (stop != 0)
            return stop;
    }
    return 0;
}

static int clear(PyObject *self)
{
    struct timed *timed = body(self);
    PyObject *dict = timed->dict;
    timed->dict = NULL;
    if (dict != NULL)
        hst_python.Py_DecRef(dict);
    return 0; /* the function stays: a call must find it */
}

static void dealloc(PyObject *self)
{
    PyObject *type = hst_py_type(self);
    struct timed *timed = body(self);
    hst_api.PyObject_GC_UnTrack(self);
    if (timed->weak != NULL)
        hst_api.PyObject_ClearWeakRefs(self);
    (void)clear(self);
    if (timed->function != NULL)
        hst_python.Py_DecRef(timed->function);
    if (timed->series != NULL)
        hst_python.Py_DecRef(timed->series);
    hst_api.PyObject_GC_Del(self);
    hst_python.Py_DecRef(type);
}

/* As a function: by its name. */
static PyObject *reduce(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return hst_python.PyObject_GetAttrString(self, "__qualname__");
}

static PyObject *get_series(PyObject *self, void *data)
{
    (void)data;
    hst_python.Py_IncRef(body(self)->series);
    return body(self)->series;
}

/* 3.8 takes these places from the type itself only. */
static void set_offsets(PyObject *type, const struct hst_py_member *members)
{
    static const size_t at[] = {TYPE_VECTORCALL_OFFSET, TYPE_DICT_OFFSET, TYPE_WEAK_OFFSET};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
        *(ssize_t *)(void *)((char *)type + hst_api.head + at[i]) = members[i].offset;
}

int hst_timed_type_add(PyObject *module)
{
    static struct hst_py_method methods[] = {
        {"__reduce__", (hst_py_fastcall *)(void (*)(void))reduce, HST_PY_METH_NOARGS, NULL},
        {NULL, NULL, 0, NULL}};
    static struct hst_py_getset getsets[3];
    static struct hst_py_member members[4];
    struct hst_module *state = hst_api.PyModule_GetState(module);
    const struct {
        const char *name;
        size_t offset;
    } places[] = {{"__vectorcalloffset__", offsetof(struct timed, vectorcall)},
                  {"__dictoffset__", offsetof(struct timed, dict)},
                  {"__weaklistoffset__", offsetof(struct timed, weak)}};
    for (size_t i = 0; i < 3; i++)
        members[i] =
            (struct hst_py_member){places[i].name, HST_PY_T_PYSSIZET,
                                   (ssize_t)(hst_api.head + places[i].offset), HST_PY_READONLY, NULL};
    getsets[0] = (struct hst_py_getset){"__dict__", hst_api.PyObject_GenericGetDict,
                                        hst_api.PyObject_GenericSetDict, NULL, NULL};
    getsets[1] = (struct hst_py_getset){"series", get_series, NULL, "What the calls are counted in.", NULL};
    struct hst_py_slot slots[] = {HST_PY_SLOT(HST_PY_TP_CALL, hst_api.PyVectorcall_Call),
                                  HST_PY_SLOT(HST_PY_TP_DESCR_GET, descr_get),
                                  HST_PY_SLOT(HST_PY_TP_TRAVERSE, traverse),
                                  HST_PY_SLOT(HST_PY_TP_CLEAR, clear),
                                  HST_PY_SLOT(HST_PY_TP_DEALLOC, dealloc),
                                  HST_PY_SLOT(HST_PY_TP_METHODS, methods),
                                  HST_PY_SLOT(HST_PY_TP_GETSET, getsets),
                                  hst_python.abi.minor >= 9 ? (struct hst_py_slot){HST_PY_TP_MEMBERS, members}
                                                            : (struct hst_py_slot){0, NULL},
                                  {0, NULL}};
    struct hst_py_spec spec = {.name = "hasten._agent.Measured",
                               .basicsize = (int)(hst_api.head + sizeof(struct timed)),
                               .flags = HST_PY_FLAGS_DEFAULT | HST_PY_FLAGS_HAVE_GC |
                                        HST_PY_FLAGS_VECTORCALL | HST_PY_FLAGS_METHOD_DESCRIPTOR,
                               .slots = slots};
    state->timed = hst_api.PyType_FromSpec(&spec);
    if (state->timed != NULL && hst_python.abi.minor < 9)
        set_offsets(state->timed, members);
    return hst_module_add(module, "Measured", state->timed);
}

PyObject *hst_timed_wrap(PyObject *module, PyObject *arguments)
{
    PyObject *function, *series;
    struct hst_module *state = hst_api.PyModule_GetState(module);
    if (!hst_api.PyArg_ParseTuple(arguments, "OO:_wrap", &function, &series))
        return NULL;
    PyObject *type = hst_py_type(series);
    hst_py_vectorcall *vectorcall = type == state->types[HST_CELL_HISTOGRAM]   ? call_timed
                                    : type == state->types[HST_CELL_COUNTER]   ? call_counted
                                    : type == state->types[HST_CELL_FREQUENCY] ? call_ticked
                                                                               : NULL;
    if (vectorcall == NULL || !hst_api.PyCallable_Check(function)) {
        hst_api.PyErr_SetString(
            hst_api.PyExc_TypeError,
            "what is decorated must be callable, and measured by a histogram, counter or frequency");
        return NULL;
    }
    PyObject *self = hst_api.PyType_GenericAlloc(state->timed, 0);
    if (self == NULL)
        return NULL;
    struct timed *timed = body(self);
    hst_python.Py_IncRef(function);
    hst_python.Py_IncRef(series);
    timed->function = function;
    timed->series = series;
    timed->cell = ((struct hst_cell_object *)hst_py_body(series))->cell;
    type = hst_py_type(function);
    if ((hst_py_type_flags(type) & HST_PY_FLAGS_VECTORCALL) != 0)
        timed->offset = (ssize_t)hst_py_word(type, hst_api.head + TYPE_VECTORCALL_OFFSET);
    timed->vectorcall = vectorcall;
    return self;
}
