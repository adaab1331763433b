/* Reads /proc for one process and its threads. */
#include "target/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "base/memory.h"
#include "target/lent.h"

enum { COMMAND_BYTES_MAX = 1 << 16 };

static enum hst_status read_proc(int pid, const char *name, size_t limit, struct hst_buffer *into)
{
    char path[96];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    hst_buffer_init(into, limit);
    enum hst_status status = hst_file_read(path, into);
    if (status == HST_OK) {
        hst_buffer_add_byte(into, 0); /* the text ends, whatever is in it */
        status = hst_buffer_status(into);
    }
    if (status != HST_OK)
        hst_buffer_release(into);
    return status == HST_E_NOENT ? HST_E_GONE : status;
}

static enum hst_status read_facts(int pid, const char *file, struct hst_process_facts *ret_facts)
{
    struct hst_buffer text;
    HST_TRY(read_proc(pid, file, 1 << 14, &text));
    /* pid (comm) state ppid ...; comm may hold anything, so the last parenthesis counts. Fields 10: faults;
     * 14, 15: CPU ticks; 22: start; 39: CPU */
    const char *at = strrchr((char *)text.data, ')');
    struct hst_process_facts facts = {0};
    uint64_t user = 0, kernel = 0;
    int fields = at == NULL ? 0
                            : sscanf(at + 1,
                                     " %c %d %*d %*d %*d %*d %*u %" SCNu64 " %*u %*u %*u %" SCNu64 " %" SCNu64
                                     " %*d %*d %*d %*d %*d %*d %" SCNu64
                                     " %*u %*d %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %d",
                                     &facts.state, &facts.parent, &facts.minor_faults, &user, &kernel,
                                     &facts.start_ticks, &facts.cpu);
    hst_buffer_release(&text);
    if (fields != 7)
        return HST_E_IO;
    facts.cpu_ns = (user + kernel) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
    *ret_facts = facts;
    return HST_OK;
}

enum hst_status hst_process_read(int pid, struct hst_process_facts *ret_facts)
{
    return read_facts(pid, "stat", ret_facts);
}

enum hst_status hst_thread_cpu_read(int pid, int tid, int *ret_cpu)
{
    struct hst_process_facts facts;
    char file[32];
    (void)snprintf(file, sizeof file, "task/%d/stat", tid);
    HST_TRY(read_facts(pid, file, &facts));
    *ret_cpu = facts.cpu;
    return HST_OK;
}

char *hst_process_command(int pid)
{
    struct hst_buffer text;
    if (read_proc(pid, "cmdline", COMMAND_BYTES_MAX, &text) != HST_OK)
        return hst_strdup("");
    size_t length = text.length - 1;
    while (length > 0 && text.data[length - 1] == '\0')
        length--;
    for (size_t i = 0; i < length; i++)
        if (text.data[i] == '\0' || text.data[i] == '\n')
            text.data[i] = ' ';
    char *command = hst_strndup((char *)text.data, length);
    hst_buffer_release(&text);
    return command;
}

char *hst_process_executable(int pid)
{
    char path[64], target[4096];
    (void)snprintf(path, sizeof path, "/proc/%d/exe", pid);
    ssize_t length = readlink(path, target, sizeof target);
    const struct hst_lent *lent = length < 0 ? hst_lent_of(pid) : NULL;
    if (lent != NULL && lent->executable != NULL)
        return hst_strdup(lent->executable);
    return length > 0 ? hst_strndup(target, (size_t)length) : NULL;
}

uint64_t hst_process_image_id(int pid)
{
    char path[64];
    struct stat info;
    (void)snprintf(path, sizeof path, "/proc/%d/exe", pid);
    const struct hst_lent *lent = hst_lent_of(pid);
    if (stat(path, &info) != 0 &&
        (lent == NULL || lent->executable == NULL || stat(lent->executable, &info) != 0))
        return 0;
    uint64_t id = hst_mix64(info.st_ino ^ (uint64_t)info.st_dev << 32);
    return id != 0 ? id : 1;
}

/* Appends a number to an array of ints. */
static enum hst_status add_number(int **numbers, size_t *capacity, size_t *count, int number)
{
    if (!HST_RESERVE(*numbers, *capacity, *count + 1))
        return HST_E_NOMEM;
    (*numbers)[(*count)++] = number;
    return HST_OK;
}

enum hst_status hst_process_threads(int pid, int **ret_tids, size_t *ret_count)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task", pid);
    HST_CLEANUP_DIR DIR *dir = opendir(path);
    if (dir == NULL)
        return errno == ENOENT ? HST_E_GONE : hst_status_from_errno(errno);
    HST_CLEANUP_FREE int *tids = NULL;
    size_t capacity = 0, count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            HST_TRY(add_number(&tids, &capacity, &count, atoi(entry->d_name)));
    *ret_tids = HST_TAKE(tids);
    *ret_count = count;
    return HST_OK;
}

struct numbers {
    int *values;
    size_t count, capacity;
};

static enum hst_status add_children(int pid, int tid, struct numbers *into)
{
    char name[64];
    struct hst_buffer text;
    (void)snprintf(name, sizeof name, "task/%d/children", tid);
    HST_TRY(read_proc(pid, name, 1 << 20, &text));
    enum hst_status status = HST_OK;
    for (char *at = (char *)text.data, *end; status == HST_OK; at = end) {
        long child = strtol(at, &end, 10);
        if (end == at)
            break;
        status = add_number(&into->values, &into->capacity, &into->count, (int)child);
    }
    hst_buffer_release(&text);
    return status;
}

static enum hst_status take_numbers(enum hst_status status, struct numbers *numbers, int **ret_pids,
                                    size_t *ret_count)
{
    if (status != HST_OK) {
        hst_free(numbers->values);
        return status;
    }
    *ret_pids = numbers->values;
    *ret_count = numbers->count;
    return HST_OK;
}

enum hst_status hst_thread_children(int pid, int tid, int **ret_pids, size_t *ret_count)
{
    struct numbers numbers = {0};
    return take_numbers(add_children(pid, tid, &numbers), &numbers, ret_pids, ret_count);
}

enum hst_status hst_process_children(int pid, int **ret_pids, size_t *ret_count)
{
    HST_CLEANUP_FREE int *tids = NULL;
    struct numbers numbers = {0};
    size_t tid_count = 0;
    HST_TRY(hst_process_threads(pid, &tids, &tid_count));
    enum hst_status status = HST_OK;
    for (size_t i = 0; i < tid_count && status != HST_E_NOMEM; i++)
        status = add_children(pid, tids[i], &numbers); /* a thread may have ended */
    return take_numbers(status == HST_E_NOMEM ? status : HST_OK, &numbers, ret_pids, ret_count);
}

enum hst_status hst_thread_inner_id(int pid, int tid, uint64_t *ret_id)
{
    char name[64];
    struct hst_buffer text;
    (void)snprintf(name, sizeof name, "task/%d/status", tid);
    HST_TRY(read_proc(pid, name, 1 << 16, &text));
    uint64_t id = (uint64_t)tid;
    const char *at = strstr((char *)text.data, "\nNSpid:"); /* outermost first */
    if (at != NULL)
        for (at += strlen("\nNSpid:"); *at == '\t' || *at == ' ';) {
            char *end;
            id = strtoull(at, &end, 10);
            at = end;
        }
    hst_buffer_release(&text);
    *ret_id = id;
    return HST_OK;
}

void hst_thread_name(int pid, int tid, char *into, size_t size)
{
    char name[64];
    struct hst_buffer text;
    (void)snprintf(name, sizeof name, "task/%d/comm", tid);
    into[0] = '\0';
    if (read_proc(pid, name, 256, &text) != HST_OK)
        return;
    (void)snprintf(into, size, "%s", (char *)text.data);
    into[strcspn(into, "\n")] = '\0';
    hst_buffer_release(&text);
}

uint64_t hst_process_start_wall_ns(const struct hst_process_facts *facts)
{
    uint64_t age_ns = hst_clock_read_ns(CLOCK_BOOTTIME) -
                      facts->start_ticks * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
    return hst_wall_ns() - age_ns;
}

/* se.exec_start: when the scheduler last accounted for the thread, in milliseconds of the scheduler's clock.
 */
static enum hst_status read_exec_start(int pid, int tid, double *ret_ms)
{
    char name[64];
    struct hst_buffer text;
    (void)snprintf(name, sizeof name, "task/%d/sched", tid);
    HST_TRY(read_proc(pid, name, 1 << 16, &text));
    const char *at = strstr((char *)text.data, "\nse.exec_start");
    int found = at != NULL && sscanf(at, "\nse.exec_start : %lf", ret_ms) == 1;
    hst_buffer_release(&text);
    return found ? HST_OK : HST_E_NOENT;
}

enum hst_status hst_thread_rest_read(int pid, int tid, uint64_t *ret_rest_ns)
{
    double then_ms, now_ms; /* the thread that asks is on a CPU: its own figure is the present */
    if (read_exec_start(pid, tid, &then_ms) != HST_OK ||
        read_exec_start(getpid(), gettid(), &now_ms) != HST_OK)
        return HST_E_NOENT;
    *ret_rest_ns = now_ms > then_ms ? (uint64_t)((now_ms - then_ms) * 1e6) : 0;
    return HST_OK;
}

static int open_task_file(int pid, int tid, const char *name)
{
    char path[96];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/%s", pid, tid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

enum hst_status hst_thread_files_open(int pid, int tid, struct hst_thread_files *ret_files)
{
    struct hst_thread_files files = {.schedstat = open_task_file(pid, tid, "schedstat")};
    if (files.schedstat < 0)
        return errno == ENOENT ? HST_E_GONE : hst_status_from_errno(errno);
    files.syscall = open_task_file(pid, tid, "syscall");
    *ret_files = files;
    return HST_OK;
}

void hst_thread_files_close(struct hst_thread_files *files)
{
    hst_cleanup_fd_(&files->schedstat);
    hst_cleanup_fd_(&files->syscall);
    files->schedstat = files->syscall = -1;
}

/* A decimal number and the blank behind it. */
static uint64_t parse_decimal(const char **at)
{
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++)
        value = value * 10 + (uint64_t)(**at - '0');
    while (**at == ' ')
        (*at)++;
    return value;
}

static enum hst_status read_start(int fd, char *text, size_t size)
{
    ssize_t got = pread(fd, text, size - 1, 0);
    if (got <= 0)
        return got == 0 || errno == ESRCH || errno == ENOENT ? HST_E_GONE : hst_status_from_errno(errno);
    text[got] = '\0';
    return HST_OK;
}

enum hst_status hst_thread_times_read(const struct hst_thread_files *files,
                                      struct hst_thread_times *ret_times)
{
    char text[96];
    HST_TRY(read_start(files->schedstat, text, sizeof text));
    const char *at = text;
    ret_times->run_ns = parse_decimal(&at);
    ret_times->runnable_ns = parse_decimal(&at);
    ret_times->switches = parse_decimal(&at);
    return HST_OK;
}

enum hst_status hst_thread_call_read(const struct hst_thread_files *files, struct hst_thread_call *ret_call)
{
    char text[256];
    struct hst_thread_call call = {0};
    if (files->syscall < 0) {
        *ret_call = call;
        return HST_OK;
    }
    enum hst_status status = read_start(files->syscall, text, sizeof text);
    if (status == HST_E_PERM) {
        *ret_call = call;
        return HST_OK;
    }
    HST_TRY(status);
    call.known = 1;
    /* "running", or "-1 sp pc" when blocked outside of a call (page fault), or "number 0x.. (6 times) sp pc"
     */
    if (text[0] >= '0' && text[0] <= '9') {
        char *end;
        call.blocked = 1;
        call.number = (uint32_t)strtoul(text, &end, 10);
        for (int i = 0; i < 6; i++)
            call.arguments[i] = strtoull(end, &end, 16);
    }
    *ret_call = call;
    return HST_OK;
}

int hst_process_handle(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
