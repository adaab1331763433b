/* A file of cProfile (`python -m cProfile -o FILE`, or any dump_stats) -> functions and edges.  It is one
 * marshalled dict (marshal.h) without a header:
 *
 *     {(file, first line, name): (cc, nc, tt, ct, {caller: (nc, cc, tt, ct), ...}), ...}
 *
 * nc is the number of calls, cc of those that were not made from within the function itself, tt the time of
 * its own, ct with all that it called; times in seconds.  A caller's nc and cc stand in the other order.  The
 * module `profile` writes a whole number, the calls, in place of a caller's tuple.  A function of C has the
 * file "~" and line 0. */
#ifndef HST_IMPORT_PSTATS_READER_H
#define HST_IMPORT_PSTATS_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/call_sums.h"
#include "model/profile.h"

#define HST_PSTATS_BYTES_MAX (256u << 20)

/* Adds the functions to an initialised, empty profile; name is the file's, for errors and for imported->file.
 * HST_E_CORRUPT: the bytes make no sense; HST_E_INVALID: they do, but are no profile. */
enum hst_status hst_pstats_read(const char *name, const uint8_t *data, size_t length,
                                struct hst_profile *profile, struct hst_imported *ret_imported,
                                struct hst_error *err) HST_MUST_CHECK;

#endif
