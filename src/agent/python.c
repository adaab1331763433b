/* Looks the interpreter up in the program's own symbols. */
#include "agent/python.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hst_python hst_python;

/* dlsym gives an object's address; that a function's is the same is what POSIX asks of it. */
static int find_symbols(void)
{
    struct symbol {
        const char *name;
        void *into;
    };
    const struct symbol optional[] = {
        {"PyCMethod_Type", &hst_python.PyCMethod_Type},
        {"_PyEval_SetProfile", &hst_python.set_profile_of},
        {"_PyEval_SetTrace", &hst_python.set_trace_of},
        {"_PyEval_EvalFrameDefault", &hst_python._PyEval_EvalFrameDefault},
        {"_PyInterpreterState_SetEvalFrameFunc", &hst_python._PyInterpreterState_SetEvalFrameFunc},
        {"_PyInterpreterState_GetEvalFrameFunc", &hst_python._PyInterpreterState_GetEvalFrameFunc}};
    const struct symbol wanted[] = {
#define HST_PY_ROW(result, name, arguments) {#name, &hst_python.name},
        HST_PY_FUNCTIONS(HST_PY_ROW)
#undef HST_PY_ROW
#define HST_PY_ROW(name) {#name, &hst_python.name},
            HST_PY_OBJECTS(HST_PY_ROW)
#undef HST_PY_ROW
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        void *found = dlsym(RTLD_DEFAULT, wanted[i].name);
        if (found == NULL)
            return 0;
        memcpy(wanted[i].into, &found, sizeof found);
    }
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        void *found = dlsym(RTLD_DEFAULT, optional[i].name);
        memcpy(optional[i].into, &found, sizeof found);
    }
    return 1;
}

int hst_python_find(const char **ret_why)
{
    static char why[160];
    *ret_why = why;
    if (!find_symbols()) {
        (void)snprintf(why, sizeof why, "this Python does not export what the tracer calls");
        return 0;
    }
    const char *version = hst_python.Py_GetVersion();
    unsigned long minor = strncmp(version, "3.", 2) == 0 ? strtoul(version + 2, NULL, 10) : 0;
    int length = (int)strcspn(version, " ");
    int free_threaded = strstr(version, "free-threading") != NULL;
    (void)snprintf(hst_python.version, sizeof hst_python.version, "CPython %.*s%s", length, version,
                   free_threaded ? " free-threaded" : "");
    struct hst_error err;
    const struct hst_abi *abi = hst_abi_find((unsigned)minor, free_threaded);
    if (minor >= 13) {
        if (hst_abi_from_debug_offsets((const uint8_t *)hst_python._PyRuntime, HST_DEBUG_OFFSETS_BYTES,
                                       &hst_python.abi, &err) == HST_OK)
            return 1;
        (void)snprintf(why, sizeof why, "%.120s", err.text);
        return 0;
    }
    if (abi == NULL) {
        (void)snprintf(why, sizeof why, "%.80s is not known", hst_python.version);
        return 0;
    }
    hst_python.abi = *abi;
    return 1;
}
