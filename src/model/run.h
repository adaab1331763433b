/* What a run is besides its tables and streams: its name and date, how it was measured, what that cost. */
#ifndef HST_MODEL_RUN_H
#define HST_MODEL_RUN_H

#include <stdint.h>

/* Stored as text in files; later kinds: counters, allocations, bench. */
enum hst_run_kind {
    HST_RUN_SAMPLED = 0,
    HST_RUN_TRACED = 1,
    HST_RUN_LINES = 2,
    HST_RUN_IMPORTED = 3, /* measured by another tool: model/call_sums.h */
    HST_RUN_HEAP = 4      /* all objects at one moment: model/heap.h */
};
enum hst_run_status {
    HST_RUN_RECORDING = 0,  /* being written, or its writer was killed */
    HST_RUN_COMPLETE = 1,   /* ended in order */
    HST_RUN_INTERRUPTED = 2 /* hasten was stopped, or the target was killed; what was seen is here */
};

/* What hasten itself took and missed. All counts are of the whole run. */
struct hst_run_cost {
    uint64_t
        samples; /* stored; of a traced or imported run: calls; of one of lines: hits; of a heap: objects */
    uint64_t dropped;        /* given up after retries, or refused by the checks */
    uint64_t torn;           /* reads that had to be tried again */
    uint64_t late;           /* ticks that came more than one interval late */
    uint64_t ticks;          /* times the clock loop woke */
    uint64_t longest_gap_ns; /* longest stretch between two ticks */
    uint64_t read_cpu_ns;    /* sampler CPU spent reading and decoding */
    uint64_t wake_cpu_ns;    /* sampler CPU spent on all else: waking, writing, looking for children */
    uint64_t remote_reads;   /* read calls into targets */
    uint64_t remote_bytes;
    double slowdown_percent; /* estimated slow-down of the target; < 0 = not estimated */
};

struct hst_run_info {
    uint64_t number; /* in its store; 0 = not stored yet */
    char name[128];  /* "" = none; unique in a store */
    enum hst_run_kind kind;
    enum hst_run_status status;
    uint64_t start_wall_ns; /* since 1970-01-01 UTC */
    uint64_t duration_ns;   /* so far, or at the end */
    uint64_t cpu_ns;        /* of all processes watched */
    double rate_hz;         /* asked for; 0 = as fast as possible */
    double budget_percent;  /* 0 = none */
    int blocking;           /* threads were stopped by ptrace for each read */
    int exit_status;        /* of the command as wait(2) gives it; -1 = not ours or still running */
    char command[1024];     /* as typed */
    char directory[1024];   /* working directory at the start */
    char hasten_version[32];
    struct hst_run_cost cost;
};

#endif
