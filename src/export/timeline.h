/* The events of a traced run in their order -> formats that show what came after what. */
#ifndef HST_EXPORT_TIMELINE_H
#define HST_EXPORT_TIMELINE_H

#include "event/call_event.h"
#include "export/exporter.h"

/* The same shape as hst_call_event_visitor of the store, which this folder must not know. */
typedef enum hst_status hst_export_event_visitor(void *context, const struct hst_call_event *event);

struct hst_export_timeline {
    /* Calls visit for every event: ENTER and LEAVE only, each thread's in order of time and properly nested,
     * and all that was entered is left. */
    enum hst_status (*read)(void *context, hst_export_event_visitor *visit, void *visit_context,
                            struct hst_error *err);
    void *context;
};

/* Visits the events that are wanted: stack is the one that is entered or left, never the empty one. Counts
 * the calls that began as kept. */
enum hst_status hst_timeline_walk(struct hst_export *run, hst_export_event_visitor *visit, void *context,
                                  struct hst_error *err) HST_MUST_CHECK;
/* Chrome's events, inside the array that hst_export_chrome (chrome.c) has begun. */
enum hst_status hst_timeline_export_chrome(struct hst_export *run, struct hst_output *output,
                                           struct hst_error *err) HST_MUST_CHECK;

#endif
