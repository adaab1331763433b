/* Rows by thread and stack. */
#include "model/calls.h"

#include "base/memory.h"

void hst_calls_init(struct hst_calls *calls) { *calls = (struct hst_calls){0}; }

void hst_calls_release(struct hst_calls *calls)
{
    hst_free(calls->rows);
    hst_free(calls->traces);
    hst_map_release(&calls->index);
    hst_calls_init(calls);
}

static uint64_t key_of(uint32_t thread, uint32_t stack) { return (uint64_t)thread << 32 | stack; }

struct hst_call_row *hst_calls_row(struct hst_calls *calls, uint32_t thread, uint32_t stack)
{
    uint32_t found = hst_map_find(&calls->index, key_of(thread, stack));
    if (found == HST_MAP_ABSENT) {
        found = (uint32_t)calls->count;
        if (!HST_RESERVE(calls->rows, calls->capacity, calls->count + 1) ||
            !hst_map_set(&calls->index, key_of(thread, stack), found))
            return NULL;
        calls->rows[calls->count++] = (struct hst_call_row){.thread = thread, .stack = stack};
    }
    return &calls->rows[found];
}

const struct hst_call_row *hst_calls_find(const struct hst_calls *calls, uint32_t thread, uint32_t stack)
{
    uint32_t found = hst_map_find(&calls->index, key_of(thread, stack));
    return found != HST_MAP_ABSENT ? &calls->rows[found] : NULL;
}

struct hst_trace_info *hst_calls_trace(struct hst_calls *calls, uint32_t process)
{
    for (size_t i = 0; i < calls->trace_count; i++)
        if (calls->traces[i].process == process)
            return &calls->traces[i];
    if (!HST_RESERVE(calls->traces, calls->trace_capacity, calls->trace_count + 1))
        return NULL;
    struct hst_trace_info *info = &calls->traces[calls->trace_count++];
    *info = (struct hst_trace_info){.process = process, .backend = "", .clock = ""};
    return info;
}
