/* Layouts: Objects/listobject.c, dictobject.c, setobject.c, typeobject.c, Modules/_collectionsmodule.c of
 * 3.8 to 3.15. */
#include "heap/tables.h"

#include <string.h>

#include "reader/type_flags.h"

enum {
    WORD = sizeof(uint64_t),
    GENERAL_ENTRY = 24, /* hash, key, value */
    TEXT_ENTRY = 16,    /* key, value */
    KIND_GENERAL = 0,
    LOG2_MAX = 40,
    DICT_PLACE_FREE_THREADED = 8,
    DICT_PLACE = 24, /* before an object that the interpreter manages the attributes of */
    VALUES_PLACE_3_11 = 32,
    VALUES_HEAD_3_13 = 8,
    SET_ENTRY = 16,
    COPIES_MAX = 1 << 16,
    DEQUE_BLOCK_BYTES = (HST_DEQUE_BLOCK_ITEMS + 2) * WORD,
};
#define ITEMS_MAX (UINT64_C(1) << 37)

/* --- dicts --- */

uint64_t hst_dict_table_room(uint64_t size) { return (size << 1) / 3; }

/* The index of a table: of the least width that holds its size. */
static uint64_t index_bytes_of(uint64_t size)
{
    return size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= UINT32_MAX ? 4 : 8);
}

uint64_t hst_dict_table_bytes(const struct hst_abi *abi, uint64_t size, uint64_t entry_bytes)
{
    return abi->keys_indices + index_bytes_of(size) + hst_dict_table_room(size) * entry_bytes;
}

/* struct _dictkeysobject to 3.10: the table's size as a number, and its index. */
static int read_size_3_10(const struct hst_abi *abi, const uint8_t *head, uint64_t *ret_size,
                          uint64_t *ret_index_bytes)
{
    uint64_t size;
    memcpy(&size, head + abi->keys_log2_size, sizeof size);
    if (size == 0 || (size & (size - 1)) != 0 || size > UINT64_C(1) << LOG2_MAX)
        return 0;
    *ret_size = size;
    *ret_index_bytes = index_bytes_of(size);
    return 1;
}

static int read_size(const struct hst_abi *abi, const uint8_t *head, uint64_t *ret_size,
                     uint64_t *ret_index_bytes)
{
    unsigned size = head[abi->keys_log2_size], index = head[abi->keys_log2_index_bytes];
    if (size > LOG2_MAX || index > LOG2_MAX + 3)
        return 0;
    *ret_size = UINT64_C(1) << size;
    *ret_index_bytes = UINT64_C(1) << index;
    return 1;
}

int hst_dict_table_read(const struct hst_image *image, const struct hst_abi *abi, hst_raddr keys,
                        hst_raddr values, struct hst_dict_table *ret_table)
{
    const uint8_t *head = keys % WORD == 0 ? hst_image_at(image, keys, abi->keys_indices) : NULL;
    uint64_t size, index_bytes, count;
    if (head == NULL || !(abi->minor <= 10 ? read_size_3_10(abi, head, &size, &index_bytes)
                                           : read_size(abi, head, &size, &index_bytes)))
        return 0;
    memcpy(&count, head + abi->keys_nentries, sizeof count);
    int is_general = abi->minor <= 10 || head[abi->keys_kind] == KIND_GENERAL;
    uint32_t entry = is_general ? GENERAL_ENTRY : TEXT_ENTRY;
    uint64_t bytes = abi->keys_indices + index_bytes + hst_dict_table_room(size) * entry;
    if (count > hst_dict_table_room(size) || bytes > image->bytes || hst_image_at(image, keys, bytes) == NULL)
        return 0;
    if (values != 0 && abi->minor >= 13)
        values += VALUES_HEAD_3_13;
    *ret_table = (struct hst_dict_table){.keys = keys,
                                         .bytes = bytes,
                                         .entries = keys + abi->keys_indices + index_bytes,
                                         .entry_bytes = entry,
                                         .key_offset = is_general ? WORD : 0,
                                         .count = count,
                                         .room = hst_dict_table_room(size),
                                         .values = values};
    return 1;
}

void hst_attributes_find(const struct hst_image *image, const struct hst_abi *abi,
                         const struct hst_type_facts *type, hst_raddr object, hst_raddr *ret_dict,
                         hst_raddr *ret_values)
{
    *ret_dict = *ret_values = 0;
    if (!type->layout.is_managed)
        return;
    uint64_t word =
        hst_image_word(image, object - (abi->free_threaded ? DICT_PLACE_FREE_THREADED : DICT_PLACE));
    if (abi->minor == 11) {
        *ret_dict = word;
        if (word == 0)
            *ret_values = hst_image_word(image, object - VALUES_PLACE_3_11);
    } else if (abi->minor == 12) { /* the low bit tells which of the two it is */
        *((word & 1) != 0 ? ret_values : ret_dict) = (word & 1) != 0 ? word + 1 : word;
    } else if (word != 0) {
        *ret_dict = word;
    } else if ((type->flags & HST_TYPE_INLINE_VALUES) != 0) {
        uint64_t head = hst_image_word(image, object + type->basic_size);
        *ret_values =
            (head >> 24 & 0xff) != 0 ? object + type->basic_size : 0; /* capacity, size, embedded, valid */
    }
}

/* 3.13 and later: values that lie in an instance are that instance's. */
static int is_inline(const struct hst_image *image, const struct hst_abi *abi, hst_raddr values)
{
    return abi->minor >= 13 && (hst_image_word(image, values) >> 16 & 0xff) != 0;
}

/* --- what each owns --- */

struct visit {
    const struct hst_image *image;
    const struct hst_abi *abi;
    const struct hst_type_facts *type;
    hst_raddr object;
    hst_table_visitor *visit;
    void *context;
};

static uint64_t word(const struct visit *visit, uint64_t offset)
{
    return hst_image_word(visit->image, visit->object + offset);
}

static int give(const struct visit *visit, hst_raddr table, uint64_t bytes, uint64_t used)
{
    return table != 0 && visit->visit(visit->context, table, bytes, used);
}

static void give_list(const struct visit *visit)
{
    enum { ALLOCATED_AFTER_ITEMS = 8 };
    uint64_t size = word(visit, visit->abi->var_size);
    uint64_t allocated = word(visit, visit->abi->list_items + ALLOCATED_AFTER_ITEMS);
    if (allocated > ITEMS_MAX || size > allocated)
        return;
    (void)give(visit, word(visit, visit->abi->list_items), allocated * WORD, size * WORD);
}

static void give_dict(const struct visit *visit)
{
    struct hst_dict_table table;
    hst_raddr values = word(visit, visit->abi->dict_values);
    uint64_t used = word(visit, visit->abi->dict_used);
    if (!hst_dict_table_read(visit->image, visit->abi, word(visit, visit->abi->dict_keys), values, &table))
        return;
    uint64_t empty = used < table.room ? (table.room - used) * table.entry_bytes : 0;
    (void)give(visit, table.keys, table.bytes, table.bytes - empty);
    if (values == 0 || is_inline(visit->image, visit->abi, values))
        return;
    (void)give(visit, values, table.room * WORD, used * WORD);
}

static void give_set(const struct visit *visit)
{
    uint64_t mask = word(visit, visit->abi->set_mask), used = word(visit, visit->abi->set_used);
    hst_raddr table = word(visit, visit->abi->set_table);
    int is_inside = table >= visit->object && table < visit->object + visit->type->basic_size;
    if (mask > ITEMS_MAX || is_inside)
        return;
    (void)give(visit, table, (mask + 1) * SET_ENTRY, used * SET_ENTRY);
}

static void give_deque(const struct visit *visit)
{
    hst_raddr block = word(visit, visit->abi->var_size + WORD);
    hst_raddr last = word(visit, visit->abi->var_size + 2 * WORD);
    uint64_t most = word(visit, visit->abi->var_size) / HST_DEQUE_BLOCK_ITEMS + 2;
    for (uint64_t i = 0; i < most && block != 0; i++) {
        if (!give(visit, block, DEQUE_BLOCK_BYTES, DEQUE_BLOCK_BYTES) || block == last)
            break; /* a chain that leads back ends here too */
        block = hst_image_word(visit->image, block + DEQUE_BLOCK_BYTES - WORD);
    }
}

static void give_class(const struct visit *visit)
{
    struct hst_dict_table table;
    if ((word(visit, visit->abi->type_flags) & HST_TYPE_HEAP) == 0 ||
        !hst_dict_table_read(visit->image, visit->abi, word(visit, visit->abi->heaptype_cached_keys), 0,
                             &table))
        return;
    (void)give(visit, table.keys, table.bytes, table.bytes);
}

/* Attributes that lie in an array of their own: 3.11 and 3.12. */
static void give_values(const struct visit *visit)
{
    hst_raddr dict, values;
    hst_attributes_find(visit->image, visit->abi, visit->type, visit->object, &dict, &values);
    if (values == 0 || visit->abi->minor >= 13)
        return;
    hst_raddr keys = hst_image_word(visit->image, visit->type->address + visit->abi->heaptype_cached_keys);
    struct hst_dict_table table;
    if (!hst_dict_table_read(visit->image, visit->abi, keys, values, &table))
        return;
    (void)give(visit, values, table.room * WORD, table.room * WORD);
}

/* Copies of bytecode, which have caches between the instructions that are no references of the code's. The
 * first is the code's own. */
static void give_copies(const struct visit *visit)
{
    hst_raddr array = word(visit, visit->abi->code_tlbc);
    uint64_t count = array != 0 ? hst_image_word(visit->image, array) : 0;
    if (count > COPIES_MAX || !give(visit, array, (count + 1) * WORD, (count + 1) * WORD))
        return;
    for (uint64_t i = 2; i <= count; i++)
        (void)give(visit, hst_image_word(visit->image, array + i * WORD), 0, 0);
}

void hst_tables_visit(const struct hst_image *image, const struct hst_abi *abi,
                      const struct hst_type_facts *type, hst_raddr object, hst_table_visitor *visit,
                      void *context)
{
    const struct visit all = {image, abi, type, object, visit, context};
    if (type->layout.is_managed)
        give_values(&all);
    if (type->layout.has_copies)
        give_copies(&all);
    switch (type->layout.shape) {
    case HST_SHAPE_LIST:
        give_list(&all);
        break;
    case HST_SHAPE_DICT:
        give_dict(&all);
        break;
    case HST_SHAPE_SET:
        give_set(&all);
        break;
    case HST_SHAPE_DEQUE:
        give_deque(&all);
        break;
    case HST_SHAPE_TYPE:
        give_class(&all);
        break;
    case HST_SHAPE_PLAIN:
    case HST_SHAPE_LEAF:
    case HST_SHAPE_TUPLE:
    case HST_SHAPE_WEAK:
    case HST_SHAPE_FRAME:
    case HST_SHAPE_GENERATOR:
        break;
    }
}
