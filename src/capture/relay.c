/* signalfd in, kill out. */
#include "capture/relay.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

static void handled_signals(sigset_t *ret_set)
{
    (void)sigemptyset(ret_set);
    static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(handled); i++)
        (void)sigaddset(ret_set, handled[i]);
}

void hst_relay_block(void)
{
    sigset_t set;
    handled_signals(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

int hst_relay_open(void)
{
    sigset_t set;
    handled_signals(&set);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A signal to hasten goes to the child, unless the terminal sent it: then the whole process group has it
 * already. */
static void hand_on(int child, int number, int code)
{
    if (number != SIGCHLD && code != SI_KERNEL)
        (void)kill(child, number);
}

int hst_relay_take(int fd, int child)
{
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    if (child != 0)
        hand_on(child, (int)info.ssi_signo, info.ssi_code);
    return child == 0 && info.ssi_signo != SIGUSR1 && info.ssi_signo != SIGUSR2 && info.ssi_signo != SIGCHLD;
}

int hst_relay_take_but(int fd, int child, int own)
{
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    if (own != 0 && info.ssi_signo == (uint32_t)own)
        return 1;
    hand_on(child, (int)info.ssi_signo, info.ssi_code);
    return 0;
}

int hst_relay_wait(int child)
{
    sigset_t set;
    handled_signals(&set);
    for (;;) {
        int status;
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
        if (kill(child, 0) != 0)
            return -1;
        siginfo_t info;
        int number = sigwaitinfo(&set, &info);
        if (number > 0)
            hand_on(child, number, info.si_code);
        else if (errno != EINTR)
            return -1;
    }
}
