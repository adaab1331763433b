/* A measurement: the processes under watch, the clock that samples them, and what it cost.  Samples and rows
 * leave through a sink, so that a store, a live view or a test can take them. */
#ifndef HST_CAPTURE_SESSION_H
#define HST_CAPTURE_SESSION_H

#include "base/status.h"
#include "capture/control.h"
#include "capture/watch.h"
#include "event/sample.h"
#include "model/profile.h"
#include "model/run.h"
#include "target/place.h"

struct hst_sink {
    void *context;
    /* Every sample; a status other than HST_OK ends the session with it. */
    enum hst_status (*sample)(void *context, const struct hst_sample *sample);
    /* At least once a second, and at the end: what has come so far should become durable or visible. */
    enum hst_status (*flush)(void *context, const struct hst_profile *profile,
                             const struct hst_run_info *info, struct hst_error *err);
};

struct hst_session_options {
    double rate_hz;              /* mean rate per thread; 0 = as fast as it goes */
    double budget_percent;       /* of one CPU that hasten itself may use; 0 = no limit */
    uint64_t duration_ns;        /* 0 = until the target ends or a signal comes */
    uint64_t flush_ns;           /* between flushes; 0 = 0.9 s */
    int blocking;                /* stop each thread by ptrace while it is read */
    int alone;                   /* do not follow children */
    int patient;                 /* a target that is no Python may become one: is not given up */
    struct hst_control *control; /* of the target itself; NULL: it has none */
};

enum hst_session_end {
    HST_END_EXITED,      /* the target ended */
    HST_END_DURATION,    /* the time was up */
    HST_END_INTERRUPTED, /* a signal to hasten */
    HST_END_ASKED,       /* by the target itself */
};

struct hst_session {
    struct hst_session_options options;
    struct hst_profile *profile; /* not owned */
    struct hst_run_info *info;   /* not owned: duration, CPU and cost are kept up to date here */
    struct hst_sink sink;
    struct hst_watch **watches; /* [0] is the target itself */
    size_t watch_count, watch_capacity;
    int target;      /* pid */
    int child;       /* the target is our own child: waited for; signals are handed on to it */
    int exit_status; /* of the child, as wait(2) gives it; -1 = not known */
    uint64_t start_ns, tick, period_ns;
    uint64_t next_check_ns, next_flush_ns, next_budget_ns;
    uint64_t sampled_ns; /* when the last round began */
    uint64_t read_ns, budget_cpu_ns, first_sample_ns;
    uint64_t random;
    struct hst_place place;
    uint64_t moved_ns;    /* when hasten last changed its CPU for the program's sake */
    size_t thread_total;  /* under watch, all processes */
    int realtime;         /* runs in a real-time scheduling class */
    unsigned long_rounds; /* in a row: took a large part of the period */
    int slowed;           /* the budget lowered the rate */
    int answer;           /* a flush was asked for, and is to be told */
};

/* The session works until it is done: HST_OK also when the target was gone from the start (info->cost.samples
 * tells). */
void hst_session_init(struct hst_session *session, const struct hst_session_options *options,
                      struct hst_profile *profile, struct hst_run_info *info, const struct hst_sink *sink);
void hst_session_release(struct hst_session *session);
/* Samples pid and its children until it ends, the time is up, or a signal says so. child: pid is our own. */
enum hst_status hst_session_run(struct hst_session *session, int pid, int child,
                                enum hst_session_end *ret_end, struct hst_error *err) HST_MUST_CHECK;
/* Sampling is over and the child goes on: waits for its end, hands signals on, and sets exit_status. */
void hst_session_wait_child(struct hst_session *session);
/* One round of sampling of everything under watch; for tests and live views that have a loop of their own. */
enum hst_status hst_session_sample(struct hst_session *session, uint64_t now_ns,
                                   uint64_t boundary_ns) HST_MUST_CHECK;

#endif
