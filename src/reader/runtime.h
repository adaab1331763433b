/* A process's memory and maps -> the CPython in it: where _PyRuntime is, which version, which layout,
 * validated. Says what was found instead when it is none that can be read. */
#ifndef HST_READER_RUNTIME_H
#define HST_READER_RUNTIME_H

#include "base/status.h"
#include "pyabi/abi.h"
#include "target/maps.h"
#include "target/memory.h"

struct hst_runtime {
    struct hst_memory *memory; /* not owned */
    struct hst_abi abi;
    hst_raddr address;    /* of _PyRuntime */
    hst_raddr code_type;  /* of PyCode_Type; 0 = not found */
    char version[32];     /* "3.13.0", "3.14.0rc2+"; the micro part is absent where it could not be found */
    int newer_than_known; /* read with the newest layout known, and it fitted */
};

/* root: prefix of the target's file names as seen from here ("/proc/PID/root"), or "".
 * HST_E_BUSY: a Python that has not started its interpreter yet (or has ended it): try again.
 * HST_E_UNSUPPORTED: not a Python, or one that cannot be read: err says which. */
enum hst_status hst_runtime_find(struct hst_memory *memory, const struct hst_maps *maps, const char *root,
                                 struct hst_runtime *ret_runtime, struct hst_error *err) HST_MUST_CHECK;

/* A thread of an interpreter, as the lists hold it at one moment. */
struct hst_tstate {
    hst_raddr address;
    hst_raddr interpreter;
    uint64_t interpreter_id;
    uint64_t thread_id; /* pthread_t */
    uint64_t
        native_id; /* as the target's own pid namespace numbers it; 0 = this version does not say (to 3.10) */
};

/* Every thread state of every interpreter; the array is the caller's to hst_free. */
enum hst_status hst_runtime_threads(const struct hst_runtime *runtime, struct hst_tstate **ret_threads,
                                    size_t *ret_count) HST_MUST_CHECK;

/* What an interpreter's lock and collector are at. */
struct hst_gil {
    hst_raddr address; /* of the lock's structure; 0 = there is none (free-threaded) */
    hst_raddr holder;  /* thread state that holds it; 0 = nobody */
    int collecting;
};
/* gil->address: as an earlier call found it (it stays), or 0. On failure *gil is as it was. */
enum hst_status hst_runtime_gil(const struct hst_runtime *runtime, hst_raddr interpreter,
                                struct hst_gil *gil) HST_MUST_CHECK;

#endif
