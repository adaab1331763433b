/* Calls of a traced run -> what each function was called, took itself, and took with all that it called; and
 * the same of each pair of caller and callee.  Exact sums: nothing here is estimated.  A function's total
 * counts a call once, however often the function calls itself inside it. */
#ifndef HST_ANALYZE_CALL_TOTALS_H
#define HST_ANALYZE_CALL_TOTALS_H

#include "base/status.h"
#include "model/call_sums.h"
#include "model/calls.h"
#include "model/profile.h"

/* thread, process: only those; HST_ID_NONE = all. */
enum hst_status hst_call_totals_init(struct hst_call_totals *totals, const struct hst_profile *profile,
                                     const struct hst_calls *calls, uint32_t thread,
                                     uint32_t process) HST_MUST_CHECK;

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
