/* The rows of a query -> aligned text, JSON or CSV. */
#ifndef HST_REPORT_HEAP_QUERY_OUT_H
#define HST_REPORT_HEAP_QUERY_OUT_H

#include <jansson.h>

#include "analyze/heap_query.h"
#include "base/buffer.h"
#include "report/style.h"

/* most: rows; what is more is said. */
enum hst_status hst_heap_query_text(struct hst_heap_query *query, size_t most, const struct hst_style *style,
                                    struct hst_buffer *out, struct hst_error *err) HST_MUST_CHECK;
/* RFC 4180: a head, then all rows. */
enum hst_status hst_heap_query_csv(struct hst_heap_query *query, struct hst_buffer *out,
                                   struct hst_error *err) HST_MUST_CHECK;
/* A list of objects by the names of the columns. */
enum hst_status hst_heap_query_json(struct hst_heap_query *query, json_t **ret_json,
                                    struct hst_error *err) HST_MUST_CHECK;

#endif
