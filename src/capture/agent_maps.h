/* The files that agents fill (event/agent_map.h) -> rows of the model.  May be asked again and again while
 * the programs run, and once when they have ended; nothing in a file is believed. */
#ifndef HST_CAPTURE_AGENT_MAPS_H
#define HST_CAPTURE_AGENT_MAPS_H

#include "base/status.h"
#include "event/call_event.h"
#include "model/calls.h"
#include "model/lines.h"
#include "model/profile.h"

struct hst_agent_file;

/* What a function of the model is for what is to be seen: asked once for each context. */
enum hst_agent_judgement {
    HST_AGENT_HIDDEN = 1, /* its time and cost are its nearest seen caller's, its calls nobody's */
    HST_AGENT_BEGINS = 2, /* it and all inside it may be seen */
    HST_AGENT_ENDS = 4,   /* what is called inside it is not seen */
};
typedef unsigned hst_agent_judge(void *context, uint32_t function);

typedef enum hst_status hst_agent_take_event(void *context, const struct hst_call_event *event,
                                             struct hst_error *err);

/* Which events are taken. */
enum hst_agent_drain {
    HST_AGENT_DRAIN_FULL, /* those of chunks that are full */
    HST_AGENT_DRAIN_ALL,  /* what other chunks hold too, but the last two: they may be taken back */
    HST_AGENT_DRAIN_LAST, /* that too: the programs have ended */
};

struct hst_agent_maps {
    const char *folder;
    uint64_t start_ns; /* of the run, CLOCK_MONOTONIC */
    struct hst_profile *profile;
    struct hst_calls *calls;
    struct hst_lines *lines;     /* NULL: not wanted */
    hst_agent_take_event *event; /* NULL: there is no timeline */
    void *event_context;
    hst_agent_judge *judge; /* NULL: all is seen */
    void *judge_context;
    int only_inside;              /* nothing is seen outside functions that BEGIN */
    uint32_t target;              /* pid of the program itself; 0 = not known */
    uint64_t target_end_ns;       /* when it ended, CLOCK_MONOTONIC; 0 = it has not */
    struct hst_agent_file *files; /* met so far */
    size_t count, capacity;
};

void hst_agent_maps_init(struct hst_agent_maps *maps, const char *folder, uint64_t start_ns,
                         struct hst_profile *profile, struct hst_calls *calls);
void hst_agent_maps_release(struct hst_agent_maps *maps);
/* Brings the model up to the files as they are now. A file that makes no sense is left out. */
enum hst_status hst_agent_maps_read(struct hst_agent_maps *maps) HST_MUST_CHECK;
/* Hands the events that were not taken yet to event, each thread's in their order, with the stacks of the
 * model, which grows by that; and gives the agents their chunks back. */
enum hst_status hst_agent_maps_drain(struct hst_agent_maps *maps, enum hst_agent_drain what,
                                     struct hst_error *err) HST_MUST_CHECK;

#endif
