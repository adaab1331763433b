/* What the system says of a process and its threads, through /proc: who it is, whose child, what each thread
 * is doing. Numbers are those of hasten's own pid namespace unless said otherwise. */
#ifndef HST_TARGET_PROCESS_H
#define HST_TARGET_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct hst_process_facts {
    int parent;
    char state;            /* R, S, D, Z, ... */
    uint64_t start_ticks;  /* since boot: tells a reused pid from the one that had it before */
    uint64_t cpu_ns;       /* user + system, children not counted */
    int cpu;               /* that its main thread was on last */
    uint64_t minor_faults; /* of all its threads: pages that came without a disk */
};

/* HST_E_GONE: no such process. */
enum hst_status hst_process_read(int pid, struct hst_process_facts *ret_facts) HST_MUST_CHECK;
/* Arguments joined by spaces; empty for a zombie or a kernel thread. The caller's to hst_free; NULL: out of
 * memory. */
char *hst_process_command(int pid);
/* Path of the executable as the target sees it; the caller's to hst_free; NULL when it cannot be told. */
char *hst_process_executable(int pid);
/* Identity of the executable, changes by exec; 0 = cannot be told. */
uint64_t hst_process_image_id(int pid);

/* A descriptor that is readable once the process has ended; -1 when there is none to be had. */
int hst_process_handle(int pid);
/* pids or tids as an array that the caller hst_frees. */
enum hst_status hst_process_threads(int pid, int **ret_tids, size_t *ret_count) HST_MUST_CHECK;
/* Direct children of one thread, and of all the threads of pid, which opens a file for each. */
enum hst_status hst_thread_children(int pid, int tid, int **ret_pids, size_t *ret_count) HST_MUST_CHECK;
enum hst_status hst_process_children(int pid, int **ret_pids, size_t *ret_count) HST_MUST_CHECK;
/* The number of thread tid in the innermost pid namespace it is in. */
enum hst_status hst_thread_inner_id(int pid, int tid, uint64_t *ret_id) HST_MUST_CHECK;
/* The system's name of a thread ("comm"), "" when it cannot be told. */
void hst_thread_name(int pid, int tid, char *into, size_t size);

/* The CPU that a thread was on last. */
enum hst_status hst_thread_cpu_read(int pid, int tid, int *ret_cpu) HST_MUST_CHECK;

/* When the process started, since 1970-01-01 UTC. */
uint64_t hst_process_start_wall_ns(const struct hst_process_facts *facts);
/* How long ago the thread was last on a CPU. HST_E_NOENT: this system does not say. */
enum hst_status hst_thread_rest_read(int pid, int tid, uint64_t *ret_rest_ns) HST_MUST_CHECK;

/* Files of one thread, kept open: a state costs two reads and no open. */
struct hst_thread_files {
    int schedstat, syscall; /* descriptors; syscall is -1 where it is not permitted */
};

struct hst_thread_times {
    uint64_t run_ns;      /* on a CPU */
    uint64_t runnable_ns; /* waiting for one */
    uint64_t switches;
};

struct hst_thread_call {
    int blocked;     /* in a system call that waits */
    int known;       /* the file could be read */
    uint32_t number; /* of the system call */
    uint64_t arguments[6];
};

enum hst_status hst_thread_files_open(int pid, int tid, struct hst_thread_files *ret_files) HST_MUST_CHECK;
void hst_thread_files_close(struct hst_thread_files *files);
/* HST_E_GONE when the thread has ended. */
enum hst_status hst_thread_times_read(const struct hst_thread_files *files,
                                      struct hst_thread_times *ret_times) HST_MUST_CHECK;
enum hst_status hst_thread_call_read(const struct hst_thread_files *files,
                                     struct hst_thread_call *ret_call) HST_MUST_CHECK;

#endif
