/* Owns the columns; finds by halving. */
#include "model/heap.h"

#include <string.h>

#include "base/memory.h"

int hst_heap_init(struct hst_heap *heap)
{
    *heap = (struct hst_heap){0};
    return hst_strings_init(&heap->strings);
}

void hst_heap_release(struct hst_heap *heap)
{
    void *const owned[] = {heap->command,   heap->incomplete,     heap->addresses,   heap->types,
                           heap->bytes,     heap->first,          heap->targets,     heap->places,
                           heap->type_rows, heap->names,          heap->roots,       heap->parts,
                           heap->findings,  heap->values.objects, heap->values.ends, heap->values.data};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(owned); i++)
        hst_free(owned[i]);
    hst_strings_release(&heap->strings);
    *heap = (struct hst_heap){0};
}

uint32_t hst_heap_find(const struct hst_heap *heap, uint64_t address)
{
    size_t low = 0, high = heap->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (heap->addresses[middle] < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < heap->count && heap->addresses[low] == address ? (uint32_t)low : HST_HEAP_NONE;
}

const char *hst_heap_type_name(const struct hst_heap *heap, uint32_t type)
{
    return type < heap->type_count ? hst_strings_get(&heap->strings, heap->type_rows[type].name) : "?";
}

static uint64_t name_key(uint32_t type, hst_place place) { return (uint64_t)type << 32 | place; }

const char *hst_heap_place_name(const struct hst_heap *heap, uint32_t type, hst_place place)
{
    uint64_t key = name_key(type, place);
    size_t low = 0, high = heap->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (name_key(heap->names[middle].type, heap->names[middle].place) < key)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == heap->name_count || name_key(heap->names[low].type, heap->names[low].place) != key)
        return NULL;
    return hst_strings_get(&heap->strings, heap->names[low].text);
}

const char *hst_heap_value(const struct hst_heap *heap, uint32_t object, size_t *ret_length)
{
    const struct hst_heap_values *values = &heap->values;
    size_t low = 0, high = values->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values->objects[middle] < object)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == values->count || values->objects[low] != object)
        return NULL;
    uint64_t begin = low > 0 ? values->ends[low - 1] : 0;
    *ret_length = (size_t)(values->ends[low] - begin);
    return (const char *)values->data + begin;
}

int hst_heap_values_add(struct hst_heap_values *values, uint32_t object, const char *text, size_t length)
{
    uint64_t begin = values->count > 0 ? values->ends[values->count - 1] : 0;
    if (length > HST_HEAP_VALUE_BYTES)
        length = HST_HEAP_VALUE_BYTES;
    if (!HST_RESERVE(values->objects, values->capacity, values->count + 1) ||
        !HST_RESERVE(values->ends, values->end_capacity, values->count + 1) ||
        !HST_RESERVE(values->data, values->data_capacity, begin + length + 1))
        return 0;
    memcpy(values->data + begin, text, length);
    values->objects[values->count] = object;
    values->ends[values->count++] = begin + length;
    return 1;
}
