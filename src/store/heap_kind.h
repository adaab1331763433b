/* The kinds of a heap as the texts that stand for them in a store.  Only for src/store. */
#ifndef HST_STORE_HEAP_KIND_H
#define HST_STORE_HEAP_KIND_H

#include <stddef.h>

struct hst_heap_kinds {
    const char *const *names;
    size_t count;
};
extern const struct hst_heap_kinds hst_heap_ways, hst_heap_part_kinds, hst_heap_finding_kinds;

/* NULL: there is no such kind. */
const char *hst_heap_kind_name(const struct hst_heap_kinds *kinds, unsigned kind);
/* -1: no kind is called so. */
int hst_heap_kind_find(const struct hst_heap_kinds *kinds, const unsigned char *name);

#endif
