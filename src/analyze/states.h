/* A view of all modes -> where the time went by what threads were doing, in total and thread by thread. */
#ifndef HST_ANALYZE_STATES_H
#define HST_ANALYZE_STATES_H

#include "analyze/view.h"

/* One thing that threads did. The garbage collector is taken out of the state it ran in. */
enum hst_activity {
    HST_ACTIVITY_RUNNING,
    HST_ACTIVITY_GC,
    HST_ACTIVITY_RUNNABLE,
    HST_ACTIVITY_GIL_WAIT,
    HST_ACTIVITY_BLOCKED, /* by system call */
    HST_ACTIVITY_IDLE,    /* by system call */
    HST_ACTIVITY_UNKNOWN,
    HST_ACTIVITY_COUNT
};
const char *hst_activity_name(enum hst_activity activity); /* "running", ... as in JSON */

struct hst_state_total {
    enum hst_activity activity;
    uint16_t detail; /* as in struct hst_sample; 0 = not known or not a call */
    struct hst_sum sum;
};
struct hst_thread_total {
    uint32_t thread;
    struct hst_sum by_activity[HST_ACTIVITY_COUNT];
    struct hst_sum gil; /* with the lock held */
    struct hst_sum all;
};
struct hst_states {
    struct hst_state_total *rows; /* largest first */
    size_t count, capacity;
    struct hst_thread_total *threads; /* those with time; most of not idle first */
    size_t thread_count;
    struct hst_sum by_activity[HST_ACTIVITY_COUNT];
    struct hst_sum gil, all;
};

enum hst_status hst_states_init(struct hst_states *states, const struct hst_view *view) HST_MUST_CHECK;
void hst_states_release(struct hst_states *states);

#endif
