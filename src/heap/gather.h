/* A census -> the model of a heap: columns, references, roots, names and short texts. */
#ifndef HST_HEAP_GATHER_H
#define HST_HEAP_GATHER_H

#include "heap/census.h"
#include "model/heap.h"
#include "reader/runtime.h"

/* Fills what is known of the objects; the process and the parts of its memory are the caller's to add.
 * runtime: of the same moment; it is read in the copy. */
enum hst_status hst_heap_gather(struct hst_census *census, const struct hst_runtime *runtime,
                                struct hst_heap *heap) HST_MUST_CHECK;

#endif
