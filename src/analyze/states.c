/* Sums rows by state and system call. */
#include "analyze/states.h"

#include <stdlib.h>

#include "base/memory.h"

const char *hst_activity_name(enum hst_activity activity)
{
    static const char *const names[] = {
        [HST_ACTIVITY_RUNNING] = "running",   [HST_ACTIVITY_GC] = "gc",
        [HST_ACTIVITY_RUNNABLE] = "runnable", [HST_ACTIVITY_GIL_WAIT] = "gil-wait",
        [HST_ACTIVITY_BLOCKED] = "blocked",   [HST_ACTIVITY_IDLE] = "idle",
        [HST_ACTIVITY_UNKNOWN] = "unknown",
    };
    return names[activity];
}

static enum hst_activity activity_of(const struct hst_aggregate_row *row)
{
    static const enum hst_activity by_state[HST_STATE_COUNT] = {
        [HST_STATE_UNKNOWN] = HST_ACTIVITY_UNKNOWN,   [HST_STATE_RUNNING] = HST_ACTIVITY_RUNNING,
        [HST_STATE_RUNNABLE] = HST_ACTIVITY_RUNNABLE, [HST_STATE_GIL_WAIT] = HST_ACTIVITY_GIL_WAIT,
        [HST_STATE_BLOCKED] = HST_ACTIVITY_BLOCKED,   [HST_STATE_IDLE] = HST_ACTIVITY_IDLE,
        [HST_STATE_GONE] = HST_ACTIVITY_UNKNOWN,
    };
    if (row->flags & HST_SAMPLE_IN_GC && row->state == HST_STATE_RUNNING)
        return HST_ACTIVITY_GC;
    return row->state < HST_STATE_COUNT ? by_state[row->state] : HST_ACTIVITY_UNKNOWN;
}

static struct hst_state_total *state_row(struct hst_states *states, enum hst_activity activity,
                                         uint16_t detail)
{
    for (size_t i = 0; i < states->count; i++)
        if (states->rows[i].activity == activity && states->rows[i].detail == detail)
            return &states->rows[i];
    if (!HST_RESERVE(states->rows, states->capacity, states->count + 1))
        return NULL;
    states->rows[states->count] = (struct hst_state_total){.activity = activity, .detail = detail};
    return &states->rows[states->count++];
}

static int compare_states(const void *a_row, const void *b_row)
{
    const struct hst_state_total *a = a_row, *b = b_row;
    if (a->sum.ns != b->sum.ns)
        return a->sum.ns < b->sum.ns ? 1 : -1;
    return (a->activity > b->activity) - (a->activity < b->activity);
}

static uint64_t awake_ns(const struct hst_thread_total *thread)
{
    return thread->all.ns - thread->by_activity[HST_ACTIVITY_IDLE].ns;
}

static int compare_threads(const void *a_row, const void *b_row)
{
    const struct hst_thread_total *a = a_row, *b = b_row;
    uint64_t a_ns = awake_ns(a), b_ns = awake_ns(b);
    if (a_ns != b_ns)
        return a_ns < b_ns ? 1 : -1;
    return (a->thread > b->thread) - (a->thread < b->thread);
}

static int add_row(struct hst_states *states, const struct hst_aggregate_row *row)
{
    enum hst_activity activity = activity_of(row);
    int has_call = activity == HST_ACTIVITY_BLOCKED || activity == HST_ACTIVITY_IDLE;
    struct hst_state_total *state = state_row(states, activity, has_call ? row->detail : 0);
    if (state == NULL)
        return 0;
    struct hst_thread_total *thread = &states->threads[row->thread];
    hst_sum_add_row(&state->sum, row);
    hst_sum_add_row(&states->by_activity[activity], row);
    hst_sum_add_row(&thread->by_activity[activity], row);
    hst_sum_add_row(&thread->all, row);
    if (row->flags & HST_SAMPLE_HOLDS_GIL) {
        hst_sum_add_row(&thread->gil, row);
        hst_sum_add_row(&states->gil, row);
    }
    return 1;
}

enum hst_status hst_states_init(struct hst_states *states, const struct hst_view *view)
{
    *states = (struct hst_states){.all = view->all};
    size_t threads = view->profile->thread_count;
    states->threads = hst_alloc_zero(threads + 1, sizeof *states->threads);
    if (states->threads == NULL)
        return HST_E_NOMEM;
    for (uint32_t t = 0; t < threads; t++)
        states->threads[t].thread = t;
    for (size_t i = 0; i < view->row_count; i++)
        if (!add_row(states, &view->rows[i])) {
            hst_states_release(states);
            return HST_E_NOMEM;
        }
    for (size_t t = 0; t < threads; t++)
        if (states->threads[t].all.samples > 0)
            states->threads[states->thread_count++] = states->threads[t];
    if (states->thread_count > 0)
        qsort(states->threads, states->thread_count, sizeof *states->threads, compare_threads);
    if (states->count > 0)
        qsort(states->rows, states->count, sizeof *states->rows, compare_states);
    return HST_OK;
}

void hst_states_release(struct hst_states *states)
{
    hst_free(states->rows);
    hst_free(states->threads);
    *states = (struct hst_states){0};
}
