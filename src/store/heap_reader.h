/* A stored heap -> struct hst_heap.  Everything in the file is looked at before it is handed out. */
#ifndef HST_STORE_HEAP_READER_H
#define HST_STORE_HEAP_READER_H

#include <stdint.h>

#include "base/status.h"
#include "model/heap.h"

#define HST_HEAP_PLACES 1u
#define HST_HEAP_VALUES 2u

struct hst_store;

/* what: the columns wanted besides those that every question needs. The caller releases ret_heap when this
 * has gone well. HST_E_INVALID: the run is of another kind. */
enum hst_status hst_heap_read(struct hst_store *store, uint64_t run, unsigned what, struct hst_heap *ret_heap,
                              struct hst_error *err) HST_MUST_CHECK;

#endif
