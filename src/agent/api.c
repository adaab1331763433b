/* Looks up what the extension module calls, as python.c does for the tracer. */
#include "agent/api.h"

#include <dlfcn.h>
#include <string.h>

struct hst_api hst_api;

static int find(const char *name, void *into)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    memcpy(into, &found, sizeof found);
    return found != NULL;
}

int hst_api_find(void)
{
    PyObject **exception;
#define HST_API_FIND(result, name, arguments)                                                                \
    if (!find(#name, &hst_api.name))                                                                         \
        return 0;
    HST_API_FUNCTIONS(HST_API_FIND)
#undef HST_API_FIND
#define HST_API_FIND(name)                                                                                   \
    if (!find(#name, &hst_api.name))                                                                         \
        return 0;
    HST_API_OBJECTS(HST_API_FIND)
#undef HST_API_FIND
#define HST_API_FIND(name)                                                                                   \
    if (!find(#name, &exception))                                                                            \
        return 0;                                                                                            \
    hst_api.name = *exception;
    HST_API_EXCEPTIONS(HST_API_FIND)
#undef HST_API_FIND
    hst_api.head = hst_python.abi.object_size;
    hst_api.free_threaded = strstr(hst_python.version, "free-threaded") != NULL;
    hst_api.count_none = hst_python.abi.minor < 12;
    return 1;
}
