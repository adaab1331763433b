/* Dumps a running process: each thread is looked at until what the system says of it is the same before and
 * after its stack was read, so that state and stack belong together. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "capture/dump_read.h"
#include "capture/dump_threads.h"
#include "capture/subject.h"
#include "reader/thread_ids.h"
#include "target/maps.h"
#include "target/stop.h"

enum { STACK_TRIES = 500, LOOKS = 5 };
/* The scheduler brings a running thread's figures up to date once a tick, of 10 ms at most. */
#define RUNNABLE_AFTER_NS 12000000u
#define RUNNABLE_PAUSE_NS 100000

/* A thread under dump; in the order of the reader's tstates. */
struct look {
    int tid; /* 0 = none was found for the state */
    int seized;
    struct hst_thread_files files;
    struct hst_thread_times times;
    size_t row;
};

struct process_dump {
    int pid;
    const struct hst_dump_options *options;
    struct hst_dump *dump;
    struct hst_runtime *runtime;
    struct hst_thread_ids ids;
    struct hst_dump_reader reader;
    struct hst_place place;
    struct look *looks;
    size_t look_count;
    uint64_t first_look_ns;
};

/* What the system says of the thread now. */
static enum hst_status look_at(struct process_dump *p, const struct hst_gil *gil, struct look *look,
                               struct hst_dump_thread *row)
{
    struct hst_thread_call call;
    HST_TRY(hst_thread_times_read(&look->files, &look->times));
    HST_TRY(hst_thread_call_read(&look->files, &call));
    hst_dump_set_call(p->runtime, gil, &call, row);
    return HST_OK;
}

static struct hst_gil read_gil(struct process_dump *p, const struct hst_tstate *tstate)
{
    struct hst_gil gil = {0};
    if (hst_runtime_gil(p->runtime, tstate->interpreter, &gil) != HST_OK)
        gil = (struct hst_gil){0};
    return gil;
}

/* Stack and state of one thread, of one moment if it lets us. */
static enum hst_status read_moment(struct process_dump *p, size_t index)
{
    struct look *look = &p->looks[index];
    const struct hst_tstate *tstate = &p->reader.tstates[index];
    struct hst_dump_thread *row = &p->dump->threads[look->row];
    for (int i = 0; i < LOOKS; i++) {
        struct hst_gil gil = read_gil(p, tstate);
        if (look_at(p, &gil, look, row) != HST_OK) {
            row->state = HST_STATE_GONE;
            return HST_OK;
        }
        hst_dump_set_flags(p->runtime, &gil, tstate, row);
        struct hst_dump_thread before = *row;
        uint64_t switches = look->times.switches;
        HST_TRY(hst_dump_read_stack(&p->reader, tstate, row));
        gil = read_gil(p, tstate);
        if (look_at(p, &gil, look, row) != HST_OK)
            row->state = HST_STATE_GONE;
        hst_dump_set_flags(p->runtime, &gil, tstate, row);
        int slept = row->state == HST_STATE_RUNNING || switches == look->times.switches;
        if (row->state == HST_STATE_GONE || (row->state == before.state && row->detail == before.detail &&
                                             row->flags == before.flags && slept))
            break;
    }
    return HST_OK;
}

/* On the thread's own CPU, where it stands still while we read. */
static enum hst_status read_thread(struct process_dump *p, size_t index)
{
    p->reader.held =
        !p->options->blocking && hst_place_join(&p->place, p->pid, p->looks[index].tid) == HST_OK;
    enum hst_status status = read_moment(p, index);
    if (p->reader.held)
        hst_place_leave(&p->place);
    p->reader.held = 0;
    return status;
}

static const char *name_of(struct process_dump *p, const struct hst_tstate *tstate, int tid, char *comm,
                           size_t size)
{
    const char *name = hst_thread_names_find(&p->reader.names, tstate->thread_id);
    if (name != NULL && name[0] != '\0')
        return name;
    if (tid == p->pid)
        return "MainThread";
    comm[0] = '\0';
    if (tid != 0)
        hst_thread_name(p->pid, tid, comm, size);
    return comm;
}

static enum hst_status add_threads(struct process_dump *p)
{
    p->looks = hst_alloc_zero(p->reader.tstate_count + 1, sizeof *p->looks);
    if (p->looks == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < p->reader.tstate_count; i++) {
        const struct hst_tstate *tstate = &p->reader.tstates[i];
        struct look look = {.files = {.schedstat = -1, .syscall = -1}};
        char comm[64];
        if (hst_thread_ids_find(&p->ids, p->runtime, tstate, &look.tid) != HST_OK ||
            hst_thread_files_open(p->pid, look.tid, &look.files) != HST_OK)
            look.tid = 0;
        struct hst_dump_thread *row = hst_dump_add_thread(p->dump);
        if (row == NULL)
            return HST_E_NOMEM;
        look.row = p->dump->thread_count - 1;
        p->looks[p->look_count++] = look;
        row->native_id = (uint32_t)look.tid;
        row->interpreter_id = tstate->interpreter_id;
        row->name = hst_strdup(name_of(p, tstate, look.tid, comm, sizeof comm));
        if (row->name == NULL)
            return HST_E_NOMEM;
    }
    return HST_OK;
}

/* All threads stand still together; those of C code too would be no use. */
static void stop_threads(struct process_dump *p)
{
    for (size_t i = 0; i < p->look_count; i++)
        p->looks[i].seized = p->looks[i].tid != 0 && hst_stop_seize(p->looks[i].tid) == HST_OK;
    for (size_t i = 0; i < p->look_count; i++)
        if (p->looks[i].seized && hst_stop_interrupt(p->looks[i].tid) != HST_OK)
            p->looks[i].seized = 0;
}

static void continue_threads(struct process_dump *p)
{
    for (size_t i = 0; i < p->look_count; i++)
        if (p->looks[i].seized) {
            hst_stop_continue(p->looks[i].tid);
            hst_stop_release(p->looks[i].tid);
            p->looks[i].seized = 0;
        }
}

/* States first, since a stopped thread is in no call; then everything at one moment. */
static enum hst_status read_stopped(struct process_dump *p)
{
    for (size_t i = 0; i < p->look_count; i++) {
        struct hst_gil gil = read_gil(p, &p->reader.tstates[i]);
        if (p->looks[i].tid != 0 &&
            look_at(p, &gil, &p->looks[i], &p->dump->threads[p->looks[i].row]) != HST_OK)
            p->looks[i].tid = 0;
    }
    enum hst_status status = HST_OK;
    stop_threads(p);
    for (size_t i = 0; i < p->look_count && status == HST_OK; i++) {
        struct hst_dump_thread *row = &p->dump->threads[p->looks[i].row];
        struct hst_gil gil = read_gil(p, &p->reader.tstates[i]);
        hst_dump_set_flags(p->runtime, &gil, &p->reader.tstates[i], row);
        status = hst_dump_read_stack(&p->reader, &p->reader.tstates[i], row);
    }
    continue_threads(p);
    return status;
}

static enum hst_status read_running(struct process_dump *p)
{
    for (size_t i = 0; i < p->look_count; i++)
        HST_TRY(p->looks[i].tid != 0 ? read_thread(p, i)
                                     : hst_dump_read_stack(&p->reader, &p->reader.tstates[i],
                                                           &p->dump->threads[p->looks[i].row]));
    return HST_OK;
}

/* Another thread that is shown to hold the same lock as thread index, or index itself. */
static size_t other_holder(struct process_dump *p, size_t index, struct hst_gil *ret_gil)
{
    *ret_gil = read_gil(p, &p->reader.tstates[index]);
    for (size_t k = 0; k < p->look_count; k++)
        if (k != index && (p->dump->threads[p->looks[k].row].flags & HST_SAMPLE_HOLDS_GIL) != 0 &&
            read_gil(p, &p->reader.tstates[k]).address == ret_gil->address)
            return k;
    return index;
}

/* The threads were read one after the other, and the lock went around meanwhile. Of two that are shown to
 * hold it, the one that does not now is read again; when that leads nowhere, it only loses the mark. */
static enum hst_status settle_gil(struct process_dump *p)
{
    for (size_t i = 0; i < p->look_count; i++) {
        struct hst_gil gil = {0};
        for (int round = 0; (p->dump->threads[p->looks[i].row].flags & HST_SAMPLE_HOLDS_GIL) != 0; round++) {
            size_t k = other_holder(p, i, &gil);
            if (k == i)
                break;
            size_t former = gil.holder == p->reader.tstates[k].address ? i : k;
            if (round < LOOKS && p->looks[former].tid != 0 && !p->options->blocking)
                HST_TRY(read_thread(p, former));
            else
                p->dump->threads[p->looks[former].row].flags &=
                    (uint8_t) ~(HST_SAMPLE_HOLDS_GIL | HST_SAMPLE_IN_GC);
        }
    }
    return HST_OK;
}

/* It wants a CPU, and has got none since it was looked at. */
static int got_no_cpu(const struct process_dump *p, const struct look *look)
{
    const struct hst_dump_thread *row = &p->dump->threads[look->row];
    struct hst_thread_times now;
    struct hst_thread_call call;
    return row->state == HST_STATE_RUNNING && hst_thread_times_read(&look->files, &now) == HST_OK &&
           hst_thread_call_read(&look->files, &call) == HST_OK && call.known && !call.blocked &&
           now.run_ns == look->times.run_ns && now.switches == look->times.switches;
}

/* What has got no CPU for longer than the figures need to show one is only runnable.  A thread that was met
 * on its CPU is put back there at once, and that is seen at once: mostly there is nothing to wait for. */
static void find_runnable(struct process_dump *p)
{
    for (size_t i = 0; i < p->look_count && !p->dump->stopped; i++) {
        int waiting = got_no_cpu(p, &p->looks[i]);
        while (waiting && hst_now_ns() - p->first_look_ns < RUNNABLE_AFTER_NS) {
            (void)nanosleep(&(struct timespec){.tv_nsec = RUNNABLE_PAUSE_NS}, NULL);
            waiting = got_no_cpu(p, &p->looks[i]);
        }
        if (waiting)
            p->dump->threads[p->looks[i].row].state = HST_STATE_RUNNABLE;
    }
}

static void find_idle(struct process_dump *p)
{
    for (size_t i = 0; i < p->look_count; i++) {
        struct hst_dump_thread *row = &p->dump->threads[p->looks[i].row];
        if (row->state == HST_STATE_BLOCKED &&
            hst_thread_rest_read(p->pid, p->looks[i].tid, &row->idle_ns) == HST_OK &&
            row->idle_ns >= HST_IDLE_AFTER_NS)
            row->state = HST_STATE_IDLE;
    }
}

static void count_others(struct process_dump *p)
{
    HST_CLEANUP_FREE int *tids = NULL;
    size_t count;
    if (hst_process_threads(p->pid, &tids, &count) != HST_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        int known = 0;
        for (size_t k = 0; k < p->look_count && !known; k++)
            known = p->looks[k].tid == tids[i];
        p->dump->threads_lacking += !known;
    }
}

static enum hst_status read_all(struct process_dump *p)
{
    hst_place_init(&p->place);
    HST_TRY(hst_thread_ids_init(&p->ids, p->pid));
    HST_TRY(hst_dump_reader_init(&p->reader, p->runtime, p->dump, p->options->variables, STACK_TRIES));
    enum hst_status status = add_threads(p);
    p->first_look_ns = hst_now_ns();
    if (status == HST_OK)
        status = p->options->blocking ? read_stopped(p) : read_running(p);
    if (status == HST_OK)
        status = settle_gil(p);
    if (status == HST_OK) {
        find_runnable(p);
        find_idle(p);
        count_others(p);
        hst_dump_sort_threads(p->dump);
    }
    for (size_t i = 0; i < p->look_count; i++)
        hst_thread_files_close(&p->looks[i].files);
    hst_free(p->looks);
    hst_dump_reader_release(&p->reader);
    return status;
}

static enum hst_status fill_head(const struct hst_subject *subject, struct hst_dump *dump)
{
    dump->pid = (uint32_t)subject->pid;
    dump->stopped = subject->stopped;
    dump->start_wall_ns = subject->start_wall_ns;
    dump->command = hst_strdup(subject->command);
    dump->root = hst_strdup(subject->root);
    dump->directory = hst_asprintf("/proc/%d/cwd", subject->pid);
    return dump->command != NULL && dump->root != NULL && dump->directory != NULL ? HST_OK : HST_E_NOMEM;
}

enum hst_status hst_dump_read_process(int pid, const struct hst_dump_options *options, struct hst_dump *dump,
                                      struct hst_error *err)
{
    HST_CLEANUP(hst_subject_release) struct hst_subject subject;
    HST_TRY(hst_subject_open(pid, &subject, err));
    struct process_dump p = {.pid = pid, .options = options, .dump = dump, .runtime = &subject.runtime};
    enum hst_status status = fill_head(&subject, dump);
    if (status == HST_OK)
        status = read_all(&p);
    return status == HST_OK ? HST_OK : hst_subject_explain(&subject, status, err);
}
