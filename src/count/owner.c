/* Asks /proc. */
#include "count/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t read_small(const char *path, char *into, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, into, size - 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    into[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

/* Field 22 of /proc/PID/stat, counted behind the name, which may hold anything; 0: cannot be told. A zombie's
 * counters change no more: *ret_ended. */
static uint64_t start_of(uint32_t pid, int *ret_ended)
{
    char path[40], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%u/stat", pid);
    *ret_ended = 0;
    if (read_small(path, text, sizeof text) == 0)
        return 0;
    const char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at + 1, ' ');
        if (at != NULL && field == 2)
            *ret_ended = at[1] == 'Z' || at[1] == 'X';
    }
    return at != NULL ? strtoull(at + 1, NULL, 10) : 0;
}

void hst_counter_owner_read(struct hst_counter_owner *ret_owner)
{
    struct stat space;
    int ended;
    *ret_owner = (struct hst_counter_owner){.pid = (uint32_t)getpid()};
    ret_owner->start_ticks = start_of(ret_owner->pid, &ended);
    if (stat("/proc/self/ns/pid", &space) == 0)
        ret_owner->pid_space = space.st_ino;
}

enum hst_counter_life hst_counter_owner_life(const struct hst_counter_owner *self,
                                             const struct hst_counter_owner *owner)
{
    int ended;
    if (self->start_ticks == 0 || self->pid_space == 0 || owner->pid_space != self->pid_space ||
        owner->start_ticks == 0)
        return HST_COUNTER_ELSEWHERE;
    if (owner->pid == self->pid && owner->start_ticks == self->start_ticks)
        return HST_COUNTER_LIVES;
    uint64_t start = start_of(owner->pid, &ended);
    if (start == 0) /* /proc may hide other users' processes (hidepid) */
        return kill((pid_t)owner->pid, 0) == 0 || errno != ESRCH ? HST_COUNTER_ELSEWHERE : HST_COUNTER_DEAD;
    return start == owner->start_ticks && !ended ? HST_COUNTER_LIVES : HST_COUNTER_DEAD;
}

void hst_counter_file_name(const struct hst_counter_owner *owner, char *into, size_t size)
{
    (void)snprintf(into, size, "%u-%llu.%u" HST_COUNTER_ENDING, owner->pid,
                   (unsigned long long)owner->start_ticks, owner->number);
}

void hst_counter_command_read(char *into, size_t size)
{
    size_t length = read_small("/proc/self/cmdline", into, size);
    for (size_t i = 0; i + 1 < length; i++)
        if (into[i] == '\0')
            into[i] = ' ';
}

int hst_counter_folder(char *into, size_t size, int make)
{
    const char *named = getenv(HST_COUNTER_VARIABLE);
    int chosen = named != NULL && named[0] != '\0';
    struct stat info;
    int length = chosen ? snprintf(into, size, "%s", named)
                        : snprintf(into, size, HST_COUNTER_FOLDER "%u", (unsigned)geteuid());
    if (length < 0 || (size_t)length >= size)
        return 0;
    if (make && mkdir(into, 0700) != 0 && errno != EEXIST)
        return 0;
    /* Anyone may make a folder in /dev/shm: another user's would be a trap. */
    if (chosen)
        return stat(into, &info) == 0 && S_ISDIR(info.st_mode);
    return lstat(into, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid() &&
           (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}
