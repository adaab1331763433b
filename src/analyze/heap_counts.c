/* Counts by the names of types, since a type may lie elsewhere the next time. */
#include "analyze/heap_counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static enum hst_status count_all(struct hst_heap_counts *counts, const struct hst_heap *heap)
{
    HST_CLEANUP_FREE uint32_t *names = hst_alloc(heap->type_count + 1, sizeof *names);
    if (names == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < heap->type_count; i++)
        if ((names[i] = hst_strings_add_z(&counts->names, hst_heap_type_name(heap, (uint32_t)i))) ==
            HST_MAP_ABSENT)
            return HST_E_NOMEM;
    counts->count = counts->names.count;
    if ((counts->rows = hst_alloc_zero(counts->count, sizeof *counts->rows)) == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < heap->count; i++) {
        if (heap->types[i] >= heap->type_count)
            continue;
        struct hst_heap_count *row = &counts->rows[names[heap->types[i]]];
        row->objects++;
        row->bytes += heap->bytes[i];
        counts->all.objects++;
        counts->all.bytes += heap->bytes[i];
    }
    return HST_OK;
}

enum hst_status hst_heap_counts_init(struct hst_heap_counts *counts, const struct hst_heap *heap)
{
    *counts = (struct hst_heap_counts){0};
    enum hst_status status = hst_strings_init(&counts->names) ? count_all(counts, heap) : HST_E_NOMEM;
    if (status != HST_OK)
        hst_heap_counts_release(counts);
    return status;
}

void hst_heap_counts_release(struct hst_heap_counts *counts)
{
    hst_strings_release(&counts->names);
    hst_free(counts->rows);
    *counts = (struct hst_heap_counts){0};
}

static int most_first(const void *a, const void *b)
{
    const struct hst_heap_grown *left = a, *right = b;
    if (left->bytes != right->bytes)
        return left->bytes > right->bytes ? -1 : 1;
    if (left->objects != right->objects)
        return left->objects > right->objects ? -1 : 1;
    return strcmp(left->type, right->type);
}

enum hst_status hst_heap_counts_grown(struct hst_heap_counts *before, const struct hst_heap_counts *after,
                                      struct hst_heap_grown **ret_rows, size_t *ret_count)
{
    struct hst_heap_grown *rows = hst_alloc(after->count, sizeof *rows);
    size_t count = 0;
    if (rows == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < after->count; i++) {
        const char *type = hst_strings_get(&after->names, (uint32_t)i);
        uint32_t old = hst_strings_add_z(&before->names, type);
        if (old == HST_MAP_ABSENT) {
            hst_free(rows);
            return HST_E_NOMEM;
        }
        struct hst_heap_count then = old < before->count ? before->rows[old] : (struct hst_heap_count){0};
        struct hst_heap_grown row = {.type = type,
                                     .now = after->rows[i],
                                     .objects = (int64_t)(after->rows[i].objects - then.objects),
                                     .bytes = (int64_t)(after->rows[i].bytes - then.bytes)};
        if (row.objects > 0 || row.bytes > 0)
            rows[count++] = row;
    }
    qsort(rows, count, sizeof *rows, most_first);
    *ret_rows = rows;
    *ret_count = count;
    return HST_OK;
}
