/* A recorded heap -> all that the heap reader makes of it, one step after the other, for the tests that spoil
 * it. */
#ifndef HEAP_REPLAY_H
#define HEAP_REPLAY_H

#include "heap/census.h"
#include "model/heap.h"
#include "reader/runtime.h"
#include "target/maps.h"

struct heap_replay {
    struct hst_maps maps;
    struct hst_image image;
    struct hst_runtime runtime; /* reads the image */
    struct hst_chunks chunks;
    struct hst_census census;
    struct hst_heap heap;
};

/* The copy, and the runtime in it. pid 0: of a snapshot. memory must outlive the replay. */
enum hst_status heap_replay_open(int pid, struct hst_memory *memory, const char *maps, size_t maps_length,
                                 struct heap_replay *replay, struct hst_error *err) HST_MUST_CHECK;
/* Finds everything in the copy as it is now. */
enum hst_status heap_replay_read(struct heap_replay *replay) HST_MUST_CHECK;
/* Forgets that, and keeps the copy. */
void heap_replay_forget(struct heap_replay *replay);
void heap_replay_close(struct heap_replay *replay);

#endif
