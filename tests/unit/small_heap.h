/* A snapshot of a heap, made by hand in a test: objects in the order of their addresses, references with
 * their places, modules with names. Everything is put in order by small_finish. */
#ifndef HST_TESTS_SMALL_HEAP_H
#define HST_TESTS_SMALL_HEAP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/heap.h"

enum { SMALL_OBJECTS = 20000, SMALL_EDGES = 80000, SMALL_TYPES = 64, SMALL_NAMES = 64, SMALL_ROOTS = 1024 };

struct small_edge {
    uint32_t source, target, order;
    hst_place place;
};

struct small {
    struct hst_heap heap;
    struct small_edge *edges;
    size_t edge_count;
    uint64_t next_address;
    uint32_t modules; /* the dict sys.modules */
    uint32_t entries; /* of all dicts, a number that only grows */
};

static inline uint32_t small_type(struct small *small, const char *name)
{
    struct hst_heap *heap = &small->heap;
    for (uint32_t i = 0; i < heap->type_count; i++)
        if (strcmp(hst_heap_type_name(heap, i), name) == 0)
            return i;
    if (heap->type_count == SMALL_TYPES)
        abort();
    heap->type_rows[heap->type_count] = (struct hst_heap_type){
        .name = hst_strings_add_z(&heap->strings, name), .object = HST_HEAP_NONE, .basic_size = 16};
    return (uint32_t)heap->type_count++;
}

static inline uint32_t small_object(struct small *small, const char *type, uint64_t bytes)
{
    struct hst_heap *heap = &small->heap;
    if (heap->count == SMALL_OBJECTS)
        abort();
    heap->addresses[heap->count] = small->next_address;
    small->next_address += 64;
    heap->types[heap->count] = small_type(small, type);
    heap->bytes[heap->count] = bytes;
    return (uint32_t)heap->count++;
}

static inline void small_edge(struct small *small, uint32_t source, hst_place place, uint32_t target)
{
    if (small->edge_count == SMALL_EDGES)
        abort();
    small->edges[small->edge_count] = (struct small_edge){source, target, (uint32_t)small->edge_count, place};
    small->edge_count++;
}

/* An object with a value: they come in ascending order by themselves. */
static inline uint32_t small_value(struct small *small, const char *type, const char *text)
{
    uint32_t object = small_object(small, type, 50);
    if (!hst_heap_values_add(&small->heap.values, object, text, strlen(text)))
        abort();
    return object;
}

static inline void small_item(struct small *small, uint32_t list, uint32_t index, uint32_t target)
{
    small_edge(small, list, hst_place_of(HST_PLACE_ITEM, index), target);
}

static inline void small_entry(struct small *small, uint32_t dict, const char *key, uint32_t target)
{
    uint32_t text = small_value(small, "str", key), entry = small->entries++;
    small_edge(small, dict, hst_place_of(HST_PLACE_KEY, entry), text);
    small_edge(small, dict, hst_place_of(HST_PLACE_VALUE, entry), target);
}

/* The place of a name in objects of a type. */
static inline void small_field(struct small *small, uint32_t source, enum hst_place_kind kind, uint32_t index,
                               const char *name, uint32_t target)
{
    struct hst_heap *heap = &small->heap;
    uint32_t type = heap->types[source];
    hst_place place = hst_place_of(kind, index);
    size_t i = 0;
    while (i < heap->name_count && (heap->names[i].type != type || heap->names[i].place != place))
        i++;
    if (i == SMALL_NAMES)
        abort();
    if (i == heap->name_count)
        heap->names[heap->name_count++] =
            (struct hst_heap_name){type, place, hst_strings_add_z(&heap->strings, name)};
    small_edge(small, source, place, target);
}

static inline void small_root(struct small *small, uint32_t object, enum hst_root_kind kind, const char *name)
{
    struct hst_heap *heap = &small->heap;
    if (heap->root_count == SMALL_ROOTS)
        abort();
    heap->roots[heap->root_count++] = (struct hst_heap_root){
        .object = object, .kind = kind, .number = 1, .name = hst_strings_add_z(&heap->strings, name)};
}

static inline void small_init(struct small *small)
{
    *small = (struct small){.next_address = 0x7f0000001000};
    struct hst_heap *heap = &small->heap;
    if (!hst_heap_init(heap))
        abort();
    heap->addresses = calloc(SMALL_OBJECTS, sizeof *heap->addresses);
    heap->types = calloc(SMALL_OBJECTS, sizeof *heap->types);
    heap->bytes = calloc(SMALL_OBJECTS, sizeof *heap->bytes);
    heap->type_rows = calloc(SMALL_TYPES, sizeof *heap->type_rows);
    heap->names = calloc(SMALL_NAMES, sizeof *heap->names);
    heap->roots = calloc(SMALL_ROOTS, sizeof *heap->roots);
    small->edges = calloc(SMALL_EDGES, sizeof *small->edges);
    heap->pid = 4711;
    heap->command = strdup("python3 app.py");
    (void)snprintf(heap->interpreter, sizeof heap->interpreter, "CPython 3.13.0");
    small->modules = small_object(small, "dict", 1000);
    small_root(small, small->modules, HST_ROOT_MODULE, "sys.modules");
}

/* A module of sys.modules; the result is the dict of its names. */
static inline uint32_t small_module(struct small *small, const char *name)
{
    uint32_t module = small_object(small, "module", 100), names = small_object(small, "dict", 300);
    small_entry(small, small->modules, name, module);
    small_field(small, module, HST_PLACE_FIELD, 2, "__dict__", names);
    return names;
}

static inline int small_compare_edges(const void *a, const void *b)
{
    const struct small_edge *x = a, *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}
static inline int small_compare_names(const void *a, const void *b)
{
    const struct hst_heap_name *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static inline struct hst_heap *small_finish(struct small *small)
{
    struct hst_heap *heap = &small->heap;
    qsort(small->edges, small->edge_count, sizeof *small->edges, small_compare_edges);
    qsort(heap->names, heap->name_count, sizeof *heap->names, small_compare_names);
    heap->first = calloc(heap->count + 1, sizeof *heap->first);
    heap->targets = calloc(small->edge_count + 1, sizeof *heap->targets);
    heap->places = calloc(small->edge_count + 1, sizeof *heap->places);
    for (size_t i = 0; i < small->edge_count; i++) {
        heap->targets[i] = small->edges[i].target;
        heap->places[i] = small->edges[i].place;
        heap->first[small->edges[i].source + 1]++;
    }
    for (size_t i = 0; i < heap->count; i++)
        heap->first[i + 1] += heap->first[i];
    return heap;
}

static inline void small_release(struct small *small)
{
    free(small->edges);
    hst_heap_release(&small->heap);
}

#endif
