/* An int object of the target -> its value, or its decimal digits. */
#ifndef HST_READER_NUMBER_H
#define HST_READER_NUMBER_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "pyabi/abi.h"
#include "target/memory.h"

/* HST_E_INVALID: negative, or more than 64 bits, or no int at all. */
enum hst_status hst_number_read_u64(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr address,
                                    uint64_t *ret_value) HST_MUST_CHECK;
/* Appends the int in decimal; one of more than max_digits decimal digits as "<int of N bits>". The address
 * must be an int's (or a subclass's, bool among them). */
enum hst_status hst_number_add(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr address,
                               unsigned max_digits, struct hst_buffer *into) HST_MUST_CHECK;

#endif
