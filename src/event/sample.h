/* What flows from the sampler to the model: one observation of one thread.  A value with names; who makes it
 * does not know who reads it. */
#ifndef HST_EVENT_SAMPLE_H
#define HST_EVENT_SAMPLE_H

#include <stdint.h>

/* What the thread was doing.  Stored in files: numbers are for ever, new ones go at the end. */
enum hst_state {
    HST_STATE_UNKNOWN = 0,
    HST_STATE_RUNNING = 1,  /* on a CPU (or so short off it that the clock cannot tell) */
    HST_STATE_RUNNABLE = 2, /* wants a CPU and has none */
    HST_STATE_GIL_WAIT = 3, /* blocked until the interpreter lock is free */
    HST_STATE_BLOCKED = 4,  /* in a system call that waits; which one is in detail */
    HST_STATE_IDLE = 5,     /* blocked, and has not run for HST_IDLE_AFTER_NS */
    HST_STATE_GONE = 6,     /* ended while it was looked at */
    HST_STATE_COUNT
};
#define HST_IDLE_AFTER_NS 1000000000u

enum hst_sample_flag {
    HST_SAMPLE_HOLDS_GIL = 1, /* the thread held the interpreter lock (free-threaded: was attached) */
    HST_SAMPLE_IN_GC = 2,     /* the thread was inside the garbage collector */
    HST_SAMPLE_PARTIAL = 4,   /* the stack is cut at its root: deeper than the limit */
};

struct hst_sample {
    uint64_t time_ns;   /* since the start of the run */
    uint64_t weight_ns; /* the stretch of the thread's life this sample stands for, ending at time_ns */
    uint32_t thread;    /* index in the model's threads */
    uint32_t stack;     /* id in the model's stacks; 0 = no Python frame */
    uint8_t state;      /* enum hst_state */
    uint8_t flags;      /* enum hst_sample_flag */
    uint16_t detail;    /* BLOCKED, IDLE: system call number + 1, 0 = not known */
};

#endif
