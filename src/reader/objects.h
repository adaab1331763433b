/* An object of the target as short text, the way repr() would show it where that is known: numbers, texts,
 * None, and containers of these.  Nothing of the program is run: an object of any other class is shown by its
 * class and address. */
#ifndef HST_READER_OBJECTS_H
#define HST_READER_OBJECTS_H

#include "base/buffer.h"
#include "base/status.h"
#include "pyabi/abi.h"
#include "target/memory.h"

enum {
    HST_OBJECT_CHARACTERS_MAX = 120, /* of a str or bytes */
    HST_OBJECT_DIGITS_MAX = 60,      /* of an int */
    HST_OBJECT_ITEMS_MAX = 8,        /* of a container */
    HST_OBJECT_DEPTH_MAX = 2,        /* containers inside containers */
    HST_OBJECT_TEXT_MAX = 2000,      /* bytes of the whole */
};

/* Appends the text; what cannot be read (it may be going away just now) as "<unreadable at 0x...>".
 * Only HST_E_NOMEM and a process that is gone or closed to us are failures. */
enum hst_status hst_object_add(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr object,
                               struct hst_buffer *into) HST_MUST_CHECK;
/* What a cell holds; the object itself when it is no cell. */
hst_raddr hst_object_in_cell(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr object);

#endif
