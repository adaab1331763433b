/* Which addresses are types, and what is known of each. */
#ifndef HST_HEAP_TYPES_H
#define HST_HEAP_TYPES_H

#include "base/map.h"
#include "heap/image.h"
#include "heap/layout.h"
#include "pyabi/abi.h"

#define HST_SMALLEST_ADDRESS 4096u

struct hst_type_facts {
    hst_raddr address;
    uint64_t flags; /* tp_flags */
    uint32_t basic_size, item_size;
    uint32_t pre_bytes; /* before an object of it: what the collector and its attributes need */
    struct hst_layout layout;
    char *name; /* module.Class; NULL until it is asked for */
};

struct hst_heap_types {
    struct hst_image *image;
    const struct hst_abi *abi;
    struct hst_type_facts *items;
    size_t count, capacity;
    struct hst_map by_address;
    /* By their low bits: addresses that are no type, and some that are. */
    hst_raddr refused[4096];
    struct hst_map_slot known[1024];
    int out_of_memory;
};

void hst_heap_types_init(struct hst_heap_types *types, struct hst_image *image, const struct hst_abi *abi);
void hst_heap_types_release(struct hst_heap_types *types);
/* Index of the type at address; HST_MAP_ABSENT: there is none. */
uint32_t hst_heap_types_find(struct hst_heap_types *types, hst_raddr address);
/* "module.Class"; "?" when it cannot be read. Lives as long as types. */
const char *hst_heap_types_name(struct hst_heap_types *types, uint32_t type);

#endif
