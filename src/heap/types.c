/* A type is an object whose type is a metaclass, which is a type that says of itself that it makes types. */
#include "heap/types.h"

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "reader/type_flags.h"
#include "reader/type_name.h"

enum {
    ITEM_SIZE_AFTER_BASIC = 8, /* tp_itemsize stands behind tp_basicsize in every version */
    COLLECTOR_BYTES = 16,      /* PyGC_Head */
    MANAGED_BYTES = 16,        /* two words: attributes and weak references */
    SIZE_MAX_PLAUSIBLE = 1 << 24,
};

void hst_heap_types_init(struct hst_heap_types *types, struct hst_image *image, const struct hst_abi *abi)
{
    memset(types, 0, sizeof *types);
    types->image = image;
    types->abi = abi;
    hst_map_init(&types->by_address);
}

void hst_heap_types_release(struct hst_heap_types *types)
{
    for (size_t i = 0; i < types->count; i++)
        hst_free(types->items[i].name);
    hst_free(types->items);
    hst_map_release(&types->by_address);
}

static uint64_t flags_at(const struct hst_heap_types *types, hst_raddr type)
{
    return hst_image_word(types->image, type + types->abi->type_flags);
}

static int makes_types(const struct hst_heap_types *types, hst_raddr metaclass)
{
    hst_raddr of_metaclass = hst_image_word(types->image, metaclass + types->abi->object_type);
    return (flags_at(types, metaclass) & HST_TYPE_TYPE) != 0 &&
           (flags_at(types, of_metaclass) & HST_TYPE_TYPE) != 0;
}

static uint32_t pre_bytes(const struct hst_heap_types *types, uint64_t flags)
{
    uint64_t managed = (types->abi->minor >= 11 ? HST_TYPE_MANAGED_DICT : 0) |
                       (types->abi->minor >= 12 ? HST_TYPE_MANAGED_WEAKREF : 0);
    return ((flags & HST_TYPE_HAVE_GC) != 0 ? COLLECTOR_BYTES : 0) +
           ((flags & managed) != 0 ? MANAGED_BYTES : 0);
}

/* The name that the type's maker gave it: some text without control characters. */
static int has_name(struct hst_heap_types *types, hst_raddr address)
{
    char name[HST_TYPE_NAME_BYTES];
    hst_raddr at = hst_image_word(types->image, address + types->abi->type_name);
    if (at == 0 || hst_memory_read_text(&types->image->memory, at, name, sizeof name) != HST_OK)
        return 0;
    size_t length = 0;
    while (name[length] != '\0' && (unsigned char)name[length] >= ' ' && name[length] != 0x7f)
        length++;
    return length > 0 && name[length] == '\0';
}

static uint32_t add(struct hst_heap_types *types, hst_raddr address)
{
    const struct hst_abi *abi = types->abi;
    uint64_t flags = flags_at(types, address);
    int64_t basic = (int64_t)hst_image_word(types->image, address + abi->type_basicsize);
    int64_t item =
        (int64_t)hst_image_word(types->image, address + abi->type_basicsize + ITEM_SIZE_AFTER_BASIC);
    if (basic < (int64_t)abi->object_size || basic > SIZE_MAX_PLAUSIBLE || item < 0 ||
        item > SIZE_MAX_PLAUSIBLE || !has_name(types, address))
        return HST_MAP_ABSENT;
    if (!HST_RESERVE(types->items, types->capacity, types->count + 1) ||
        !hst_map_set(&types->by_address, address, (uint32_t)types->count)) {
        types->out_of_memory = 1;
        return HST_MAP_ABSENT;
    }
    types->items[types->count] = (struct hst_heap_type){.address = address,
                                                        .flags = flags,
                                                        .basic_size = (uint32_t)basic,
                                                        .item_size = (uint32_t)item,
                                                        .pre_bytes = pre_bytes(types, flags)};
    return (uint32_t)types->count++;
}

uint32_t hst_heap_types_find(struct hst_heap_types *types, hst_raddr address)
{
    if (address % sizeof(uint64_t) != 0 || address < HST_SMALLEST_ADDRESS)
        return HST_MAP_ABSENT;
    hst_raddr *refused = &types->refused[address / sizeof(uint64_t) % HST_ARRAY_LENGTH(types->refused)];
    if (*refused == address)
        return HST_MAP_ABSENT;
    uint32_t type = hst_map_find(&types->by_address, address);
    if (type != HST_MAP_ABSENT)
        return type;
    hst_raddr metaclass = hst_image_word(types->image, address + types->abi->object_type);
    if (metaclass % sizeof(uint64_t) == 0 && metaclass >= HST_SMALLEST_ADDRESS &&
        makes_types(types, metaclass))
        type = add(types, address);
    if (type == HST_MAP_ABSENT)
        *refused = address;
    return type;
}

const char *hst_heap_types_name(struct hst_heap_types *types, uint32_t type)
{
    struct hst_heap_type *item = &types->items[type];
    if (item->name == NULL) {
        HST_CLEANUP(hst_buffer_release) struct hst_buffer name;
        hst_buffer_init(&name, HST_TYPE_NAME_BYTES);
        if (hst_type_add_name(&types->image->memory, types->abi, item->address, &name) == HST_OK &&
            name.length > 0)
            item->name = hst_strndup((const char *)name.data, name.length);
        else
            item->name = hst_strdup("?"); /* it is not asked for twice: what it is read from may be gone */
    }
    return item->name != NULL ? item->name : "?";
}
