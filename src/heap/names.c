/* From a class's shared keys, from the members that types declare (PyMemberDef), and from a short list for
 * types that show theirs through functions. */
#include "heap/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "heap/tables.h"
#include "reader/text.h"
#include "reader/type_flags.h"

enum {
    WORD = sizeof(uint64_t),
    MEMBERS_AFTER_FLAGS = 72, /* tp_members, in every version */
    MEMBER_BYTES = 40,        /* PyMemberDef: name, type, offset, flags, doc */
    MEMBERS_MAX = 512,        /* of a type with its bases */
    ATTRIBUTES_MAX = 256,
    MEMBER_OBJECT = 6,
    MEMBER_OBJECT_OR_ERROR = 16,
    BASES_MAX = 64,
    NAME_BYTES = 128,
};

struct known {
    const char *type;
    unsigned first_minor, last_minor;
    unsigned field;
    const char *name;
};
static const struct known known_fields[] = {
    {"function", 8, 9, 2, "__code__"},
    {"function", 8, 9, 3, "__globals__"},
    {"function", 8, 9, 4, "__defaults__"},
    {"function", 8, 9, 5, "__kwdefaults__"},
    {"function", 8, 9, 6, "__closure__"},
    {"function", 8, 9, 8, "__name__"},
    {"function", 8, 9, 9, "__dict__"},
    {"function", 8, 9, 12, "__annotations__"},
    {"function", 8, 9, 13, "__qualname__"},
    {"function", 10, 15, 2, "__globals__"},
    {"function", 10, 15, 3, "__builtins__"},
    {"function", 10, 15, 4, "__name__"},
    {"function", 10, 15, 5, "__qualname__"},
    {"function", 10, 15, 6, "__code__"},
    {"function", 10, 15, 7, "__defaults__"},
    {"function", 10, 15, 8, "__kwdefaults__"},
    {"function", 10, 15, 9, "__closure__"},
    {"function", 10, 15, 11, "__dict__"},
    {"function", 10, 15, 14, "__annotations__"},
    {"method", 8, 15, 2, "__func__"},
    {"method", 8, 15, 3, "__self__"},
    {"cell", 8, 15, 2, "cell_contents"},
    {"module", 8, 15, 2, "__dict__"},
    {"builtin_function_or_method", 8, 15, 3, "__self__"},
    {"property", 8, 15, 2, "fget"},
    {"property", 8, 15, 3, "fset"},
    {"property", 8, 15, 4, "fdel"},
    {"classmethod", 8, 15, 2, "__func__"},
    {"staticmethod", 8, 15, 2, "__func__"},
};

struct naming {
    struct hst_census *census;
    struct hst_heap *heap;
    uint32_t type;
    size_t capacity;
};

static enum hst_status add(struct naming *naming, hst_place place, const char *text)
{
    struct hst_heap *heap = naming->heap;
    uint32_t id = hst_strings_add_z(&heap->strings, text);
    if (id == HST_MAP_ABSENT || !HST_RESERVE(heap->names, naming->capacity, heap->name_count + 1))
        return HST_E_NOMEM;
    heap->names[heap->name_count++] = (struct hst_heap_name){naming->type, place, id};
    return HST_OK;
}

static enum hst_status name_attributes(struct naming *naming, const struct hst_type_facts *facts)
{
    const struct hst_image *image = naming->census->image;
    const struct hst_abi *abi = naming->census->abi;
    struct hst_dict_table table;
    if (!facts->layout.is_managed || (facts->flags & HST_TYPE_HEAP) == 0 ||
        !hst_dict_table_read(image, abi, hst_image_word(image, facts->address + abi->heaptype_cached_keys), 0,
                             &table))
        return HST_OK;
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 8 * NAME_BYTES);
    for (uint64_t i = 0; i < table.count && i < ATTRIBUTES_MAX; i++) {
        hst_raddr key = hst_image_word(image, table.entries + i * table.entry_bytes + table.key_offset);
        hst_buffer_clear(&text);
        if (key == 0)
            continue;
        enum hst_status status = hst_text_read(&naming->census->image->memory, abi, key, NAME_BYTES, &text);
        if (status == HST_E_NOMEM)
            return status;
        if (status != HST_OK)
            continue;
        hst_buffer_add_byte(&text, 0);
        HST_TRY(hst_buffer_status(&text));
        HST_TRY(add(naming, hst_place_of(HST_PLACE_ATTRIBUTE, i), (const char *)text.data));
    }
    return HST_OK;
}

static enum hst_status name_members(struct naming *naming, hst_raddr type, int *members_left)
{
    struct hst_memory *memory = &naming->census->image->memory;
    hst_raddr at = 0;
    HST_CLEANUP_FREE char *name = hst_alloc(NAME_BYTES, 1);
    if (name == NULL)
        return HST_E_NOMEM;
    if (hst_memory_read_u64(memory, type + naming->census->abi->type_flags + MEMBERS_AFTER_FLAGS, &at) !=
        HST_OK)
        return HST_OK;
    for (; *members_left > 0 && at != 0; --*members_left, at += MEMBER_BYTES) {
        uint64_t member[3];
        if (hst_memory_read(memory, at, member, sizeof member) != HST_OK || member[0] == 0)
            break;
        uint32_t kind = (uint32_t)member[1];
        if ((kind == MEMBER_OBJECT || kind == MEMBER_OBJECT_OR_ERROR) &&
            hst_memory_read_text(memory, member[0], name, NAME_BYTES) == HST_OK)
            HST_TRY(add(naming, hst_place_of(HST_PLACE_FIELD, member[2] / WORD), name));
    }
    return HST_OK;
}

static enum hst_status name_fields(struct naming *naming, const struct hst_type_facts *facts)
{
    const struct hst_abi *abi = naming->census->abi;
    const char *name = hst_heap_type_name(naming->heap, naming->type);
    unsigned head = (abi->object_size - 16) / WORD; /* the fields are those with a head of two words */
    int64_t dict = (int64_t)hst_image_word(naming->census->image, facts->address + abi->type_dictoffset);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(known_fields); i++) {
        const struct known *known = &known_fields[i];
        if (strcmp(name, known->type) == 0 && abi->minor >= known->first_minor &&
            abi->minor <= known->last_minor)
            HST_TRY(add(naming, hst_place_of(HST_PLACE_FIELD, known->field + head), known->name));
    }
    if (dict > 0 && dict < facts->basic_size)
        HST_TRY(add(naming, hst_place_of(HST_PLACE_FIELD, (uint64_t)dict / WORD), "__dict__"));
    if ((facts->flags & HST_TYPE_TYPE) != 0) /* the keys stand behind ht_name, ht_slots and ht_qualname */
        HST_TRY(
            add(naming, hst_place_of(HST_PLACE_FIELD, abi->heaptype_cached_keys / WORD - 1), "__qualname__"));
    hst_raddr type = facts->address;
    int members_left = MEMBERS_MAX;
    for (int i = 0; i < BASES_MAX && type != 0; i++) {
        HST_TRY(name_members(naming, type, &members_left));
        type = hst_image_word(naming->census->image, type + abi->type_base);
    }
    return HST_OK;
}

static int compare(const void *a, const void *b)
{
    const struct hst_heap_name *one = a, *other = b;
    if (one->type != other->type)
        return one->type < other->type ? -1 : 1;
    return one->place < other->place ? -1 : one->place > other->place;
}

enum hst_status hst_names_find(struct hst_census *census, struct hst_heap *heap)
{
    struct naming naming = {.census = census, .heap = heap};
    for (uint32_t i = 0; i < census->types.count; i++) {
        const struct hst_type_facts facts = census->types.items[i];
        naming.type = i;
        HST_TRY(name_attributes(&naming, &facts));
        HST_TRY(name_fields(&naming, &facts));
    }
    if (heap->name_count > 0)
        qsort(heap->names, heap->name_count, sizeof *heap->names, compare);
    size_t kept = 0;
    for (size_t i = 0; i < heap->name_count; i++) /* a class repeats what its base declares */
        if (kept == 0 || compare(&heap->names[kept - 1], &heap->names[i]) != 0)
            heap->names[kept++] = heap->names[i];
    heap->name_count = kept;
    return HST_OK;
}
