/* Decodes frames of all versions. */
#include "reader/frame.h"

#include <string.h>

struct hst_frame hst_frame_decode(const struct hst_abi *abi, hst_raddr address, const uint8_t *bytes)
{
    struct hst_frame f = {.address = address, .previous = hst_u64_at(bytes, abi->frame_previous)};
    f.code = hst_frame_untag(abi, hst_u64_at(bytes, abi->frame_code));
    if (abi->minor <= 10) {
        int32_t lasti;
        memcpy(&lasti, bytes + abi->frame_instruction, sizeof lasti);
        f.instruction = lasti < 0 ? 0 : (uint64_t)lasti * (abi->minor == 10 ? 2 : 1);
        uint8_t state = bytes[abi->frame_executing];
        f.executing = abi->minor == 10 ? state == 0 : state == 1;
        f.globals = hst_u64_at(bytes, abi->frame_code + 16);
        return f;
    }
    f.instruction = hst_u64_at(bytes, abi->frame_instruction);
    f.function = hst_frame_untag(abi, hst_u64_at(bytes, abi->frame_function));
    f.globals = hst_u64_at(bytes, abi->frame_function + 8);
    f.owner = bytes[abi->frame_owner];
    f.executing = 1;
    if (abi->frame_tlbc_index != 0)
        memcpy(&f.tlbc_index, bytes + abi->frame_tlbc_index, sizeof f.tlbc_index);
    return f;
}
