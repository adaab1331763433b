/* Files of other profilers that a command was given: whose they are, by how they begin. */
#ifndef HST_CLI_FOREIGN_FILE_H
#define HST_CLI_FOREIGN_FILE_H

#include "base/status.h"

enum hst_foreign_kind {
    HST_FOREIGN_NONE,   /* no file, or nothing we know */
    HST_FOREIGN_PSTATS, /* of cProfile */
    HST_FOREIGN_LPROF,  /* of line_profiler */
};

enum hst_foreign_kind hst_foreign_kind_of(const char *path);
/* For a text that names neither a run nor a file we know: says what it is when it is a file.  status is what
 * it would be otherwise, with err; gives the status to go on with. */
enum hst_status hst_foreign_explain(const char *path, enum hst_status status, struct hst_error *err);

#endif
