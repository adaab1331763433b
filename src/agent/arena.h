/* The agent's file in memory (event/agent_map.h): grows by chunks, which are there for certain before they
 * are touched, so that a full disk is a loss that is counted and not a signal.  Keeps no descriptor open:
 * programs close and reuse what they did not open. */
#ifndef HST_AGENT_ARENA_H
#define HST_AGENT_ARENA_H

#include "event/agent_map.h"

extern char *hst_arena_base;      /* of the file; NULL: there never was one */
extern uint32_t hst_arena_serial; /* another number for each file; 0: none is open */

/* Makes this process' file in folder and the header in it. 0: it cannot be made. */
int hst_arena_open(const char *folder);
/* The file stays as it is, and its memory is given back. Its addresses stay ours: what another thread still
 * writes goes nowhere. */
void hst_arena_close(void);
/* In a child after fork: a new file takes the place of the parent's at the same addresses, with a header that
 * is the same but for its process.  0: the child goes on without. */
int hst_arena_reopen(void);

/* A fresh chunk of a kind: its first slot's number, or 0 when there is no more room. */
uint32_t hst_arena_chunk(enum hst_agent_chunk_kind kind, uint32_t thread);
/* Takes slots of a chunk in use, or of a fresh one when they do not fit (which *chunk becomes). 0: no room.
 */
uint32_t hst_arena_take(uint32_t *chunk, enum hst_agent_chunk_kind kind, uint32_t thread, uint32_t slots);
/* Says that what was last taken is filled in: readers may look at it. */
void hst_arena_publish(uint32_t chunk, uint32_t end);

static inline void *hst_arena_slot(uint32_t slot)
{
    return hst_arena_base + (uint64_t)slot * HST_AGENT_SLOT_BYTES;
}
/* The number of the slot at an address. */
static inline uint32_t hst_arena_number(const void *slot)
{
    return (uint32_t)((uint64_t)((const char *)slot - hst_arena_base) / HST_AGENT_SLOT_BYTES);
}
static inline struct hst_agent_header *hst_arena_header(void)
{
    return (struct hst_agent_header *)(void *)hst_arena_base;
}

#endif
