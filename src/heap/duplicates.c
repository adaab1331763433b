/* Objects are equal when their type is the same and their contents give the same 64 bits.  Of what a tuple or
 * dict holds, strings and numbers count by their contents, all else by who it is. */
#include "heap/duplicates.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "reader/text.h"
#include "reader/type_flags.h"

enum {
    WORD = sizeof(uint64_t),
    GROUPS_KEPT = 100,
    DICT_ENTRIES_MAX = 32,
    TUPLE_ITEMS_MAX = 64,
    MEMBER_BYTES_MAX = 1024, /* a longer text in a tuple or dict counts by who it is: many may hold it */
};

struct group {
    uint32_t example;
    uint32_t objects;
    uint64_t bytes; /* of all but the first */
};

struct search {
    const struct hst_census *census;
    struct hst_heap *heap;
    struct hst_map by_content; /* hash -> group */
    struct group *groups;
    size_t count, capacity, finding_capacity;
};

/* A str or bytes object has its cached hash in its head, and its block may be longer than its text. */
static uint64_t hash_of_text(const struct hst_census *census, const struct hst_object *object)
{
    const struct hst_abi *abi = census->abi;
    const uint8_t *bytes = hst_image_at(census->image, object->address, object->length);
    uint64_t length, kind = 1;
    uint32_t data = abi->bytes_data, state = 0;
    if (bytes == NULL || object->length < abi->str_ascii_data)
        return 0;
    if ((census->types.items[object->type].flags & HST_TYPE_STR) != 0) {
        memcpy(&length, bytes + abi->str_length, sizeof length);
        memcpy(&state, bytes + abi->str_state, sizeof state);
        unsigned form = hst_text_form(abi, state);
        kind = form & 7;
        if ((form >> 3 & 1) == 0)
            return 0;
        data = (form >> 4 & 1) != 0 ? abi->str_ascii_data : abi->str_compact_data;
    } else {
        memcpy(&length, bytes + abi->var_size, sizeof length);
    }
    if (data > object->length || kind == 0 || length > (object->length - data) / kind)
        return 0;
    return hst_hash_bytes(bytes + data, length * kind, object->type + (kind << 32));
}

static uint64_t hash_of_member(const struct hst_census *census, const struct hst_heap *heap, uint32_t id)
{
    const struct hst_object *object = &census->objects[id];
    uint64_t flags = census->types.items[object->type].flags, hash = 0;
    if ((flags & (HST_TYPE_STR | HST_TYPE_BYTES)) != 0 && object->length <= MEMBER_BYTES_MAX)
        hash = hash_of_text(census, object);
    size_t length;
    const char *number = (flags & HST_TYPE_LONG) != 0 ? hst_heap_value(heap, id, &length) : NULL;
    if (number != NULL)
        hash = hst_hash_bytes(number, length, object->type);
    return hash != 0 ? hash : hst_mix64(object->address + 1);
}

/* Of a tuple in order; of a dict as a set of pairs. 0: it is too large, or has what is no known object. */
static uint64_t hash_of_members(const struct hst_census *census, const struct hst_heap *heap, uint32_t id,
                                int is_dict)
{
    uint32_t begin = heap->first[id], end = heap->first[id + 1];
    uint64_t hash = hst_mix64(heap->types[id] + 1), key = 0, held = 0;
    for (uint32_t i = begin; i < end; i++) {
        enum hst_place_kind kind = hst_place_kind_of(heap->places[i]);
        if (kind != HST_PLACE_ITEM && kind != HST_PLACE_KEY && kind != HST_PLACE_VALUE)
            continue;
        uint64_t member = hash_of_member(census, heap, heap->targets[i]);
        if (!is_dict)
            hash = hst_mix64(hash * 31 + member);
        else if (kind == HST_PLACE_KEY)
            key = member;
        else
            hash += hst_mix64(key * 31 + member);
        held++;
    }
    return held > 0 && held <= (is_dict ? 2 * DICT_ENTRIES_MAX : TUPLE_ITEMS_MAX) ? hash | 1 : 0;
}

static uint64_t hash_of(const struct search *search, uint32_t id)
{
    const struct hst_object *object = &search->census->objects[id];
    const struct hst_type_facts *type = &search->census->types.items[object->type];
    if ((type->flags & HST_TYPE_HEAP) != 0) /* equal by its own rules, perhaps */
        return 0;
    if ((type->flags & (HST_TYPE_STR | HST_TYPE_BYTES)) != 0)
        return hash_of_text(search->census, object);
    if (type->layout.shape == HST_SHAPE_TUPLE || type->layout.shape == HST_SHAPE_DICT)
        return hash_of_members(search->census, search->heap, id, type->layout.shape == HST_SHAPE_DICT);
    return 0;
}

static enum hst_status add(struct search *search, uint32_t id, uint64_t hash)
{
    uint32_t index = hst_map_find(&search->by_content, hash);
    if (index == HST_MAP_ABSENT) {
        if (!HST_RESERVE(search->groups, search->capacity, search->count + 1) ||
            !hst_map_set(&search->by_content, hash, (uint32_t)search->count))
            return HST_E_NOMEM;
        search->groups[search->count++] = (struct group){id, 1, 0};
        return HST_OK;
    }
    search->groups[index].objects++;
    search->groups[index].bytes += search->heap->bytes[id];
    return HST_OK;
}

static int compare(const void *a, const void *b)
{
    const struct group *one = a, *other = b;
    if (one->bytes != other->bytes)
        return one->bytes < other->bytes ? 1 : -1;
    return one->example < other->example ? -1 : one->example > other->example;
}

static enum hst_status add_finding(struct search *search, const struct hst_heap_finding *finding)
{
    struct hst_heap *heap = search->heap;
    if (!HST_RESERVE(heap->findings, search->finding_capacity, heap->finding_count + 1))
        return HST_E_NOMEM;
    heap->findings[heap->finding_count++] = *finding;
    return HST_OK;
}

static enum hst_status report(struct search *search)
{
    struct hst_heap *heap = search->heap;
    struct hst_heap_finding intern = {.kind = HST_FINDING_INTERN, .example = HST_HEAP_NONE};
    if (search->count > 0)
        qsort(search->groups, search->count, sizeof *search->groups, compare);
    for (size_t i = 0; i < search->count && search->groups[i].bytes > 0; i++) {
        const struct group *group = &search->groups[i];
        uint32_t type = heap->types[group->example], text = 0;
        if ((heap->type_rows[type].flags & HST_TYPE_STR) != 0) {
            intern.type = type;
            intern.objects += group->objects - 1;
            intern.bytes += group->bytes;
        }
        if (i >= GROUPS_KEPT)
            continue;
        size_t length;
        const char *value = hst_heap_value(heap, group->example, &length);
        if (value != NULL && (text = hst_strings_add(&heap->strings, value, length)) == HST_MAP_ABSENT)
            return HST_E_NOMEM;
        HST_TRY(add_finding(search, &(struct hst_heap_finding){.kind = HST_FINDING_DUPLICATE,
                                                               .type = type,
                                                               .example = group->example,
                                                               .text = text,
                                                               .objects = group->objects,
                                                               .bytes = group->bytes}));
    }
    return intern.objects > 0 ? add_finding(search, &intern) : HST_OK;
}

enum hst_status hst_duplicates_find(const struct hst_census *census, struct hst_heap *heap)
{
    struct search search = {.census = census, .heap = heap, .finding_capacity = heap->finding_count};
    enum hst_status status = HST_OK;
    hst_map_init(&search.by_content);
    for (uint32_t i = 0; i < heap->count && status == HST_OK; i++) {
        uint64_t hash = hash_of(&search, i);
        if (hash != 0)
            status = add(&search, i, hash);
    }
    if (status == HST_OK)
        status = report(&search);
    hst_map_release(&search.by_content);
    hst_free(search.groups);
    return status;
}
