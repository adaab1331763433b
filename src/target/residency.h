/* How much of each mapping of a process lies in memory, and what the mapping is for: /proc/PID/smaps as an
 * array.  Where stacks of threads and variables of libraries end within a mapping, is found in the memory
 * itself: by the thread's structure, and by the headers of the library. */
#ifndef HST_TARGET_RESIDENCY_H
#define HST_TARGET_RESIDENCY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "target/maps.h"
#include "target/memory.h"

enum hst_residence_kind {
    HST_RESIDENCE_ANONYMOUS = 0, /* a stack may begin it: stack_end */
    HST_RESIDENCE_HEAP = 1,      /* grown by brk */
    HST_RESIDENCE_STACK = 2,     /* of the main thread */
    HST_RESIDENCE_FILE = 3,      /* of a file, not written to, or shared with it */
    HST_RESIDENCE_DATA = 4,      /* of a file, private and writable, or the anonymous memory right behind:
                                    variables      of a program or library */
    HST_RESIDENCE_SHARED = 5,    /* memory without a file that other processes may have too */
    HST_RESIDENCE_SYSTEM = 6,    /* [vdso] and the like */
};

struct hst_residence {
    hst_raddr start, end;
    unsigned flags; /* enum hst_map_flag */
    enum hst_residence_kind kind;
    uint64_t resident_bytes, swapped_bytes;
    uint64_t own_bytes;  /* of the resident ones: in no file, so written by the program (or by the one that it
                            was  forked from) */
    char *path;          /* as in struct hst_mapping; of what is right behind a file's DATA: the file's */
    int is_behind;       /* so it is: it has no file itself */
    hst_raddr data_end;  /* of DATA: variables go up to there, what is behind is as ANONYMOUS */
    hst_raddr stack_end; /* a thread's stack from start up to there; 0: none */
    int tid;             /* whose; 0: the thread has ended, or is not known */
};

struct hst_residency {
    struct hst_residence *items; /* in order of address */
    size_t count, capacity;
    int is_measured;         /* 0: only where the mappings are is known, all bytes are 0 */
    uint64_t resident_bytes; /* of all */
};

/* Into an empty or released list. HST_E_PERM: who may read its maps may not always read this. */
enum hst_status hst_residency_read(int pid, struct hst_residency *residency) HST_MUST_CHECK;
enum hst_status hst_residency_parse(const char *text, size_t length,
                                    struct hst_residency *residency) HST_MUST_CHECK;
/* Of a core file, or where smaps may not be read: the kinds alone. */
enum hst_status hst_residency_from_maps(const struct hst_maps *maps,
                                        struct hst_residency *residency) HST_MUST_CHECK;
void hst_residency_release(struct hst_residency *residency);

/* Which mappings begin with a stack. tids: of all threads, as they are numbered in the target's own
 * namespace; memory: the target's, at best a copy of it. */
void hst_residency_find_stacks(struct hst_residency *residency, struct hst_memory *memory, const int *tids,
                               size_t count);
/* Up to where the mappings of kind DATA are that: those of files that are neither program nor library are
 * not. memory must have the headers of the libraries; where it has not, all stays as it is. */
void hst_residency_find_data(struct hst_residency *residency, struct hst_memory *memory);
/* The same for one thread whose structure is known (core.h says it). */
void hst_residency_set_stack(struct hst_residency *residency, hst_raddr thread_pointer, int tid);

/* The last part of a path, without the mark of a deleted file; its length. */
const char *hst_residence_name(const struct hst_residence *residence, size_t *ret_length);

#endif
