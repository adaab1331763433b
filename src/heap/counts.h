/* How many references an object says that it has. */
#ifndef HST_HEAP_COUNTS_H
#define HST_HEAP_COUNTS_H

#include <stdint.h>

#include "pyabi/abi.h"

#define HST_COUNT_NONE UINT64_C(0)   /* that is no number of references: nothing that lives begins here */
#define HST_COUNT_FOREVER UINT64_MAX /* it never dies: they are not counted */

/* object: at least abi->object_size bytes of it. With deferred counting (a free-threaded build does so with
 * functions, modules and classes) some references are not in it: it is the least. */
uint64_t hst_count_read(const struct hst_abi *abi, const uint8_t *object);
/* References to it on stacks are not counted, and keep it. */
int hst_count_is_deferred(const struct hst_abi *abi, const uint8_t *object);

#endif
