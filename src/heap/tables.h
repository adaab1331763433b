/* The memory that an object owns beside its block, as its layout says: the items of a list, the table of a
 * dict or set, the attributes of an instance. */
#ifndef HST_HEAP_TABLES_H
#define HST_HEAP_TABLES_H

#include "heap/image.h"
#include "heap/types.h"

/* A dict's entries, wherever its keys and values are. */
struct hst_dict_table {
    hst_raddr keys;
    uint64_t bytes;                   /* of the table of keys */
    hst_raddr entries;                /* the first one */
    uint32_t entry_bytes, key_offset; /* in an entry; the value stands behind the key */
    uint64_t count;                   /* of entries, used or not any more */
    uint64_t room;                    /* for entries */
    hst_raddr values;                 /* of a split table: an array of its own, one value an entry; 0: none */
};

/* Entries that a table of so many places has room for, and what such a table takes without the allocator's
 * own. */
uint64_t hst_dict_table_room(uint64_t size);
uint64_t hst_dict_table_bytes(const struct hst_abi *abi, uint64_t size, uint64_t entry_bytes);
/* 0: it is no table of this version. values: 0, or what the dict or instance names as its values. */
int hst_dict_table_read(const struct hst_image *image, const struct hst_abi *abi, hst_raddr keys,
                        hst_raddr values, struct hst_dict_table *ret_table);

/* Where an instance has what its class does not fix: a dict, or values that stand for one; both 0: neither.
 */
void hst_attributes_find(const struct hst_image *image, const struct hst_abi *abi,
                         const struct hst_type_facts *type, hst_raddr object, hst_raddr *ret_dict,
                         hst_raddr *ret_values);

/* bytes: that the table should have, 0 where only its block says; used: of those, what is not room for more.
 */
typedef int hst_table_visitor(void *context, hst_raddr table, uint64_t bytes, uint64_t used);
/* Every table that the object's layout names. visit returns 0 where one is somebody else's: what only that
 * one leads to is not visited. */
void hst_tables_visit(const struct hst_image *image, const struct hst_abi *abi,
                      const struct hst_type_facts *type, hst_raddr object, hst_table_visitor *visit,
                      void *context);

/* A block of a deque: the link to the left, items, the link to the right.  The deque names its first and last
 * block behind its size, then the places of its first and last item in them. */
#define HST_DEQUE_BLOCK_ITEMS 64u

#endif
