/* Two views -> what changed, function by function. Functions are the same when their qualified name and file
 * are: a line added above does not make another function of it. */
#ifndef HST_ANALYZE_DIFF_H
#define HST_ANALYZE_DIFF_H

#include "analyze/totals.h"

struct hst_diff_side {
    struct hst_sum self, total;
    struct hst_share share; /* of self */
};
struct hst_diff_row {
    const char *name, *file; /* qualified name; owned by the profiles */
    uint32_t first_line;     /* in the later run where it is there */
    struct hst_diff_side before, after;
    struct hst_change time;  /* of self, ns */
    struct hst_change share; /* of self, 0 to 1 */
};
struct hst_diff {
    struct hst_diff_row *rows; /* largest change of time first */
    size_t count, capacity;
    struct hst_sum before, after; /* of the whole views */
};

enum hst_status hst_diff_init(struct hst_diff *diff, const struct hst_view *before,
                              const struct hst_view *after) HST_MUST_CHECK;
void hst_diff_release(struct hst_diff *diff);

#endif
