/* Strings, bytes and numbers of a copy -> short texts of them. */
#ifndef HST_HEAP_VALUES_H
#define HST_HEAP_VALUES_H

#include "heap/census.h"
#include "model/heap.h"

enum hst_status hst_values_find(struct hst_census *census, struct hst_heap *heap) HST_MUST_CHECK;

#endif
