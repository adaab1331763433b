/* Thread states -> thread numbers. */
#include "reader/thread_ids.h"

#include <string.h>

#include "base/memory.h"
#include "target/process.h"

enum { PTHREAD_BYTES = 2048, PTHREAD_FIRST_OFFSET = 32 };

enum hst_status hst_thread_ids_init(struct hst_thread_ids *ids, int pid)
{
    *ids = (struct hst_thread_ids){.pid = pid};
    return hst_thread_inner_id(pid, pid, &ids->inner_pid);
}

/* The main thread's number is the process's: where struct pthread of one of the threads holds it, and what
 * stands there in the same place of another thread is one too. */
static enum hst_status learn_offset(struct hst_thread_ids *ids, const struct hst_runtime *runtime,
                                    hst_raddr pthread)
{
    uint32_t words[PTHREAD_BYTES / 4];
    HST_TRY(hst_memory_read(runtime->memory, pthread, words, sizeof words));
    for (uint32_t i = PTHREAD_FIRST_OFFSET / 4; i < HST_ARRAY_LENGTH(words); i++)
        if (words[i] == ids->inner_pid) {
            ids->tid_offset = i * 4;
            return HST_OK;
        }
    return HST_E_NOENT;
}

/* The thread of the process whose number in its own namespace is inner. */
static enum hst_status outer_tid(const struct hst_thread_ids *ids, uint64_t inner, int *ret_tid)
{
    if (ids->inner_pid == (uint64_t)ids->pid || inner == ids->inner_pid) {
        *ret_tid = inner == ids->inner_pid ? ids->pid : (int)inner;
        return HST_OK;
    }
    HST_CLEANUP_FREE int *tids = NULL;
    size_t count;
    HST_TRY(hst_process_threads(ids->pid, &tids, &count));
    for (size_t i = 0; i < count; i++) {
        uint64_t id;
        if (hst_thread_inner_id(ids->pid, tids[i], &id) == HST_OK && id == inner) {
            *ret_tid = tids[i];
            return HST_OK;
        }
    }
    return HST_E_NOENT;
}

enum hst_status hst_thread_ids_find(struct hst_thread_ids *ids, const struct hst_runtime *runtime,
                                    const struct hst_tstate *tstate, int *ret_tid)
{
    if (runtime->abi.tstate_native_thread_id != 0)
        return tstate->native_id != 0 ? outer_tid(ids, tstate->native_id, ret_tid) : HST_E_NOENT;
    uint32_t inner;
    if (ids->tid_offset == 0) { /* the last state in a list is the main thread's, the first to be made */
        HST_CLEANUP_FREE struct hst_tstate *all = NULL;
        size_t count;
        HST_TRY(hst_runtime_threads(runtime, &all, &count));
        for (size_t i = count; i > 0 && ids->tid_offset == 0; i--)
            (void)!learn_offset(ids, runtime, all[i - 1].thread_id);
        if (ids->tid_offset == 0)
            return HST_E_NOENT;
    }
    if (hst_memory_read_u32(runtime->memory, tstate->thread_id + ids->tid_offset, &inner) != HST_OK ||
        inner == 0)
        return HST_E_NOENT;
    return outer_tid(ids, inner, ret_tid);
}
