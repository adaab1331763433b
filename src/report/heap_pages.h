/* The answers of analyze/heap_* -> text for people, and JSON: a page for each subcommand of `hasten heap`.
 * Bytes are bytes; addresses are texts, 0x7f12... */
#ifndef HST_REPORT_HEAP_PAGES_H
#define HST_REPORT_HEAP_PAGES_H

#include <jansson.h>

#include "analyze/heap_compare.h"
#include "analyze/heap_cycles.h"
#include "analyze/heap_overview.h"
#include "analyze/heap_refs.h"
#include "analyze/heap_suspects.h"
#include "analyze/heap_top.h"
#include "analyze/heap_by_type.h"
#include "base/buffer.h"
#include "report/style.h"

/* Where a page is written, and of what. */
struct hst_heap_page {
    struct hst_heap_view *view;
    const struct hst_style *style;
    size_t rows; /* of a table at most; 0: all */
    struct hst_buffer *out;
};

/* Text: HST_E_NOMEM is all that can go wrong. */
enum hst_status hst_heap_by_type_text(struct hst_heap_page *page,
                                      const struct hst_heap_by_type *types) HST_MUST_CHECK;
enum hst_status hst_heap_top_text(struct hst_heap_page *page, const struct hst_heap_top_row *rows,
                                  size_t count) HST_MUST_CHECK;
enum hst_status hst_heap_tree_text(struct hst_heap_page *page,
                                   const struct hst_heap_tree *tree) HST_MUST_CHECK;
enum hst_status hst_heap_refs_text(struct hst_heap_page *page, uint32_t object) HST_MUST_CHECK;
enum hst_status hst_heap_merged_text(struct hst_heap_page *page, const struct hst_heap_merged *merged,
                                     uint32_t type) HST_MUST_CHECK;
enum hst_status hst_heap_object_text(struct hst_heap_page *page, uint32_t object) HST_MUST_CHECK;
enum hst_status hst_heap_cycles_text(struct hst_heap_page *page,
                                     const struct hst_heap_cycles *cycles) HST_MUST_CHECK;
enum hst_status hst_heap_compare_text(struct hst_heap_page *page,
                                      const struct hst_heap_compare *compare) HST_MUST_CHECK;
enum hst_status hst_heap_suspects_text(struct hst_heap_page *page, const struct hst_heap_suspect *rows,
                                       size_t count, size_t runs) HST_MUST_CHECK;
/* duplicates: equal objects; else all other findings. */
enum hst_status hst_heap_findings_text(struct hst_heap_page *page, int duplicates) HST_MUST_CHECK;
enum hst_status hst_heap_overview_text(struct hst_heap_page *page,
                                       const struct hst_heap_overview *overview) HST_MUST_CHECK;
/* The neighbourhood of an object as a graph for graphviz. */
enum hst_status hst_heap_refs_dot(struct hst_heap_page *page, uint32_t object) HST_MUST_CHECK;

/* JSON: new, the caller's to json_decref; NULL: out of memory. rows: of a list at most; 0: all. */
json_t *hst_heap_by_type_json(struct hst_heap_page *page, const struct hst_heap_by_type *types);
json_t *hst_heap_top_json(struct hst_heap_page *page, const struct hst_heap_top_row *rows, size_t count);
json_t *hst_heap_tree_json(struct hst_heap_page *page, const struct hst_heap_tree *tree);
json_t *hst_heap_refs_json(struct hst_heap_page *page, uint32_t object);
json_t *hst_heap_merged_json(struct hst_heap_page *page, const struct hst_heap_merged *merged, uint32_t type);
json_t *hst_heap_object_json(struct hst_heap_page *page, uint32_t object);
json_t *hst_heap_cycles_json(struct hst_heap_page *page, const struct hst_heap_cycles *cycles);
json_t *hst_heap_compare_json(struct hst_heap_page *page, const struct hst_heap_compare *compare);
json_t *hst_heap_suspects_json(struct hst_heap_page *page, const struct hst_heap_suspect *rows, size_t count);
json_t *hst_heap_findings_json(struct hst_heap_page *page, int duplicates);
json_t *hst_heap_overview_json(struct hst_heap_page *page, const struct hst_heap_overview *overview);

#endif
