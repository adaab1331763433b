/* One thread's whole Python stack, read while the thread runs, as a stack id of the model.
 *
 * In the steady state it is one read call: the thread state, the used part of its data-stack chunks (3.11+)
 * and the frames that lie elsewhere, at the addresses that the last read taught.  Nothing stops the target
 * meanwhile, so a copy may mix two moments.  What makes a stack believed:
 *   - the chain of frames reaches the thread's root, every code pointer is a code object, every instruction
 * lies in its code;
 *   - frames that are the same as in the last believed stack, from the root up, are taken over;
 *   - every other call edge (caller's code and instruction -> callee's code) is one that the program makes:
 * see edge.h.
 * A stack that is not believed to its end is cut there, and what is known to have run above goes on top. */
#ifndef HST_READER_FRAMES_H
#define HST_READER_FRAMES_H

#include "model/profile.h"
#include "reader/code.h"
#include "reader/edge.h"
#include "reader/frame.h"
#include "reader/runtime.h"
#include "target/place.h"

/* What reading cost and what went wrong on the way, summed over all threads of a process. */
struct hst_frames_stats {
    uint64_t stacks;  /* believed */
    uint64_t torn;    /* copies that mixed two moments: cut back to what is believed, or read again */
    uint64_t dropped; /* given up after all tries */
};

struct hst_frames {
    const struct hst_runtime *runtime;
    struct hst_profile *profile;
    struct hst_code_table codes;
    struct hst_edge_table edges;
    struct hst_place *place;    /* not owned; NULL: threads are never met at rest on purpose */
    uint64_t first_ns, held_ns; /* the first read; for how long threads stood still for us */
    struct hst_frames_stats stats;
};

void hst_frames_init(struct hst_frames *frames, const struct hst_runtime *runtime,
                     struct hst_profile *profile);
void hst_frames_release(struct hst_frames *frames);

/* A frame of a believed stack. */
struct hst_frame_entry {
    hst_raddr address, previous, code_address, instruction;
    uint32_t code;     /* index in the code table; HST_ID_NONE for the interpreter's own marks */
    uint32_t location; /* model id; the caller's one for marks */
    uint32_t stack;    /* model id of the stack up to here */
    uint64_t seen_ns; /* when the frame was first seen: its code object, looked at since, is its own and lives
                         with it */
    uint8_t settled;  /* that look was taken */
    uint8_t mark;     /* put by the interpreter where C code calls Python */
};

struct hst_walk;

/* What is remembered of one thread between two reads. pid, tid: as the system numbers it, for the CPU that it
 * is on; 0 where there is no such thread (a core file). */
enum hst_status hst_walk_new(hst_raddr tstate, int pid, int tid, struct hst_walk **ret_walk) HST_MUST_CHECK;
void hst_walk_free(struct hst_walk *walk);

/* Reads the stack of the walk's thread. *ret_stack is 0 when it runs no Python frame.
 * HST_E_TORN: no copy could be believed within max_tries (counted as dropped). */
enum hst_status hst_walk_read(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns,
                              unsigned max_tries, uint32_t *ret_stack) HST_MUST_CHECK;
/* Whether the stack that was handed out last was believed to its end. */
int hst_walk_is_whole(const struct hst_walk *walk);
/* The same of a thread that is thought to stand still: HST_E_TORN when copies that follow one another differ.
 * What it calls is learned from it. */
enum hst_status hst_walk_read_still(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns,
                                    uint32_t *ret_stack) HST_MUST_CHECK;
/* The entries of the last stack that hst_walk_read believed, root first; valid until the next read. */
const struct hst_frame_entry *hst_walk_entries(const struct hst_walk *walk, size_t *ret_count);

#endif
