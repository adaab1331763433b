/* Blocks in use -> objects: first the small ones, then all that they refer to. */
#include "heap/census.h"

#include <string.h>

#include "base/memory.h"
#include "reader/type_flags.h"

enum {
    ALIGNMENT = 16,
    WORD = sizeof(uint64_t),
    STATE_BYTES = 4, /* of a str */
};
#define COLLECTOR_FLAGS UINT64_C(7)   /* in the lowest bits of both its words */
#define COUNT_MAX (UINT64_C(1) << 40) /* of references, to 3.11: what is more is an address */
#define OBJECT_BYTES_MAX (UINT64_C(1) << 40)

/* --- is it an object? --- */

static uint64_t word_at(const uint8_t *bytes, size_t offset)
{
    uint64_t word;
    memcpy(&word, bytes + offset, sizeof word);
    return word;
}

static uint64_t rounded(uint64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static int is_count(const struct hst_abi *abi, uint64_t word)
{
    if (abi->minor <= 11)
        return word > 0 && word < COUNT_MAX;
    if (abi->minor <= 13)
        return word > 0 && word >> 32 == 0;
    return (word & UINT32_MAX) != 0; /* since 3.14 flags stand above */
}

/* The collector's list goes through it, or it is in none. */
static int is_linked(struct hst_image *image, hst_raddr head)
{
    hst_raddr next = hst_image_word(image, head) & ~COLLECTOR_FLAGS;
    return next == 0 || (hst_image_word(image, next + WORD) & ~COLLECTOR_FLAGS) == head;
}

/* Bytes of a str whose head is at object; 0: it is none. */
static uint64_t text_bytes(const struct hst_abi *abi, const uint8_t *object)
{
    uint64_t length = word_at(object, abi->str_length);
    uint32_t state;
    memcpy(&state, object + abi->str_state, sizeof state);
    state >>= 2; /* interned: 2 bits */
    unsigned kind = state & 7, compact = state >> 3 & 1, ascii = state >> 4 & 1;
    if (length > OBJECT_BYTES_MAX || kind == 3 || kind > 4)
        return 0;
    if (!compact)
        return abi->str_compact_data + WORD;
    return (ascii ? abi->str_ascii_data : abi->str_compact_data) + (length + 1) * (kind == 0 ? 1 : kind);
}

/* How many items an object of a type with items has: its ob_size, or of an int its digits. */
static uint64_t items_of(const struct hst_abi *abi, const struct hst_heap_type *type, const uint8_t *object)
{
    int64_t size = (int64_t)word_at(object, abi->var_size);
    if ((type->flags & HST_TYPE_LONG) != 0 && abi->minor >= 12)
        return word_at(object, abi->long_tag) >> 3;
    return (uint64_t)(size < 0 ? -size : size);
}

enum fit {
    FIT_NOT,
    FIT_AT_LEAST, /* it may be larger: what it has more, only its type knows */
    FIT_EXACT,
};

/* Bytes from the object on that it takes, by its type. available: that can be looked at. */
static enum fit measure(const struct hst_census *census, const struct hst_heap_type *type,
                        const uint8_t *object, uint64_t available, uint64_t *ret_bytes)
{
    const struct hst_abi *abi = census->abi;
    *ret_bytes = type->basic_size;
    if ((type->flags & HST_TYPE_STR) != 0) {
        if (available < abi->str_state + STATE_BYTES)
            return FIT_NOT;
        uint64_t bytes = text_bytes(abi, object);
        int is_exact = (type->flags & HST_TYPE_HEAP) == 0;
        *ret_bytes = is_exact ? bytes : type->basic_size;
        return bytes == 0 ? FIT_NOT : is_exact ? FIT_EXACT : FIT_AT_LEAST;
    }
    if (available < type->basic_size)
        return FIT_NOT;
    if (type->item_size == 0)
        return (type->flags & HST_TYPE_INLINE_VALUES) != 0 && abi->minor >= 13 ? FIT_AT_LEAST : FIT_EXACT;
    uint64_t items = items_of(abi, type, object);
    if (items > OBJECT_BYTES_MAX / type->item_size)
        return FIT_NOT;
    *ret_bytes = type->basic_size + items * type->item_size;
    /* One item more where the type's own allocator adds it; of a class that derives from int, at least one.
     */
    return FIT_AT_LEAST;
}

static int fits_block(const struct hst_census *census, const struct hst_heap_type *type,
                      const uint8_t *object, uint64_t available)
{
    uint64_t bytes;
    enum fit fit = measure(census, type, object, available, &bytes);
    uint64_t whole = rounded(type->pre_bytes + bytes), block = type->pre_bytes + available;
    return fit == FIT_EXACT ? whole == block : fit == FIT_AT_LEAST && whole <= block;
}

/* The type of the object that begins pre bytes into the block; HST_MAP_ABSENT: none does. */
static uint32_t type_in_block(struct hst_census *census, const struct hst_block *block, uint32_t pre)
{
    const struct hst_abi *abi = census->abi;
    const uint8_t *object = block->bytes + pre;
    if (block->size < pre + abi->object_size || !is_count(abi, word_at(object, 0)))
        return HST_MAP_ABSENT;
    uint32_t index = hst_heap_types_find(&census->types, word_at(object, abi->object_type));
    if (index == HST_MAP_ABSENT)
        return HST_MAP_ABSENT;
    const struct hst_heap_type *type = &census->types.items[index];
    if (type->pre_bytes != pre)
        return HST_MAP_ABSENT;
    if ((type->flags & HST_TYPE_HAVE_GC) != 0 && !is_linked(census->image, block->address + pre - ALIGNMENT))
        return HST_MAP_ABSENT;
    return fits_block(census, type, object, block->size - pre) ? index : HST_MAP_ABSENT;
}

/* --- small ones --- */

static enum hst_status add_object(struct hst_census *census, hst_raddr address, uint32_t type, uint64_t bytes)
{
    if (!HST_RESERVE(census->objects, census->capacity, census->count + 1))
        return HST_E_NOMEM;
    census->objects[census->count++] = (struct hst_object){
        .address = address, .type = type, .bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX};
    return HST_OK;
}

static enum hst_status look_at_block(void *context, const struct hst_block *block)
{
    static const uint32_t pres[] = {0, 16, 32};
    struct hst_census *census = context;
    for (size_t i = 0; i < HST_ARRAY_LENGTH(pres); i++) {
        uint32_t type = type_in_block(census, block, pres[i]);
        if (type != HST_MAP_ABSENT)
            return add_object(census, block->address + pres[i], type, block->size);
    }
    census->buffers++;
    census->buffer_bytes += block->size;
    return HST_OK;
}

/* The small object that lies in the block at address, by halving; NULL: none does. */
static struct hst_object *object_in(struct hst_census *census, hst_raddr block)
{
    size_t low = 0, high = census->small_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (census->objects[middle].address < block)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == census->small_count)
        return NULL;
    struct hst_object *object = &census->objects[low];
    uint32_t pre = census->types.items[object->type].pre_bytes;
    return object->address - pre == block ? object : NULL;
}

/* What an object owns is a table, whatever it looks like. */
static void take_back(struct hst_census *census, hst_raddr table)
{
    struct hst_object *taken = table != 0 ? object_in(census, table) : NULL;
    if (taken == NULL || taken->bytes == 0)
        return;
    census->buffers++;
    census->buffer_bytes += taken->bytes;
    taken->bytes = 0; /* marked; removed when all are known */
}

static void take_back_tables(struct hst_census *census, const struct hst_object *object)
{
    const struct hst_abi *abi = census->abi;
    uint64_t flags = census->types.items[object->type].flags;
    if ((flags & HST_TYPE_LIST) != 0) {
        take_back(census, hst_image_word(census->image, object->address + abi->list_items));
    } else if ((flags & HST_TYPE_DICT) != 0) {
        take_back(census, hst_image_word(census->image, object->address + abi->dict_keys));
        take_back(census, hst_image_word(census->image, object->address + abi->dict_values));
    }
}

static void remove_tables(struct hst_census *census)
{
    size_t kept = 0;
    census->small_count = census->count;
    for (size_t i = 0; i < census->count; i++)
        if (census->objects[i].bytes != 0)
            take_back_tables(census, &census->objects[i]);
    for (size_t i = 0; i < census->count; i++)
        if (census->objects[i].bytes != 0)
            census->objects[kept++] = census->objects[i];
    census->count = census->small_count = kept;
}

/* --- large and static ones --- */

static enum hst_status meet(struct hst_census *census, hst_raddr address)
{
    const struct hst_abi *abi = census->abi;
    const uint8_t *object =
        address % WORD == 0 ? hst_image_at(census->image, address, abi->object_size) : NULL;
    if (object == NULL)
        return HST_OK;
    uint32_t index = hst_heap_types_find(&census->types, word_at(object, abi->object_type));
    if (index == HST_MAP_ABSENT || !is_count(abi, word_at(object, 0)) ||
        hst_map_find(&census->large, address) != HST_MAP_ABSENT ||
        hst_pools_hold(census->image, abi, address))
        return HST_OK;
    const struct hst_heap_type *type = &census->types.items[index];
    const struct hst_image_region *region = hst_image_find(census->image, address);
    uint64_t bytes, available = region->end - address;
    if (measure(census, type, object, available, &bytes) == FIT_NOT || bytes > available)
        return HST_OK;
    if (!hst_map_set(&census->large, address, (uint32_t)census->count))
        return HST_E_NOMEM;
    return add_object(census, address, index, type->pre_bytes + bytes);
}

static enum hst_status meet_all(struct hst_census *census, hst_raddr from, uint64_t bytes)
{
    const uint8_t *words = hst_image_at(census->image, from, bytes);
    for (uint64_t at = 0; words != NULL && at + WORD <= bytes; at += WORD)
        HST_TRY(meet(census, word_at(words, at)));
    return HST_OK;
}

/* What it refers to by its own words, and by its table where that may be large. */
static enum hst_status meet_references(struct hst_census *census, size_t index)
{
    const struct hst_object object = census->objects[index];
    const struct hst_heap_type type = census->types.items[object.type];
    const struct hst_abi *abi = census->abi;
    HST_TRY(meet_all(census, object.address - type.pre_bytes, object.bytes / WORD * WORD));
    if ((type.flags & HST_TYPE_LIST) != 0) {
        uint64_t items = hst_image_word(census->image, object.address + abi->var_size);
        if (items < OBJECT_BYTES_MAX / WORD)
            return meet_all(census, hst_image_word(census->image, object.address + abi->list_items),
                            items * WORD);
    }
    return HST_OK;
}

static enum hst_status look_at_buffer(void *context, const struct hst_block *block)
{
    struct hst_census *census = context;
    return meet_all(census, block->address, block->size);
}

static enum hst_status find_large(struct hst_census *census)
{
    struct hst_pool_sums unused;
    HST_TRY(hst_pools_visit(census->image, census->abi, look_at_buffer, census, &unused));
    for (size_t i = 0; i < census->types.count; i++)
        HST_TRY(meet(census, census->types.items[i].address));
    for (size_t i = 0; i < census->count; i++)
        HST_TRY(meet_references(census, i));
    return HST_OK;
}

enum hst_status hst_census_take(struct hst_image *image, const struct hst_abi *abi,
                                struct hst_census *ret_census)
{
    memset(ret_census, 0, sizeof *ret_census);
    if (abi->free_threaded)
        return HST_E_UNSUPPORTED;
    ret_census->image = image;
    ret_census->abi = abi;
    hst_heap_types_init(&ret_census->types, image, abi);
    hst_map_init(&ret_census->large);
    enum hst_status status = hst_pools_visit(image, abi, look_at_block, ret_census, &ret_census->pools);
    if (status == HST_OK) {
        remove_tables(ret_census);
        status = find_large(ret_census);
    }
    if (status == HST_OK && ret_census->types.out_of_memory)
        status = HST_E_NOMEM;
    if (status == HST_OK && ret_census->count == 0)
        status = HST_E_UNSUPPORTED;
    if (status != HST_OK)
        hst_census_release(ret_census);
    return status;
}

void hst_census_release(struct hst_census *census)
{
    hst_heap_types_release(&census->types);
    hst_free(census->objects);
    hst_map_release(&census->large);
    memset(census, 0, sizeof *census);
}
