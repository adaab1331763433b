/* Walks two lists of addresses side by side. */
#include "analyze/heap_match.h"

#include "base/memory.h"

enum hst_status hst_heap_type_names_init(struct hst_heap_type_names *names,
                                         const struct hst_heap *const *heaps, size_t heap_count)
{
    *names = (struct hst_heap_type_names){.heap_count = heap_count};
    names->of = hst_alloc_zero(heap_count, sizeof *names->of);
    int made = hst_strings_init(&names->strings) && names->of != NULL;
    for (size_t h = 0; h < heap_count && made; h++) {
        names->of[h] = hst_alloc(heaps[h]->type_count + 1, sizeof **names->of);
        made = names->of[h] != NULL;
        for (uint32_t i = 0; i < heaps[h]->type_count && made; i++) {
            names->of[h][i] = hst_strings_add_z(&names->strings, hst_heap_type_name(heaps[h], i));
            made = names->of[h][i] != HST_MAP_ABSENT;
        }
    }
    if (made)
        return HST_OK;
    hst_heap_type_names_release(names);
    return HST_E_NOMEM;
}

void hst_heap_type_names_release(struct hst_heap_type_names *names)
{
    for (size_t h = 0; h < names->heap_count && names->of != NULL; h++)
        hst_free(names->of[h]);
    hst_free(names->of);
    hst_strings_release(&names->strings);
    *names = (struct hst_heap_type_names){0};
}

void hst_heap_match(const struct hst_heap_type_names *names, const struct hst_heap *const *heaps,
                    size_t before, size_t after, uint32_t *ret_match)
{
    const struct hst_heap *a = heaps[before], *b = heaps[after];
    uint32_t i = 0;
    for (uint32_t j = 0; j < b->count; j++) {
        while (i < a->count && a->addresses[i] < b->addresses[j])
            i++;
        int same = i < a->count && a->addresses[i] == b->addresses[j] &&
                   names->of[before][a->types[i]] == names->of[after][b->types[j]];
        ret_match[j] = same ? i : HST_HEAP_NONE;
    }
}
