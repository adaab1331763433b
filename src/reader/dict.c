/* Reads dict tables.  A table is a head, an array of indices whose width depends on the table's size, and the
 * entries in the order of insertion; only the entries are of interest here.  Every count is bounded before it
 * is believed. */
#include "reader/dict.h"

#include <string.h>

#include "base/memory.h"
#include "reader/text.h"
#include "reader/type_flags.h"

enum {
    KEYS_HEAD_BYTES = 64,
    LOG2_SIZE_MAX = 40,
    KIND_GENERAL = 0, /* entries of hash, key, value; the other kinds have key, value */
    FIND_BATCH = 256,
    KEY_BYTES_MAX = 64,
};

/* Where the entries of a table lie. */
struct keys {
    hst_raddr entries;
    uint64_t count;
    uint32_t stride, key_at; /* the value follows the key */
};

void hst_dict_entries_release(struct hst_dict_entries *entries)
{
    hst_free(entries->items);
    *entries = (struct hst_dict_entries){0};
}

static uint64_t u64_at(const uint8_t *bytes, uint32_t offset)
{
    uint64_t value;
    memcpy(&value, bytes + offset, sizeof value);
    return value;
}

static enum hst_status read_keys(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr address,
                                 struct keys *ret_keys)
{
    uint8_t head[KEYS_HEAD_BYTES];
    if (abi->keys_indices > sizeof head || abi->keys_nentries + 8 > sizeof head)
        return HST_E_UNSUPPORTED;
    HST_TRY(hst_memory_read(memory, address, head, abi->keys_indices));
    struct keys keys = {.count = u64_at(head, abi->keys_nentries), .stride = 24, .key_at = 8};
    uint64_t index_bytes;
    if (abi->minor <= 10) { /* the size itself stands where later versions have its logarithm */
        uint64_t size = u64_at(head, abi->keys_log2_size);
        if (size > 1ull << LOG2_SIZE_MAX || keys.count > size)
            return HST_E_TORN;
        index_bytes = size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8);
    } else {
        unsigned log2_size = head[abi->keys_log2_size], log2_bytes = head[abi->keys_log2_index_bytes];
        if (log2_size > LOG2_SIZE_MAX || log2_bytes > LOG2_SIZE_MAX + 3 || keys.count > 1ull << log2_size)
            return HST_E_TORN;
        index_bytes = 1ull << log2_bytes;
        if (head[abi->keys_kind] != KIND_GENERAL) {
            keys.stride = 16;
            keys.key_at = 0;
        }
    }
    keys.entries = address + abi->keys_indices + index_bytes;
    *ret_keys = keys;
    return HST_OK;
}

/* values: array of the values of a split table, 0 = they stand in the table. */
static enum hst_status read_entries(struct hst_memory *memory, const struct keys *keys, hst_raddr values,
                                    size_t limit, struct hst_dict_entries *ret_entries)
{
    struct hst_dict_entries entries = {.more = keys->count > limit};
    size_t count = entries.more ? limit : (size_t)keys->count;
    HST_CLEANUP_FREE uint8_t *table = hst_alloc(count + 1, keys->stride);
    HST_CLEANUP_FREE uint64_t *apart = values != 0 ? hst_alloc(count + 1, sizeof *apart) : NULL;
    HST_CLEANUP_FREE struct hst_dict_entry *items = hst_alloc(count + 1, sizeof *items);
    if (table == NULL || items == NULL || (values != 0 && apart == NULL))
        return HST_E_NOMEM;
    struct hst_piece pieces[] = {{keys->entries, table, count * keys->stride}, {values, apart, count * 8}};
    if (count > 0)
        HST_TRY(hst_memory_read_pieces(memory, pieces, values != 0 ? 2 : 1));
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = table + i * keys->stride;
        struct hst_dict_entry entry = {.key = u64_at(at, keys->key_at)};
        entry.value = values != 0 ? apart[i] : u64_at(at, keys->key_at + 8);
        if (entry.key != 0 && entry.value != 0) /* not deleted */
            items[entries.count++] = entry;
    }
    entries.items = HST_TAKE(items);
    *ret_entries = entries;
    return HST_OK;
}

/* The array in a PyDictValues: 3.13 and later begin it with four bytes of its own. */
static hst_raddr values_array(const struct hst_abi *abi, hst_raddr values)
{
    return values != 0 && abi->minor >= 13 ? values + 8 : values;
}

static enum hst_status read_type_word(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr object,
                                      hst_raddr *ret_type, uint64_t *ret_flags)
{
    HST_TRY(hst_memory_read_u64(memory, object + abi->object_type, ret_type));
    return hst_memory_read_u64(memory, *ret_type + abi->type_flags, ret_flags);
}

enum hst_status hst_dict_read(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr dict,
                              size_t limit, struct hst_dict_entries *ret_entries)
{
    hst_raddr type;
    uint64_t flags, keys_at, values;
    HST_TRY(read_type_word(memory, abi, dict, &type, &flags));
    if ((flags & HST_TYPE_DICT) == 0)
        return HST_E_INVALID;
    struct hst_piece pieces[] = {{dict + abi->dict_keys, &keys_at, 8}, {dict + abi->dict_values, &values, 8}};
    struct keys keys;
    HST_TRY(hst_memory_read_pieces(memory, pieces, 2));
    HST_TRY(read_keys(memory, abi, keys_at, &keys));
    return read_entries(memory, &keys, values_array(abi, values), limit, ret_entries);
}

/* Finds the instance's dict object, or the values that stand for one; both 0: it has neither. */
static enum hst_status find_attributes(struct hst_memory *memory, const struct hst_abi *abi,
                                       hst_raddr instance, hst_raddr type, uint64_t flags,
                                       hst_raddr *ret_dict, hst_raddr *ret_values)
{
    uint64_t word;
    *ret_dict = *ret_values = 0;
    if (abi->minor <= 10 || (flags & HST_TYPE_MANAGED_DICT) == 0) {
        int64_t offset;
        HST_TRY(hst_memory_read_u64(memory, type + abi->type_dictoffset, &word));
        memcpy(&offset, &word, sizeof offset);
        /* A negative one counts from the end of an object of varying size: int, tuple, bytes subclasses. */
        return offset > 0 && offset < 1 << 20 ? hst_memory_read_u64(memory, instance + word, ret_dict)
                                              : HST_E_NOENT;
    }
    HST_TRY(hst_memory_read_u64(memory, instance - (abi->free_threaded ? 8 : 24), &word));
    if (abi->minor == 11) {
        *ret_dict = word;
        return word != 0 ? HST_OK : hst_memory_read_u64(memory, instance - 32, ret_values);
    }
    if (abi->minor == 12) { /* the low bit tells which of the two it is */
        *((word & 1) != 0 ? ret_values : ret_dict) = (word & 1) != 0 ? word + 1 : word;
        return HST_OK;
    }
    *ret_dict = word;
    if (word != 0 || (flags & HST_TYPE_INLINE_VALUES) == 0)
        return HST_OK;
    uint64_t size;
    HST_TRY(hst_memory_read_u64(memory, type + abi->type_basicsize, &size));
    if (size > 1 << 20)
        return HST_E_TORN;
    HST_TRY(hst_memory_read_u64(memory, instance + size, &word));
    *ret_values = (word >> 24 & 0xff) != 0 ? instance + size : 0; /* capacity, size, embedded, valid */
    return HST_OK;
}

enum hst_status hst_dict_read_attributes(struct hst_memory *memory, const struct hst_abi *abi,
                                         hst_raddr instance, size_t limit,
                                         struct hst_dict_entries *ret_entries)
{
    hst_raddr type, dict, values, keys_at;
    uint64_t flags;
    HST_TRY(read_type_word(memory, abi, instance, &type, &flags));
    HST_TRY(find_attributes(memory, abi, instance, type, flags, &dict, &values));
    if (dict != 0)
        return hst_dict_read(memory, abi, dict, limit, ret_entries);
    if (values == 0 || (flags & HST_TYPE_HEAP) == 0)
        return HST_E_NOENT;
    struct keys keys;
    HST_TRY(hst_memory_read_u64(memory, type + abi->heaptype_cached_keys, &keys_at));
    HST_TRY(read_keys(memory, abi, keys_at, &keys));
    return read_entries(memory, &keys, values_array(abi, values), limit, ret_entries);
}

/* A str as far as it matters here: its length, and its first bytes as a compact ASCII str has them. */
struct key_head {
    uint64_t length;
    uint32_t state;
    char text[KEY_BYTES_MAX];
};

static int key_is(const struct hst_abi *abi, const struct key_head *head, const char *key, size_t length)
{
    return head->length == length && (hst_text_form(abi, head->state) >> 3 & 3) == 3 &&
           memcmp(head->text, key, length) == 0;
}

hst_raddr hst_dict_find(struct hst_memory *memory, const struct hst_abi *abi,
                        const struct hst_dict_entries *entries, const char *key)
{
    size_t length = strlen(key);
    struct key_head heads[FIND_BATCH];
    struct hst_piece pieces[3 * FIND_BATCH];
    if (length > KEY_BYTES_MAX)
        return 0;
    for (size_t done = 0; done < entries->count; done += FIND_BATCH) {
        size_t count = entries->count - done < FIND_BATCH ? entries->count - done : FIND_BATCH;
        for (size_t i = 0; i < count; i++) {
            hst_raddr at = entries->items[done + i].key;
            pieces[i * 3] = (struct hst_piece){at + abi->str_length, &heads[i].length, 8};
            pieces[i * 3 + 1] = (struct hst_piece){at + abi->str_state, &heads[i].state, 4};
            pieces[i * 3 + 2] = (struct hst_piece){at + abi->str_ascii_data, heads[i].text, length};
        }
        /* A key that is no longer there spoils the batch: then one by one. */
        int together = hst_memory_read_pieces(memory, pieces, count * 3) == HST_OK;
        for (size_t i = 0; i < count; i++)
            if ((together || hst_memory_read_pieces(memory, &pieces[i * 3], 3) == HST_OK) &&
                key_is(abi, &heads[i], key, length))
                return entries->items[done + i].value;
    }
    return 0;
}
