/* Reads what the system says of a process and its limits. What a system does not say is no limit. */
#include "target/allowed.h"

#include <dirent.h>
#include <elf.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "target/inject.h"

enum { FILE_BYTES_MAX = 1 << 20, PATH_BYTES = 1024, MB = 1000000 };
#define UNKNOWN UINT64_MAX

struct check {
    const char *root;
    int pid;
    uint64_t own_bytes; /* of memory that the child would share, and that is copied when written to */
    uint64_t uid;       /* real */
    struct hst_error *err;
};

/* --- files --- */

static HST_PRINTF(2, 3) char *read_text(const struct check *check, const char *format, ...)
{
    char name[PATH_BYTES];
    struct hst_buffer text;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    HST_CLEANUP_FREE char *path = hst_asprintf("%s/%s", check->root, name);
    hst_buffer_init(&text, FILE_BYTES_MAX);
    if (path == NULL || hst_file_read(path, &text) != HST_OK) {
        hst_buffer_release(&text);
        return NULL;
    }
    char *copy = hst_strndup((char *)text.data, text.length);
    hst_buffer_release(&text);
    return copy;
}

/* The number behind a word at the start of a line. */
static uint64_t number_in(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        uint64_t number;
        if (strncmp(line, word, length) == 0)
            return sscanf(line + length, "%" SCNu64, &number) == 1 ? number : UNKNOWN;
    }
    return UNKNOWN;
}

static uint64_t read_number(const struct check *check, const char *folder, const char *name)
{
    HST_CLEANUP_FREE char *text = read_text(check, "%s/%s", folder, name);
    return text != NULL ? number_in(text, "") : UNKNOWN;
}

/* --- refusals --- */

static enum hst_status refuse(const struct check *check, const char *hint)
{
    hst_error_hint(check->err, "%s", hint);
    return HST_E_UNSUPPORTED;
}

#define REFUSE(check, hint, ...)                                                                             \
    ((void)hst_error_set((check)->err, HST_E_UNSUPPORTED, __VA_ARGS__), refuse((check), (hint)))

static const char still_hint[] =
    "without --fork or --precopy it stands still while its memory is copied, and nothing is put into it";
static const char memory_hint[] =
    "without --fork the copy is hasten's alone; or a larger limit for the program";

static enum hst_status check_machine(const struct check *check)
{
    char path[PATH_BYTES];
    Elf64_Ehdr head = {0};
    (void)snprintf(path, sizeof path, "%s/proc/%d/exe", check->root, check->pid);
    HST_CLEANUP_FILE FILE *file = fopen(path, "re");
    if (file == NULL || fread(&head, 1, sizeof head, file) != sizeof head)
        return HST_OK; /* whoever cannot read this can read no memory either, and is told so there */
    if (head.e_ident[EI_CLASS] == ELFCLASS64 && hst_inject_is_for(head.e_machine))
        return HST_OK;
    return REFUSE(check, still_hint, "a call can be put into a program on x86-64 only, where it has 64 bits");
}

static enum hst_status check_thread(const struct check *check, int tid)
{
    HST_CLEANUP_FREE char *text = read_text(check, "proc/%d/task/%d/status", check->pid, tid);
    if (text == NULL)
        return HST_OK; /* it has just ended */
    uint64_t seccomp = number_in(text, "Seccomp:"), tracer = number_in(text, "TracerPid:");
    if (seccomp != UNKNOWN && seccomp != 0)
        return REFUSE(
            check, still_hint,
            "its thread %d runs under seccomp, which may kill it for a call that it does not make itself",
            tid);
    if (tracer != UNKNOWN && tracer != 0)
        return REFUSE(check, "end the debugger, strace or other hasten that has it, and do this again",
                      "its thread %d is traced by process %" PRIu64
                      ", and one tracer is all that it can have",
                      tid, tracer);
    return HST_OK;
}

static enum hst_status check_threads(const struct check *check)
{
    char path[PATH_BYTES];
    enum hst_status status = HST_OK;
    (void)snprintf(path, sizeof path, "%s/proc/%d/task", check->root, check->pid);
    HST_CLEANUP_DIR DIR *folder = opendir(path);
    if (folder == NULL)
        return HST_E_GONE;
    for (struct dirent *entry; status == HST_OK && (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            status = check_thread(check, atoi(entry->d_name));
    return status;
}

/* The pages that hasten copies, and those that the program writes to meanwhile. */
static enum hst_status check_machine_memory(const struct check *check)
{
    if (read_number(check, "proc/sys/vm", "overcommit_memory") == 2)
        return REFUSE(
            check, still_hint,
            "this machine promises no memory that it has not (vm.overcommit_memory is 2): there may be none "
            "for a child, and none for the program then");
    HST_CLEANUP_FREE char *text = read_text(check, "proc/meminfo");
    uint64_t free_kib = text != NULL ? number_in(text, "MemAvailable:") : UNKNOWN;
    if (free_kib == UNKNOWN || free_kib * 1024 / 2 >= check->own_bytes)
        return HST_OK;
    return REFUSE(check, "without --fork half as much is wanted; or a core file (gcore PID), read elsewhere",
                  "its memory may be there three times in the end, which takes %" PRIu64
                  " MB more, and %" PRIu64 " MB are free",
                  2 * check->own_bytes / MB, free_kib * 1024 / MB);
}

/* --- control groups --- */

/* What files keep in memory without being in use is given back when it is needed. */
static uint64_t unused_files(const struct check *check, const char *folder)
{
    HST_CLEANUP_FREE char *text = read_text(check, "%s/memory.stat", folder);
    uint64_t bytes = text != NULL ? number_in(text, "total_inactive_file ") : UNKNOWN;
    if (bytes == UNKNOWN && text != NULL)
        bytes = number_in(text, "inactive_file ");
    return bytes != UNKNOWN ? bytes : 0;
}

static enum hst_status check_group_memory(const struct check *check, const char *folder,
                                          const char *limit_name, const char *use_name)
{
    uint64_t limit = read_number(check, folder, limit_name), use = read_number(check, folder, use_name);
    if (limit == UNKNOWN || use == UNKNOWN)
        return HST_OK;
    uint64_t files = unused_files(check, folder), used = use > files ? use - files : 0;
    uint64_t left = limit > used ? limit - used : 0;
    if (left >= check->own_bytes)
        return HST_OK;
    return REFUSE(check, memory_hint,
                  "its control group has %" PRIu64
                  " MB left, and a second copy of what it writes to may take %" PRIu64
                  " MB: the system would kill it",
                  left / MB, check->own_bytes / MB);
}

static enum hst_status check_group(const struct check *check, const char *folder)
{
    HST_TRY(check_group_memory(check, folder, "memory.max", "memory.current"));
    HST_TRY(check_group_memory(check, folder, "memory.limit_in_bytes", "memory.usage_in_bytes"));
    uint64_t limit = read_number(check, folder, "pids.max"), use = read_number(check, folder, "pids.current");
    if (limit == UNKNOWN || use == UNKNOWN || use < limit)
        return HST_OK;
    return REFUSE(check, still_hint,
                  "its control group may have %" PRIu64 " processes and threads (pids.max), and has them",
                  limit);
}

/* Up to the root of the groups. */
static enum hst_status check_groups_above(const struct check *check, const char *mount, const char *group)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s", group);
    for (;;) {
        HST_CLEANUP_FREE char *folder = hst_asprintf("%s%s", mount, path);
        if (folder == NULL)
            return HST_E_NOMEM;
        HST_TRY(check_group(check, folder));
        char *slash = strrchr(path, '/');
        if (slash == NULL)
            return HST_OK;
        *slash = '\0';
    }
}

/* number:controllers:path; no controllers: the unified tree. */
static enum hst_status check_group_line(const struct check *check, char *line)
{
    char *controllers = strchr(line, ':'), *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL)
        return HST_OK;
    *controllers++ = '\0';
    *path++ = '\0';
    if (strcmp(path, "/") == 0)
        path = "";
    if (controllers[0] == '\0') {
        HST_TRY(check_groups_above(check, "sys/fs/cgroup", path));
        return check_groups_above(check, "sys/fs/cgroup/unified", path);
    }
    if (strstr(controllers, "memory") != NULL)
        return check_groups_above(check, "sys/fs/cgroup/memory", path);
    return strstr(controllers, "pids") != NULL ? check_groups_above(check, "sys/fs/cgroup/pids", path)
                                               : HST_OK;
}

static enum hst_status check_groups(const struct check *check)
{
    HST_CLEANUP_FREE char *text = read_text(check, "proc/%d/cgroup", check->pid);
    enum hst_status status = HST_OK;
    for (char *line = text, *next; line != NULL && status == HST_OK; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        status = check_group_line(check, line);
    }
    return status;
}

/* --- processes of one user --- */

static uint64_t count_processes(const struct check *check)
{
    uint64_t count = 0;
    HST_CLEANUP_FREE char *path = hst_asprintf("%s/proc", check->root);
    HST_CLEANUP_DIR DIR *folder = path != NULL ? opendir(path) : NULL;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        int pid = atoi(entry->d_name);
        HST_CLEANUP_FREE char *text = pid > 0 ? read_text(check, "proc/%d/status", pid) : NULL;
        if (text != NULL && number_in(text, "Uid:") == check->uid)
            count += number_in(text, "Threads:");
    }
    return count;
}

/* The system's own user has no such limit. */
static enum hst_status check_user(const struct check *check)
{
    HST_CLEANUP_FREE char *text = read_text(check, "proc/%d/limits", check->pid);
    uint64_t limit = text != NULL ? number_in(text, "Max processes") : UNKNOWN;
    if (limit == UNKNOWN || check->uid == 0 || count_processes(check) < limit)
        return HST_OK;
    return REFUSE(check, still_hint,
                  "its user may have %" PRIu64 " processes and threads (ulimit -u), and has them", limit);
}

enum hst_status hst_injection_allowed(const char *root, int pid, struct hst_error *err)
{
    const struct check check = {.root = root, .pid = pid, .err = err};
    HST_TRY(check_machine(&check));
    return check_threads(&check);
}

enum hst_status hst_twin_allowed(const char *root, int pid, struct hst_error *err)
{
    struct check check = {.root = root, .pid = pid, .err = err};
    HST_CLEANUP_FREE char *text = read_text(&check, "proc/%d/status", pid);
    if (text == NULL)
        return HST_E_GONE;
    uint64_t kib = number_in(text, "RssAnon:");
    if (kib == UNKNOWN)
        kib = number_in(text, "VmRSS:");
    check.own_bytes = kib != UNKNOWN ? kib * 1024 : 0;
    check.uid = number_in(text, "Uid:");
    HST_TRY(hst_injection_allowed(root, pid, err));
    HST_TRY(check_machine_memory(&check));
    HST_TRY(check_groups(&check));
    return check_user(&check);
}
