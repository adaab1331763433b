/* What a dump of a process and one of a core file have in common: stacks, variables and names out of a
 * runtime. */
#ifndef HST_CAPTURE_DUMP_THREADS_H
#define HST_CAPTURE_DUMP_THREADS_H

#include "model/dump.h"
#include "reader/frames.h"
#include "reader/locals.h"
#include "reader/runtime.h"
#include "reader/thread_names.h"
#include "target/process.h"

struct hst_dump_reader {
    const struct hst_runtime *runtime;
    struct hst_dump *dump;
    int variables;
    unsigned tries; /* for one stack */
    int held;       /* the thread that is read has no CPU now: it should stand still */
    struct hst_frames frames;
    struct hst_locals_reader locals;
    struct hst_thread_names names;
    struct hst_tstate *tstates;
    size_t tstate_count;
};

/* Lists the threads and their names. */
enum hst_status hst_dump_reader_init(struct hst_dump_reader *reader, const struct hst_runtime *runtime,
                                     struct hst_dump *dump, int variables, unsigned tries) HST_MUST_CHECK;
void hst_dump_reader_release(struct hst_dump_reader *reader);

/* Fills the frames of row, replacing what it had. A stack that cannot be believed is no failure: stack_known
 * tells. */
enum hst_status hst_dump_read_stack(struct hst_dump_reader *reader, const struct hst_tstate *tstate,
                                    struct hst_dump_thread *row) HST_MUST_CHECK;
/* State and detail from the call that the thread is blocked in. */
void hst_dump_set_call(const struct hst_runtime *runtime, const struct hst_gil *gil,
                       const struct hst_thread_call *call, struct hst_dump_thread *row);
/* Holds the lock, collects garbage. */
void hst_dump_set_flags(const struct hst_runtime *runtime, const struct hst_gil *gil,
                        const struct hst_tstate *tstate, struct hst_dump_thread *row);
/* The crashed thread first, then by interpreter, the main thread before the others, then by number. */
void hst_dump_sort_threads(struct hst_dump *dump);

#endif
