/* The objects of a program by type -> text for people, or JSON. */
#ifndef HST_REPORT_HEAP_H
#define HST_REPORT_HEAP_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/status.h"
#include "model/heap_summary.h"
#include "report/style.h"

/* rows: of the table at most; 0: all. */
enum hst_status hst_heap_text(const struct hst_heap_summary *summary, size_t rows,
                              const struct hst_style *style, struct hst_buffer *into) HST_MUST_CHECK;
/* Every type. New, the caller's to json_decref; NULL: out of memory. */
json_t *hst_heap_json(const struct hst_heap_summary *summary);

#endif
