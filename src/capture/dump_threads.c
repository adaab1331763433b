/* Reads stacks and variables into a dump. */
#include "capture/dump_threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
    LIST_TRIES = 200,
    STILL_TRIES = 8,
    VARIABLE_TRIES = 8,
    ROUNDS = 12,
    ROUND_PAUSE_NS = 300000,
    PAUSE_DOUBLINGS = 4
};

#ifdef __aarch64__
enum { SYSCALL_FUTEX = 98 };
#else
enum { SYSCALL_FUTEX = 202 };
#endif

enum hst_status hst_dump_reader_init(struct hst_dump_reader *reader, const struct hst_runtime *runtime,
                                     struct hst_dump *dump, int variables, unsigned tries)
{
    *reader =
        (struct hst_dump_reader){.runtime = runtime, .dump = dump, .variables = variables, .tries = tries};
    (void)snprintf(dump->interpreter, sizeof dump->interpreter, "CPython %s%s", runtime->version,
                   runtime->abi.free_threaded ? " free-threaded" : "");
    hst_frames_init(&reader->frames, runtime, &dump->profile);
    hst_locals_reader_init(&reader->locals, runtime->memory, &runtime->abi);
    enum hst_status status = HST_E_TORN, named = HST_E_TORN;
    for (int i = 0; i < LIST_TRIES && status == HST_E_TORN; i++)
        status = hst_runtime_threads(runtime, &reader->tstates, &reader->tstate_count);
    for (int i = 0; i < LIST_TRIES && named == HST_E_TORN; i++)
        named = hst_thread_names_read(runtime, &reader->names);
    if (status == HST_OK && named == HST_E_NOMEM) /* names are no reason to fail, memory is */
        status = named;
    if (status != HST_OK)
        hst_dump_reader_release(reader);
    return status;
}

void hst_dump_reader_release(struct hst_dump_reader *reader)
{
    hst_frames_release(&reader->frames);
    hst_locals_reader_release(&reader->locals);
    hst_thread_names_release(&reader->names);
    hst_free(reader->tstates);
    reader->tstates = NULL;
}

/* Leaf first, without the interpreter's own marks. */
static enum hst_status take_frames(const struct hst_frame_entry *entries, size_t count,
                                   struct hst_dump_thread *row)
{
    row->frames = hst_alloc_zero(count + 1, sizeof *row->frames);
    if (row->frames == NULL)
        return HST_E_NOMEM;
    for (size_t i = count; i > 0; i--)
        if (entries[i - 1].code != HST_ID_NONE)
            row->frames[row->frame_count++].location = entries[i - 1].location;
    row->stack_known = 1;
    return HST_OK;
}

/* *ret_lost: how many frames were gone before their variables could be read. */
static enum hst_status take_variables(struct hst_dump_reader *reader, const struct hst_frame_entry *entries,
                                      size_t count, struct hst_dump_thread *row, size_t *ret_lost)
{
    size_t lost = 0, at = 0;
    for (size_t i = count; i > 0; i--) {
        if (entries[i - 1].code == HST_ID_NONE)
            continue;
        struct hst_dump_frame *frame = &row->frames[at++];
        enum hst_status status = hst_locals_read(&reader->locals, entries[i - 1].address,
                                                 entries[i - 1].code_address, &frame->variables);
        if (status == HST_E_NOMEM || status == HST_E_GONE || status == HST_E_PERM)
            return status;
        frame->variables_read = status == HST_OK;
        lost += status != HST_OK;
    }
    *ret_lost = lost;
    return HST_OK;
}

/* A copy of one moment if one can be had; else the part of one that is believed. */
static enum hst_status read_walk(struct hst_dump_reader *reader, struct hst_walk *walk)
{
    uint32_t stack;
    for (int i = 0; i < STILL_TRIES && reader->held; i++)
        if (hst_walk_read_still(&reader->frames, walk, hst_now_ns(), &stack) == HST_OK)
            return HST_OK;
    for (unsigned i = 0; i < reader->tries; i++) {
        uint64_t torn = reader->frames.stats.torn;
        enum hst_status status = hst_walk_read(&reader->frames, walk, hst_now_ns(), 1, &stack);
        if (status == HST_OK ? reader->frames.stats.torn == torn : status != HST_E_TORN)
            return status;
    }
    return hst_walk_read(&reader->frames, walk, hst_now_ns(), reader->tries, &stack);
}

static enum hst_status read_with_walk(struct hst_dump_reader *reader, struct hst_walk *walk,
                                      struct hst_dump_thread *row)
{
    for (int i = 0; i < VARIABLE_TRIES; i++) {
        size_t count, lost = 0;
        hst_dump_thread_clear_frames(row);
        row->stack_known = 0;
        enum hst_status status = read_walk(reader, walk);
        if (status == HST_E_TORN || status == HST_E_INVALID || status == HST_E_UNSUPPORTED)
            return HST_OK;
        HST_TRY(status);
        const struct hst_frame_entry *entries = hst_walk_entries(walk, &count);
        HST_TRY(take_frames(entries, count, row));
        if (reader->variables)
            HST_TRY(take_variables(reader, entries, count, row, &lost));
        if (lost == 0)
            break;
    }
    return HST_OK;
}

/* What the reader learned from a thread that was in a bad moment may keep it from believing better ones:
 * every round begins anew, ever later: where CPUs are short the thread may not have moved at all. */
enum hst_status hst_dump_read_stack(struct hst_dump_reader *reader, const struct hst_tstate *tstate,
                                    struct hst_dump_thread *row)
{
    enum hst_status status = HST_OK;
    for (int i = 0; i < ROUNDS && status == HST_OK; i++) {
        if (i > 0) {
            hst_frames_release(&reader->frames);
            hst_frames_init(&reader->frames, reader->runtime, &reader->dump->profile);
            int doublings = i - 1 < PAUSE_DOUBLINGS ? i - 1 : PAUSE_DOUBLINGS;
            (void)nanosleep(&(struct timespec){.tv_nsec = (long)ROUND_PAUSE_NS << doublings}, NULL);
        }
        struct hst_walk *walk;
        HST_TRY(hst_walk_new(tstate->address, 0, 0, &walk));
        status = read_with_walk(reader, walk, row);
        hst_walk_free(walk);
        if (row->stack_known)
            break;
    }
    return status;
}

/* The lock's condition and mutex lie inside its structure: a futex in there is a wait for the lock. */
static int waits_for_gil(const struct hst_runtime *runtime, const struct hst_gil *gil,
                         const struct hst_thread_call *call)
{
    return gil->address != 0 && call->number == SYSCALL_FUTEX && call->arguments[0] >= gil->address &&
           call->arguments[0] < gil->address + runtime->abi.gil_size;
}

void hst_dump_set_call(const struct hst_runtime *runtime, const struct hst_gil *gil,
                       const struct hst_thread_call *call, struct hst_dump_thread *row)
{
    row->detail = 0;
    if (!call->known) {
        row->state = HST_STATE_UNKNOWN;
    } else if (!call->blocked) {
        row->state = HST_STATE_RUNNING;
    } else if (waits_for_gil(runtime, gil, call)) {
        row->state = HST_STATE_GIL_WAIT;
    } else {
        row->state = HST_STATE_BLOCKED;
        row->detail = call->number < UINT16_MAX - 1 ? (uint16_t)(call->number + 1) : 0;
    }
}

void hst_dump_set_flags(const struct hst_runtime *runtime, const struct hst_gil *gil,
                        const struct hst_tstate *tstate, struct hst_dump_thread *row)
{
    int free_threaded = runtime->abi.free_threaded;
    int holds = !free_threaded && gil->holder == tstate->address;
    /* Without the lock, the collector lets no other thread run. */
    int collects = gil->collecting && (free_threaded ? row->state == HST_STATE_RUNNING : holds);
    row->flags = (uint8_t)((holds ? HST_SAMPLE_HOLDS_GIL : 0) | (collects ? HST_SAMPLE_IN_GC : 0));
}

static int compare_threads(const void *left, const void *right, void *context)
{
    const struct hst_dump_thread *a = left, *b = right;
    const struct hst_dump *dump = context;
    if (a->crashed != b->crashed)
        return a->crashed ? -1 : 1;
    if (a->interpreter_id != b->interpreter_id)
        return a->interpreter_id < b->interpreter_id ? -1 : 1;
    int main_a = a->native_id == dump->pid, main_b = b->native_id == dump->pid;
    if (main_a != main_b)
        return main_a ? -1 : 1;
    return a->native_id < b->native_id ? -1 : a->native_id > b->native_id;
}

void hst_dump_sort_threads(struct hst_dump *dump)
{
    if (dump->thread_count > 1)
        qsort_r(dump->threads, dump->thread_count, sizeof *dump->threads, compare_threads, dump);
}
