/* Subtracts. */
#include "analyze/heap_compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int by_growth(const void *a, const void *b)
{
    const struct hst_heap_change *x = a, *y = b;
    int64_t x_bytes = (int64_t)(x->bytes_after - x->bytes_before),
            y_bytes = (int64_t)(y->bytes_after - y->bytes_before);
    if (x_bytes != y_bytes)
        return x_bytes < y_bytes ? 1 : -1;
    return strcmp(x->type, y->type);
}

static int by_retained(const void *a, const void *b)
{
    const struct hst_heap_accumulation *x = a, *y = b;
    if (x->retained != y->retained)
        return x->retained < y->retained ? 1 : -1;
    if (x->holder != y->holder)
        return x->holder < y->holder ? -1 : 1;
    return x->type < y->type ? -1 : x->type > y->type;
}

static enum hst_status find_changes(struct hst_heap_compare *compare, const struct hst_heap *a,
                                    const struct hst_heap *b, const uint32_t *match)
{
    size_t count = compare->names.strings.count;
    struct hst_heap_change *rows = hst_alloc_zero(count + 1, sizeof *rows);
    if (rows == NULL)
        return HST_E_NOMEM;
    compare->changes = rows;
    for (size_t i = 0; i < a->count; i++) {
        struct hst_heap_change *row = &rows[compare->names.of[0][a->types[i]]];
        row->objects_before++;
        row->bytes_before += a->bytes[i];
    }
    for (size_t i = 0; i < b->count; i++) {
        struct hst_heap_change *row = &rows[compare->names.of[1][b->types[i]]];
        row->objects_after++;
        row->bytes_after += b->bytes[i];
        row->new_objects += match[i] == HST_HEAP_NONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        rows[i].type = hst_strings_get(&compare->names.strings, i);
        rows[i].gone_objects = rows[i].objects_before + rows[i].new_objects - rows[i].objects_after;
        if (rows[i].new_objects > 0 || rows[i].gone_objects > 0 ||
            rows[i].bytes_before != rows[i].bytes_after)
            rows[compare->change_count++] = rows[i];
    }
    qsort(rows, compare->change_count, sizeof *rows, by_growth);
    return HST_OK;
}

static enum hst_status find_holders(struct hst_heap_compare *compare, const struct hst_heap_view *view,
                                    const uint32_t *match, struct hst_map *map)
{
    const struct hst_heap *heap = view->heap;
    size_t capacity = 0;
    for (uint32_t i = 0; i < heap->count; i++) {
        uint32_t above = view->dominators.above[i];
        if (match[i] != HST_HEAP_NONE || above == HST_GRAPH_NONE ||
            (above != HST_GRAPH_ROOT && match[above] == HST_HEAP_NONE))
            continue;
        uint64_t key = (uint64_t)above << 32 | heap->types[i];
        uint32_t at = hst_map_find(map, key);
        if (at == HST_MAP_ABSENT) {
            at = (uint32_t)compare->holder_count;
            if (!HST_RESERVE(compare->holders, capacity, compare->holder_count + 1) ||
                !hst_map_set(map, key, at))
                return HST_E_NOMEM;
            compare->holders[compare->holder_count++] =
                (struct hst_heap_accumulation){.holder = above, .type = heap->types[i]};
        }
        compare->holders[at].objects++;
        compare->holders[at].retained += view->retained[i];
    }
    if (compare->holder_count > 0)
        qsort(compare->holders, compare->holder_count, sizeof *compare->holders, by_retained);
    return HST_OK;
}

enum hst_status hst_heap_compare_init(struct hst_heap_compare *compare, const struct hst_heap *before,
                                      struct hst_heap_view *after)
{
    const struct hst_heap *heaps[] = {before, after->heap};
    HST_CLEANUP_FREE uint32_t *match = hst_alloc(after->heap->count + 1, sizeof *match);
    struct hst_map map;
    *compare = (struct hst_heap_compare){0};
    if (match == NULL)
        return HST_E_NOMEM;
    HST_TRY(hst_heap_view_need(after, HST_HEAP_RETAINED));
    HST_TRY(hst_heap_type_names_init(&compare->names, heaps, 2));
    hst_heap_match(&compare->names, heaps, 0, 1, match);
    hst_map_init(&map);
    enum hst_status status = find_changes(compare, before, after->heap, match);
    if (status == HST_OK)
        status = find_holders(compare, after, match, &map);
    hst_map_release(&map);
    if (status != HST_OK)
        hst_heap_compare_release(compare);
    return status;
}

void hst_heap_compare_release(struct hst_heap_compare *compare)
{
    hst_free(compare->changes);
    hst_free(compare->holders);
    hst_heap_type_names_release(&compare->names);
    *compare = (struct hst_heap_compare){0};
}
