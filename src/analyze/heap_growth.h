/* Two or three snapshots of a program -> the objects below which it grew from each to the next. Used by
 * heap_suspects only. */
#ifndef HST_ANALYZE_HEAP_GROWTH_H
#define HST_ANALYZE_HEAP_GROWTH_H

#include "analyze/heap_suspects.h"

struct hst_heap_suspect_list {
    struct hst_heap_suspect *rows;
    size_t count, capacity;
};
enum hst_status hst_heap_suspect_list_add(struct hst_heap_suspect_list *list,
                                          const struct hst_heap_suspect *suspect) HST_MUST_CHECK;
enum hst_status hst_heap_growth_find(struct hst_heap_view *const *views, size_t count,
                                     struct hst_heap_suspect_list *list) HST_MUST_CHECK;

#endif
