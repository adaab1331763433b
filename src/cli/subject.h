/* What a command is to look at: a process by its number, or a file. */
#ifndef HST_CLI_SUBJECT_H
#define HST_CLI_SUBJECT_H

#include "cli/messages.h"

/* A number is a process, anything else a core file; *ret_pid 0: a file. HST_PARSED, or the exit code of a
 * mistake that was named. */
int hst_subject_find(struct hst_cli *cli, const char *command, const char *subject, int *ret_pid);

#endif
