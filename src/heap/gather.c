/* One pass over the objects makes the references and counts them; what an object's own count has more is held
 * by something else. */
#include "heap/gather.h"

#include <string.h>

#include "base/memory.h"
#include "heap/duplicates.h"
#include "heap/names.h"
#include "heap/references.h"
#include "heap/roots.h"
#include "heap/tables.h"
#include "heap/values.h"
#include "heap/waste.h"
#include "reader/type_flags.h"

enum { WORD = sizeof(uint64_t), PAGE = 1 << HST_PAGE_BITS };

struct edges {
    const struct hst_census *census;
    uint32_t *targets;
    hst_place *places;
    size_t count, capacity, place_capacity;
    uint32_t interned; /* the table of interned strings; HST_HEAP_NONE: it is not there */
};

static enum hst_status add_edge(void *context, hst_raddr target, hst_place place)
{
    struct edges *edges = context;
    uint32_t id = hst_pages_id(&edges->census->pages, target);
    if (id == HST_NO_OBJECT)
        return HST_OK;
    if (edges->count == edges->capacity) {
        if (edges->count >= HST_HEAP_REFERENCES_MAX ||
            !HST_RESERVE(edges->targets, edges->capacity, edges->count + 1) ||
            !HST_RESERVE(edges->places, edges->place_capacity, edges->count + 1))
            return HST_E_NOMEM;
    }
    edges->targets[edges->count] = id;
    edges->places[edges->count++] = place;
    return HST_OK;
}

static enum hst_status add_buffer(struct edges *edges, const struct hst_owned_buffer *buffer)
{
    const uint8_t *words = hst_image_at(edges->census->image, buffer->address, buffer->bytes);
    for (uint64_t at = 0; words != NULL && at + WORD <= buffer->bytes; at += WORD) {
        uint64_t word = 0;
        hst_raddr address = buffer->address + at;
        if (address % PAGE == 0 && hst_image_find(edges->census->image, address) == NULL)
            at += PAGE - WORD; /* it was never touched */
        else
            memcpy(&word, words + at, sizeof word);
        if (word != 0)
            HST_TRY(add_edge(edges, word, hst_place_of(HST_PLACE_BUFFER, at / WORD)));
    }
    return HST_OK;
}

/* The table of interned strings does not keep them: they take themselves out of it. It is the dict whose keys
 * are their own values, and texts. */
static int is_interned_table(const struct hst_census *census, const struct hst_object *object)
{
    enum { LEAST = 64, LOOKED_AT = 16, ENTRIES_MAX = 1024 };
    struct hst_dict_table table;
    const struct hst_image *image = census->image;
    const struct hst_abi *abi = census->abi;
    if (census->types.items[object->type].layout.shape != HST_SHAPE_DICT ||
        hst_image_word(image, object->address + abi->dict_used) < LEAST ||
        !hst_dict_table_read(image, abi, hst_image_word(image, object->address + abi->dict_keys), 0, &table))
        return 0;
    for (uint64_t i = 0, same = 0; i < table.count && i < ENTRIES_MAX; i++) {
        hst_raddr entry = table.entries + i * table.entry_bytes + table.key_offset;
        hst_raddr key = hst_image_word(image, entry), value = hst_image_word(image, entry + WORD);
        if (value == 0)
            continue;
        if (key != value)
            return 0;
        if (++same == LOOKED_AT)
            return 1;
    }
    return 0;
}

static enum hst_status gather_edges(const struct hst_census *census, struct hst_heap *heap,
                                    struct edges *edges)
{
    struct hst_look look = {census->image, census->abi, add_edge, edges, hst_look_words(census->image)};
    size_t buffer = 0;
    for (size_t i = 0; i < census->count; i++) {
        const struct hst_object *object = &census->objects[i];
        heap->first[i] = (uint32_t)edges->count;
        if (is_interned_table(census, object))
            edges->interned = (uint32_t)i;
        else
            HST_TRY(hst_references_visit(&look, &census->types.items[object->type], object->address,
                                         object->length));
        for (; buffer < census->buffer_count && census->buffers[buffer].owner == i; buffer++)
            HST_TRY(add_buffer(edges, &census->buffers[buffer]));
    }
    heap->first[census->count] = (uint32_t)edges->count;
    return HST_OK;
}

static enum hst_status gather_references(const struct hst_census *census, struct hst_heap *heap,
                                         uint32_t *ret_interned)
{
    struct edges edges = {.census = census, .interned = HST_HEAP_NONE};
    heap->first = hst_alloc(census->count + 1, sizeof *heap->first);
    enum hst_status status = heap->first != NULL ? gather_edges(census, heap, &edges) : HST_E_NOMEM;
    heap->targets = edges.targets;
    heap->places = edges.places;
    *ret_interned = edges.interned;
    return status;
}

static enum hst_status gather_columns(const struct hst_census *census, struct hst_heap *heap)
{
    size_t count = census->count;
    heap->addresses = hst_alloc(count + 1, sizeof *heap->addresses);
    heap->types = hst_alloc(count + 1, sizeof *heap->types);
    heap->bytes = hst_alloc(count + 1, sizeof *heap->bytes);
    if (heap->addresses == NULL || heap->types == NULL || heap->bytes == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        heap->addresses[i] = census->objects[i].address;
        heap->types[i] = census->objects[i].type;
        heap->bytes[i] = census->objects[i].bytes;
    }
    heap->count = count;
    return HST_OK;
}

static enum hst_status gather_types(struct hst_census *census, struct hst_heap *heap)
{
    size_t count = census->types.count;
    heap->type_rows = hst_alloc_zero(count + 1, sizeof *heap->type_rows);
    if (heap->type_rows == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct hst_type_facts *facts = &census->types.items[i];
        struct hst_heap_type *row = &heap->type_rows[i];
        row->name = hst_strings_add_z(&heap->strings, hst_heap_types_name(&census->types, (uint32_t)i));
        if (row->name == HST_MAP_ABSENT)
            return HST_E_NOMEM;
        row->object = hst_pages_id(&census->pages, facts->address);
        row->address = facts->address;
        row->flags = facts->flags;
        row->basic_size = facts->basic_size;
        row->item_size = facts->item_size;
        row->pre_bytes = facts->pre_bytes;
        row->conservative = facts->layout.shape == HST_SHAPE_PLAIN;
    }
    heap->type_count = count;
    return census->types.out_of_memory ? HST_E_NOMEM : HST_OK;
}

/* Whatever leads to the table of interned strings, is called by what it is. */
static enum hst_status name_interned(struct hst_heap *heap, uint32_t interned)
{
    uint32_t name = hst_strings_add_z(&heap->strings, "interned strings");
    for (size_t i = 0; i < heap->root_count; i++)
        if (heap->roots[i].object == interned) {
            heap->roots[i].kind = HST_ROOT_INTERPRETER;
            heap->roots[i].name = name;
        }
    return name != HST_MAP_ABSENT ? HST_OK : HST_E_NOMEM;
}

enum hst_status hst_heap_gather(struct hst_census *census, const struct hst_runtime *runtime,
                                struct hst_heap *heap)
{
    HST_TRY(gather_columns(census, heap));
    HST_TRY(gather_types(census, heap));
    uint32_t interned;
    HST_TRY(gather_references(census, heap, &interned));
    HST_TRY(hst_roots_find(census, runtime, heap));
    HST_TRY(name_interned(heap, interned));
    HST_TRY(hst_names_find(census, heap));
    HST_TRY(hst_values_find(census, heap));
    HST_TRY(hst_duplicates_find(census, heap));
    return hst_waste_find(census, heap);
}
