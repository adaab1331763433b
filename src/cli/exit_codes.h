/* What hasten's exit code says. `hasten run` is the exception: once the program has started, its own code is
 * returned (128 + N when signal N ended it), so that hasten can stand in front of any command. */
#ifndef HST_CLI_EXIT_CODES_H
#define HST_CLI_EXIT_CODES_H

#include "base/status.h"

enum hst_exit {
    HST_EXIT_OK = 0,
    HST_EXIT_FAILURE = 1, /* hasten itself failed: no memory, no disk space, a read that the system refused */
    HST_EXIT_USAGE = 2,   /* the command line cannot be understood */
    HST_EXIT_NOT_FOUND = 3,      /* no such process, run, file or function */
    HST_EXIT_NOT_PERMITTED = 4,  /* the system does not allow it */
    HST_EXIT_UNSUPPORTED = 5,    /* not a Python, or not one that can be read */
    HST_EXIT_STORE = 6,          /* the store is locked, damaged, read-only or of a newer version */
    HST_EXIT_CANNOT_START = 126, /* `run`: the program is there and cannot be started */
    HST_EXIT_NO_PROGRAM = 127,   /* `run`: there is no such program */
};

/* The exit code for a failure that no command treats in its own way. */
enum hst_exit hst_exit_from_status(enum hst_status status);

#endif
