/* A stretch of a run's time, and what of a sample is in it. */
#ifndef HST_ANALYZE_WINDOW_H
#define HST_ANALYZE_WINDOW_H

#include "event/sample.h"

struct hst_window {
    uint64_t since_ns, until_ns; /* from the start of the run; until 0: to its end */
};

static inline int hst_window_is_all(const struct hst_window *window)
{
    return window->since_ns == 0 && window->until_ns == 0;
}

/* Cuts the stretch of time that the sample stands for down to the window. 0: nothing of it is inside. */
static inline int hst_window_clip(const struct hst_window *window, struct hst_sample *sample)
{
    uint64_t begin = sample->time_ns > sample->weight_ns ? sample->time_ns - sample->weight_ns : 0;
    uint64_t end = sample->time_ns;
    begin = begin > window->since_ns ? begin : window->since_ns;
    end = window->until_ns != 0 && end > window->until_ns ? window->until_ns : end;
    if (begin >= end)
        return 0;
    sample->time_ns = end;
    sample->weight_ns = end - begin;
    return 1;
}

#endif
