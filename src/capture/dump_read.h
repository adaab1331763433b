/* A running process, or a core file -> a dump: every thread with what it does, its stack and, on request, its
 * variables. */
#ifndef HST_CAPTURE_DUMP_READ_H
#define HST_CAPTURE_DUMP_READ_H

#include "base/status.h"
#include "model/dump.h"

struct hst_dump_options {
    int variables;    /* read them too */
    int blocking;     /* hold all threads by ptrace while they are read */
    const char *root; /* core: prefix of the names of the program's files, or "" */
};

/* dump: initialised and empty. On failure err says what was found and what to try. */
enum hst_status hst_dump_read_process(int pid, const struct hst_dump_options *options, struct hst_dump *dump,
                                      struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_dump_read_core(const char *path, const struct hst_dump_options *options,
                                   struct hst_dump *dump, struct hst_error *err) HST_MUST_CHECK;

#endif
