/* Runs a program with the agent in it, and brings what it counts into the model, again and again while it
 * runs and once at its end.  The files that the agents fill lie in a folder of their own, which goes with the
 * trace. */
#ifndef HST_CAPTURE_TRACE_H
#define HST_CAPTURE_TRACE_H

#include "base/status.h"
#include "capture/agent_maps.h"
#include "capture/control.h"
#include "event/agent_map.h"
#include "model/calls.h"
#include "model/profile.h"
#include "model/run.h"

struct hst_trace_options {
    int python_only;                /* functions of C are not traced */
    enum hst_agent_backend backend; /* NONE: the cheapest that the program's Python has */
    int lines;                      /* of chosen functions, instead of calls */
    int timeline;                   /* the events in their order too */
    uint64_t timeline_chunks;       /* that may wait in each process; 0: as many as there is room for */
    uint64_t depth;                 /* calls below it are not seen; 0: all are */
    int paused;                     /* nothing is traced until the program, or the signal, says so */
    int toggle;                     /* number of the signal that pauses and resumes; 0: none does */
    const char *rules;              /* which functions (agent/selection.h) */
};

struct hst_trace {
    struct hst_trace_options options;
    struct hst_profile *profile; /* not owned, as all here but maps */
    struct hst_run_info *info;
    struct hst_calls *calls;
    struct hst_lines *lines;                                        /* NULL: calls are traced */
    enum hst_status (*flush)(void *context, struct hst_error *err); /* about once a second, and at the end */
    void *context;
    int joined;                  /* pid of a program that runs and asked for the trace; 0: one is started */
    struct hst_control *control; /* of that program; else NULL */
    struct hst_agent_maps maps;
    char folder[128];
    uint64_t start_ns, start_cpu_ns;
    int pid;
};

/* Makes the folder and finds the agent. HST_E_NOENT: hasten is not whole, its agent is missing. */
enum hst_status hst_trace_init(struct hst_trace *trace, struct hst_error *err) HST_MUST_CHECK;
void hst_trace_release(struct hst_trace *trace);
/* Starts argv (ends with NULL) with the agent; signals must be blocked (relay.h). */
enum hst_status hst_trace_start(struct hst_trace *trace, char *const *argv,
                                struct hst_error *err) HST_MUST_CHECK;
/* What the agent in a program that already runs is to be told (agent/order.h); the caller's to hst_free.
 * NULL: out of memory. */
char *hst_trace_order(const struct hst_trace *trace);
/* Until the program ends, or says that the trace does; info->exit_status tells how. */
enum hst_status hst_trace_follow(struct hst_trace *trace, struct hst_error *err) HST_MUST_CHECK;

#endif
