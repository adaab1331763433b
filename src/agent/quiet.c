/* Reads the calls of a function from its instructions.
 *
 * 3.11 tells a profile function of the instructions CALL and CALL_FUNCTION_EX alone, and only when what they
 * call is a function or a method of C: not of classes, not of functions of Python.  The compiler fetches what
 * is called by its global name with a LOAD_GLOBAL that also puts the NULL of a call on the stack, one for
 * each CALL; the call of a comprehension follows the iterator that it is given.  A function all of whose
 * calls are of these two kinds is quiet for as long as those names mean classes and functions of Python. */
#include "agent/quiet.h"

#include "base/memory.h"

/* Lib/opcode.py of 3.11 */
enum opcode {
    GET_AITER = 50,
    GET_ITER = 68,
    LOAD_GLOBAL = 116,
    CALL_FUNCTION_EX = 142,
    EXTENDED_ARG = 144,
    PRECALL = 166,
    CALL = 171,
};
enum {
    FRAME_GLOBALS = 8, /* _PyInterpreterFrame of 3.11: f_globals, f_builtins */
    FRAME_BUILTINS = 16,
    BYTES_OF_INSTRUCTION = 2,
};
#define TYPE_IS_METACLASS (UINT64_C(1) << 31) /* Py_TPFLAGS_TYPE_SUBCLASS */

struct hst_map hst_quiet_ids;
struct hst_quiet *hst_quiets; /* 0 is nobody's: it stands for all that are not quiet */
static size_t quiets_count, quiets_capacity;

static PyObject *name_at(PyObject *names, unsigned index)
{
    if (index >= hst_py_word(names, hst_python.abi.var_size))
        return NULL;
    return hst_py_pointer(names, hst_python.abi.tuple_items + index * sizeof(PyObject *));
}

/* Fills in callees, or finds calls of another kind. */
static void read_instructions(struct hst_quiet *quiet, const uint8_t *bytecode, size_t size, PyObject *names)
{
    size_t calls = 0, capacity = 0;
    unsigned extended = 0, before = 0;
    for (size_t i = 0; i + 1 < size && !quiet->loud; i += BYTES_OF_INSTRUCTION) {
        unsigned opcode = bytecode[i], argument = extended << 8 | bytecode[i + 1];
        extended = opcode == EXTENDED_ARG ? argument : 0;
        if (opcode == CALL) {
            calls++;
        } else if (opcode == CALL_FUNCTION_EX) {
            quiet->loud = 1;
        } else if (opcode == PRECALL && argument == 0 && (before == GET_ITER || before == GET_AITER)) {
            calls--; /* of a comprehension: its CALL follows */
        } else if (opcode == LOAD_GLOBAL && (argument & 1) != 0) {
            PyObject *name = name_at(names, argument >> 1);
            quiet->loud = name == NULL || !HST_RESERVE(quiet->callees, capacity, quiet->count + 1);
            if (!quiet->loud)
                quiet->callees[quiet->count++] = name;
        }
        before = opcode;
    }
    quiet->loud = quiet->loud || calls != quiet->count;
}

static void judge(struct hst_quiet *quiet)
{
    const struct hst_abi *abi = &hst_python.abi;
    PyObject *type, *value, *traceback;
    hst_python.PyErr_Fetch(&type, &value, &traceback);
    PyObject *bytecode = hst_python.PyObject_GetAttrString(quiet->code, "co_code"); /* unspecialised */
    PyObject *names = hst_python.PyObject_GetAttrString(quiet->code, "co_names");
    if (bytecode != NULL && names != NULL)
        read_instructions(quiet, (const uint8_t *)bytecode + abi->bytes_data,
                          (size_t)hst_py_word(bytecode, abi->var_size), names);
    else
        quiet->loud = 1;
    if (bytecode != NULL)
        hst_python.Py_DecRef(bytecode);
    if (names != NULL)
        hst_python.Py_DecRef(names); /* the code keeps it */
    hst_python.PyErr_Clear();
    hst_python.PyErr_Restore(type, value, traceback);
}

uint32_t hst_quiet_add(PyObject *code)
{
    if (!HST_RESERVE(hst_quiets, quiets_capacity, quiets_count + 2))
        return 0;
    if (quiets_count == 0)
        hst_quiets[quiets_count++] = (struct hst_quiet){.loud = 1};
    struct hst_quiet quiet = {.code = code};
    judge(&quiet);
    uint32_t id = quiet.loud ? 0 : (uint32_t)quiets_count;
    if (!hst_map_set(&hst_quiet_ids, (uint64_t)(uintptr_t)code, id)) {
        hst_free(quiet.callees);
        return 0;
    }
    hst_python.Py_IncRef(code); /* its address names it */
    hst_quiets[quiets_count++] = quiet;
    return id;
}

static uint64_t version_of(const PyObject *dict)
{
    return hst_py_word(dict,
                       hst_python.abi.dict_used + 8); /* ma_version_tag: no two dicts ever have the same */
}

static int is_told_of(PyObject *globals, PyObject *builtins, PyObject *name)
{
    PyObject *value = hst_python.PyDict_GetItem(globals, name);
    if (value == NULL)
        value = hst_python.PyDict_GetItem(builtins, name);
    if (value == NULL)
        return 1; /* it may come to be one */
    const PyObject *type = hst_py_type(value);
    return type != hst_python.PyFunction_Type &&
           (hst_py_word(type, hst_python.abi.type_flags) & TYPE_IS_METACLASS) == 0;
}

int hst_quiet_ask(struct hst_quiet *quiet, const void *frame)
{
    PyObject *globals = hst_py_pointer(frame, FRAME_GLOBALS),
             *builtins = hst_py_pointer(frame, FRAME_BUILTINS);
    if (hst_py_type(globals) != hst_python.PyDict_Type || hst_py_type(builtins) != hst_python.PyDict_Type)
        return 0;
    if (quiet->globals_version == version_of(globals) && quiet->builtins_version == version_of(builtins))
        return quiet->answer;
    int answer = 1;
    for (size_t i = 0; i < quiet->count && answer; i++)
        answer = !is_told_of(globals, builtins, quiet->callees[i]);
    quiet->answer = answer;
    quiet->globals_version = version_of(globals);
    quiet->builtins_version = version_of(builtins);
    return answer;
}

void hst_quiet_forget(void)
{
    for (size_t i = 1; i < quiets_count; i++) {
        hst_free(hst_quiets[i].callees);
        hst_python.Py_DecRef(hst_quiets[i].code);
    }
    quiets_count = 0;
    hst_map_clear(&hst_quiet_ids);
}
