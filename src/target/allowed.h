/* What a process could come to harm by is refused before it is touched: HST_E_UNSUPPORTED, err says why and
 * what to try. root: "", or where proc and sys are to be found for a test. */
#ifndef HST_TARGET_ALLOWED_H
#define HST_TARGET_ALLOWED_H

#include "base/status.h"

/* To have one of its threads make a system call of ours. */
enum hst_status hst_injection_allowed(const char *root, int pid, struct hst_error *err) HST_MUST_CHECK;
/* To have it make a copy-on-write child of itself. */
enum hst_status hst_twin_allowed(const char *root, int pid, struct hst_error *err) HST_MUST_CHECK;

#endif
