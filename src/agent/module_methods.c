/* The functions of hasten._agent. */
#include "agent/module.h"

struct hst_py_method hst_module_methods[] = {
    {NULL, NULL, 0, NULL},
};
