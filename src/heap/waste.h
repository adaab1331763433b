/* Memory that a program could do without: room in lists and dicts for what is not there, attributes that
 * became a dict, and what __slots__, array.array or gc.freeze() would save. */
#ifndef HST_HEAP_WASTE_H
#define HST_HEAP_WASTE_H

#include "heap/census.h"
#include "model/heap.h"

/* Adds findings to a heap that has its references: a row for each kind and type. */
enum hst_status hst_waste_find(const struct hst_census *census, struct hst_heap *heap) HST_MUST_CHECK;

#endif
