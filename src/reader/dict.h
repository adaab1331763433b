/* A dict of the target, or the attributes of an instance of it -> an array of (key, value) addresses.  Knows
 * the table's kinds (general, all keys str, split with the values elsewhere) and where an instance keeps its
 * attributes in each version. The target goes on while it is read, so an answer is what was there, or
 * HST_E_TORN. */
#ifndef HST_READER_DICT_H
#define HST_READER_DICT_H

#include <stddef.h>

#include "base/status.h"
#include "pyabi/abi.h"
#include "target/memory.h"

struct hst_dict_entry {
    hst_raddr key, value;
};

struct hst_dict_entries {
    struct hst_dict_entry *items; /* in the order of insertion; none has a NULL key or value */
    size_t count;
    int more; /* there were more than the limit */
};

void hst_dict_entries_release(struct hst_dict_entries *entries);

/* At most limit entries of the dict (or of a subclass's instance). HST_E_INVALID: not a dict. */
enum hst_status hst_dict_read(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr dict,
                              size_t limit, struct hst_dict_entries *ret_entries) HST_MUST_CHECK;
/* What the instance has in its __dict__, made or not made. HST_E_NOENT: it has none. */
enum hst_status hst_dict_read_attributes(struct hst_memory *memory, const struct hst_abi *abi,
                                         hst_raddr instance, size_t limit,
                                         struct hst_dict_entries *ret_entries) HST_MUST_CHECK;
/* The value under an ASCII str key; 0 = there is none. */
hst_raddr hst_dict_find(struct hst_memory *memory, const struct hst_abi *abi,
                        const struct hst_dict_entries *entries, const char *key);

#endif
