/* A hash table from 64-bit keys to 32-bit ids: open addressing, linear probing, grows at 60 % load, only ever
 * grows except for clear.  The hot tables of the sampler (code address -> code, stack edge -> stack) are of
 * this kind. */
#ifndef HST_BASE_MAP_H
#define HST_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#define HST_MAP_ABSENT UINT32_MAX

struct hst_map_slot {
    uint64_t key;
    uint32_t value; /* HST_MAP_ABSENT = empty slot */
};

struct hst_map {
    struct hst_map_slot *slots;
    size_t capacity, count; /* capacity is a power of two, or 0 */
};

/* A well-mixed 64-bit value from a 64-bit one. */
static inline uint64_t hst_mix64(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x;
}
uint64_t hst_hash_bytes(const void *data, size_t length, uint64_t seed);

void hst_map_init(struct hst_map *map);
void hst_map_release(struct hst_map *map);
void hst_map_clear(struct hst_map *map);
/* 0 when memory is out; value must not be HST_MAP_ABSENT. Replaces an existing value. */
int hst_map_set(struct hst_map *map, uint64_t key, uint32_t value);

static inline uint32_t hst_map_find(const struct hst_map *map, uint64_t key)
{
    if (map->capacity == 0)
        return HST_MAP_ABSENT;
    size_t mask = map->capacity - 1;
    for (size_t i = hst_mix64(key) & mask;; i = (i + 1) & mask) {
        const struct hst_map_slot *slot = &map->slots[i];
        if (slot->value == HST_MAP_ABSENT || slot->key == key)
            return slot->value;
    }
}

#endif
