/* The names that a program gave its threads: threading._active of every interpreter, read while the program
 * runs. A thread that Python's threading module does not know has none. */
#ifndef HST_READER_THREAD_NAMES_H
#define HST_READER_THREAD_NAMES_H

#include <stddef.h>

#include "base/status.h"
#include "reader/runtime.h"

struct hst_thread_name {
    uint64_t thread_id;      /* pthread_t, as in struct hst_tstate */
    uint64_t interpreter_id; /* whose threading module says so */
    char *name;              /* UTF-8 */
};

struct hst_thread_names {
    struct hst_thread_name *items; /* in order of thread_id, then interpreter_id */
    size_t count, capacity;
};

/* Fills ret_names, which is zeroed or holds what was read before (that is replaced, and kept when this
 * fails). HST_E_TORN: the tables moved meanwhile; ask again. Interpreters without the threading module add
 * nothing. */
enum hst_status hst_thread_names_read(const struct hst_runtime *runtime,
                                      struct hst_thread_names *ret_names) HST_MUST_CHECK;
/* NULL: it has no name. Valid until the next read. */
const char *hst_thread_names_find(const struct hst_thread_names *names, uint64_t thread_id);
void hst_thread_names_release(struct hst_thread_names *names);

#endif
