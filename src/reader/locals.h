/* The variables of one frame of the target: their names from the code object, their values from the frame, as
 * text. */
#ifndef HST_READER_LOCALS_H
#define HST_READER_LOCALS_H

#include <stddef.h>

#include "base/status.h"
#include "model/dump.h"
#include "pyabi/abi.h"
#include "target/memory.h"

/* Names of the last code object: frames of a recursion share them. */
struct hst_locals_reader {
    struct hst_memory *memory;
    const struct hst_abi *abi;
    hst_raddr code;
    char **names;
    uint8_t *kinds; /* 3.11 and later, else all 0 */
    size_t count;
};

void hst_locals_reader_init(struct hst_locals_reader *reader, struct hst_memory *memory,
                            const struct hst_abi *abi);
void hst_locals_reader_release(struct hst_locals_reader *reader);
/* In the order of the code object; variables without a value are left out.
 * HST_E_TORN: the frame is no longer one of that code, or goes on too fast for its variables to be read. */
enum hst_status hst_locals_read(struct hst_locals_reader *reader, hst_raddr frame, hst_raddr code,
                                struct hst_variables *ret_locals) HST_MUST_CHECK;

#endif
