/* A heap -> the dump of meliae, a JSON object a line, as its loader (which wants the keys in this order) and
 * the scripts around it read it. */
#ifndef HST_EXPORT_MELIAE_H
#define HST_EXPORT_MELIAE_H

#include "base/status.h"
#include "export/output.h"
#include "model/heap.h"

/* The heap's columns must fit together (hst_heap_view_init asks that). Failures to write stay with output. */
enum hst_status hst_meliae_write(const struct hst_heap *heap, struct hst_output *output) HST_MUST_CHECK;

#endif
