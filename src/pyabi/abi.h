/* One CPython's memory layout as data.  A table per minor version, made from that version's headers;
 * from 3.13 on the target carries its own (_Py_DebugOffsets), which overrides the table once it has been
 * validated whole. After that the hot paths use the offsets without a check. */
#ifndef HST_PYABI_ABI_H
#define HST_PYABI_ABI_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "pyabi/abi_fields.h"

#define HST_ABI_OLDEST_MINOR 8
#define HST_ABI_NEWEST_MINOR 15

struct hst_abi {
    uint8_t minor;         /* 3.minor */
    uint8_t free_threaded; /* a build without the interpreter lock */
#define HST_ABI_MEMBER(name) uint32_t name;
    /* An offset that a version lacks is 0; the fields for which 0 is an offset exist in every version. */
    HST_ABI_FIELDS(HST_ABI_MEMBER)
#undef HST_ABI_MEMBER
};

/* In every layout, of a table or validated, the fixed part of a frame and of a code object (up to its
 * bytecode where that is inline) fit in so many bytes, and the thread state's fields that lead to the stack
 * lie so close. */
#define HST_ABI_HEAD_BYTES_MAX 512
#define HST_ABI_TSTATE_SPAN_MAX 1536

/* The table of 3.minor, or NULL when there is none. */
const struct hst_abi *hst_abi_find(unsigned minor, int free_threaded);

/* Bytes of _Py_DebugOffsets that hst_abi_from_debug_offsets wants to see at most. */
#define HST_DEBUG_OFFSETS_BYTES 1024
#define HST_DEBUG_OFFSETS_COOKIE "xdebugpy"

/* The layout that the first bytes of _PyRuntime describe (untrusted: every value is checked against its
 * structure's size and that against a bound).  3.13 and later; HST_E_UNSUPPORTED when there is no table of
 * offsets there, HST_E_INVALID with what did not fit. A minor version newer than HST_ABI_NEWEST_MINOR is read
 * as the newest known. */
enum hst_status hst_abi_from_debug_offsets(const uint8_t *bytes, size_t length, struct hst_abi *ret_abi,
                                           struct hst_error *err) HST_MUST_CHECK;

#define HST_ABI_DECLARE(suffix) extern const struct hst_abi hst_abi_cpython_3_##suffix;
HST_ABI_DECLARE(8)
HST_ABI_DECLARE(9)
HST_ABI_DECLARE(10)
HST_ABI_DECLARE(11)
HST_ABI_DECLARE(12)
HST_ABI_DECLARE(13)
HST_ABI_DECLARE(13t)
HST_ABI_DECLARE(14)
HST_ABI_DECLARE(14t)
HST_ABI_DECLARE(15)
HST_ABI_DECLARE(15t)
#undef HST_ABI_DECLARE

#endif
