/* What keeps objects alive that no object holds: the table of modules, running frames, the state of the
 * interpreter, static data of programs and libraries, and what C code holds that is in none of these. */
#ifndef HST_HEAP_ROOTS_H
#define HST_HEAP_ROOTS_H

#include "heap/census.h"
#include "model/heap.h"
#include "reader/runtime.h"

/* Where interpreters and threads keep references. The array is the caller's to hst_free. */
enum hst_status hst_roots_spans(const struct hst_runtime *runtime, struct hst_span **ret_spans,
                                size_t *ret_count) HST_MUST_CHECK;
/* Adds the roots to a heap that has its references. runtime reads the copy. */
enum hst_status hst_roots_find(const struct hst_census *census, const struct hst_runtime *runtime,
                               struct hst_heap *heap) HST_MUST_CHECK;

#endif
