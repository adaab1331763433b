/* A word of the command line -> a process number, or a file. */
#include "cli/subject.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit_codes.h"
#include "cli/options.h"

int hst_subject_find(struct hst_cli *cli, const char *command, const char *subject, int *ret_pid)
{
    uint64_t number;
    char hint[80];
    if (hst_count_parse(subject, &number) == HST_OK) {
        if (number == 0 || number > INT_MAX)
            return hst_message_usage(cli, command, "pgrep -a python", "'%s' is not a process number",
                                     subject);
        *ret_pid = (int)number;
        return HST_PARSED;
    }
    *ret_pid = 0;
    if (subject[0] == '\0' || access(subject, F_OK) == 0)
        return subject[0] != '\0'
                   ? HST_PARSED
                   : hst_message_usage(cli, command, NULL, "a process number or a core file is wanted");
    (void)snprintf(hint, sizeof hint, "hasten %s $(pgrep -n python)", command);
    if (strchr(subject, '/') == NULL && strchr(subject, '.') == NULL && strncmp(subject, "core", 4) != 0)
        return hst_message_usage(cli, command, hint, "'%s' is neither a process number nor a file", subject);
    (void)snprintf(hint, sizeof hint, "hasten %s PID for a running process", command);
    hst_message(cli, hint, "cannot open %s: %s", subject, strerror(errno));
    return HST_EXIT_NOT_FOUND;
}
