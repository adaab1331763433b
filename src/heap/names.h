/* What the places of references in objects of a type are called: attributes, slots, members. */
#ifndef HST_HEAP_NAMES_H
#define HST_HEAP_NAMES_H

#include "heap/census.h"
#include "model/heap.h"

enum hst_status hst_names_find(struct hst_census *census, struct hst_heap *heap) HST_MUST_CHECK;

#endif
