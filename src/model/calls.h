/* What a tracer counted: a row for each context, which is a thread and a stack of functions.  Unlike samples
 * they are exact, and total time is not kept: it is the self time of all contexts below.  And how each
 * process was traced. */
#ifndef HST_MODEL_CALLS_H
#define HST_MODEL_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct hst_call_row {
    uint32_t thread, stack;
    uint64_t calls;        /* begun in this context; a generator begins once */
    uint64_t resumes;      /* of a generator or coroutine */
    uint64_t raises;       /* left by an exception */
    uint64_t raw_ns;       /* self time as measured */
    uint64_t self_ns;      /* without what the tracer cost */
    uint64_t suspended_ns; /* between yields and resumptions: not part of self time */
};

enum hst_call_kind { HST_CALL_PYTHON, HST_CALL_C, HST_CALL_KIND_COUNT };

struct hst_trace_info {
    uint32_t process;
    const char *backend, *clock; /* names for people and files; static */
    int python_only;
    uint64_t lost_contexts, lost_suspensions, hook_taken;
    /* ns that a traced call adds to its caller's measured time, and to its own */
    double caller_cost_ns[HST_CALL_KIND_COUNT], callee_cost_ns[HST_CALL_KIND_COUNT];
    int has_timeline;
    uint64_t events, event_bytes, lost_events; /* of the timeline: stored, in so many bytes; dropped */
    double line_cost_ns;                       /* ns that a watched line adds to its measured time */
    char failure[256];                         /* "" = it was traced */
};

struct hst_calls {
    struct hst_call_row *rows;
    size_t count, capacity;
    struct hst_map index; /* thread << 32 | stack -> row */
    struct hst_trace_info *traces;
    size_t trace_count, trace_capacity;
};

void hst_calls_init(struct hst_calls *calls);
void hst_calls_release(struct hst_calls *calls);
/* The row of a context, made when there is none; NULL when memory is out. */
struct hst_call_row *hst_calls_row(struct hst_calls *calls, uint32_t thread, uint32_t stack);
/* NULL when there is none. */
const struct hst_call_row *hst_calls_find(const struct hst_calls *calls, uint32_t thread, uint32_t stack);
/* The row of a process, made when there is none; NULL when memory is out. */
struct hst_trace_info *hst_calls_trace(struct hst_calls *calls, uint32_t process);

#endif
