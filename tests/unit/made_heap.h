/* Heaps made by hand for tests: types, objects and references are added one by one, made_finish puts the
 * references in order.  made_small is a heap of known shape; made_random one of any size from a seed. */
#ifndef MADE_HEAP_H
#define MADE_HEAP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/heap.h"

struct made_edge {
    uint32_t from, to;
    hst_place place;
    size_t order; /* of adding, which the references of an object keep */
};
struct made_heap {
    struct hst_heap heap;
    size_t address_room, type_room, byte_room, row_room, name_room, root_room, part_room, finding_room;
    struct made_edge *edges;
    size_t edge_count, edge_room;
};
#define MADE_ROOM(items, room, count)                                                                        \
    do {                                                                                                     \
        if (!HST_RESERVE(items, room, (count) + 1))                                                          \
            abort();                                                                                         \
    } while (0)

static inline void made_begin(struct made_heap *made)
{
    *made = (struct made_heap){0};
    if (!hst_heap_init(&made->heap))
        abort();
    made->heap.pid = 4711;
    made->heap.command = hst_strdup("python3 main.py");
    made->heap.wall_ns = UINT64_C(1790000000000000000);
    (void)snprintf(made->heap.interpreter, sizeof made->heap.interpreter, "CPython 3.13.0");
}

static inline void made_release(struct made_heap *made)
{
    hst_heap_release(&made->heap);
    hst_free(made->edges);
}

static inline uint32_t made_text(struct made_heap *made, const char *text)
{
    return hst_strings_add_z(&made->heap.strings, text);
}

static inline uint32_t made_type(struct made_heap *made, const char *name, uint32_t basic_size)
{
    struct hst_heap *heap = &made->heap;
    MADE_ROOM(heap->type_rows, made->row_room, heap->type_count);
    heap->type_rows[heap->type_count] = (struct hst_heap_type){.name = made_text(made, name),
                                                               .object = HST_HEAP_NONE,
                                                               .address = 0x700000 + heap->type_count * 0x200,
                                                               .flags = 1u << 9,
                                                               .basic_size = basic_size,
                                                               .pre_bytes = 16};
    return (uint32_t)heap->type_count++;
}

/* The next object: its address is above all before it. */
static inline uint32_t made_object(struct made_heap *made, uint32_t type, uint64_t bytes)
{
    struct hst_heap *heap = &made->heap;
    size_t i = heap->count;
    MADE_ROOM(heap->addresses, made->address_room, i);
    MADE_ROOM(heap->types, made->type_room, i);
    MADE_ROOM(heap->bytes, made->byte_room, i);
    heap->addresses[i] = i > 0 ? heap->addresses[i - 1] + ((heap->bytes[i - 1] + 15) & ~UINT64_C(15))
                               : UINT64_C(0x7f0000001010);
    heap->types[i] = type;
    heap->bytes[i] = bytes;
    return (uint32_t)heap->count++;
}

static inline void made_refer(struct made_heap *made, uint32_t from, uint32_t to, hst_place place)
{
    MADE_ROOM(made->edges, made->edge_room, made->edge_count);
    made->edges[made->edge_count] =
        (struct made_edge){.from = from, .to = to, .place = place, .order = made->edge_count};
    made->edge_count++;
}

static inline void made_root(struct made_heap *made, uint32_t object, uint32_t kind, const char *name)
{
    struct hst_heap *heap = &made->heap;
    MADE_ROOM(heap->roots, made->root_room, heap->root_count);
    heap->roots[heap->root_count++] =
        (struct hst_heap_root){.object = object, .kind = kind, .number = 1, .name = made_text(made, name)};
}

/* In order of type and place. */
static inline void made_name(struct made_heap *made, uint32_t type, hst_place place, const char *text)
{
    struct hst_heap *heap = &made->heap;
    MADE_ROOM(heap->names, made->name_room, heap->name_count);
    heap->names[heap->name_count++] =
        (struct hst_heap_name){.type = type, .place = place, .text = made_text(made, text)};
}

static inline void made_part(struct made_heap *made, uint32_t kind, const char *name, uint64_t bytes)
{
    struct hst_heap *heap = &made->heap;
    MADE_ROOM(heap->parts, made->part_room, heap->part_count);
    heap->parts[heap->part_count++] =
        (struct hst_heap_part){.kind = kind, .name = made_text(made, name), .bytes = bytes};
}

static inline void made_finding(struct made_heap *made, struct hst_heap_finding finding)
{
    struct hst_heap *heap = &made->heap;
    MADE_ROOM(heap->findings, made->finding_room, heap->finding_count);
    heap->findings[heap->finding_count++] = finding;
}

static inline void made_value(struct made_heap *made, uint32_t object, const char *text, size_t length)
{
    if (!hst_heap_values_add(&made->heap.values, object, text, length))
        abort();
}

static inline int made_compare_edges(const void *a, const void *b)
{
    const struct made_edge *left = a, *right = b;
    if (left->from != right->from)
        return left->from < right->from ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

static inline void made_finish(struct made_heap *made)
{
    struct hst_heap *heap = &made->heap;
    heap->first = hst_alloc_zero(heap->count + 1, sizeof *heap->first);
    heap->targets = hst_alloc(made->edge_count, sizeof *heap->targets);
    heap->places = hst_alloc(made->edge_count, sizeof *heap->places);
    if (heap->first == NULL || heap->targets == NULL || heap->places == NULL)
        abort();
    if (made->edge_count > 0)
        qsort(made->edges, made->edge_count, sizeof *made->edges, made_compare_edges);
    for (size_t i = 0; i < made->edge_count; i++) {
        heap->targets[i] = made->edges[i].to;
        heap->places[i] = made->edges[i].place;
        heap->first[made->edges[i].from + 1]++;
    }
    for (size_t i = 0; i < heap->count; i++)
        heap->first[i + 1] += heap->first[i];
}

/* The objects of made_small. The module's list holds two nodes, each with a dict of a name; the nodes hold
 * each other. Two lists hold each other and nothing holds them. */
enum made_small_object {
    MADE_TYPE_OBJECT, /* the class Node itself */
    MADE_MODULE_DICT,
    MADE_KEY,   /* the str "nodes" */
    MADE_NODES, /* the list */
    MADE_NODE_A,
    MADE_NODE_B,
    MADE_DICT_A,
    MADE_DICT_B,
    MADE_NAME, /* the str "name", in both dicts */
    MADE_ONE,  /* the int 1, in both dicts */
    MADE_GARBAGE_A,
    MADE_GARBAGE_B,
    MADE_SMALL_COUNT
};
enum made_small_type { MADE_TYPE, MADE_DICT, MADE_STR, MADE_LIST, MADE_NODE, MADE_INT };

static inline void made_small(struct made_heap *made)
{
    static const char *const names[] = {"type", "dict", "str", "list", "app.Node", "int"};
    static const uint32_t sizes[] = {928, 48, 41, 40, 16, 24};
    static const uint8_t types[] = {MADE_TYPE, MADE_DICT, MADE_STR, MADE_LIST, MADE_NODE, MADE_NODE,
                                    MADE_DICT, MADE_DICT, MADE_STR, MADE_INT,  MADE_LIST, MADE_LIST};
    static const uint16_t bytes[] = {1088, 352, 64, 136, 48, 48, 184, 184, 64, 32, 88, 88};
    static const struct {
        uint8_t from, to, kind, index;
    } edges[] = {
        {MADE_TYPE_OBJECT, MADE_MODULE_DICT, HST_PLACE_FIELD, 33},
        {MADE_MODULE_DICT, MADE_KEY, HST_PLACE_KEY, 0},
        {MADE_MODULE_DICT, MADE_NODES, HST_PLACE_VALUE, 0},
        {MADE_NODES, MADE_NODE_A, HST_PLACE_ITEM, 0},
        {MADE_NODES, MADE_NODE_B, HST_PLACE_ITEM, 1},
        {MADE_NODE_A, MADE_TYPE_OBJECT, HST_PLACE_FIELD, 1},
        {MADE_NODE_A, MADE_DICT_A, HST_PLACE_ATTRIBUTE, 0},
        {MADE_NODE_A, MADE_NODE_B, HST_PLACE_ATTRIBUTE, 1},
        {MADE_NODE_B, MADE_TYPE_OBJECT, HST_PLACE_FIELD, 1},
        {MADE_NODE_B, MADE_DICT_B, HST_PLACE_ATTRIBUTE, 0},
        {MADE_NODE_B, MADE_NODE_A, HST_PLACE_ATTRIBUTE, 1},
        {MADE_DICT_A, MADE_NAME, HST_PLACE_KEY, 0},
        {MADE_DICT_A, MADE_ONE, HST_PLACE_VALUE, 0},
        {MADE_DICT_B, MADE_NAME, HST_PLACE_KEY, 0},
        {MADE_DICT_B, MADE_ONE, HST_PLACE_VALUE, 0},
        {MADE_GARBAGE_A, MADE_GARBAGE_B, HST_PLACE_ITEM, 0},
        {MADE_GARBAGE_B, MADE_GARBAGE_A, HST_PLACE_ITEM, 0},
    };
    made_begin(made);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(names); i++)
        (void)made_type(made, names[i], sizes[i]);
    for (size_t i = 0; i < MADE_SMALL_COUNT; i++)
        (void)made_object(made, types[i], bytes[i]);
    made->heap.type_rows[MADE_NODE].object = MADE_TYPE_OBJECT;
    for (size_t i = 0; i < HST_ARRAY_LENGTH(edges); i++)
        made_refer(made, edges[i].from, edges[i].to,
                   hst_place_of((enum hst_place_kind)edges[i].kind, edges[i].index));
    made_root(made, MADE_MODULE_DICT, HST_ROOT_MODULE, "app");
    made_root(made, MADE_ONE, HST_ROOT_STATIC, "");
    made_name(made, MADE_NODE, hst_place_of(HST_PLACE_ATTRIBUTE, 0), "data");
    made_name(made, MADE_NODE, hst_place_of(HST_PLACE_ATTRIBUTE, 1), "other");
    made_part(made, HST_PART_OBJECTS, "", 2376);
    made_part(made, HST_PART_NATIVE, "libc.so.6", 4096);
    made_finding(
        made,
        (struct hst_heap_finding){
            .kind = HST_FINDING_SLOTS, .type = MADE_NODE, .example = MADE_NODE_A, .objects = 2, .bytes = 96});
    made_value(made, MADE_KEY, "nodes", 5);
    made_value(made, MADE_NAME, "name", 4);
    made_value(made, MADE_ONE, "1", 1);
    made_finish(made);
}

static inline uint64_t made_next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Any types, sizes, references, roots and values (of any bytes); seed is not 0. */
static inline void made_random(struct made_heap *made, uint64_t seed, uint32_t objects, uint32_t references)
{
    uint32_t types = 1 + (uint32_t)(made_next_random(&seed) % 9);
    made_begin(made);
    for (uint32_t i = 0; i < types; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "app.Type%u", i);
        uint32_t type = made_type(made, name, 16 + 8 * i);
        made_name(made, type, hst_place_of(HST_PLACE_ATTRIBUTE, i), name + 4);
    }
    for (uint32_t i = 0; i < objects; i++) {
        uint64_t random = made_next_random(&seed);
        uint32_t id = made_object(made, (uint32_t)(random % types),
                                  16 + (random >> 60 == 0 ? random >> 24 : random >> 58));
        if (random >> 20 & 1) {
            uint8_t text[HST_HEAP_VALUE_BYTES];
            for (size_t k = 0; k < sizeof text; k++)
                text[k] = (uint8_t)made_next_random(&seed);
            made_value(made, id, (const char *)text, random >> 21 & 127);
        }
        if ((random >> 30 & 15) == 0)
            made_root(made, id, (uint32_t)(random >> 40 & 3), random >> 50 & 1 ? "main" : "");
    }
    for (uint32_t i = 0; i < references; i++) {
        uint64_t random = made_next_random(&seed);
        made_refer(made, (uint32_t)(random % objects), (uint32_t)((random >> 32) % objects),
                   hst_place_of((enum hst_place_kind)(random >> 29 & 7), made_next_random(&seed) >> 34));
    }
    made_finish(made);
}

#endif
