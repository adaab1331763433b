/* The timeline of a stored run -> its events, one after the other. */
#ifndef HST_STORE_TIMELINE_READER_H
#define HST_STORE_TIMELINE_READER_H

#include "base/status.h"
#include "event/call_event.h"
#include "model/profile.h"

struct hst_store;

typedef enum hst_status hst_call_event_visitor(void *context, const struct hst_call_event *event);
/* Calls visit for every event, block by block in order of time; within a thread in order of time, properly
 * nested, and all that was entered is left in the end.  ENTER and LEAVE only: where events were dropped, or
 * the timeline begins or ends inside calls, those that bring the thread to where it was are made (ENTER is
 * continued then).  A status other than HST_OK from visit ends the walk and is returned. */
enum hst_status hst_timeline_read(struct hst_store *store, uint64_t run, const struct hst_profile *profile,
                                  hst_call_event_visitor *visit, void *context,
                                  struct hst_error *err) HST_MUST_CHECK;
/* Events of the run that are stored; 0: it has no timeline. */
enum hst_status hst_timeline_count(struct hst_store *store, uint64_t run, uint64_t *ret_events,
                                   struct hst_error *err) HST_MUST_CHECK;

#endif
