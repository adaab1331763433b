/* One process under watch: from "started, not a Python yet" to "gone", with the reader of its memory and its
 * threads. */
#ifndef HST_CAPTURE_WATCH_H
#define HST_CAPTURE_WATCH_H

#include "capture/thread.h"
#include "model/profile.h"
#include "reader/frames.h"
#include "reader/runtime.h"
#include "reader/thread_ids.h"
#include "reader/thread_names.h"
#include "target/process.h"

enum hst_watch_state {
    HST_WATCH_WAITING, /* no readable Python in it, or not yet: looked at again */
    HST_WATCH_SAMPLING,
    HST_WATCH_GONE,
};

/* An interpreter's lock, read once a tick for all threads of it. */
struct hst_watched_interpreter {
    hst_raddr address;
    struct hst_gil gil;
    uint64_t read_tick;
};

struct hst_watch {
    int pid;
    uint64_t start_ticks; /* tells a reused pid */
    enum hst_watch_state state;
    enum hst_status why; /* WAITING: what the last attempt to attach said */
    struct hst_error error;
    uint64_t image_id; /* of the executable, changes by exec */
    uint64_t begin_ns, retry_ns, refresh_ns, name_ns;
    uint64_t meet_ns;       /* hst_watch_meet is not due before */
    uint64_t unmet_ns;      /* time of samples in which a thread was to be met, and it was not due */
    uint64_t children_ns;   /* when all threads are next asked for children */
    uint32_t model_process; /* index in the profile; HST_ID_NONE until it is a Python */
    struct hst_memory *memory;
    struct hst_runtime runtime;
    struct hst_frames frames;
    struct hst_thread_ids ids;
    struct hst_thread_names names;
    unsigned bad_refreshes; /* in a row: the lists of threads could not be read */
    struct hst_watched_thread *threads;
    size_t thread_count, thread_capacity;
    size_t thread_rows;     /* in the profile, so far */
    uint32_t later_threads; /* the row that threads share after so many; HST_ID_NONE: not needed yet */
    struct hst_watched_interpreter *interpreters;
    size_t interpreter_count, interpreter_capacity;
    uint64_t first_cpu_ns, cpu_ns; /* of the process: when the watch began, at the last look */
    int cpu;                       /* that its main thread was on at the last look */
    struct hst_frames_stats past;  /* of earlier programs of this process (exec) */
    uint64_t past_reads, past_bytes;
};

enum hst_status hst_watch_new(int pid, uint64_t now_ns, struct hst_watch **ret_watch) HST_MUST_CHECK;
/* Ends the rows of process and threads in the profile; NULL is accepted. */
void hst_watch_free(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns);

/* Tries to find the Python in the process. place (may be NULL): where its threads can be met at rest. HST_OK:
 * state is SAMPLING. Otherwise why and error say what is in the way. */
enum hst_status hst_watch_attach(struct hst_watch *watch, struct hst_profile *profile,
                                 struct hst_place *place, uint64_t now_ns) HST_MUST_CHECK;
/* Gives the Python up (it ended, or the process runs another program): back to WAITING. */
void hst_watch_detach(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns);
/* Brings the list of threads up to date. */
enum hst_status hst_watch_refresh(struct hst_watch *watch, struct hst_profile *profile,
                                  uint64_t now_ns) HST_MUST_CHECK;
/* Refreshes at once, because a thread may have come: a program that makes a thread for each request does its
 * work in threads that live between two refreshes.  Such a thread counts from since_ns on, the begin of the
 * stretch of time that this round stands for: it is met with a probability that is its part of the stretch.
 * Until meet_ns it should not be done again, or it would take too large a part of the time: who could not be
 * met then is gone (unmet_ns), and the next that is met stands for them. */
enum hst_status hst_watch_meet(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns,
                               uint64_t since_ns) HST_MUST_CHECK;
/* How many interpreters' locks were held when they were last read. */
size_t hst_watch_held_locks(const struct hst_watch *watch);
/* The lock of the thread's interpreter, read at most once in a tick. */
const struct hst_gil *hst_watch_gil(struct hst_watch *watch, hst_raddr interpreter, uint64_t tick);
/* The system's view: whether the process still is, whether it runs the same program, its CPU time. */
void hst_watch_check(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns);

#endif
