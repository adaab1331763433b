/* Looks at the list of threads until it holds none that is not stopped. */
#include "target/halt.h"

#include "base/memory.h"
#include "target/process.h"
#include "target/stop.h"

static int is_stopped(const struct hst_halt *halt, int tid)
{
    for (size_t i = 0; i < halt->count; i++)
        if (halt->tids[i] == tid)
            return 1;
    return 0;
}

static enum hst_status stop_one(struct hst_halt *halt, int tid)
{
    if (!HST_RESERVE(halt->tids, halt->capacity, halt->count + 1))
        return HST_E_NOMEM;
    HST_TRY(hst_stop_seize(tid));
    enum hst_status status = hst_stop_interrupt(tid);
    if (status == HST_OK)
        halt->tids[halt->count++] = tid;
    return status;
}

/* Threads that end meanwhile are passed over. */
static enum hst_status stop_new(int pid, struct hst_halt *halt, int *ret_new)
{
    HST_CLEANUP_FREE int *tids = NULL;
    size_t count;
    *ret_new = 0;
    HST_TRY(hst_process_threads(pid, &tids, &count));
    for (size_t i = 0; i < count; i++) {
        if (is_stopped(halt, tids[i]))
            continue;
        enum hst_status status = stop_one(halt, tids[i]);
        if (status != HST_OK && status != HST_E_GONE)
            return status;
        *ret_new += status == HST_OK;
    }
    return HST_OK;
}

enum hst_status hst_halt_begin(int pid, struct hst_halt *ret_halt)
{
    *ret_halt = (struct hst_halt){0};
    int new = 1;
    enum hst_status status = HST_OK;
    while (status == HST_OK && new)
        status = stop_new(pid, ret_halt, &new);
    if (status == HST_OK && ret_halt->count == 0)
        status = HST_E_GONE;
    if (status != HST_OK)
        hst_halt_end(ret_halt);
    return status;
}

/* Detached where they stand: one that was stopped by a signal before stays so. */
void hst_halt_end(struct hst_halt *halt)
{
    for (size_t i = 0; i < halt->count; i++)
        hst_stop_leave(halt->tids[i]);
    hst_free(halt->tids);
    *halt = (struct hst_halt){0};
}
