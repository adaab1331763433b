/* The target's memory behind one interface with three sources: a live process, a core file, a recorded
 * snapshot. Who reads a stack does not know which. An address of the target is a number, never a pointer of
 * ours. */
#ifndef HST_TARGET_MEMORY_H
#define HST_TARGET_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef uint64_t hst_raddr;

/* One piece of a read: length bytes at address go to into. */
struct hst_piece {
    hst_raddr address;
    void *into;
    size_t length;
};

/* Pieces that one system call takes at most (IOV_MAX); a longer list is read in several. */
#define HST_PIECES_MAX 1024

struct hst_memory {
    /* Reads all pieces in their order; HST_OK only when every byte came. HST_E_GONE: the process is no more;
     * HST_E_PERM: not allowed; HST_E_TORN: an address is not mapped. */
    enum hst_status (*read)(struct hst_memory *memory, const struct hst_piece *pieces, size_t count);
    void (*free)(struct hst_memory *memory);
    uint64_t reads, bytes; /* calls made and bytes got: what reading cost */
    int still;             /* nothing changes between two reads: a core file, a snapshot */
};

static inline enum hst_status hst_memory_read_pieces(struct hst_memory *memory,
                                                     const struct hst_piece *pieces, size_t count)
{
    return memory->read(memory, pieces, count);
}
static inline enum hst_status hst_memory_read(struct hst_memory *memory, hst_raddr address, void *into,
                                              size_t length)
{
    struct hst_piece piece = {.address = address, .into = into, .length = length};
    return memory->read(memory, &piece, 1);
}
static inline enum hst_status hst_memory_read_u64(struct hst_memory *memory, hst_raddr address,
                                                  uint64_t *ret_value)
{
    return hst_memory_read(memory, address, ret_value, sizeof *ret_value);
}
static inline enum hst_status hst_memory_read_u32(struct hst_memory *memory, hst_raddr address,
                                                  uint32_t *ret_value)
{
    return hst_memory_read(memory, address, ret_value, sizeof *ret_value);
}
/* A C string of at most size - 1 bytes; cut there. */
enum hst_status hst_memory_read_text(struct hst_memory *memory, hst_raddr address, char *into, size_t size);
void hst_memory_free(struct hst_memory *memory);

/* A live process, read by process_vm_readv: it is not stopped and nothing in it is changed. Where that is
 * refused, through what it has lent (lent.h). */
enum hst_status hst_memory_live(int pid, struct hst_memory **ret_memory) HST_MUST_CHECK;

#endif
