/* Each saving is the difference of two blocks: what there is, and what would be there instead, both as the
 * allocator rounds them. */
#include "heap/waste.h"

#include <string.h>

#include "base/memory.h"
#include "heap/collector.h"
#include "heap/counts.h"
#include "heap/mimalloc.h"
#include "heap/tables.h"
#include "reader/type_flags.h"

enum {
    WORD = sizeof(uint64_t),
    ALIGNMENT = 16,
    PAGE = 4096,
    DICT_TABLE_LEAST = 8,
    ARRAY_ITEMS_LEAST = 16,
    ARRAY_BYTES = 80, /* an array.array itself */
    LARGEST_SMALL = 512,
    KINDS = HST_FINDING_FREEZE + 1,
};
#define ITEMS_MAX (UINT64_C(1) << 37)

struct search {
    const struct hst_census *census;
    struct hst_heap *heap;
    struct hst_heap_finding *sums; /* for each kind, for each type */
};

static uint64_t word(const struct search *search, hst_raddr address)
{
    return hst_image_word(search->census->image, address);
}

/* What a block of so many bytes takes: in a pool, or from the C library with its head. */
static uint64_t block(const struct hst_abi *abi, uint64_t bytes)
{
    if (abi->free_threaded)
        return hst_mimalloc_block_bytes(bytes);
    if (bytes > LARGEST_SMALL)
        bytes += WORD;
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void save(struct search *search, enum hst_finding_kind kind, uint32_t example, uint64_t now,
                 uint64_t then)
{
    uint32_t type = search->heap->types[example];
    struct hst_heap_finding *sum = &search->sums[(size_t)kind * search->heap->type_count + type];
    if (now <= then)
        return;
    if (sum->objects++ == 0)
        *sum = (struct hst_heap_finding){.kind = kind, .type = type, .example = example, .objects = 1};
    sum->bytes += now - then;
}

static uint64_t references_to(const struct search *search, uint32_t id)
{
    const struct hst_abi *abi = search->census->abi;
    const uint8_t *head = hst_image_at(search->census->image, search->heap->addresses[id], abi->object_size);
    return head != NULL ? hst_count_read(abi, head) : HST_COUNT_NONE;
}

/* --- lists --- */

static void look_for_slack(struct search *search, uint32_t id)
{
    enum { ALLOCATED_AFTER_ITEMS = 8 };
    const struct hst_abi *abi = search->census->abi;
    hst_raddr object = search->heap->addresses[id];
    uint64_t size = word(search, object + abi->var_size);
    uint64_t allocated = word(search, object + abi->list_items + ALLOCATED_AFTER_ITEMS);
    if (allocated < ITEMS_MAX && size < allocated && allocated * WORD <= search->heap->bytes[id])
        save(search, HST_FINDING_LIST_SLACK, id, block(abi, allocated * WORD),
             size > 0 ? block(abi, size * WORD) : 0);
}

/* A list of nothing but floats, or of nothing but integers that an array holds. */
static void look_for_array(struct search *search, uint32_t id)
{
    const struct hst_heap *heap = search->heap;
    const struct hst_abi *abi = search->census->abi;
    uint32_t begin = heap->first[id], end = heap->first[id + 1];
    uint64_t numbers = 0, items = 0;
    uint32_t type = HST_HEAP_NONE;
    for (uint32_t i = begin; i < end; i++) {
        uint32_t item = heap->targets[i];
        if (hst_place_kind_of(heap->places[i]) != HST_PLACE_ITEM)
            continue;
        if (type == HST_HEAP_NONE) {
            const char *name = hst_heap_type_name(heap, heap->types[item]);
            if (strcmp(name, "float") != 0 && strcmp(name, "int") != 0)
                return;
            type = heap->types[item];
        }
        if (heap->types[item] != type || heap->bytes[item] > abi->object_size + 2 * WORD)
            return;
        items++;
        numbers += references_to(search, item) == 1 ? heap->bytes[item] : 0;
    }
    if (items >= ARRAY_ITEMS_LEAST)
        save(search, HST_FINDING_ARRAY, id, heap->bytes[id] + numbers,
             block(abi, items * WORD) + ARRAY_BYTES);
}

/* --- dicts --- */

/* The table that so many entries get when they are put in one by one: when full it becomes the next power of
 * two from three times the entries on. */
static uint64_t grown_size(uint64_t used)
{
    uint64_t size = DICT_TABLE_LEAST;
    while (hst_dict_table_room(size) < used) {
        uint64_t wanted = hst_dict_table_room(size) * 3;
        while (size < wanted)
            size <<= 1;
    }
    return size;
}

static void look_for_empty(struct search *search, uint32_t id)
{
    const struct hst_abi *abi = search->census->abi;
    hst_raddr object = search->heap->addresses[id];
    struct hst_dict_table table;
    uint64_t used = word(search, object + abi->dict_used);
    if (word(search, object + abi->dict_values) != 0 || /* shared with the class */
        !hst_dict_table_read(search->census->image, abi, word(search, object + abi->dict_keys), 0, &table) ||
        used > table.room)
        return;
    uint64_t then = used > 0 ? block(abi, hst_dict_table_bytes(abi, grown_size(used), table.entry_bytes)) : 0;
    if (search->heap->bytes[id] > block(abi, table.bytes)) /* an empty dict's table is nobody's */
        save(search, HST_FINDING_DICT_SPARSE, id, block(abi, table.bytes), then);
}

/* --- instances --- */

/* The dict of an instance that nothing else refers to; HST_HEAP_NONE: there is none. */
static uint32_t own_dict(const struct search *search, uint32_t id)
{
    const struct hst_heap *heap = search->heap;
    for (uint32_t i = heap->first[id]; i < heap->first[id + 1]; i++) {
        uint32_t target = heap->targets[i];
        if (search->census->types.items[heap->types[target]].layout.shape != HST_SHAPE_DICT ||
            references_to(search, target) != 1)
            continue;
        enum hst_place_kind kind = hst_place_kind_of(heap->places[i]);
        const char *name =
            kind == HST_PLACE_FIELD ? hst_heap_place_name(heap, heap->types[id], heap->places[i]) : NULL;
        if ((kind == HST_PLACE_ATTRIBUTE && hst_place_index_of(heap->places[i]) == HST_PLACE_INDEX_MAX) ||
            (name != NULL && strcmp(name, "__dict__") == 0))
            return target;
    }
    return HST_HEAP_NONE;
}

/* How many attributes it has. */
static uint64_t attributes_of(const struct search *search, uint32_t id, uint32_t dict)
{
    const struct hst_heap *heap = search->heap;
    uint64_t count = 0;
    if (dict != HST_HEAP_NONE)
        return word(search, heap->addresses[dict] + search->census->abi->dict_used);
    for (uint32_t i = heap->first[id]; i < heap->first[id + 1]; i++)
        count += hst_place_kind_of(heap->places[i]) == HST_PLACE_ATTRIBUTE;
    return count;
}

static void look_at_instance(struct search *search, uint32_t id)
{
    const struct hst_heap *heap = search->heap;
    const struct hst_abi *abi = search->census->abi;
    const struct hst_type_facts *type = &search->census->types.items[heap->types[id]];
    int has_dict = type->layout.is_managed ||
                   (abi->minor <= 10 && word(search, type->address + abi->type_dictoffset) != 0);
    if (type->layout.shape != HST_SHAPE_PLAIN || (type->flags & HST_TYPE_HEAP) == 0 || !has_dict ||
        type->item_size != 0)
        return;
    uint32_t dict = own_dict(search, id);
    uint64_t now = heap->bytes[id] + (dict != HST_HEAP_NONE ? heap->bytes[dict] : 0);
    uint64_t attributes = attributes_of(search, id, dict);
    save(search, HST_FINDING_SLOTS, id, now,
         block(abi,
               (abi->free_threaded ? 0 : HST_COLLECTOR_HEAD_BYTES) + abi->object_size + attributes * WORD));
    if (dict != HST_HEAP_NONE && type->layout.is_managed)
        save(search, HST_FINDING_MATERIALISED, id, heap->bytes[dict],
             abi->minor <= 12 ? block(abi, (attributes + 2) * WORD) : 0);
}

/* --- all --- */

/* After a fork a collection writes to the head of every object that it knows, and so copies its page. */
static void look_for_freeze(struct search *search)
{
    const struct hst_heap *heap = search->heap;
    struct hst_heap_finding sum = {
        .kind = HST_FINDING_FREEZE, .type = HST_HEAP_NONE, .example = HST_HEAP_NONE};
    uint64_t last = 0;
    for (size_t i = 0; i < heap->count; i++) {
        if ((heap->type_rows[heap->types[i]].flags & HST_TYPE_HAVE_GC) == 0)
            continue;
        uint64_t page = (heap->addresses[i] - HST_COLLECTOR_HEAD_BYTES) / PAGE;
        sum.objects++;
        sum.bytes += page != last ? PAGE : 0;
        last = page;
    }
    search->sums[(size_t)HST_FINDING_FREEZE * heap->type_count] = sum;
}

static void look_at_all(struct search *search)
{
    const struct hst_heap *heap = search->heap;
    for (uint32_t i = 0; i < heap->count; i++) {
        switch (search->census->types.items[heap->types[i]].layout.shape) {
        case HST_SHAPE_LIST:
            look_for_slack(search, i);
            look_for_array(search, i);
            break;
        case HST_SHAPE_DICT:
            look_for_empty(search, i);
            break;
        case HST_SHAPE_PLAIN:
            look_at_instance(search, i);
            break;
        default:
            break;
        }
    }
    look_for_freeze(search);
}

enum hst_status hst_waste_find(const struct hst_census *census, struct hst_heap *heap)
{
    HST_CLEANUP_FREE struct hst_heap_finding *sums =
        hst_alloc_zero(KINDS * (heap->type_count + 1), sizeof *sums);
    struct search search = {census, heap, sums};
    size_t capacity = heap->finding_count;
    if (sums == NULL)
        return HST_E_NOMEM;
    look_at_all(&search);
    for (size_t i = 0; i < KINDS * heap->type_count; i++) {
        if (sums[i].bytes == 0)
            continue;
        if (!HST_RESERVE(heap->findings, capacity, heap->finding_count + 1))
            return HST_E_NOMEM;
        heap->findings[heap->finding_count++] = sums[i];
    }
    return HST_OK;
}
