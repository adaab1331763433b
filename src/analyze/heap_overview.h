/* A heap on one page: what the memory of the process is made of, the types, the biggest holders, what may be
 * a leak, what could be saved. */
#ifndef HST_ANALYZE_HEAP_OVERVIEW_H
#define HST_ANALYZE_HEAP_OVERVIEW_H

#include "analyze/heap_suspects.h"
#include "analyze/heap_top.h"
#include "analyze/heap_by_type.h"

struct hst_heap_overview {
    struct hst_heap_by_type types; /* by bytes; their retained sizes are at least */
    struct hst_heap_top_row *holders;
    size_t holder_count;
    struct hst_heap_suspect *suspects;
    size_t suspect_count;
    const struct hst_heap_finding **findings; /* all, most bytes first */
    size_t finding_count;
    uint64_t known_bytes; /* of the process's parts, all but those that are not explained */
};
enum hst_status hst_heap_overview_init(struct hst_heap_overview *overview, struct hst_heap_view *view,
                                       size_t holders) HST_MUST_CHECK;
void hst_heap_overview_release(struct hst_heap_overview *overview);

/* Those that are duplicates, or those that are not, most bytes first; *ret_rows is the caller's to hst_free.
 */
enum hst_status hst_heap_findings_sort(const struct hst_heap *heap, int duplicates,
                                       const struct hst_heap_finding ***ret_rows,
                                       size_t *ret_count) HST_MUST_CHECK;

#endif
