/* Which objects of one snapshot are those of another: by address and type. An address may have been used
 * again for another object of the same type: then the two are taken for one. */
#ifndef HST_ANALYZE_HEAP_MATCH_H
#define HST_ANALYZE_HEAP_MATCH_H

#include "model/heap.h"

/* Types of several heaps by name: equal names have equal numbers. */
struct hst_heap_type_names {
    struct hst_strings strings;
    uint32_t **of; /* heap -> type -> number */
    size_t heap_count;
};
enum hst_status hst_heap_type_names_init(struct hst_heap_type_names *names,
                                         const struct hst_heap *const *heaps,
                                         size_t heap_count) HST_MUST_CHECK;
void hst_heap_type_names_release(struct hst_heap_type_names *names);

/* ret_match[i]: the object of `before` (a heap of names, by number) that object i of `after` was;
 * HST_HEAP_NONE: it is new. As long as after has objects. */
void hst_heap_match(const struct hst_heap_type_names *names, const struct hst_heap *const *heaps,
                    size_t before, size_t after, uint32_t *ret_match);

#endif
