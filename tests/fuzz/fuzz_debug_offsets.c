/* The table of offsets that a target carries at the start of _PyRuntime. What is accepted must hold together:
 * later code reads at these offsets without another look.
 *
 * input   1 byte: 0 = the rest stands for all of it; else 3.13 + so much is written into the head, 128 =
 * free-threaded */
#include "fuzz.h"

#include <string.h>

#include "base/memory.h"
#include "pyabi/abi.h"

static void require_inside(uint32_t offset, uint32_t width, uint32_t size)
{
    FUZZ_REQUIRE(offset <= size && size - offset >= width);
}

static void check(const struct hst_abi *abi)
{
    FUZZ_REQUIRE(abi->minor >= 13 && abi->free_threaded <= 1);
    /* A frame's fixed part and a code object's head are read into buffers of this size. */
    FUZZ_REQUIRE(abi->frame_localsplus <= 512 && abi->code_bytecode <= 512);
    const uint32_t of_frame[] = {abi->frame_previous, abi->frame_code, abi->frame_instruction,
                                 abi->frame_function, abi->frame_stack_top};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(of_frame); i++)
        require_inside(of_frame[i], abi->minor >= 14 || of_frame[i] != abi->frame_stack_top ? 8 : 4,
                       abi->frame_localsplus);
    require_inside(abi->frame_owner, 1, abi->frame_localsplus);
    require_inside(abi->frame_tlbc_index, 4, abi->frame_localsplus);
    const uint32_t of_code[] = {abi->code_filename,  abi->code_name,   abi->code_qualname,
                                abi->code_linetable, abi->object_type, abi->var_size};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(of_code); i++)
        require_inside(of_code[i], 8, abi->code_bytecode);
    const uint32_t numbers[] = {abi->code_first_line, abi->code_argcount,  abi->code_nlocalsplus,
                                abi->code_stacksize,  abi->code_framesize, abi->code_flags};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(numbers); i++)
        require_inside(numbers[i], 4, abi->code_bytecode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = data, .left = size};
    unsigned version = (unsigned)fuzz_number(&input, 1);
    uint8_t bytes[HST_DEBUG_OFFSETS_BYTES] = {0};
    size_t length;
    const uint8_t *rest = fuzz_take(&input, sizeof bytes, &length);
    memcpy(bytes, rest, length);
    if (version != 0) {
        uint64_t hex = 3u << 24 | (13 + version % 4) << 16, free_threaded = version >> 7;
        memcpy(bytes, HST_DEBUG_OFFSETS_COOKIE, 8);
        memcpy(bytes + 8, &hex, 8);
        memcpy(bytes + 16, &free_threaded, 8);
    }
    struct hst_abi abi;
    struct hst_error err = {0};
    enum hst_status status = hst_abi_from_debug_offsets(bytes, length, &abi, &err);
    if (status == HST_OK)
        check(&abi);
    else
        FUZZ_REQUIRE(err.text[0] != '\0');
    return 0;
}
