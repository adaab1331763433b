/* Reads type objects: their flags, bases and names. */
#include "reader/type_name.h"

#include <string.h>

#include "base/memory.h"
#include "reader/dict.h"
#include "reader/text.h"
#include "reader/type_flags.h"

enum { BASES_MAX = 32, NAME_CHARACTERS_MAX = 200, MEMBERS_MAX = 4096 };

enum hst_status hst_type_read(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr object,
                              struct hst_type *ret_type)
{
    struct hst_type type = {0};
    HST_TRY(hst_memory_read_u64(memory, object + abi->object_type, &type.address));
    uint64_t at = type.address, name = 0;
    for (int i = 0; i < BASES_MAX; i++) {
        uint64_t flags, base;
        struct hst_piece pieces[] = {{at + abi->type_flags, &flags, 8},
                                     {at + abi->type_base, &base, 8},
                                     {at + abi->type_name, &name, 8}};
        HST_TRY(hst_memory_read_pieces(memory, pieces, 3));
        if (i == 0)
            type.flags = flags;
        if ((flags & HST_TYPE_HEAP) == 0 || base == 0)
            break;
        type.derived = 1;
        at = base;
    }
    HST_TRY(hst_memory_read_text(memory, name, type.builtin, sizeof type.builtin));
    *ret_type = type;
    return HST_OK;
}

/* Appends the str at address if it is one. */
static enum hst_status add_text(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr text,
                                struct hst_buffer *into)
{
    hst_raddr type;
    uint64_t flags;
    HST_TRY(hst_memory_read_u64(memory, text + abi->object_type, &type));
    HST_TRY(hst_memory_read_u64(memory, type + abi->type_flags, &flags));
    if ((flags & HST_TYPE_STR) == 0)
        return HST_E_INVALID;
    return hst_text_read(memory, abi, text, NAME_CHARACTERS_MAX, into);
}

/* Appends "module." of a class made at run time, which keeps it in its dict. */
static void add_module(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr type,
                       struct hst_buffer *into)
{
    HST_CLEANUP(hst_dict_entries_release) struct hst_dict_entries members = {0};
    HST_CLEANUP(hst_buffer_release) struct hst_buffer module;
    hst_buffer_init(&module, NAME_CHARACTERS_MAX * 4 + 16);
    hst_raddr dict, text;
    if (hst_memory_read_u64(memory, type + abi->type_dict, &dict) != HST_OK || dict == 0)
        return;
    enum hst_status status = hst_dict_read(memory, abi, dict, MEMBERS_MAX, &members);
    text = status == HST_OK ? hst_dict_find(memory, abi, &members, "__module__") : 0;
    if (text != 0)
        status = add_text(memory, abi, text, &module);
    into->failed |= status == HST_E_NOMEM;
    if (text == 0 || status != HST_OK)
        return;
    if (module.length == strlen("builtins") && memcmp(module.data, "builtins", module.length) == 0)
        return;
    hst_buffer_add(into, module.data, module.length);
    hst_buffer_add_byte(into, '.');
}

enum hst_status hst_type_add_name(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr type,
                                  struct hst_buffer *into)
{
    uint64_t flags, name;
    struct hst_piece pieces[] = {{type + abi->type_flags, &flags, 8}, {type + abi->type_name, &name, 8}};
    HST_TRY(hst_memory_read_pieces(memory, pieces, 2));
    if ((flags & HST_TYPE_HEAP) != 0) {
        hst_raddr qualname;
        HST_TRY(hst_memory_read_u64(memory, type + abi->heaptype_qualname, &qualname));
        add_module(memory, abi, type, into);
        return add_text(memory, abi, qualname, into);
    }
    char text[HST_TYPE_NAME_BYTES];
    HST_TRY(hst_memory_read_text(memory, name, text, sizeof text));
    hst_buffer_add_text(into, text);
    return hst_buffer_status(into);
}
