/* What flows from a tracer that keeps the order of calls: a thread went into a call, or came out of one. */
#ifndef HST_EVENT_CALL_EVENT_H
#define HST_EVENT_CALL_EVENT_H

#include <stdint.h>

enum hst_call_event_kind {
    HST_CALL_ENTER, /* the thread's stack became stack, whose parent it was */
    HST_CALL_LEAVE, /* it became stack, the parent of what it was */
    HST_CALL_MOVE,  /* it is stack, however that came: what lies between is not known */
};

struct hst_call_event {
    uint64_t time_ns;       /* since the start of the run */
    uint64_t lost;          /* MOVE: events before it that were dropped */
    uint32_t thread, stack; /* index in the model's threads; id in its stacks */
    uint8_t kind;           /* enum hst_call_event_kind */
    uint8_t continued;      /* ENTER: the call began earlier, unseen or before the timeline */
};

#endif
