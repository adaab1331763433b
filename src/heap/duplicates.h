/* Equal strings, bytes, tuples and small dicts of a copy -> groups, and what one object for each would save.
 */
#ifndef HST_HEAP_DUPLICATES_H
#define HST_HEAP_DUPLICATES_H

#include "heap/census.h"
#include "model/heap.h"

/* Adds findings to a heap that has its references and values: the largest groups, and for strings what
 * interning all of them would save. */
enum hst_status hst_duplicates_find(const struct hst_census *census, struct hst_heap *heap) HST_MUST_CHECK;

#endif
