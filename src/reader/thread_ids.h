/* Which thread of the system a Python thread state is: told by the state itself from 3.11 on; before, found
 * through pthread_t, whose structure holds the thread's number at an offset that the C library does not tell
 * and this learns. */
#ifndef HST_READER_THREAD_IDS_H
#define HST_READER_THREAD_IDS_H

#include "base/status.h"
#include "reader/runtime.h"

struct hst_thread_ids {
    int pid;
    uint64_t inner_pid;  /* pid in the target's own namespace */
    uint32_t tid_offset; /* in struct pthread; 0 = not learned yet */
};

enum hst_status hst_thread_ids_init(struct hst_thread_ids *ids, int pid) HST_MUST_CHECK;
/* The system's thread number as hasten sees it. HST_E_NOENT: none can be told (yet). */
enum hst_status hst_thread_ids_find(struct hst_thread_ids *ids, const struct hst_runtime *runtime,
                                    const struct hst_tstate *tstate, int *ret_tid) HST_MUST_CHECK;

#endif
