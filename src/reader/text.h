/* A str object of the target -> UTF-8 text here. */
#ifndef HST_READER_TEXT_H
#define HST_READER_TEXT_H

#include "base/buffer.h"
#include "base/status.h"
#include "pyabi/abi.h"
#include "target/memory.h"

/* Appends the text, at most limit characters of it (then "..." ends it). Lone surrogates come as U+FFFD.
 * HST_E_INVALID: not a str as this version lays it out. */
enum hst_status hst_text_read(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr address,
                              size_t limit, struct hst_buffer *into) HST_MUST_CHECK;

/* The bits of a str's state that say how its text is kept: kind (3 bits), compact, ASCII. What stands before
 * them is whether it is interned: 2 bits, or a byte. */
static inline unsigned hst_text_form(const struct hst_abi *abi, uint32_t state)
{
    return state >> (abi->free_threaded && abi->minor >= 14 ? 8 : 2);
}

#endif
