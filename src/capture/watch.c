/* Attaches to a process, keeps its threads listed, notices exec and exit. */
#include "capture/watch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "target/lent.h"
#include "target/maps.h"
#include "target/stop.h"

enum {
    BAD_REFRESHES_MAX = 5,
    MEET_PART = 20,        /* of the time at most for meeting threads: 1 in */
    THREAD_ROWS_MAX = 4096 /* of a process */
};
#define NAMES_SOON_NS 50000000u
#define NAMES_EVERY_NS 5000000000u

enum hst_status hst_watch_new(int pid, uint64_t now_ns, struct hst_watch **ret_watch)
{
    struct hst_process_facts facts;
    HST_TRY(hst_process_read(pid, &facts));
    struct hst_watch *watch = hst_alloc_zero(1, sizeof *watch);
    if (watch == NULL)
        return HST_E_NOMEM;
    *watch = (struct hst_watch){.pid = pid,
                                .start_ticks = facts.start_ticks,
                                .why = HST_E_BUSY,
                                .begin_ns = now_ns,
                                .model_process = HST_ID_NONE,
                                .later_threads = HST_ID_NONE,
                                .first_cpu_ns = facts.cpu_ns,
                                .cpu_ns = facts.cpu_ns};
    *ret_watch = watch;
    return HST_OK;
}

/* The thread's last figures go into its row. */
static void end_thread(struct hst_profile *profile, struct hst_watched_thread *thread, uint64_t now_ns)
{
    (void)!hst_thread_times_read(&thread->files, &thread->times);
    struct hst_thread *row = &profile->threads[thread->model_thread];
    row->end_ns = now_ns;
    row->cpu_ns += thread->times.run_ns - thread->first.run_ns;
    row->runnable_ns += thread->times.runnable_ns - thread->first.runnable_ns;
    if (thread->seized)
        hst_stop_release(thread->tid);
    hst_watched_thread_close(thread);
}

void hst_watch_detach(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns)
{
    if (watch->state != HST_WATCH_SAMPLING)
        return;
    for (size_t i = 0; i < watch->thread_count; i++)
        end_thread(profile, &watch->threads[i], now_ns);
    watch->thread_count = watch->interpreter_count = 0;
    struct hst_process *row = &profile->processes[watch->model_process];
    row->end_ns = now_ns;
    row->cpu_ns = watch->cpu_ns - watch->first_cpu_ns;
    watch->past.stacks += watch->frames.stats.stacks;
    watch->past.torn += watch->frames.stats.torn;
    watch->past.dropped += watch->frames.stats.dropped;
    watch->past_reads += watch->memory->reads;
    watch->past_bytes += watch->memory->bytes;
    hst_frames_release(&watch->frames);
    watch->frames = (struct hst_frames){0};
    hst_thread_names_release(&watch->names);
    watch->bad_refreshes = 0;
    watch->name_ns = 0;
    hst_memory_free(watch->memory);
    watch->memory = NULL;
    watch->state = HST_WATCH_WAITING;
}

void hst_watch_free(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns)
{
    if (watch == NULL)
        return;
    hst_watch_detach(watch, profile, now_ns);
    hst_free(watch->threads);
    hst_free(watch->interpreters);
    hst_free(watch);
}

/* A row for the process, once it is known to be a Python. */
static enum hst_status add_process_row(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns)
{
    struct hst_process_facts facts;
    HST_TRY(hst_process_read(watch->pid, &facts));
    HST_CLEANUP_FREE char *command = hst_process_command(watch->pid);
    HST_CLEANUP_FREE char *executable = hst_process_executable(watch->pid);
    char interpreter[64];
    (void)snprintf(interpreter, sizeof interpreter, "CPython %s%s", watch->runtime.version,
                   watch->runtime.abi.free_threaded ? " free-threaded" : "");
    struct hst_process row = {
        .pid = (uint32_t)watch->pid,
        .parent_pid = (uint32_t)facts.parent,
        .command = hst_strings_add_z(&profile->strings, command != NULL ? command : ""),
        .interpreter = hst_strings_add_z(&profile->strings, interpreter),
        .executable = hst_strings_add_z(&profile->strings, executable != NULL ? executable : ""),
        .start_ns = watch->begin_ns,
        .end_ns = now_ns,
    };
    if (row.command == HST_ID_NONE || row.interpreter == HST_ID_NONE || row.executable == HST_ID_NONE)
        return HST_E_NOMEM;
    watch->model_process = hst_profile_add_process(profile, &row);
    watch->thread_rows = 0;
    watch->later_threads = HST_ID_NONE;
    return watch->model_process != HST_ID_NONE ? HST_OK : HST_E_NOMEM;
}

static enum hst_status find_runtime(struct hst_watch *watch)
{
    struct hst_maps maps = {0};
    char root[64];
    (void)snprintf(root, sizeof root, "/proc/%d/root", watch->pid);
    if (access(root, X_OK) != 0 && hst_lent_of(watch->pid) != NULL)
        root[0] = '\0'; /* who started us sees the same files */
    HST_TRY(hst_memory_live(watch->pid, &watch->memory));
    enum hst_status status = hst_maps_read(watch->pid, &maps);
    if (status == HST_OK)
        status = hst_runtime_find(watch->memory, &maps, root, &watch->runtime, &watch->error);
    hst_maps_release(&maps);
    return status;
}

enum hst_status hst_watch_attach(struct hst_watch *watch, struct hst_profile *profile,
                                 struct hst_place *place, uint64_t now_ns)
{
    watch->error = (struct hst_error){0};
    uint64_t image_id = hst_process_image_id(watch->pid);
    enum hst_status status = find_runtime(watch);
    if (status == HST_OK)
        status = hst_thread_ids_init(&watch->ids, watch->pid);
    if (status == HST_OK && (watch->model_process == HST_ID_NONE || image_id != watch->image_id))
        status = add_process_row(watch, profile, now_ns);
    watch->image_id = image_id;
    watch->why = status;
    if (status != HST_OK) {
        hst_memory_free(watch->memory);
        watch->memory = NULL;
        return status;
    }
    hst_frames_init(&watch->frames, &watch->runtime, profile);
    watch->frames.place = place;
    watch->state = HST_WATCH_SAMPLING;
    watch->refresh_ns = 0;
    return hst_watch_refresh(watch, profile, now_ns);
}

static struct hst_watched_thread *thread_of(struct hst_watch *watch, const struct hst_tstate *tstate)
{
    for (size_t i = 0; i < watch->thread_count; i++) {
        struct hst_watched_thread *t = &watch->threads[i];
        if (t->tstate.address == tstate->address && t->tstate.thread_id == tstate->thread_id &&
            t->tstate.native_id == tstate->native_id)
            return t;
    }
    return NULL;
}

/* A thread that is just being made bears the number of the one that makes it. */
static int is_unborn(const struct hst_watch *watch, const struct hst_tstate *tstate, int tid)
{
    for (size_t i = 0; i < watch->thread_count; i++)
        if (watch->threads[i].tid == tid && watch->threads[i].tstate.interpreter == tstate->interpreter)
            return 1;
    return 0;
}

/* A row for the thread. Those that come after very many others share one: a server with a thread for each
 * request would fill memory and store with threads that nobody can tell apart. */
static uint32_t add_thread_row(struct hst_watch *watch, struct hst_profile *profile, int tid,
                               const struct hst_tstate *tstate, uint64_t now_ns)
{
    int own = watch->thread_rows < THREAD_ROWS_MAX;
    if (!own && watch->later_threads != HST_ID_NONE)
        return watch->later_threads;
    char name[64] = "(later threads)";
    if (own && tid != watch->pid)
        hst_thread_name(watch->pid, tid, name, sizeof name);
    struct hst_thread row = {
        .process = watch->model_process,
        .native_id = own ? (uint32_t)tid : 0,
        .name = hst_strings_add_z(&profile->strings, own && tid == watch->pid ? "MainThread" : name),
        .interpreter_id = own ? (uint32_t)tstate->interpreter_id : 0,
        .start_ns = now_ns,
        .end_ns = now_ns};
    uint32_t id = row.name != HST_ID_NONE ? hst_profile_add_thread(profile, &row) : HST_ID_NONE;
    watch->thread_rows++;
    if (!own)
        watch->later_threads = id;
    return id;
}

static enum hst_status add_thread(struct hst_watch *watch, struct hst_profile *profile,
                                  const struct hst_tstate *tstate, uint64_t now_ns)
{
    int tid;
    enum hst_status status = hst_thread_ids_find(&watch->ids, &watch->runtime, tstate, &tid);
    if (status != HST_OK)
        return status == HST_E_NOMEM
                   ? status
                   : HST_OK; /* not bound to a system thread yet: the next refresh sees it */
    if (is_unborn(watch, tstate, tid))
        return HST_OK;
    if (!HST_RESERVE(watch->threads, watch->thread_capacity, watch->thread_count + 1))
        return HST_E_NOMEM;
    struct hst_watched_thread *thread = &watch->threads[watch->thread_count];
    status = hst_watched_thread_open(thread, watch->pid, tid, tstate, now_ns);
    if (status != HST_OK)
        return status == HST_E_NOMEM ? status : HST_OK; /* it has ended meanwhile */
    thread->model_thread = add_thread_row(watch, profile, tid, tstate, now_ns);
    if (thread->model_thread == HST_ID_NONE) {
        hst_watched_thread_close(thread);
        return HST_E_NOMEM;
    }
    watch->thread_count++;
    return HST_OK;
}

/* Threads that are no longer listed end. */
static void drop_threads(struct hst_watch *watch, struct hst_profile *profile,
                         const struct hst_tstate *listed, size_t count, uint64_t now_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->thread_count; i++) {
        struct hst_watched_thread *t = &watch->threads[i];
        int found = 0;
        for (size_t k = 0; k < count && !found; k++)
            found = listed[k].address == t->tstate.address && listed[k].thread_id == t->tstate.thread_id;
        if (found && t->alive)
            watch->threads[kept++] = *t;
        else
            end_thread(profile, t, now_ns);
    }
    watch->thread_count = kept;
}

/* Python's own names of the threads. Those of the system are shorter and, before 3.14, mostly the program's.
 */
static enum hst_status refresh_names(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns)
{
    watch->name_ns = now_ns;
    if (hst_thread_names_read(&watch->runtime, &watch->names) != HST_OK)
        return HST_OK; /* the tables moved: the next time will do */
    for (size_t i = 0; i < watch->thread_count; i++) {
        const struct hst_watched_thread *thread = &watch->threads[i];
        const char *name = hst_thread_names_find(&watch->names, thread->tstate.thread_id);
        uint32_t id = name != NULL ? hst_strings_add_z(&profile->strings, name) : 0;
        if (id == HST_ID_NONE)
            return HST_E_NOMEM;
        if (name != NULL && thread->model_thread != watch->later_threads)
            profile->threads[thread->model_thread].name = id;
    }
    return HST_OK;
}

/* HST_E_TORN: a thread came or went while the list was read. */
static enum hst_status update_threads(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns)
{
    HST_CLEANUP_FREE struct hst_tstate *listed = NULL;
    size_t count, known = watch->thread_count;
    HST_TRY(hst_runtime_threads(&watch->runtime, &listed, &count));
    if (count == 0)
        return HST_E_TORN;
    watch->refresh_ns = now_ns;
    watch->interpreter_count =
        0; /* one may have ended, and another have its address: their locks are found anew */
    drop_threads(watch, profile, listed, count, now_ns);
    int came = 0;
    for (size_t i = 0; i < count; i++)
        if (thread_of(watch, &listed[i]) == NULL) {
            came = 1;
            HST_TRY(add_thread(watch, profile, &listed[i], now_ns));
        }
    int due =
        now_ns - watch->name_ns >= (came || known != watch->thread_count ? NAMES_SOON_NS : NAMES_EVERY_NS);
    return due || watch->name_ns == 0 ? refresh_names(watch, profile, now_ns) : HST_OK;
}

enum hst_status hst_watch_refresh(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns)
{
    enum hst_status status = update_threads(watch, profile, now_ns);
    if (status != HST_E_TORN) {
        watch->bad_refreshes = 0;
        return status;
    }
    /* Time and again: the program replaced itself by exec, or ended its interpreter. */
    if (++watch->bad_refreshes >= BAD_REFRESHES_MAX)
        hst_watch_detach(watch, profile, now_ns);
    return HST_OK;
}

enum hst_status hst_watch_meet(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns,
                               uint64_t since_ns)
{
    uint64_t begin = hst_now_ns();
    enum hst_status status = update_threads(watch, profile, now_ns);
    watch->meet_ns = now_ns + (hst_now_ns() - begin) * MEET_PART;
    int met = 0;
    for (size_t k = 0; k < watch->thread_count; k++)
        if (watch->threads[k].begin_ns == now_ns) {
            watch->threads[k].begin_ns = since_ns - watch->unmet_ns;
            met = 1;
        }
    if (met || watch->runtime.abi.free_threaded)
        watch->unmet_ns = 0;
    /* A list that is torn, because threads come and go often, is no sign of an end; and that the process is
     * gone is for hst_watch_check to see. */
    return status == HST_E_NOMEM ? status : HST_OK;
}

size_t hst_watch_held_locks(const struct hst_watch *watch)
{
    size_t held = 0;
    for (size_t i = 0; i < watch->interpreter_count; i++)
        held += watch->interpreters[i].gil.holder != 0;
    return held;
}

const struct hst_gil *hst_watch_gil(struct hst_watch *watch, hst_raddr interpreter, uint64_t tick)
{
    static const struct hst_gil none;
    struct hst_watched_interpreter *found = NULL;
    for (size_t i = 0; i < watch->interpreter_count && found == NULL; i++)
        if (watch->interpreters[i].address == interpreter)
            found = &watch->interpreters[i];
    if (found == NULL) {
        if (!HST_RESERVE(watch->interpreters, watch->interpreter_capacity, watch->interpreter_count + 1))
            return &none;
        found = &watch->interpreters[watch->interpreter_count++];
        *found = (struct hst_watched_interpreter){.address = interpreter, .read_tick = UINT64_MAX};
    }
    if (found->read_tick != tick) {
        found->read_tick = tick;
        if (hst_runtime_gil(&watch->runtime, interpreter, &found->gil) != HST_OK)
            found->gil = none;
    }
    return &found->gil;
}

void hst_watch_check(struct hst_watch *watch, struct hst_profile *profile, uint64_t now_ns)
{
    struct hst_process_facts facts;
    if (watch->state == HST_WATCH_GONE)
        return;
    if (hst_process_read(watch->pid, &facts) != HST_OK || facts.start_ticks != watch->start_ticks ||
        facts.state == 'Z' || facts.state == 'X') {
        hst_watch_detach(watch, profile, now_ns);
        watch->state = HST_WATCH_GONE;
        return;
    }
    watch->cpu_ns = facts.cpu_ns;
    watch->cpu = facts.cpu;
    if (watch->state == HST_WATCH_SAMPLING && hst_process_image_id(watch->pid) != watch->image_id)
        hst_watch_detach(watch, profile, now_ns);
}
