/* Names the process, and finds its Python. */
#include "capture/subject.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "target/maps.h"
#include "target/process.h"

enum { START_TRIES = 100, END_TRIES = 5 };
#define START_WAIT_NS 20000000

static enum hst_status not_permitted(int pid, struct hst_error *err)
{
    (void)hst_error_set(err, HST_E_PERM, "not allowed to read the memory of process %d", pid);
    hst_error_hint(
        err,
        "be the same user or root (sudo); /proc/sys/kernel/yama/ptrace_scope set to 0 lets one read other "
        "programs of one's own; a container needs the capability SYS_PTRACE");
    return HST_E_PERM;
}

static enum hst_status no_process(int pid, struct hst_error *err)
{
    (void)hst_error_set(err, HST_E_NOENT, "there is no process %d", pid);
    hst_error_hint(err, "ps aux | grep python shows the ones that run");
    return HST_E_NOENT;
}

/* One that is just ending has no memory any more, and no command, but is not a zombie yet. (Nor have threads
 * of the system, which do not end.) */
static int has_ended(const struct hst_subject *subject)
{
    int had_command = subject->command != NULL && subject->command[0] != '\0';
    for (int i = 0; i < END_TRIES; i++) {
        struct hst_process_facts facts;
        struct hst_maps maps = {0};
        if (hst_process_read(subject->pid, &facts) != HST_OK || facts.state == 'Z' || facts.state == 'X')
            return 1;
        int has_memory = hst_maps_read(subject->pid, &maps) != HST_OK || maps.count > 0;
        hst_maps_release(&maps);
        if (has_memory || had_command)
            return !has_memory;
        (void)nanosleep(&(struct timespec){.tv_nsec = START_WAIT_NS}, NULL);
    }
    return 0;
}

enum hst_status hst_subject_explain(const struct hst_subject *subject, enum hst_status status,
                                    struct hst_error *err)
{
    if (status == HST_E_NOMEM)
        return hst_error_set(err, status, "out of memory");
    if (status == HST_E_GONE || status == HST_E_NOENT)
        return no_process(subject->pid, err);
    if (has_ended(subject)) /* of such a one the system says that it may not be read, or has no memory */
        return hst_error_set(err, HST_E_GONE, "process %d ended while it was looked at", subject->pid);
    if (status == HST_E_PERM)
        return not_permitted(subject->pid, err);
    int busy = status == HST_E_BUSY;
    struct hst_error found = *err;
    if (found.text[0] == '\0')
        (void)snprintf(found.text, sizeof found.text, "%s",
                       busy                   ? "its Python has not started yet, or has ended"
                       : status == HST_E_TORN ? "its memory changes faster than it can be read"
                                              : hst_status_name(status));
    const char *command = subject->command;
    status = hst_error_set(err, busy ? HST_E_UNSUPPORTED : status, "process %d (%.60s): %s", subject->pid,
                           command != NULL && command[0] != '\0' ? command : "without a command", found.text);
    if (found.hint[0] != '\0')
        hst_error_hint(err, "%s", found.hint);
    else if (busy)
        hst_error_hint(err, "again in a moment");
    else
        hst_error_hint(err, "pgrep -a python shows the programs of Python; pgrep -P %d, its children",
                       subject->pid);
    return status;
}

/* Reading nothing but one byte tells whether reading is allowed. */
static enum hst_status probe(struct hst_subject *subject, const struct hst_maps *maps)
{
    char byte;
    for (size_t i = 0; i < maps->count; i++)
        if ((maps->items[i].flags & HST_MAP_READ) != 0)
            return hst_memory_read(subject->memory, maps->items[i].start, &byte, 1) == HST_E_PERM ? HST_E_PERM
                                                                                                  : HST_OK;
    return HST_OK;
}

static enum hst_status find_once(struct hst_subject *subject, struct hst_error *err)
{
    struct hst_maps maps = {0};
    *err = (struct hst_error){0};
    enum hst_status status = hst_maps_read(subject->pid, &maps);
    if (status == HST_OK)
        status = probe(subject, &maps);
    if (status == HST_OK)
        status = hst_runtime_find(subject->memory, &maps, subject->root, &subject->runtime, err);
    hst_maps_release(&maps);
    return status;
}

/* A Python that is just starting is given a moment. */
static enum hst_status find_runtime(struct hst_subject *subject, struct hst_error *err)
{
    enum hst_status status = HST_E_BUSY;
    for (int i = 0; i < START_TRIES && (status == HST_E_BUSY || status == HST_E_TORN); i++) {
        if (i > 0)
            (void)nanosleep(&(struct timespec){.tv_nsec = START_WAIT_NS}, NULL);
        status = find_once(subject, err);
    }
    return status;
}

static enum hst_status name_it(struct hst_subject *subject, struct hst_error *err)
{
    struct hst_process_facts facts;
    enum hst_status status = hst_process_read(subject->pid, &facts);
    if (status != HST_OK)
        return status == HST_E_GONE ? no_process(subject->pid, err)
                                    : hst_error_set(err, status, "cannot read /proc");
    if (facts.state == 'Z' || facts.state == 'X') {
        (void)hst_error_set(err, HST_E_NOENT,
                            "process %d has ended; its parent has not asked for its exit code yet",
                            subject->pid);
        hst_error_hint(err,
                       "a core file, if one was written, can be read: hasten dump core, hasten heap core");
        return HST_E_NOENT;
    }
    subject->stopped = facts.state == 'T' || facts.state == 't';
    subject->start_wall_ns = hst_process_start_wall_ns(&facts);
    subject->command = hst_process_command(subject->pid);
    subject->root = hst_asprintf("/proc/%d/root", subject->pid);
    if (subject->command == NULL || subject->root == NULL)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    return HST_OK;
}

enum hst_status hst_subject_open(int pid, struct hst_subject *ret_subject, struct hst_error *err)
{
    *ret_subject = (struct hst_subject){.pid = pid};
    enum hst_status status = name_it(ret_subject, err);
    if (status == HST_OK) {
        status = hst_memory_live(pid, &ret_subject->memory);
        if (status == HST_OK)
            status = find_runtime(ret_subject, err);
        if (status != HST_OK)
            status = hst_subject_explain(ret_subject, status, err);
    }
    if (status != HST_OK)
        hst_subject_release(ret_subject);
    return status;
}

void hst_subject_release(struct hst_subject *subject)
{
    hst_memory_free(subject->memory);
    hst_free(subject->command);
    hst_free(subject->root);
    *subject = (struct hst_subject){0};
}
