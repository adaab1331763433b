/* The words of a command line that name a program to start: a script, -m module, -c code or any command. */
#ifndef HST_CLI_PROGRAM_H
#define HST_CLI_PROGRAM_H

#include "cli/options.h"

struct hst_program {
    char **words;  /* ends with NULL; the words themselves are argv's */
    char *command; /* the words joined by spaces */
    int count;     /* words that were given; more than that when python3 came in front */
};

/* hst_options_parse for a command whose operands are a program: HST_PARSED, or the exit code of a command
 * that is over. example: for the hint when nothing was named. A script gets the python3 of PATH in front. */
int hst_program_parse(struct hst_cli *cli, const struct hst_usage *usage, int argc, char **argv,
                      const char *example, struct hst_program *ret_program);
void hst_program_release(struct hst_program *program);
/* Ends as the program ended, whose status wait(2) gave: by the same signal, without a core of our own, or
 * with its exit code, which is returned. own_result: what is returned when the program ended well or its
 * status is not known (-1). */
int hst_program_end_like(int status, int own_result);

#endif
