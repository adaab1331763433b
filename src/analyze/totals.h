/* A view -> what each function and each line took: itself, and with all that it called. A function that calls
 * itself is counted once per stack in its total. */
#ifndef HST_ANALYZE_TOTALS_H
#define HST_ANALYZE_TOTALS_H

#include "analyze/tree.h"

struct hst_function_total {
    uint32_t function;
    struct hst_sum self, total;
    uint64_t waiting_ns;       /* part of self that was no work (tree.h) */
    uint64_t library_ns;       /* part of self spent in folded library frames that it called */
    uint32_t library_function; /* the one it called that took most of that; HST_ID_NONE = none */
};

struct hst_line_total {
    uint32_t file;     /* string */
    uint32_t line;     /* 0 = instructions without one */
    uint32_t function; /* one that the line belongs to */
    struct hst_sum self, total;
    uint64_t waiting_ns, library_ns;
};

struct hst_totals {
    struct hst_function_total *functions;
    size_t function_count, function_capacity;
    struct hst_line_total *lines;
    size_t line_count, line_capacity;
    struct hst_sum no_frame; /* no Python frame was there */
};

/* The last three only sort calls (call_totals.h). */
enum hst_sort {
    HST_SORT_SELF,
    HST_SORT_TOTAL,
    HST_SORT_SAMPLES,
    HST_SORT_NAME,
    HST_SORT_CALLS,
    HST_SORT_PER_CALL,
    HST_SORT_SUSPENDED
};
extern const char *const hst_sort_names[]; /* by enum hst_sort; ends with NULL */

enum hst_status hst_totals_init(struct hst_totals *totals, const struct hst_view *view) HST_MUST_CHECK;
void hst_totals_release(struct hst_totals *totals);
void hst_totals_sort(struct hst_totals *totals, const struct hst_profile *profile, enum hst_sort sort);

#endif
