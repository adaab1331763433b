/* Calls of a traced run -> what each function was called, took itself, and took with all that it called; and
 * the same of each pair of caller and callee.  Exact sums: nothing here is estimated.  A function's total
 * counts a call once, however often the function calls itself inside it. */
#ifndef HST_ANALYZE_CALL_TOTALS_H
#define HST_ANALYZE_CALL_TOTALS_H

#include "base/map.h"
#include "base/status.h"
#include "model/calls.h"
#include "model/profile.h"

struct hst_call_sum {
    uint64_t calls,
        primitive; /* primitive: calls that were not made, directly or not, by the function itself */
    uint64_t resumes, raises;
    uint64_t self_ns, total_ns, raw_self_ns, raw_total_ns, suspended_ns;
};
struct hst_call_function {
    uint32_t function;
    struct hst_call_sum sum;
};
struct hst_call_edge {
    uint32_t caller, callee; /* functions; caller HST_ID_NONE: the start of a thread */
    struct hst_call_sum sum; /* of the callee, as far as this caller called it */
};

struct hst_call_totals {
    struct hst_call_function *functions; /* those that were called */
    size_t function_count, function_capacity;
    struct hst_call_edge *edges;
    size_t edge_count, edge_capacity;
    struct hst_call_sum all; /* total_ns: the time in traced functions, all threads */
};

/* thread, process: only those; HST_ID_NONE = all. */
enum hst_status hst_call_totals_init(struct hst_call_totals *totals, const struct hst_profile *profile,
                                     const struct hst_calls *calls, uint32_t thread,
                                     uint32_t process) HST_MUST_CHECK;
void hst_call_totals_release(struct hst_call_totals *totals);

enum hst_call_sort {
    HST_CALL_SORT_SELF,
    HST_CALL_SORT_TOTAL,
    HST_CALL_SORT_CALLS,
    HST_CALL_SORT_PER_CALL,
    HST_CALL_SORT_SUSPENDED,
    HST_CALL_SORT_NAME,
};
void hst_call_totals_sort(struct hst_call_totals *totals, const struct hst_profile *profile,
                          enum hst_call_sort sort);

#endif
