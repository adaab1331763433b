/* What is known live -> the figures and rows that a screen shows: now (the last seconds) and since the start.
 * The rows name functions and files of the live profile, so they are good until it is renewed. */
#ifndef HST_REPORT_TOP_TABLE_H
#define HST_REPORT_TOP_TABLE_H

#include "analyze/states.h"
#include "analyze/totals.h"
#include "analyze/view.h"
#include "report/top_live.h"

enum hst_top_view { HST_TOP_FUNCTIONS, HST_TOP_LINES, HST_TOP_THREADS };
enum hst_top_window { HST_TOP_NOW, HST_TOP_SINCE, HST_TOP_WINDOWS };

struct hst_top_row {
    uint32_t function;   /* of a line: one that it belongs to */
    uint32_t file, line; /* file: string; line: that of the row, or the function's first */
    uint64_t self_ns[HST_TOP_WINDOWS], total_ns[HST_TOP_WINDOWS];
};

struct hst_top_thread_row {
    uint32_t thread;
    uint64_t by_activity_ns[HST_ACTIVITY_COUNT], gil_ns, all_ns; /* now */
    struct hst_top_seen seen;
    uint32_t function, line; /* where it is, as the filter sees it; HST_ID_NONE = in no Python frame */
};

/* Shares of the wall time of "now": one thread at work all the time gives 1, two give 2. */
struct hst_top_shares {
    double cpu, gil, gil_wait, gc;
    double samples_per_s, dropped; /* dropped: part of what was tried */
    uint64_t now_ns;               /* how long "now" is: less than HST_TOP_NOW_NS at first */
    uint64_t watched_ns, since_ns; /* since the first sample, since the last reset */
    size_t threads;
};

/* What a person chose to see. */
struct hst_top_choice {
    enum hst_top_view view;
    enum hst_sort sort;         /* self, total or name */
    enum hst_top_window window; /* that rows are ordered by */
    struct hst_filter filter;
    char search[64]; /* only rows with this in the name or file; "" = all */
};

struct hst_top_table {
    struct hst_aggregate sums[HST_TOP_WINDOWS]; /* taken from the live view: rows only, without the index */
    struct hst_top_seen *seen;
    size_t seen_count;
    struct hst_top_shares shares;
    uint64_t whole_ns[HST_TOP_WINDOWS]; /* what 100 % stands for */
    struct hst_top_row *functions, *lines;
    size_t function_count, function_capacity, line_count, line_capacity;
    struct hst_top_thread_row *threads;
    size_t thread_count;
    uint32_t *shown; /* rows of the chosen view in order: indices into functions, lines or threads */
    size_t shown_count;
    size_t renewals; /* of the live view when this was made */
};

void hst_top_table_release(struct hst_top_table *table);
/* All with the lock of live held. Take: a picture of what is known now. Make: the figures of the picture, by
 * the filter of the choice; of the live view only the profile is used. Arrange: the rows to show, after make
 * or another choice. */
enum hst_status hst_top_table_take(struct hst_top_table *table,
                                   const struct hst_top_live *live) HST_MUST_CHECK;
enum hst_status hst_top_table_make(struct hst_top_table *table, const struct hst_profile *profile,
                                   const struct hst_top_choice *choice, struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_top_table_arrange(struct hst_top_table *table, const struct hst_profile *profile,
                                      const struct hst_top_choice *choice) HST_MUST_CHECK;

#endif
