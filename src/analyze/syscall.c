/* A table made at build time from the system's own header. */
#include "analyze/syscall.h"

#include <string.h>
#include <sys/syscall.h>

#include "base/memory.h"

static const char *const names[] = {
#include "syscall_names.inc"
};

const char *hst_syscall_name(unsigned number)
{
    return number < HST_ARRAY_LENGTH(names) ? names[number] : NULL;
}

const char *hst_syscall_meaning(const char *name)
{
    static const struct {
        const char *name, *meaning;
    } meanings[] = {
        {"futex", "a lock, a queue or another thread"},
        {"read", "a file, pipe or socket"},
        {"readv", "a file, pipe or socket"},
        {"pread64", "a file"},
        {"write", "a file, pipe or socket that is full"},
        {"fsync", "the disk"},
        {"fdatasync", "the disk"},
        {"openat", "the file system"},
        {"select", "descriptors or a timer"},
        {"pselect6", "descriptors or a timer"},
        {"poll", "descriptors or a timer"},
        {"ppoll", "descriptors or a timer"},
        {"epoll_wait", "descriptors or a timer"},
        {"epoll_pwait", "descriptors or a timer"},
        {"clock_nanosleep", "sleep"},
        {"nanosleep", "sleep"},
        {"wait4", "a child process"},
        {"waitid", "a child process"},
        {"connect", "the network"},
        {"accept", "a connection"},
        {"accept4", "a connection"},
        {"recvfrom", "a socket"},
        {"recvmsg", "a socket"},
        {"sendto", "a socket that is full"},
        {"sendmsg", "a socket that is full"},
        {"flock", "a file lock"},
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(meanings); i++)
        if (strcmp(meanings[i].name, name) == 0)
            return meanings[i].meaning;
    return NULL;
}
