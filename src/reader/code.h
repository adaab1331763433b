/* Code objects of the target, each read once: address -> name, file, size of its frame, and, per instruction,
 * the model's location. A code object can die and another be born at its address; hst_code_check notices. */
#ifndef HST_READER_CODE_H
#define HST_READER_CODE_H

#include "base/map.h"
#include "model/profile.h"
#include "pyabi/abi.h"
#include "target/memory.h"

/* Bytes of a code object, from code_first_line's group to its line table, that change when it is another one.
 */
#define HST_CODE_IDENTITY_BYTES 192

struct hst_code {
    hst_raddr address;
    hst_raddr bytecode; /* where instruction 0 is in memory; 0 to 3.10, whose frames hold an index */
    uint32_t bytecode_bytes;
    uint32_t frame_bytes; /* of a frame on the data stack (3.11+) */
    uint32_t locals;      /* slots before the value stack */
    uint32_t function;    /* model id */
    uint32_t first_line;
    uint8_t internal;  /* the interpreter's own "<shim>": not a frame for people */
    uint8_t generator; /* or a coroutine: its frame is left and entered again */
    uint8_t gone;      /* its address is another code object's by now */
    uint8_t *linetable;
    size_t linetable_length;
    uint32_t leaf_location; /* where it was last seen as the leaf of a stack; HST_ID_NONE = never */
    uint32_t *locations;    /* per code unit: model location + 1, 0 = not asked for yet */
    uint64_t checked_ns;
    hst_raddr globals; /* of the frame it was last looked at for */
    uint8_t identity[HST_CODE_IDENTITY_BYTES];
};

struct hst_code_table {
    struct hst_memory *memory;
    const struct hst_abi *abi;
    struct hst_profile *profile;
    hst_raddr code_type; /* &PyCode_Type; learned from the first when 0 */
    struct hst_code **codes;
    size_t count, capacity;
    struct hst_map by_address;
};

void hst_code_table_init(struct hst_code_table *table, struct hst_memory *memory, const struct hst_abi *abi,
                         struct hst_profile *profile, hst_raddr code_type);
void hst_code_table_release(struct hst_code_table *table);
/* Index in codes of the code object at address, read when new. HST_E_TORN: there is no code object there
 * (now). */
enum hst_status hst_code_find(struct hst_code_table *table, hst_raddr address, uint64_t now_ns,
                              uint32_t *ret_index) HST_MUST_CHECK;
/* Its index if it has been read before; HST_ID_NONE: it has not. */
uint32_t hst_code_known(const struct hst_code_table *table, hst_raddr address);
/* How long a code object may be taken to be the same without a look, when nothing keeps it alive. */
#define HST_CODE_TRUST_NS 4000000u
/* Reads the identity again when that was before since_ns; HST_E_TORN when the address is another code
 * object's: forget what was made of it and read the stack again. */
enum hst_status hst_code_check(struct hst_code_table *table, uint32_t index, uint64_t since_ns,
                               uint64_t now_ns) HST_MUST_CHECK;
/* The model's location of an instruction (byte offset); HST_ID_NONE when memory is out. */
uint32_t hst_code_location(struct hst_code_table *table, uint32_t index, uint32_t instruction);

#endif
