/* What the pages of a heap share: an object, its path and its place as they stand in a row. */
#ifndef HST_REPORT_HEAP_CELLS_H
#define HST_REPORT_HEAP_CELLS_H

#include "report/cell.h"
#include "report/heap_pages.h"

/* `Title` in bold, and a line of dim heads of columns below it; heads: NULL for none. */
void hst_heap_page_head(struct hst_heap_page *page, const char *title, const char *heads);
size_t hst_heap_page_rows(const struct hst_heap_page *page, size_t count);
/* "12 more (-n 0)" when not all rows were shown. */
void hst_heap_page_more(struct hst_heap_page *page, size_t shown, size_t count, const char *of_what);
/* "  12.3 MB  45.2 %" */
void hst_heap_page_share(struct hst_heap_page *page, uint64_t bytes, uint64_t whole);
/* What grew has a +, what shrank a -. */
struct hst_cell hst_heap_signed_bytes(int64_t bytes);
struct hst_cell hst_heap_signed_count(int64_t count);
/* Text cut to what is left of a line when so many columns are taken. */
void hst_heap_page_rest(struct hst_heap_page *page, const struct hst_buffer *text, size_t taken,
                        enum hst_text_cut cut);

/* "list of 100", "str 'a text'", "app.Row": the type, and what can be said shortly of the value. */
void hst_heap_add_object(const struct hst_heap_view *view, uint32_t object, struct hst_buffer *into);
const char *hst_heap_finding_name(uint32_t kind);   /* "list slack" */
const char *hst_heap_finding_advice(uint32_t kind); /* what would save it */

/* {"address", "type", "bytes", "retained", "value"}; the value only where there is one. NULL: out of memory.
 */
json_t *hst_heap_object_row_json(struct hst_heap_page *page, uint32_t object);
json_t *hst_heap_path_json(struct hst_heap_page *page, uint32_t object);
json_t *hst_heap_place_json(struct hst_heap_page *page, uint32_t edge);
/* A text in a buffer, which is released. */
json_t *hst_heap_buffer_json(struct hst_buffer *buffer);
json_t *hst_heap_address_json(const struct hst_heap *heap, uint32_t object);
/* Appends an item, which it takes; array becomes NULL when memory is out. */
void hst_heap_json_append(json_t **array, json_t *item);

#endif
