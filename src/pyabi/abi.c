/* Finds the layout table of a version. */
#include "pyabi/abi.h"

#include "base/memory.h"

const struct hst_abi *hst_abi_find(unsigned minor, int free_threaded)
{
    static const struct hst_abi *const tables[] = {
        &hst_abi_cpython_3_8,   &hst_abi_cpython_3_9,   &hst_abi_cpython_3_10,  &hst_abi_cpython_3_11,
        &hst_abi_cpython_3_12,  &hst_abi_cpython_3_13,  &hst_abi_cpython_3_14,  &hst_abi_cpython_3_15,
        &hst_abi_cpython_3_13t, &hst_abi_cpython_3_14t, &hst_abi_cpython_3_15t,
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(tables); i++)
        if (tables[i]->minor == minor && tables[i]->free_threaded == (free_threaded != 0))
            return tables[i];
    return NULL;
}
