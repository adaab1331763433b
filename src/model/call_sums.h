/* Calls by function and by pair of caller and callee: what a traced run comes to (analyze/call_totals.h), and
 * all that a file of cProfile holds. */
#ifndef HST_MODEL_CALL_SUMS_H
#define HST_MODEL_CALL_SUMS_H

#include <stddef.h>
#include <stdint.h>

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
void hst_call_totals_release(struct hst_call_totals *totals);

/* What another tool measured, and where that was read.  Neither contexts nor threads are known of it. */
struct hst_imported {
    char file[1024]; /* as it was named */
    char maker[32];  /* "cProfile" */
    int edges_timed; /* edges have times, not only calls */
    struct hst_call_totals totals;
};
void hst_imported_release(struct hst_imported *imported);

#endif
