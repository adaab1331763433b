/* Growth and insertion of the 64-bit hash table. */
#include "base/map.h"

#include <string.h>

#include "base/memory.h"

uint64_t hst_hash_bytes(const void *data, size_t length, uint64_t seed)
{
    const uint8_t *at = data;
    uint64_t hash = seed ^ (length * 0x9e3779b97f4a7c15u);
    for (; length >= 8; length -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = hst_mix64(hash ^ word) + 0x2545f4914f6cdd1du;
    }
    uint64_t tail = 0;
    memcpy(&tail, at, length);
    return hst_mix64(hst_mix64(hash ^ tail) + 0x9e3779b97f4a7c15u);
}

void hst_map_init(struct hst_map *map) { *map = (struct hst_map){0}; }

void hst_map_release(struct hst_map *map)
{
    hst_free(map->slots);
    hst_map_init(map);
}

void hst_map_clear(struct hst_map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        map->slots[i].value = HST_MAP_ABSENT;
    map->count = 0;
}

static void place(struct hst_map_slot *slots, size_t capacity, uint64_t key, uint32_t value)
{
    size_t mask = capacity - 1;
    size_t i = hst_mix64(key) & mask;
    while (slots[i].value != HST_MAP_ABSENT)
        i = (i + 1) & mask;
    slots[i] = (struct hst_map_slot){.key = key, .value = value};
}

static int grow(struct hst_map *map)
{
    size_t capacity = map->capacity != 0 ? map->capacity * 2 : 64;
    struct hst_map_slot *slots = hst_alloc(capacity, sizeof *slots);
    if (slots == NULL)
        return 0;
    for (size_t i = 0; i < capacity; i++)
        slots[i] = (struct hst_map_slot){.value = HST_MAP_ABSENT};
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].value != HST_MAP_ABSENT)
            place(slots, capacity, map->slots[i].key, map->slots[i].value);
    hst_free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return 1;
}

int hst_map_set(struct hst_map *map, uint64_t key, uint32_t value)
{
    if ((map->count + 1) * 5 > map->capacity * 3 && !grow(map))
        return 0;
    size_t mask = map->capacity - 1;
    for (size_t i = hst_mix64(key) & mask;; i = (i + 1) & mask) {
        struct hst_map_slot *slot = &map->slots[i];
        if (slot->value == HST_MAP_ABSENT) {
            *slot = (struct hst_map_slot){.key = key, .value = value};
            map->count++;
            return 1;
        }
        if (slot->key == key) {
            slot->value = value;
            return 1;
        }
    }
}
