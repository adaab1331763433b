/* Which calls the program makes: caller's place -> callee's code, each believed once the target itself has
 * shown it.  A copy of a running thread's stack can mix two moments, and then shows calls that never were; a
 * call that was shown once stays one that the program can make.
 *
 * How it is shown:
 *   - by a witness, read while the thread runs: the interpreter leaves what it calls where the caller's value
 * stack ends (the function, or the generator that goes on; to 3.10 the function lies on the value stack), and
 * a property's function in the cache behind the instruction.  Caller, callee, caller again: the callee runs
 * the very function that the caller holds for this call.
 *   - by stillness, likewise: caller, running frame, callee, running frame, caller, and nothing of the caller
 * moved, not even a variable.  For what C code calls (key functions, comparisons), which leaves no witness.
 *   - in a thread that stood still (hst_edge_learn).
 * How often the first two failed counts too: luck passes them now and then, a real call far more often.  A
 * place that was seen to leave witnesses does not get the second, weaker proof. */
#ifndef HST_READER_EDGE_H
#define HST_READER_EDGE_H

#include "base/map.h"
#include "reader/code.h"
#include "reader/frame.h"

struct hst_edge_belief {
    uint32_t witnessed, still, failed; /* reads that proved it this way, that way, or not */
    uint32_t asked;                    /* for it while it was not believed */
    uint8_t learned;                   /* seen in a thread that stood still */
};

struct hst_edge_table {
    struct hst_memory *memory;
    const struct hst_abi *abi;
    const struct hst_code_table *codes;
    struct hst_map by_key; /* (caller location, callee code) -> index in beliefs */
    struct hst_edge_belief *beliefs;
    size_t count, capacity;
    struct hst_map sites; /* caller location -> code of the callee last proved there, and whether witnessed */
    struct hst_map places; /* (caller code, callee code) -> caller location where that call was proved last */
    struct hst_map callers; /* callee code -> caller code of its call proved last */
};

void hst_edge_table_init(struct hst_edge_table *table, struct hst_memory *memory, const struct hst_abi *abi,
                         const struct hst_code_table *codes);
void hst_edge_table_release(struct hst_edge_table *table);

/* A call as a copy shows it. */
struct hst_edge {
    const struct hst_frame *frames; /* callee, marks of the interpreter if there are any, caller */
    size_t count;
    uint32_t caller_code, callee_code; /* indexes in the code table */
    uint32_t caller_location;          /* model id */
    hst_raddr current;                 /* where the thread keeps the address of its running frame */
    hst_raddr leaf;                    /* that frame, as the copy has it */
};

/* The call was seen while the thread stood still: it is one that the program makes. */
void hst_edge_learn(struct hst_edge_table *table, const struct hst_edge *edge);
/* Whether the program makes this call; reads the target as long as that is not known. */
int hst_edge_believe(struct hst_edge_table *table, const struct hst_edge *edge);
/* The same without a read: whether it is known by now that code is called at the place. */
int hst_edge_is_known(const struct hst_edge_table *table, uint32_t caller_location, uint32_t callee_code);
/* A place in the caller's code (model location) where it calls the callee; HST_MAP_ABSENT: none is known. */
uint32_t hst_edge_place_find(const struct hst_edge_table *table, uint32_t caller_code, uint32_t callee_code);
/* The code of the caller whose call of this code was proved last; HST_MAP_ABSENT: none. */
uint32_t hst_edge_caller_find(const struct hst_edge_table *table, uint32_t callee_code);
/* The code of the callee last proved at the place, beyond doubt; HST_MAP_ABSENT: none. */
uint32_t hst_edge_callee_find(const struct hst_edge_table *table, uint32_t caller_location);

#endif
