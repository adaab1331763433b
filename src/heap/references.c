/* Layouts as in tables.c, and Objects/frameobject.c, genobject.c, Include/internal/pycore_frame.h of 3.8 to
 * 3.15. */
#include "heap/references.h"

#include <string.h>

#include "heap/counts.h"
#include "heap/tables.h"
#include "reader/type_flags.h"

enum {
    WORD = sizeof(uint64_t),
    TAGS_3_14 = 7, /* of a reference in a frame */
    TAG_UNCOUNTED = 1,
    SLOTS_MAX = 1 << 16,
    SET_ENTRY = 16,
    ATTRIBUTES_MAX = 256,
    STATIC_TYPE_END_AFTER_FLAGS = 200, /* tp_weaklist */
};
#define ITEMS_MAX (UINT64_C(1) << 37)

struct visit {
    const struct hst_image *image;
    const struct hst_abi *abi;
    const struct hst_type_facts *type;
    hst_raddr object;
    const uint8_t *bytes; /* of the object */
    uint64_t length;
    struct hst_look *look;
};

static uint64_t load(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t field(const struct visit *all, uint64_t offset)
{
    return offset + WORD <= all->length ? load(all->bytes + offset) : 0;
}

static enum hst_status give(const struct visit *all, uint64_t target, enum hst_place_kind kind,
                            uint64_t index)
{
    return target != 0 ? all->look->visit(all->look->context, target, hst_place_of(kind, index)) : HST_OK;
}

/* --- words and arrays --- */

static int is_skipped(const struct hst_layout *layout, uint32_t offset)
{
    for (int i = 0; i < HST_LAYOUT_SKIPPED; i++)
        if (layout->skipped[i] == offset)
            return 1;
    return 0;
}

static enum hst_status give_fields(const struct visit *all)
{
    const struct hst_layout *layout = &all->type->layout;
    uint64_t end = layout->fields_end, items = layout->has_items ? field(all, all->abi->var_size) : 0;
    if (items < ITEMS_MAX) /* the block may be larger; what stands there is of before */
        end += items * WORD;
    /* A type that is no class of Python's ends early; what the metaclass counts is the size of a class. */
    if (layout->shape == HST_SHAPE_TYPE && layout->own_words == all->type->basic_size &&
        (field(all, all->abi->type_flags) & HST_TYPE_HEAP) == 0)
        end = all->abi->type_flags + STATIC_TYPE_END_AFTER_FLAGS;
    if (!hst_look_allows(all->look, (end < all->length ? end : all->length) / WORD))
        return HST_OK;
    for (uint64_t at = layout->fields; at + WORD <= end && at + WORD <= all->length; at += WORD)
        if (!is_skipped(layout, (uint32_t)at))
            HST_TRY(give(all, load(all->bytes + at), HST_PLACE_FIELD, at / WORD));
    return HST_OK;
}

static enum hst_status give_array(const struct visit *all, hst_raddr array, uint64_t count,
                                  enum hst_place_kind kind)
{
    const uint8_t *items =
        count > 0 && count < ITEMS_MAX ? hst_image_at(all->image, array, count * WORD) : NULL;
    if (items == NULL || !hst_look_allows(all->look, count))
        return HST_OK;
    for (uint64_t i = 0; items != NULL && i < count; i++)
        HST_TRY(give(all, load(items + i * WORD), kind, i));
    return HST_OK;
}

static enum hst_status give_list(const struct visit *all)
{
    return give_array(all, field(all, all->abi->list_items), field(all, all->abi->var_size), HST_PLACE_ITEM);
}

static enum hst_status give_tuple(const struct visit *all)
{
    uint64_t count = field(all, all->abi->var_size), offset = all->abi->tuple_items;
    if (offset > all->length || count > (all->length - offset) / WORD || !hst_look_allows(all->look, count))
        return HST_OK;
    for (uint64_t i = 0; i < count; i++)
        HST_TRY(give(all, load(all->bytes + offset + i * WORD), HST_PLACE_ITEM, i));
    return HST_OK;
}

static enum hst_status give_set(const struct visit *all)
{
    uint64_t count = field(all, all->abi->set_mask) + 1, hash;
    hst_raddr table = field(all, all->abi->set_table);
    const uint8_t *entries = count < ITEMS_MAX ? hst_image_at(all->image, table, count * SET_ENTRY) : NULL;
    if (entries == NULL || !hst_look_allows(all->look, count))
        return HST_OK;
    for (uint64_t i = 0; i < count; i++) {
        hash = load(entries + i * SET_ENTRY + WORD);
        if (hash != UINT64_MAX) /* -1: something was here, and was taken out */
            HST_TRY(give(all, load(entries + i * SET_ENTRY), HST_PLACE_ITEM, i));
    }
    return HST_OK;
}

static enum hst_status give_deque(const struct visit *all)
{
    uint64_t first = all->abi->var_size + WORD; /* left block, right block, left index, right index */
    uint64_t size = field(all, all->abi->var_size), at = field(all, first + 2 * WORD);
    hst_raddr block = field(all, first);
    if (!hst_look_allows(all->look, size))
        return HST_OK;
    for (uint64_t i = 0; i < size && block != 0 && at < HST_DEQUE_BLOCK_ITEMS; i++) {
        HST_TRY(give(all, hst_image_word(all->image, block + (at + 1) * WORD), HST_PLACE_ITEM, i));
        if (++at == HST_DEQUE_BLOCK_ITEMS) {
            at = 0;
            block = hst_image_word(all->image, block + (HST_DEQUE_BLOCK_ITEMS + 1) * WORD);
        }
    }
    return HST_OK;
}

/* --- dicts and attributes --- */

static enum hst_status give_split(const struct visit *all, const struct hst_dict_table *table)
{
    if (!hst_look_allows(all->look, 2 * table->count))
        return HST_OK;
    for (uint64_t i = 0; i < table->count; i++) {
        hst_raddr key =
            hst_image_word(all->image, table->entries + i * table->entry_bytes + table->key_offset);
        hst_raddr value = hst_image_word(all->image, table->values + i * WORD);
        if (value == 0)
            continue;
        HST_TRY(give(all, key, HST_PLACE_KEY, i));
        HST_TRY(give(all, value, HST_PLACE_VALUE, i));
    }
    return HST_OK;
}

static enum hst_status give_table(const struct visit *all, const struct hst_dict_table *table)
{
    const uint8_t *entries = hst_image_at(all->image, table->entries, table->count * table->entry_bytes);
    if (entries == NULL || !hst_look_allows(all->look, 2 * table->count))
        return HST_OK;
    for (uint64_t i = 0; i < table->count; i++) {
        const uint8_t *entry = entries + i * table->entry_bytes + table->key_offset;
        if (load(entry + WORD) == 0)
            continue;
        HST_TRY(give(all, load(entry), HST_PLACE_KEY, i));
        HST_TRY(give(all, load(entry + WORD), HST_PLACE_VALUE, i));
    }
    return HST_OK;
}

static enum hst_status give_dict(const struct visit *all)
{
    struct hst_dict_table table;
    if (!hst_dict_table_read(all->image, all->abi, field(all, all->abi->dict_keys),
                             field(all, all->abi->dict_values), &table))
        return HST_OK;
    return table.values != 0 ? give_split(all, &table) : give_table(all, &table);
}

/* A dict with split keys does not hold its keys one by one: the class does, whose instances share them. */
static enum hst_status give_class(const struct visit *all)
{
    struct hst_dict_table table;
    if ((field(all, all->abi->type_flags) & HST_TYPE_HEAP) == 0 ||
        !hst_dict_table_read(all->image, all->abi, field(all, all->abi->heaptype_cached_keys), 0, &table) ||
        !hst_look_allows(all->look, table.count))
        return HST_OK;
    for (uint64_t i = 0; i < table.count; i++)
        HST_TRY(give(all,
                     hst_image_word(all->image, table.entries + i * table.entry_bytes + table.key_offset),
                     HST_PLACE_KEY, i));
    return HST_OK;
}

static enum hst_status give_attributes(const struct visit *all)
{
    hst_raddr dict, values;
    struct hst_dict_table table;
    hst_attributes_find(all->image, all->abi, all->type, all->object, &dict, &values);
    if (dict != 0)
        return give(all, dict, HST_PLACE_ATTRIBUTE, HST_PLACE_INDEX_MAX);
    if (values == 0 ||
        !hst_dict_table_read(all->image, all->abi,
                             hst_image_word(all->image, all->type->address + all->abi->heaptype_cached_keys),
                             values, &table))
        return HST_OK;
    return give_array(all, table.values, table.count < ATTRIBUTES_MAX ? table.count : ATTRIBUTES_MAX,
                      HST_PLACE_ATTRIBUTE);
}

/* --- frames --- */

/* What is kept by references that are not counted. */
static int is_deferred(const struct visit *all, hst_raddr object)
{
    const uint8_t *head = hst_image_at(all->image, object, all->abi->object_size);
    return head != NULL && hst_count_is_deferred(all->abi, head);
}

/* References that a frame counts: from 3.14 on it says of each whether it does. */
static enum hst_status give_slots(const struct visit *all, hst_raddr from, uint64_t first, uint64_t count)
{
    if (first + count > SLOTS_MAX || !hst_look_allows(all->look, count))
        return HST_OK;
    for (uint64_t i = first; i < first + count; i++) {
        uint64_t slot = hst_image_word(all->image, from + i * WORD);
        if (all->abi->minor >= 14 && (slot & TAG_UNCOUNTED) != 0 &&
            !is_deferred(all, slot & ~(uint64_t)TAGS_3_14))
            continue;
        HST_TRY(give(all, all->abi->minor >= 14 ? slot & ~(uint64_t)TAGS_3_14 : slot, HST_PLACE_VARIABLE, i));
    }
    return HST_OK;
}

/* How many slots are in use: variables, and the value stack where the frame says how high it is. */
static uint64_t slots_in_use(const struct visit *all, hst_raddr frame, hst_raddr code)
{
    const struct hst_abi *abi = all->abi;
    uint64_t variables = hst_image_word(all->image, code + abi->code_nlocalsplus) & UINT32_MAX;
    uint64_t top = hst_image_word(all->image, frame + abi->frame_stack_top);
    if (abi->minor <= 13)
        top = (uint32_t)top;
    else
        top = top > frame + abi->frame_localsplus ? (top - frame - abi->frame_localsplus) / WORD : 0;
    return top > variables && top < SLOTS_MAX ? top : variables;
}

static enum hst_status give_frame(const struct visit *all, hst_raddr frame)
{
    const struct hst_abi *abi = all->abi;
    uint64_t tags = abi->minor >= 14 ? TAGS_3_14 : 0;
    hst_raddr code = hst_image_word(all->image, frame + abi->frame_code) & ~tags;
    /* Function, globals, builtins, locals, and the frame's object in this order; the second and third are the
     * function's. From 3.12 on the frame's own links stand between some of them. */
    hst_raddr function = frame + abi->frame_function;
    HST_TRY(give(all, code, HST_PLACE_FIELD, 0));
    HST_TRY(give(all, hst_image_word(all->image, function) & ~tags, HST_PLACE_FIELD, 1));
    HST_TRY(give(all, hst_image_word(all->image, function + 3 * WORD), HST_PLACE_FIELD, 2));
    HST_TRY(give(all, hst_image_word(all->image, function + (abi->minor == 11 ? 5 : 4) * WORD),
                 HST_PLACE_FIELD, 3));
    return give_slots(all, frame + abi->frame_localsplus, 0, slots_in_use(all, frame, code));
}

enum hst_status hst_frame_references_visit(struct hst_look *look, hst_raddr frame)
{
    const struct visit all = {.image = look->image, .abi = look->abi, .look = look};
    return give_frame(&all, frame);
}

/* gi_frame_state, the byte before the frame: 3.15 numbers the states anew. */
static enum hst_status give_generator(const struct visit *all)
{
    enum { STATE_BEFORE_FRAME = 5, ENDED = 1, ENDED_3_15 = 5, NEGATIVE = 0x80 };
    const struct hst_abi *abi = all->abi;
    if (abi->minor <= 10) /* its frame is an object */
        return HST_OK;
    if (abi->gen_frame < STATE_BEFORE_FRAME || abi->gen_frame > all->length)
        return HST_OK;
    unsigned state = all->bytes[abi->gen_frame - STATE_BEFORE_FRAME]; /* a signed char */
    if (state >= (abi->minor >= 15 ? ENDED_3_15 : ENDED) && state < NEGATIVE)
        return HST_OK;
    return give_frame(all, all->object + abi->gen_frame);
}

/* Up to 3.10 a frame is an object with its variables and its value stack behind it. */
static enum hst_status give_frame_3_10(const struct visit *all)
{
    enum { VALUE_STACK = 64, STACK_TOP_3_9 = 72, STACK_DEPTH_3_10 = 80 };
    const struct hst_abi *abi = all->abi;
    hst_raddr code = field(all, abi->frame_code), slots = all->object + abi->frame_localsplus;
    hst_raddr cells = hst_image_word(all->image, code + abi->code_cellvars);
    hst_raddr outer = hst_image_word(all->image, code + abi->code_freevars);
    uint64_t variables = (hst_image_word(all->image, code + abi->code_nlocalsplus) & UINT32_MAX) +
                         hst_image_word(all->image, cells + abi->var_size) +
                         hst_image_word(all->image, outer + abi->var_size);
    uint64_t stack = field(all, VALUE_STACK), top;
    if (abi->minor == 10)
        top = (int32_t)field(all, STACK_DEPTH_3_10) > 0 ? (field(all, STACK_DEPTH_3_10) & UINT32_MAX) : 0;
    else
        top = field(all, STACK_TOP_3_9) > stack ? (field(all, STACK_TOP_3_9) - stack) / WORD : 0;
    if (all->length < abi->frame_localsplus)
        return HST_OK;
    /* Behind them come the generator, which holds the frame, and blocks that may never have been used. */
    for (uint32_t at = abi->var_size + WORD; at < abi->frame_instruction - WORD; at += WORD)
        HST_TRY(give(all, field(all, at), HST_PLACE_FIELD, at / WORD));
    uint64_t room = (all->length - abi->frame_localsplus) / WORD;
    HST_TRY(give_slots(all, slots, 0, variables < room ? variables : room));
    return variables + top <= room ? give_slots(all, slots, variables, top) : HST_OK;
}

/* From 3.11 on the object has a frame in itself once the call has ended; until then it names a running one.
 */
static enum hst_status give_frame_object(const struct visit *all)
{
    const struct hst_abi *abi = all->abi;
    uint32_t own = all->type->basic_size - abi->frame_size;
    uint64_t back = abi->object_size, frame = back + WORD;
    if (all->type->basic_size < abi->frame_size || own > all->length)
        return HST_OK;
    for (uint64_t at = back; at < own; at += WORD)
        if (at != frame)
            HST_TRY(give(all, field(all, at), HST_PLACE_FIELD, at / WORD));
    return field(all, frame) == all->object + own ? give_frame(all, all->object + own) : HST_OK;
}

/* --- all of it --- */

static enum hst_status give_shape(const struct visit *all)
{
    switch (all->type->layout.shape) {
    case HST_SHAPE_LIST:
        return give_list(all);
    case HST_SHAPE_TUPLE:
        return give_tuple(all);
    case HST_SHAPE_DICT:
        return give_dict(all);
    case HST_SHAPE_SET:
        return give_set(all);
    case HST_SHAPE_DEQUE:
        return give_deque(all);
    case HST_SHAPE_TYPE:
        return give_class(all);
    case HST_SHAPE_WEAK: /* only what it calls when the object has gone */
        return give(all, field(all, all->abi->object_size + WORD), HST_PLACE_FIELD,
                    all->abi->object_size / WORD + 1);
    case HST_SHAPE_FRAME:
        return all->abi->minor <= 10 ? give_frame_3_10(all) : give_frame_object(all);
    case HST_SHAPE_GENERATOR:
        return give_generator(all);
    case HST_SHAPE_PLAIN:
    case HST_SHAPE_LEAF:
        break;
    }
    return HST_OK;
}

static enum hst_status give_dict_at_end(const struct visit *all)
{
    const struct hst_type_facts *type = all->type;
    uint64_t word = field(all, all->abi->var_size), items = word >> 63 != 0 ? 0 - word : word;
    if ((type->flags & HST_TYPE_LONG) != 0 && all->abi->minor >= 12)
        return HST_OK;
    uint64_t size = type->basic_size + items * type->item_size;
    uint64_t at = (size + WORD - 1) / WORD * WORD - (uint64_t)-type->layout.dict_from_end;
    return at < all->length ? give(all, field(all, at), HST_PLACE_ATTRIBUTE, HST_PLACE_INDEX_MAX) : HST_OK;
}

enum hst_status hst_references_visit(struct hst_look *look, const struct hst_type_facts *type,
                                     hst_raddr object, uint64_t bytes)
{
    const struct hst_abi *abi = look->abi;
    const struct visit all = {look->image, abi, type, object, hst_image_at(look->image, object, bytes),
                              bytes,       look};
    if (all.bytes == NULL)
        return HST_OK;
    if ((type->flags & HST_TYPE_HEAP) != 0)
        HST_TRY(give(&all, type->address, HST_PLACE_FIELD, abi->object_type / WORD));
    if (type->layout.is_managed)
        HST_TRY(give_attributes(&all));
    HST_TRY(give_shape(&all));
    if (type->layout.dict_from_end != 0)
        HST_TRY(give_dict_at_end(&all));
    return type->layout.shape != HST_SHAPE_FRAME ? give_fields(&all) : HST_OK;
}
