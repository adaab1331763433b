/* One thread's whole Python stack, read while the thread runs, as a stack id of the model.
 *
 * In the steady state it is one read call: the thread state, the used part of its data-stack chunks (3.11+)
 * and the frames that lie elsewhere, at the addresses that the last read taught.  Nothing stops the target
 * meanwhile, so a copy may mix two moments.  What makes a stack believed:
 *   - the chain of frames reaches the thread's root, every code pointer is a code object, every instruction
 * lies in its code;
 *   - frames that are the same as in the last believed stack, from the root up, are taken over;
 *   - every other call edge (caller's code and instruction -> callee's code) has been proved, by reading
 * caller, running frame, callee, running frame, caller in one call, with the caller unchanged and the callee
 * alive. Proved edges are remembered: a call that the program can make stays one, and a torn copy shows an
 * edge that it cannot. */
#ifndef HST_READER_FRAMES_H
#define HST_READER_FRAMES_H

#include "base/map.h"
#include "model/profile.h"
#include "reader/code.h"
#include "reader/runtime.h"

/* What reading cost and what went wrong on the way, summed over all threads of a process. */
struct hst_frames_stats {
    uint64_t stacks;  /* believed */
    uint64_t torn;    /* copies that mixed two moments: cut back to what is believed, or read again */
    uint64_t dropped; /* given up after all tries */
    uint64_t proofs;  /* reads made to prove an edge */
};

struct hst_frames {
    const struct hst_runtime *runtime;
    struct hst_profile *profile;
    struct hst_code_table codes;
    struct hst_map
        edges; /* (caller location, callee code) -> times proved, and failures (see believe_edge) */
    struct hst_map sites; /* caller location -> code of the callee last proved there */
    struct hst_frames_stats stats;
};

void hst_frames_init(struct hst_frames *frames, const struct hst_runtime *runtime,
                     struct hst_profile *profile);
void hst_frames_release(struct hst_frames *frames);

/* A frame as it was read, raw. */
struct hst_frame {
    hst_raddr address, previous, code, instruction, globals;
    uint8_t owner;
    uint8_t executing; /* to 3.10 */
    int32_t tlbc_index;
};

/* A frame of a believed stack. */
struct hst_frame_entry {
    hst_raddr address, previous, code_address, instruction;
    uint32_t code;     /* index in the code table; HST_ID_NONE for the interpreter's own marks */
    uint32_t location; /* model id; the caller's one for marks */
    uint32_t stack;    /* model id of the stack up to here */
    uint64_t seen_ns; /* when the frame was first seen: its code object, looked at since, is its own and lives
                         with it */
    uint8_t settled;  /* that look was taken */
};

struct hst_walk;

/* What is remembered of one thread between two reads. */
enum hst_status hst_walk_new(hst_raddr tstate, struct hst_walk **ret_walk) HST_MUST_CHECK;
void hst_walk_free(struct hst_walk *walk);

/* Reads the stack of the walk's thread. *ret_stack is 0 when it runs no Python frame.
 * HST_E_TORN: no copy could be believed within max_tries (counted as dropped). */
enum hst_status hst_walk_read(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns,
                              unsigned max_tries, uint32_t *ret_stack) HST_MUST_CHECK;
/* The entries of the last stack that hst_walk_read believed, root first; valid until the next read. */
const struct hst_frame_entry *hst_walk_entries(const struct hst_walk *walk, size_t *ret_count);

#endif
