/* Folder, environment, child, end. */
#include "capture/trace.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/ticks.h"
#include "capture/agent_env.h"
#include "capture/command.h"
#include "capture/relay.h"
#include "target/process.h"

#define FLUSH_EVERY_MS 900
#define DRAIN_EVERY_MS 50
#define TIMELINE_BYTES_MAX (UINT64_C(512) << 20) /* of a process, waiting to be taken */
#define ROOM_BYTES_MIN (UINT64_C(64) << 20)
#define FOLDER_PREFIX "hasten-trace-"

/* --- folder --- */

static void remove_folder(const char *path)
{
    HST_CLEANUP_DIR DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        HST_CLEANUP_FREE char *file = hst_asprintf("%s/%s", path, entry->d_name);
        if (file != NULL && entry->d_name[0] != '.')
            (void)unlink(file);
    }
    (void)rmdir(path);
}

/* What a hasten that was killed left behind. */
static void remove_old_folders(const char *parent)
{
    HST_CLEANUP_DIR DIR *folder = opendir(parent);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (strncmp(entry->d_name, FOLDER_PREFIX, strlen(FOLDER_PREFIX)) != 0)
            continue;
        long pid = strtol(entry->d_name + strlen(FOLDER_PREFIX), NULL, 10);
        HST_CLEANUP_FREE char *path = hst_asprintf("%s/%s", parent, entry->d_name);
        if (pid > 0 && path != NULL && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
            remove_folder(path);
    }
}

/* In memory, where there is room for it; what is mapped from a disk would wait for that disk now and then. */
static const char *parent_folder(void)
{
    struct statvfs info;
    const char *temporary = getenv("TMPDIR");
    if (access("/dev/shm", W_OK | X_OK) == 0 && statvfs("/dev/shm", &info) == 0 &&
        (uint64_t)info.f_bavail * info.f_frsize >= ROOM_BYTES_MIN)
        return "/dev/shm";
    return temporary != NULL && temporary[0] == '/' && strlen(temporary) < 64 ? temporary : "/tmp";
}

static enum hst_status make_folder(struct hst_trace *trace, struct hst_error *err)
{
    const char *parent = parent_folder();
    remove_old_folders(parent);
    (void)snprintf(trace->folder, sizeof trace->folder, "%s/" FOLDER_PREFIX "%ld-XXXXXX", parent,
                   (long)getpid());
    if (mkdtemp(trace->folder) != NULL)
        return HST_OK;
    (void)hst_error_set(err, hst_status_from_errno(errno), "cannot make a folder in %s: %s", parent,
                        strerror(errno));
    hst_error_hint(err, "name a folder that can be written in TMPDIR");
    trace->folder[0] = '\0';
    return err != NULL ? err->status : HST_E_IO;
}

/* --- environment --- */

/* How many chunks of events may wait: at most what half of the room in the folder is enough for. */
static unsigned timeline_chunks(const struct hst_trace *trace)
{
    struct statvfs info;
    uint64_t bytes = TIMELINE_BYTES_MAX;
    if (!trace->options.timeline)
        return 0;
    if (statvfs(trace->folder, &info) == 0 && (uint64_t)info.f_bavail * info.f_frsize / 2 < bytes)
        bytes = (uint64_t)info.f_bavail * info.f_frsize / 2;
    uint64_t chunks = bytes / HST_AGENT_CHUNK_BYTES + 1, wanted = trace->options.timeline_chunks;
    return (unsigned)(wanted > 0 && wanted < chunks ? wanted : chunks);
}

char *hst_trace_order(const struct hst_trace *trace)
{
    hst_ticks_init();
    return hst_asprintf("folder=%s;lines=%d;scoped=%d;python_only=%d;depth=%u;paused=%d;toggle=%d;timeline=%"
                        "u;backend=%d;clock=%d",
                        trace->folder, trace->options.lines, trace->joined != 0, trace->options.python_only,
                        (unsigned)(trace->options.depth < UINT32_MAX ? trace->options.depth : UINT32_MAX),
                        trace->options.paused, trace->options.toggle, timeline_chunks(trace),
                        (int)trace->options.backend,
                        hst_ticks_are_tsc ? HST_AGENT_CLOCK_TSC : HST_AGENT_CLOCK_SYSTEM);
}

static enum hst_status set_environment(const struct hst_trace *trace, struct hst_error *err)
{
    HST_CLEANUP_FREE char *order = hst_trace_order(trace);
    return order != NULL ? hst_agent_env_set(order, err) : hst_error_set(err, HST_E_NOMEM, "out of memory");
}

static enum hst_status write_rules(const struct hst_trace *trace, struct hst_error *err)
{
    if (trace->options.rules == NULL)
        return HST_OK;
    HST_CLEANUP_FREE char *path = hst_asprintf("%s/rules", trace->folder);
    HST_CLEANUP_FILE FILE *file = path != NULL ? fopen(path, "we") : NULL;
    if (file == NULL || fputs(trace->options.rules, file) < 0 || fflush(file) != 0)
        return hst_error_set(err, HST_E_IO, "cannot write in %s: %s", trace->folder, strerror(errno));
    return HST_OK;
}

/* --- the run --- */

static uint64_t cpu_of(int pid)
{
    struct hst_process_facts facts;
    return hst_process_read(pid, &facts) == HST_OK ? facts.cpu_ns : 0;
}

enum hst_status hst_trace_init(struct hst_trace *trace, struct hst_error *err)
{
    HST_TRY(make_folder(trace, err));
    trace->start_ns = hst_now_ns();
    hst_agent_maps_init(&trace->maps, trace->folder, trace->start_ns, trace->profile, trace->calls);
    trace->maps.lines = trace->lines;
    HST_TRY(write_rules(trace, err));
    if (trace->joined == 0)
        return set_environment(trace, err);
    trace->pid = trace->joined;
    trace->start_cpu_ns = cpu_of(trace->pid);
    trace->maps.target = (uint32_t)trace->pid;
    return HST_OK;
}

void hst_trace_release(struct hst_trace *trace)
{
    hst_agent_maps_release(&trace->maps);
    if (trace->folder[0] != '\0')
        remove_folder(trace->folder);
    trace->folder[0] = '\0';
}

enum hst_status hst_trace_start(struct hst_trace *trace, char *const *argv, struct hst_error *err)
{
    HST_TRY(hst_command_start(argv, &trace->pid, err));
    trace->maps.target = (uint32_t)trace->pid;
    return HST_OK;
}

static enum hst_status drain(struct hst_trace *trace, enum hst_agent_drain what, struct hst_error *err)
{
    *err = (struct hst_error){0};
    enum hst_status status =
        trace->maps.event != NULL ? hst_agent_maps_drain(&trace->maps, what, err) : HST_OK;
    if (status == HST_OK || status == HST_E_GONE)
        return HST_OK;
    return err->text[0] != '\0' ? status : hst_error_set(err, status, "out of memory");
}

static enum hst_status collect(struct hst_trace *trace, enum hst_agent_drain what, struct hst_error *err)
{
    struct hst_run_info *info = trace->info;
    HST_TRY(drain(trace, what, err));
    enum hst_status status = hst_agent_maps_read(&trace->maps);
    if (status != HST_OK && status != HST_E_GONE)
        return hst_error_set(err, status, "out of memory");
    info->duration_ns = hst_now_ns() - trace->start_ns;
    info->cost.samples = 0;
    for (size_t i = 0; i < trace->calls->count; i++)
        info->cost.samples += trace->calls->rows[i].calls;
    for (size_t i = 0; trace->lines != NULL && i < trace->lines->count; i++)
        info->cost.samples += trace->lines->rows[i].hits;
    info->cost.dropped = 0;
    for (size_t i = 0; i < trace->calls->trace_count; i++)
        info->cost.dropped += trace->calls->traces[i].lost_contexts;
    return trace->flush(trace->context, err);
}

static void set_cpu(const struct hst_trace *trace)
{
    struct rusage usage;
    struct hst_run_info *info = trace->info;
    uint64_t now_ns = trace->joined ? cpu_of(trace->pid) : 0;
    if (now_ns > trace->start_cpu_ns)
        info->cpu_ns = now_ns - trace->start_cpu_ns;
    else if (!trace->joined && getrusage(RUSAGE_CHILDREN, &usage) == 0)
        info->cpu_ns = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
                       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
}

/* What a program that asked for its trace says. Nonzero: the trace is over. */
static int listen_to(struct hst_trace *trace, struct pollfd *waits, uint64_t *next_ns)
{
    if (trace->control == NULL || waits->revents == 0)
        return 0;
    enum hst_control_word word = hst_control_take(trace->control);
    waits->fd = trace->control->in;
    if (word == HST_CONTROL_FLUSH)
        *next_ns = 0;
    return word == HST_CONTROL_END;
}

static int is_told_to_end(int signals, const struct hst_trace *trace)
{
    return hst_relay_take(signals, trace->joined ? 0 : trace->pid);
}

enum hst_status hst_trace_follow(struct hst_trace *trace, struct hst_error *err)
{
    HST_CLEANUP_FD int signals = hst_relay_open();
    HST_CLEANUP_FD int end = hst_process_handle(trace->pid);
    struct pollfd fds[3] = {{.fd = end, .events = POLLIN},
                            {.fd = signals, .events = POLLIN},
                            {.fd = trace->control != NULL ? trace->control->in : -1, .events = POLLIN}};
    uint64_t next_ns = hst_now_ns() + FLUSH_EVERY_MS * UINT64_C(1000000);
    int over = 0;
    while (!over) {
        uint64_t now = hst_now_ns();
        int wait_ms = now < next_ns ? (int)((next_ns - now) / 1000000) + 1 : 0;
        if (trace->maps.event != NULL && wait_ms > DRAIN_EVERY_MS)
            wait_ms = DRAIN_EVERY_MS;
        (void)poll(fds, HST_ARRAY_LENGTH(fds), wait_ms);
        over = fds[0].revents != 0 || (fds[1].revents != 0 && is_told_to_end(signals, trace)) ||
               listen_to(trace, &fds[2], &next_ns);
        if (!over && hst_now_ns() < next_ns) {
            HST_TRY(drain(trace, HST_AGENT_DRAIN_FULL, err));
        } else if (!over) {
            int asked = next_ns == 0;
            HST_TRY(collect(trace, HST_AGENT_DRAIN_ALL, err));
            next_ns = hst_now_ns() + FLUSH_EVERY_MS * UINT64_C(1000000);
            if (asked)
                hst_control_answer(trace->control, "ok");
        }
    }
    if (fds[0].revents != 0)
        trace->maps.target_end_ns = hst_now_ns();
    if (!trace->joined)
        trace->info->exit_status = hst_relay_wait(trace->pid);
    set_cpu(trace);
    return collect(trace, HST_AGENT_DRAIN_LAST, err);
}
