/* Reads str objects: compact ASCII, compact with 1, 2 or 4 bytes a character; the pre-3.12 legacy form by its
 * pointer. */
#include "reader/text.h"

#include <string.h>

#include "base/memory.h"

static void add_utf8(struct hst_buffer *into, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    if (c < 0x80) {
        hst_buffer_add_byte(into, (uint8_t)c);
        return;
    }
    uint8_t bytes[4];
    size_t count = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = count - 1; i > 0; i--, c >>= 6)
        bytes[i] = (uint8_t)(0x80 | (c & 0x3f));
    bytes[0] = (uint8_t)((0xf0 << (4 - count)) | c);
    hst_buffer_add(into, bytes, count);
}

static uint32_t character_at(const uint8_t *data, size_t index, unsigned kind)
{
    uint32_t c = 0;
    memcpy(&c, data + index * kind, kind);
    return c;
}

enum hst_status hst_text_read(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr address,
                              size_t limit, struct hst_buffer *into)
{
    uint64_t length;
    uint32_t state;
    struct hst_piece pieces[] = {{address + abi->str_length, &length, sizeof length},
                                 {address + abi->str_state, &state, sizeof state}};
    HST_TRY(hst_memory_read_pieces(memory, pieces, 2));
    unsigned form = hst_text_form(abi, state), kind = form & 7, compact = form >> 3 & 1,
             ascii = form >> 4 & 1;
    if ((kind != 1 && kind != 2 && kind != 4) || length > INT64_MAX / 4)
        return HST_E_INVALID;
    int cut = length > limit;
    size_t count = cut ? limit : (size_t)length;
    hst_raddr data = address + (ascii ? abi->str_ascii_data : abi->str_compact_data);
    if (!compact) /* PyUnicodeObject: a pointer follows the compact head */
        HST_TRY(hst_memory_read_u64(memory, address + abi->str_compact_data, &data));
    HST_CLEANUP_FREE uint8_t *characters = hst_alloc(count + 1, kind);
    if (characters == NULL)
        return HST_E_NOMEM;
    HST_TRY(hst_memory_read(memory, data, characters, count * kind));
    for (size_t i = 0; i < count; i++)
        add_utf8(into, character_at(characters, i, kind));
    if (cut)
        hst_buffer_add_text(into, "...");
    return hst_buffer_status(into);
}
