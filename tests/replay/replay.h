/* What recording and replaying share: a memory and its maps -> the stacks of all threads as text, in the form
 * in which target.py prints its own. */
#ifndef REPLAY_H
#define REPLAY_H

#include "base/buffer.h"
#include "reader/frames.h"
#include "reader/runtime.h"
#include "target/maps.h"
#include "target/memory.h"

/* A process as the reader sees it. */
struct replay {
    struct hst_memory *memory; /* not owned */
    struct hst_runtime runtime;
    struct hst_profile profile;
    struct hst_frames frames;
    struct hst_tstate *threads;
    struct hst_walk **walks;
    size_t thread_count;
};

/* root: where the files of the maps are, seen from here. */
enum hst_status replay_open(struct hst_memory *memory, const char *maps, size_t maps_length, const char *root,
                            struct replay *replay, struct hst_error *err);
/* The same with a runtime that was found before. */
enum hst_status replay_start(struct hst_memory *memory, const struct hst_runtime *runtime,
                             struct replay *replay);
void replay_close(struct replay *replay);

/* Reads every thread's stack into text, which a NUL ends. */
enum hst_status replay_stacks(struct replay *replay, uint64_t now_ns, struct hst_buffer *text);

/* The variable of that name in frame index (root first) of a thread's last stack; the caller's to hst_free,
 * NULL: there is none. */
char *replay_variable(struct replay *replay, size_t thread, size_t index, const char *name);
/* The function of that frame, "" for a mark of the interpreter's own, NULL behind the last. */
const char *replay_function(const struct replay *replay, size_t thread, size_t index);

#endif
