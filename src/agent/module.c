/* `import hasten` -> the agent, as an extension module of whichever CPython imports it.  Without Python.h the
 * module's definition is laid out here, behind a head as large as that interpreter's objects have.
 *
 * An agent that was preloaded is another copy in the same process, and the one that traces: then its module
 * is the module. */
#include "agent/cell_types.h"
#include "agent/timed.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { SLOT_EXEC = 2, SLOT_INTERPRETERS = 3, SLOT_GIL = 4 }; /* moduleobject.h: since 3.5, 3.12, 3.13 */
enum { OBJECT_BYTES_MAX = 32 };
#define OWN_GIL_SUPPORTED ((void *)2)
#define GIL_NOT_USED ((void *)1)

/* PyModuleDef behind the head of an object. */
struct definition {
    PyObject *(*init)(void);
    ssize_t index;
    PyObject *copy;
    const char *name, *doc;
    ssize_t size;
    struct hst_py_method *methods;
    struct hst_py_slot *slots;
    void *traverse, *clear, *free;
};

int hst_module_add(PyObject *module, const char *name, PyObject *value)
{
    if (value == NULL)
        return 0;
    if (hst_api.PyModule_AddObject(module, name, value) == 0)
        return 1;
    hst_python.Py_DecRef(value);
    return 0;
}

static int exec(PyObject *module)
{
    int good = hst_module_add(module, "version", hst_api.Py_BuildValue("s", HST_VERSION)) &&
               hst_cell_types_add(module) && hst_timed_type_add(module);
    return good ? 0 : -1;
}

/* Python up to 3.7, or none that is known. */
static PyObject *refuse(const char *why)
{
    void *raise_found = dlsym(RTLD_DEFAULT, "PyErr_SetString"),
         *error = dlsym(RTLD_DEFAULT, "PyExc_ImportError");
    void (*raise)(PyObject *, const char *);
    char text[240];
    memcpy(&raise, &raise_found, sizeof raise);
    (void)snprintf(text, sizeof text, "hasten: %s; it wants CPython 3.8 or later", why);
    if (raise_found != NULL && error != NULL)
        raise(*(PyObject **)error, text);
    return NULL;
}

/* Never freed: the most references that 3.8 takes for one, the sign of an immortal object later. */
static void begin_head(char *head)
{
    const uint16_t static_flag = 4; /* of ob_flags, without the interpreter lock: 3.15 asks for it */
    const uint32_t immortal = UINT32_MAX;
    const uint64_t count = 0x3fffffff;
    if (!hst_api.free_threaded) {
        memcpy(head, &count, sizeof count);
        return;
    }
    memcpy(head + 12, &immortal, sizeof immortal);
    if (hst_python.abi.minor >= 14)
        memcpy(head + 8, &static_flag, sizeof static_flag);
}

static PyObject *define(void)
{
    static uint64_t memory[(OBJECT_BYTES_MAX + sizeof(struct definition)) / sizeof(uint64_t)];
    static struct hst_py_slot slots[4];
    size_t slot = 0;
    char *head = (char *)memory + OBJECT_BYTES_MAX - hst_api.head;
    struct definition *definition = (struct definition *)(void *)((char *)memory + OBJECT_BYTES_MAX);
    if (definition->name == NULL) { /* else another interpreter of this process was here before */
        slots[slot++] = HST_PY_SLOT(SLOT_EXEC, exec);
        if (hst_python.abi.minor >= 12)
            slots[slot++] = (struct hst_py_slot){SLOT_INTERPRETERS, OWN_GIL_SUPPORTED};
        if (hst_python.abi.minor >= 13)
            slots[slot++] = (struct hst_py_slot){SLOT_GIL, GIL_NOT_USED};
        begin_head(head);
        definition->size = sizeof(struct hst_module);
        definition->methods = hst_module_methods;
        definition->slots = slots;
        definition->doc = "The part of hasten that works inside the program; hasten.counters is its face.";
        definition->name = "hasten._agent";
    }
    return hst_api.PyModuleDef_Init(head);
}

/* Named by what it promises: another copy's is taken only when it is of the same kind. */
EXPORT PyObject *hst_agent_module_1(void);
EXPORT PyObject *hst_agent_module_1(void)
{
    const char *why = "";
    if (hst_python.version[0] == '\0' && !hst_python_find(&why))
        return refuse(why);
    if (hst_api.head == 0 && !hst_api_find())
        return refuse("this Python does not export what it calls");
    return define();
}

EXPORT PyObject *PyInit__agent(void);
EXPORT PyObject *PyInit__agent(void)
{
    PyObject *(*init)(void) = hst_agent_module_1;
    void *first = dlsym(RTLD_DEFAULT, "hst_agent_module_1"); /* the preloaded one's, if there is one */
    if (first != NULL)
        memcpy(&init, &first, sizeof init);
    return init();
}
