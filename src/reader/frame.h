/* One frame of the interpreter as its bytes in the target say: raw, not yet believed. */
#ifndef HST_READER_FRAME_H
#define HST_READER_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "pyabi/abi.h"
#include "target/memory.h"

enum { HST_OWNER_GENERATOR = 1, HST_OWNER_FIRST_MARK = 3 };

struct hst_frame {
    hst_raddr address, previous, code, instruction, globals;
    hst_raddr function; /* 3.11 and later */
    uint8_t owner;
    uint8_t executing; /* to 3.10 */
    int32_t tlbc_index;
};

static inline uint64_t hst_u64_at(const uint8_t *bytes, size_t offset)
{
    uint64_t value;
    __builtin_memcpy(&value, bytes + offset, sizeof value);
    return value;
}

/* The low bits of a reference on the data stack are tags from 3.14 on. */
static inline hst_raddr hst_frame_untag(const struct hst_abi *abi, uint64_t reference)
{
    return abi->minor >= 14 ? reference & ~7ull : reference;
}

/* How many bytes of a frame are needed to decode it: its fixed part. At most HST_ABI_HEAD_BYTES_MAX. */
static inline uint32_t hst_frame_bytes(const struct hst_abi *abi)
{
    uint32_t bytes = abi->minor >= 11 ? abi->frame_localsplus : abi->frame_executing + 4;
    return bytes < HST_ABI_HEAD_BYTES_MAX ? bytes : HST_ABI_HEAD_BYTES_MAX;
}
struct hst_frame hst_frame_decode(const struct hst_abi *abi, hst_raddr address, const uint8_t *bytes);

/* A mark that the interpreter puts where C code calls Python again; no frame of the program. */
static inline int hst_frame_is_mark(const struct hst_abi *abi, const struct hst_frame *frame)
{
    return abi->minor >= 12 && frame->owner >= HST_OWNER_FIRST_MARK;
}

/* The frame has not moved between two reads. */
static inline int hst_frame_same(const struct hst_frame *a, const struct hst_frame *b)
{
    return a->code == b->code && a->instruction == b->instruction && a->previous == b->previous &&
           a->executing && b->executing;
}

#endif
