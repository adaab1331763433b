/* Reads names through the interpreter and writes them down. */
#include "agent/functions.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "agent/arena.h"
#include "base/map.h"

enum {
    FLAGS_OF_GENERATORS = 0x20 | 0x80 | 0x200, /* CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR */
    FLAG_OF_COROUTINES = 0x80,
    NAME_BYTES_MAX = 2048,
    FILE_BYTES_MAX = 4096,
};

static struct hst_map rows; /* key -> slot */
static uint32_t chunk;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for builds without the interpreter lock */

/* A text for a row; owner keeps it alive. */
struct text {
    const char *data;
    size_t length;
    PyObject *owner;
};

static size_t cut(const char *data, size_t length, size_t most)
{
    if (length <= most)
        return length;
    while (most > 0 && ((unsigned char)data[most] & 0xc0) == 0x80)
        most--;
    return most;
}

static struct text text_of(PyObject *string, size_t most)
{
    ssize_t length = 0;
    struct text text = {.data = "", .owner = string};
    const char *data = string != NULL ? hst_python.PyUnicode_AsUTF8AndSize(string, &length) : NULL;
    if (data == NULL) {
        hst_python.PyErr_Clear(); /* no text, or one with lone surrogates */
        return text;
    }
    text.data = data;
    text.length = cut(data, (size_t)length, most);
    return text;
}

static struct text attribute(PyObject *object, const char *name, size_t most)
{
    PyObject *value = hst_python.PyObject_GetAttrString(object, name);
    if (value == NULL)
        hst_python.PyErr_Clear();
    return text_of(value, most);
}

static void text_release(struct text *text)
{
    if (text->owner != NULL)
        hst_python.Py_DecRef(text->owner);
}

/* What is known of a function before it is written down. */
struct draft {
    struct hst_agent_function head;
    struct text name, qualname, file;
    char buffer[NAME_BYTES_MAX];
};

static uint32_t write_row(const struct draft *draft)
{
    const struct text *name = &draft->name, *qualname = &draft->qualname, *file = &draft->file;
    size_t bytes = sizeof draft->head + name->length + qualname->length + file->length;
    uint32_t slots = (uint32_t)((bytes + HST_AGENT_SLOT_BYTES - 1) / HST_AGENT_SLOT_BYTES);
    uint32_t slot = hst_arena_take(&chunk, HST_AGENT_CHUNK_FUNCTIONS, 0, slots);
    if (slot == 0)
        return 0;
    struct hst_agent_function *row = hst_arena_slot(slot);
    *row = draft->head;
    row->slots = slots;
    row->name_bytes = (uint16_t)name->length;
    row->qualname_bytes = (uint16_t)qualname->length;
    row->file_bytes = (uint16_t)file->length;
    char *to = (char *)(row + 1);
    memcpy(to, name->data, name->length);
    memcpy(to + name->length, qualname->data, qualname->length);
    memcpy(to + name->length + qualname->length, file->data, file->length);
    hst_arena_publish(chunk, slot + slots);
    return slot;
}

static long number_attribute(PyObject *object, const char *name)
{
    PyObject *value = hst_python.PyObject_GetAttrString(object, name);
    long number = value != NULL ? hst_python.PyLong_AsLong(value) : 0;
    if (value != NULL)
        hst_python.Py_DecRef(value);
    if (hst_python.PyErr_Occurred() != NULL)
        hst_python.PyErr_Clear();
    return number;
}

static void draft_code(PyObject *code, struct draft *draft)
{
    int has_qualname = hst_python.abi.minor >= 11;
    draft->name = attribute(code, "co_name", NAME_BYTES_MAX);
    draft->qualname = attribute(code, has_qualname ? "co_qualname" : "co_name", NAME_BYTES_MAX);
    draft->file = attribute(code, "co_filename", FILE_BYTES_MAX);
    long flags = number_attribute(code, "co_flags"), line = number_attribute(code, "co_firstlineno");
    draft->head.flags = (flags & FLAGS_OF_GENERATORS) != 0 ? HST_AGENT_FUNCTION_GENERATOR : 0;
    if ((flags & FLAG_OF_COROUTINES) != 0)
        draft->head.flags |= HST_AGENT_FUNCTION_COROUTINE;
    draft->head.first_line = line > 0 ? (uint32_t)line : 0;
}

/* "<method 'get' of 'dict' objects>": of a bound method of C, by looking its type's attribute up, as cProfile
 * does; that also names the type that defines it. */
static PyObject *repr_of_method(PyObject *self, const char *name)
{
    PyObject *descriptor = hst_python.PyObject_GetAttrString(hst_py_type(self), name);
    PyObject *repr = NULL;
    if (descriptor != NULL && hst_py_type(descriptor) == hst_python.PyMethodDescr_Type)
        repr = hst_python.PyObject_Repr(descriptor);
    if (descriptor != NULL)
        hst_python.Py_DecRef(descriptor);
    hst_python.PyErr_Clear();
    return repr;
}

/* Else of a module, or of a type: a class method, such as dict.fromkeys. */
static int is_method(PyObject *function)
{
    const PyObject *self = hst_py_self_of_function(function);
    return self != NULL && hst_py_type(self) != hst_python.PyModule_Type &&
           hst_py_type(self) != hst_python.PyType_Type;
}

static struct text function_name(PyObject *function, char *buffer, size_t size)
{
    const char *name = hst_py_method_of_function(function)->name;
    PyObject *self = hst_py_self_of_function(function), *repr = NULL;
    struct text owner = {.data = ""};
    if (self != NULL && !is_method(function))
        owner = attribute(self, "__name__", NAME_BYTES_MAX / 2);
    else if (self != NULL)
        repr = repr_of_method(self, name);
    struct text text = text_of(repr, NAME_BYTES_MAX);
    if (text.length == 0) {
        text_release(&text);
        int length = snprintf(buffer, size, "<built-in method %.*s%s%.512s>", (int)owner.length, owner.data,
                              owner.length > 0 ? "." : "", name);
        text = (struct text){.data = buffer, .length = length > 0 ? (size_t)length : 0};
    }
    text_release(&owner);
    return text;
}

static void draft_callable(PyObject *callable, struct draft *draft)
{
    PyObject *type = hst_py_type(callable);
    int is_function = type == hst_python.PyCFunction_Type || type == hst_python.PyCMethod_Type;
    if (is_function)
        draft->name = function_name(callable, draft->buffer, sizeof draft->buffer);
    else
        draft->name = text_of(hst_python.PyObject_Repr(callable), NAME_BYTES_MAX);
    hst_python.PyErr_Clear();
    draft->head.flags = HST_AGENT_FUNCTION_C;
    if (is_function ? is_method(callable) : type == hst_python.PyMethodDescr_Type)
        draft->head.flags |= HST_AGENT_FUNCTION_METHOD;
    draft->qualname = (struct text){.data = draft->name.data, .length = draft->name.length};
    draft->file = (struct text){.data = "~", .length = 1}; /* as cProfile names what has no file */
}

static uint32_t find(uint64_t key)
{
    (void)pthread_mutex_lock(&lock);
    uint32_t slot = hst_map_find(&rows, key);
    (void)pthread_mutex_unlock(&lock);
    return slot;
}

/* Another thread may have been faster. */
static uint32_t add(uint64_t key, const struct draft *draft, PyObject *kept)
{
    (void)pthread_mutex_lock(&lock);
    uint32_t slot = hst_map_find(&rows, key);
    if (slot == HST_MAP_ABSENT) {
        slot = write_row(draft);
        if (slot != 0 && !hst_map_set(&rows, key, slot))
            slot = 0;
        else if (slot != 0 && kept != NULL)
            hst_python.Py_IncRef(kept);
    }
    (void)pthread_mutex_unlock(&lock);
    return slot;
}

/* The names are asked for without the lock: metaclasses may run code for it, and let other threads run. */
static uint32_t row_of(const void *key, PyObject *object, void (*describe)(PyObject *, struct draft *))
{
    uint64_t number = (uint64_t)(uintptr_t)key;
    uint32_t slot = find(number);
    if (slot != HST_MAP_ABSENT)
        return slot;
    struct draft draft = {.head = {0}};
    PyObject *type, *value, *traceback;
    hst_python.PyErr_Fetch(&type, &value, &traceback);
    describe(object, &draft);
    slot = add(number, &draft, key == object ? object : NULL);
    text_release(&draft.name);
    text_release(&draft.qualname);
    text_release(&draft.file);
    hst_python.PyErr_Restore(type, value, traceback);
    return slot;
}

static uint32_t flags_of(uint32_t slot)
{
    return slot != 0 ? ((const struct hst_agent_function *)hst_arena_slot(slot))->flags : 0;
}

uint32_t hst_functions_code(PyObject *code, uint32_t *ret_flags)
{
    uint32_t slot = row_of(code, code, draft_code);
    *ret_flags = flags_of(slot);
    return slot;
}

uint32_t hst_functions_callable(const void *key, PyObject *callable, uint32_t *ret_flags)
{
    uint32_t slot = row_of(key, callable, draft_callable);
    *ret_flags = flags_of(slot);
    return slot;
}

uint32_t hst_functions_find(uint64_t key)
{
    uint32_t slot = find(key);
    return slot != HST_MAP_ABSENT ? slot : 0;
}

uint32_t hst_functions_named(uint64_t key, const char *name)
{
    struct draft draft = {.head = {.flags = HST_AGENT_FUNCTION_TASK}};
    draft.name = draft.qualname = (struct text){.data = name, .length = strlen(name)};
    draft.file = (struct text){.data = "~", .length = 1};
    uint32_t slot = find(key);
    return slot != HST_MAP_ABSENT ? slot : add(key, &draft, NULL);
}

/* Code objects are kept by their address, which is their key; of what else was kept a little is lost. */
static void release_row(uint64_t key, uint32_t slot)
{
    const struct hst_agent_function *row = hst_arena_slot(slot);
    if ((row->flags & (HST_AGENT_FUNCTION_C | HST_AGENT_FUNCTION_TASK)) == 0)
        hst_python.Py_DecRef((PyObject *)(uintptr_t)key);
}

void hst_functions_release(void)
{
    for (size_t i = 0; i < rows.capacity; i++)
        if (rows.slots[i].value != HST_MAP_ABSENT)
            release_row(rows.slots[i].key, rows.slots[i].value);
    hst_functions_forget();
}

void hst_functions_forget(void)
{
    (void)pthread_mutex_init(&lock, NULL);
    hst_map_clear(&rows);
    chunk = 0;
}

uint32_t hst_functions_copy(uint64_t key, const struct hst_agent_function *row)
{
    uint32_t slot = hst_map_find(&rows, key);
    if (slot != HST_MAP_ABSENT)
        return slot;
    slot = hst_arena_take(&chunk, HST_AGENT_CHUNK_FUNCTIONS, 0, row->slots);
    if (slot == 0 || !hst_map_set(&rows, key, slot))
        return 0;
    memcpy(hst_arena_slot(slot), row, (size_t)row->slots * HST_AGENT_SLOT_BYTES);
    hst_arena_publish(chunk, slot + row->slots);
    return slot;
}
