/* A core file of a crashed (or copied) program as memory, maps and threads.  A core leaves out what is the
 * same in the files that were mapped, so the executable and the libraries are read for it, if they are still
 * those that ran. */
#ifndef HST_TARGET_CORE_H
#define HST_TARGET_CORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "target/maps.h"
#include "target/memory.h"

struct hst_core_thread {
    int tid;                  /* as the program itself numbered it */
    int signal;               /* that it was given last; 0 = none */
    hst_raddr thread_pointer; /* where its pthread structure is; 0 = not known */
    int in_call;              /* it was in a system call */
    uint32_t call;
    uint64_t arguments[6];
};

struct hst_core {
    struct hst_memory *memory; /* HST_E_TORN for what is in no file */
    struct hst_maps maps;
    struct hst_core_thread *threads; /* the one that crashed is the first */
    size_t thread_count, thread_capacity;
    int pid;
    char command[96]; /* arguments, cut by the system */
    int signal;       /* that ended the program; 0 = it was not ended */
    int has_address;
    hst_raddr address;  /* whose use was the fault */
    uint64_t cut_bytes; /* that the file should have and lacks */
    uint64_t written_wall_ns;
};

/* root: prefix of the names of mapped files, or "". HST_E_UNSUPPORTED: not a core file, or one of another
 * machine. */
enum hst_status hst_core_open(const char *path, const char *root, struct hst_core *ret_core,
                              struct hst_error *err) HST_MUST_CHECK;
void hst_core_release(struct hst_core *core);
/* A file whose contents were wanted and could not be had, and why; NULL: there is none (so far). */
const char *hst_core_missing(const struct hst_core *core, const char **ret_why);

#endif
