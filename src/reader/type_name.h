/* What an object of the target is: the built-in type that it is or comes from, and its class's full name. */
#ifndef HST_READER_TYPE_NAME_H
#define HST_READER_TYPE_NAME_H

#include "base/buffer.h"
#include "base/status.h"
#include "pyabi/abi.h"
#include "target/memory.h"

#define HST_TYPE_NAME_BYTES 256

struct hst_type {
    hst_raddr address;
    uint64_t flags;
    char builtin[64]; /* tp_name of itself or of its nearest base that is not a class made at run time */
    int derived;      /* a class made at run time stands above that */
};

enum hst_status hst_type_read(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr object,
                              struct hst_type *ret_type) HST_MUST_CHECK;
/* Appends "module.Class", without the module for built-in ones. type: address of a type object. */
enum hst_status hst_type_add_name(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr type,
                                  struct hst_buffer *into) HST_MUST_CHECK;

#endif
