/* A file of line_profiler (`kernprof -l`, LineProfiler.dump_stats; .lprof) -> lines.  It is the pickle
 * (pickle.h) of one object LineStats with the state
 *
 *     {'timings': {(file, first line, name): [(line, hits, time), ...], ...}, 'unit': seconds of a tick}
 *
 * time is in ticks, with all that the line calls; name is the qualified one from Python 3.11 on. */
#ifndef HST_IMPORT_LPROF_READER_H
#define HST_IMPORT_LPROF_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/lines.h"
#include "model/profile.h"

#define HST_LPROF_BYTES_MAX (256u << 20)

/* Adds to an initialised, empty profile and lines; times become nanoseconds, the same as raw, self and total.
 * A function without a line that ran leaves no row.  name is the file's, for errors.
 * HST_E_CORRUPT: the bytes make no sense; HST_E_INVALID: they do, but are no such profile. */
enum hst_status hst_lprof_read(const char *name, const uint8_t *data, size_t length,
                               struct hst_profile *profile, struct hst_lines *lines,
                               struct hst_error *err) HST_MUST_CHECK;

#endif
