/* A cell of a file of counters -> what it says at one moment: of a window of time, and of a histogram. */
#ifndef HST_COUNT_MOMENT_H
#define HST_COUNT_MOMENT_H

#include "event/counter_map.h"

/* What happened in a window up to now. */
struct hst_window_moment {
    uint64_t count;
    double sum, min, max; /* min and max of nothing: +inf, -inf */
    double seconds;       /* that it spans: less than the window while that is younger, but at least 1 */
};
/* How long it is: its buckets are whole ns, and it is no less round for that. */
double hst_window_seconds(const struct hst_counter_window *window);
void hst_window_read(const struct hst_counter_window *window, uint64_t now_ns, struct hst_window_moment *ret);

/* A histogram whose octaves may lie anywhere; NULL: nothing in it. */
struct hst_histogram_moment {
    const uint64_t *octaves[HST_COUNTER_OCTAVES];
    uint64_t used;                       /* bit i: octave i is there */
    uint64_t count, low, above, invalid; /* count: all but the invalid */
    double sum, min, max;
};
/* Of one that is believed: the process' own. */
void hst_histogram_read(const struct hst_counter_histogram *histogram, struct hst_histogram_moment *ret);
/* The smallest value that at least the share q of all are not above; NaN of nothing. */
double hst_histogram_quantile(const struct hst_histogram_moment *moment, double q);

#endif
