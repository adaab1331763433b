/* A type is an object whose type is a metaclass, which is a type that says of itself that it makes types. */
#include "heap/types.h"

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "heap/collector.h"
#include "reader/type_flags.h"
#include "reader/type_name.h"

enum {
    ITEM_SIZE_AFTER_BASIC = 8, /* tp_itemsize stands behind tp_basicsize in every version */
    MANAGED_BYTES = 16,        /* two words: attributes and weak references */
    SIZE_MAX_PLAUSIBLE = 1 << 24,
};

void hst_heap_types_init(struct hst_heap_types *types, struct hst_image *image, const struct hst_abi *abi)
{
    memset(types, 0, sizeof *types);
    types->image = image;
    types->abi = abi;
    hst_map_init(&types->by_address);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(types->known); i++)
        types->known[i].value = HST_MAP_ABSENT;
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
    int has_head = (flags & HST_TYPE_HAVE_GC) != 0 && !types->abi->free_threaded;
    return (has_head ? HST_COLLECTOR_HEAD_BYTES : 0) + ((flags & managed) != 0 ? MANAGED_BYTES : 0);
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

/* --- the layout of its objects --- */

/* Members of PyTypeObject, counted from tp_flags: the same in every version. */
enum { WEAKLIST_OFFSET_AFTER_FLAGS = 40, BASES_MAX = 64 };

static const struct {
    const char *name;
    enum hst_shape shape;
} shapes[] = {
    {"set", HST_SHAPE_SET},
    {"frozenset", HST_SHAPE_SET},
    {"collections.deque", HST_SHAPE_DEQUE},
    {"weakref", HST_SHAPE_WEAK},
    {"weakref.ReferenceType", HST_SHAPE_WEAK},
    {"weakproxy", HST_SHAPE_WEAK},
    {"weakref.ProxyType", HST_SHAPE_WEAK},
    {"weakcallableproxy", HST_SHAPE_WEAK},
    {"weakref.CallableProxyType", HST_SHAPE_WEAK},
    {"frame", HST_SHAPE_FRAME},
    {"generator", HST_SHAPE_GENERATOR},
    {"coroutine", HST_SHAPE_GENERATOR},
    {"async_generator", HST_SHAPE_GENERATOR},
    {"float", HST_SHAPE_LEAF},
    {"complex", HST_SHAPE_LEAF},
    {"PyCapsule", HST_SHAPE_LEAF}, /* what it points to is some C code's */
};

/* They name descriptions that are some C code's, which may have other things beside them, or memory that
 * another object owns. */
static const char *const describing[] = {
    "builtin_function_or_method",
    "builtin_method",
    "method_descriptor",
    "classmethod_descriptor",
    "wrapper_descriptor",
    "getset_descriptor",
    "member_descriptor",
    "method-wrapper",
    "memoryview",
    "managedbuffer",
};

static int is_describing(const char *name)
{
    for (size_t i = 0; i < HST_ARRAY_LENGTH(describing); i++)
        if (strcmp(name, describing[i]) == 0)
            return 1;
    return 0;
}

/* What their buffers hold is bytes and numbers. To 3.10 a code object keeps what its instructions found last:
 * those references are not counted. */
static int has_bytes(const struct hst_abi *abi, const char *name)
{
    static const char *const names[] = {"bytearray",          "array.array",        "_io.BufferedReader",
                                        "_io.BufferedWriter", "_io.BufferedRandom", "mmap.mmap"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(names); i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return abi->minor <= 10 && strcmp(name, "code") == 0;
}

static int shape_by_flags(uint64_t flags, enum hst_shape *ret_shape)
{
    *ret_shape = (flags & HST_TYPE_LIST) != 0                                     ? HST_SHAPE_LIST
                 : (flags & HST_TYPE_TUPLE) != 0                                  ? HST_SHAPE_TUPLE
                 : (flags & HST_TYPE_DICT) != 0                                   ? HST_SHAPE_DICT
                 : (flags & HST_TYPE_TYPE) != 0                                   ? HST_SHAPE_TYPE
                 : (flags & (HST_TYPE_LONG | HST_TYPE_STR | HST_TYPE_BYTES)) != 0 ? HST_SHAPE_LEAF
                                                                                  : HST_SHAPE_PLAIN;
    return *ret_shape != HST_SHAPE_PLAIN;
}

static int shape_by_name(const char *name, enum hst_shape *ret_shape)
{
    for (size_t i = 0; i < HST_ARRAY_LENGTH(shapes); i++)
        if (strcmp(name, shapes[i].name) == 0) {
            *ret_shape = shapes[i].shape;
            return 1;
        }
    return 0;
}

/* An lru_cache begins with a link of the ring that its entries are; the links are no references that keep
 * anything alive beside the cache's dict. */
#define LRU_ENTRY "functools._lru_list_elem"
#define LRU_CACHE "functools._lru_cache_wrapper"
/* Stands for a thread in a threading.local, whose dict it names without keeping it. */
#define LOCAL_DUMMY "_thread._localdummy"

/* The nearest type, itself or a base, that C code made, and its name as that gave it: classes made at run
 * time have no dot in theirs. */
static hst_raddr made_in_c(struct hst_heap_types *types, hst_raddr type, char *name, size_t size)
{
    for (int i = 0; i < BASES_MAX && type != 0; i++) {
        hst_raddr at = hst_image_word(types->image, type + types->abi->type_name);
        int is_heap = (flags_at(types, type) & HST_TYPE_HEAP) != 0;
        if (at != 0 && hst_memory_read_text(&types->image->memory, at, name, size) == HST_OK &&
            (!is_heap || strchr(name, '.') != NULL))
            return type;
        type = hst_image_word(types->image, type + types->abi->type_base);
    }
    name[0] = '\0';
    return 0;
}

static void find_attributes(struct hst_heap_types *types, const struct hst_type_facts *facts,
                            struct hst_layout *layout)
{
    hst_raddr flags_place = facts->address + types->abi->type_flags;
    int64_t dict = (int64_t)hst_image_word(types->image, facts->address + types->abi->type_dictoffset);
    int64_t weak = (int64_t)hst_image_word(types->image, flags_place + WEAKLIST_OFFSET_AFTER_FLAGS);
    layout->is_managed = types->abi->minor >= 11 && (facts->flags & HST_TYPE_MANAGED_DICT) != 0;
    if (dict < 0 && !layout->is_managed && facts->item_size != 0 && dict >= -(int64_t)facts->basic_size)
        layout->dict_from_end = (int32_t)dict;
    if (weak > 0 && weak < facts->basic_size)
        layout->skipped[0] = (uint32_t)weak;
}

/* The shape that a type's objects begin with; name: as its C code calls it. */
static enum hst_shape shape_of(uint64_t flags, const char *name)
{
    enum hst_shape shape;
    return shape_by_flags(flags, &shape) || shape_by_name(name, &shape) ? shape : HST_SHAPE_PLAIN;
}

/* The size of the structure that makes the shape: of the last base that has it. What stands behind it in an
 * object is the type's own. */
static uint32_t find_shape_bytes(struct hst_heap_types *types, const struct hst_type_facts *facts)
{
    char name[HST_TYPE_NAME_BYTES];
    hst_raddr type = facts->address, last = type;
    for (int i = 0; i < BASES_MAX && type != 0; i++) {
        hst_raddr c_type = made_in_c(types, type, name, sizeof name);
        if (c_type == 0 || shape_of(flags_at(types, c_type), name) != facts->layout.shape)
            break;
        last = c_type;
        type = hst_image_word(types->image, c_type + types->abi->type_base);
    }
    uint64_t bytes = hst_image_word(types->image, last + types->abi->type_basicsize);
    return bytes < facts->basic_size ? (uint32_t)bytes : facts->basic_size;
}

static void find_layout(struct hst_heap_types *types, struct hst_type_facts *facts)
{
    char name[HST_TYPE_NAME_BYTES];
    struct hst_layout *layout = &facts->layout;
    (void)made_in_c(types, facts->address, name, sizeof name);
    find_attributes(types, facts, layout);
    layout->shape = shape_of(facts->flags, name);
    layout->own_words =
        layout->shape == HST_SHAPE_PLAIN ? types->abi->object_size : find_shape_bytes(types, facts);
    layout->fields_end = facts->basic_size / 8 * 8;
    layout->has_items = layout->shape == HST_SHAPE_PLAIN && facts->item_size == sizeof(uint64_t);
    /* Of a type all are looked at: its structure is words. */
    layout->fields = layout->shape == HST_SHAPE_TYPE ? types->abi->object_size : layout->own_words;
    layout->owns_nothing = is_describing(name);
    layout->buffers_are_opaque = has_bytes(types->abi, name);
    if (layout->shape == HST_SHAPE_GENERATOR) {
        layout->fields = types->abi->object_size;
        if (types->abi->gen_frame != 0) /* behind it is a frame, which is no row of words */
            layout->fields_end = types->abi->gen_frame;
    }
    layout->has_copies = types->abi->code_tlbc != 0 && strcmp(name, "code") == 0;
    layout->is_linked = strcmp(name, LRU_ENTRY) == 0;
    if (strcmp(name, LOCAL_DUMMY) == 0 && types->abi->minor <= 12)
        layout->skipped[1] = types->abi->object_size;
    if (layout->is_linked || strcmp(name, LRU_CACHE) == 0) {
        layout->skipped[1] = types->abi->object_size;
        layout->skipped[2] = types->abi->object_size + 8;
    }
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
    types->items[types->count] = (struct hst_type_facts){.address = address,
                                                         .flags = flags,
                                                         .basic_size = (uint32_t)basic,
                                                         .item_size = (uint32_t)item,
                                                         .pre_bytes = pre_bytes(types, flags)};
    find_layout(types, &types->items[types->count]);
    return (uint32_t)types->count++;
}

uint32_t hst_heap_types_find(struct hst_heap_types *types, hst_raddr address)
{
    if (address % sizeof(uint64_t) != 0 || address < HST_SMALLEST_ADDRESS)
        return HST_MAP_ABSENT;
    struct hst_map_slot *known = &types->known[address / 64 % HST_ARRAY_LENGTH(types->known)];
    if (known->key == address && known->value != HST_MAP_ABSENT)
        return known->value;
    hst_raddr *refused = &types->refused[address / sizeof(uint64_t) % HST_ARRAY_LENGTH(types->refused)];
    if (*refused == address)
        return HST_MAP_ABSENT;
    uint32_t type = hst_map_find(&types->by_address, address);
    if (type != HST_MAP_ABSENT) {
        *known = (struct hst_map_slot){address, type};
        return type;
    }
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
    struct hst_type_facts *item = &types->items[type];
    if (item->name == NULL) {
        HST_CLEANUP(hst_buffer_release) struct hst_buffer name;
        hst_buffer_init(&name, 0); /* its parts have limits */
        enum hst_status status = hst_type_add_name(&types->image->memory, types->abi, item->address, &name);
        if (status == HST_OK && name.length > 0)
            item->name = hst_strndup((const char *)name.data, name.length);
        else if (status != HST_E_NOMEM)
            item->name = hst_strdup("?"); /* it is not asked for twice: what it is read from may be gone */
        types->out_of_memory |= item->name == NULL;
    }
    return item->name != NULL ? item->name : "?";
}
