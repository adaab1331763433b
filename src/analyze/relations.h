/* A view -> who called a function and whom it called, and how much of its time each stands for. */
#ifndef HST_ANALYZE_RELATIONS_H
#define HST_ANALYZE_RELATIONS_H

#include "analyze/tree.h"

/* Who called the functions marked in wanted (by function), and whom they called. Times are the callers' and
 * callees' shares of the wanted functions' total. A caller of HST_ID_NONE is the start of the thread. Sorted
 * by total, largest first. */
struct hst_relation {
    uint32_t function;
    struct hst_sum total;
};
struct hst_relations {
    struct hst_relation *callers, *callees;
    size_t caller_count, caller_capacity, callee_count, callee_capacity;
    struct hst_sum self, total; /* of the wanted functions themselves */
};
enum hst_status hst_relations_init(struct hst_relations *relations, const struct hst_view *view,
                                   const uint8_t *wanted) HST_MUST_CHECK;
void hst_relations_release(struct hst_relations *relations);

#endif
