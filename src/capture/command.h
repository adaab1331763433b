/* Starts the program to be measured with everything as it would be without hasten: its streams, its signals,
 * its place in the process group. */
#ifndef HST_CAPTURE_COMMAND_H
#define HST_CAPTURE_COMMAND_H

#include "base/status.h"

/* argv ends with NULL. HST_E_NOENT, HST_E_PERM: the program could not be started, err says why. */
enum hst_status hst_command_start(char *const *argv, int *ret_pid, struct hst_error *err) HST_MUST_CHECK;

#endif
