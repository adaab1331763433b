/* Reads and writes whole files. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum hst_status hst_fd_read_all(int fd, struct hst_buffer *buffer)
{
    uint8_t block[16384];
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got == 0)
            return hst_buffer_status(buffer);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return hst_status_from_errno(errno);
        }
        hst_buffer_add(buffer, block, (size_t)got);
        if (buffer->failed)
            return HST_E_NOMEM;
    }
}

enum hst_status hst_file_read(const char *path, struct hst_buffer *buffer)
{
    HST_CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return hst_status_from_errno(errno);
    return hst_fd_read_all(fd, buffer);
}

enum hst_status hst_fd_write_all(int fd, const void *data, size_t length)
{
    const char *at = data;
    while (length > 0) {
        ssize_t put = write(fd, at, length);
        if (put < 0) {
            if (errno == EINTR)
                continue;
            return hst_status_from_errno(errno);
        }
        at += put;
        length -= (size_t)put;
    }
    return HST_OK;
}

static enum hst_status write_failed(const char *path, struct hst_error *err)
{
    return hst_error_set(err, hst_status_from_errno(errno), "cannot write %s: %s", path, strerror(errno));
}

enum hst_status hst_file_write(const char *path, const void *data, size_t length, struct hst_error *err)
{
    if (strcmp(path, "-") == 0) {
        enum hst_status status = hst_fd_write_all(STDOUT_FILENO, data, length);
        return status == HST_OK ? HST_OK : hst_error_set(err, status, "cannot write to standard output");
    }
    struct stat info;
    int special =
        stat(path, &info) == 0 && !S_ISREG(info.st_mode); /* /dev/null, a pipe: no rename over those */
    HST_CLEANUP_FREE char *temporary =
        special ? hst_strdup(path) : hst_asprintf("%s.%ld.tmp", path, (long)getpid());
    if (temporary == NULL)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    HST_CLEANUP_FD int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return write_failed(path, err);
    if (hst_fd_write_all(fd, data, length) != HST_OK || (!special && rename(temporary, path) != 0)) {
        enum hst_status status = write_failed(path, err);
        if (!special)
            (void)unlink(temporary);
        return status;
    }
    return HST_OK;
}
