/* A heap -> a run of its own in a store, whole or not at all. */
#ifndef HST_STORE_HEAP_WRITER_H
#define HST_STORE_HEAP_WRITER_H

#include "base/status.h"
#include "model/heap.h"
#include "model/run.h"

struct hst_store;

/* Sets the number, the kind, the status and cost.samples (the objects) of info. The columns are compressed
 * before the store is locked.  HST_E_INVALID: something in the heap names what is not there. */
enum hst_status hst_heap_write(struct hst_store *store, struct hst_run_info *info,
                               const struct hst_heap *heap, struct hst_error *err) HST_MUST_CHECK;

#endif
