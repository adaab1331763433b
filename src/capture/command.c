/* fork and exec; a pipe that closes on exec tells a failed one. */
#include "capture/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

/* In the child: signals as they were before hasten blocked and caught some. */
static _Noreturn void become(char *const *argv, int report_fd)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execvp(argv[0], argv);
    int error_number = errno;
    ssize_t written = write(report_fd, &error_number, sizeof error_number);
    _exit(written == (ssize_t)sizeof error_number ? 127 : 126);
}

enum hst_status hst_command_start(char *const *argv, int *ret_pid, struct hst_error *err)
{
    int pipe_fds[2], error_number = 0;
    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return hst_error_set(err, hst_status_from_errno(errno), "cannot make a pipe: %s", strerror(errno));
    HST_CLEANUP_FD int report = pipe_fds[0];
    pid_t pid = fork();
    if (pid == 0)
        become(argv, pipe_fds[1]);
    (void)close(pipe_fds[1]);
    if (pid < 0)
        return hst_error_set(err, hst_status_from_errno(errno), "cannot start a process: %s",
                             strerror(errno));
    ssize_t got;
    do
        got = read(report, &error_number, sizeof error_number);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)sizeof error_number) {
        enum hst_status status = hst_status_from_errno(error_number);
        (void)hst_error_set(err, status, "cannot start %s: %s", argv[0], strerror(error_number));
        hst_error_hint(err, "check the name and PATH; a script is given as: hasten run script.py");
        return status;
    }
    *ret_pid = pid;
    return HST_OK;
}
