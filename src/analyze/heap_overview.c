/* Asks the other questions, and puts the answers together. */
#include "analyze/heap_overview.h"

#include <stdlib.h>

#include "base/memory.h"

static int most_bytes(const void *a, const void *b)
{
    const struct hst_heap_finding *x = *(const struct hst_heap_finding *const *)a,
                                  *y = *(const struct hst_heap_finding *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : x > y;
}

static int is_duplicate(const struct hst_heap_finding *finding)
{
    return finding->kind == HST_FINDING_DUPLICATE || finding->kind == HST_FINDING_INTERN;
}

/* which: 0 no duplicates, 1 only those, 2 all. */
static enum hst_status sort_findings(const struct hst_heap *heap, int which,
                                     const struct hst_heap_finding ***ret_rows, size_t *ret_count)
{
    const struct hst_heap_finding **rows = hst_alloc(heap->finding_count + 1, sizeof *rows);
    size_t count = 0;
    if (rows == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < heap->finding_count; i++)
        if (which == 2 || is_duplicate(&heap->findings[i]) == which)
            rows[count++] = &heap->findings[i];
    qsort(rows, count, sizeof *rows, most_bytes);
    *ret_rows = rows;
    *ret_count = count;
    return HST_OK;
}

enum hst_status hst_heap_findings_sort(const struct hst_heap *heap, int duplicates,
                                       const struct hst_heap_finding ***ret_rows, size_t *ret_count)
{
    return sort_findings(heap, duplicates != 0, ret_rows, ret_count);
}

static enum hst_status fill(struct hst_heap_overview *overview, struct hst_heap_view *view, size_t holders)
{
    struct hst_heap_view *const views[] = {view};
    for (size_t i = 0; i < view->heap->part_count; i++)
        if (view->heap->parts[i].kind != HST_PART_OTHER)
            overview->known_bytes += view->heap->parts[i].bytes;
    HST_TRY(hst_heap_by_type_init(&overview->types, view, HST_HEAP_SORT_BYTES, 0));
    HST_TRY(hst_heap_top_find(view, holders, view->all_bytes / 1000, &overview->holders,
                              &overview->holder_count));
    HST_TRY(hst_heap_suspects_find(views, 1, &overview->suspects, &overview->suspect_count));
    return sort_findings(view->heap, 2, &overview->findings, &overview->finding_count);
}

enum hst_status hst_heap_overview_init(struct hst_heap_overview *overview, struct hst_heap_view *view,
                                       size_t holders)
{
    *overview = (struct hst_heap_overview){0};
    enum hst_status status = fill(overview, view, holders);
    if (status != HST_OK)
        hst_heap_overview_release(overview);
    return status;
}

void hst_heap_overview_release(struct hst_heap_overview *overview)
{
    hst_heap_by_type_release(&overview->types);
    hst_free(overview->holders);
    hst_free(overview->suspects);
    hst_free(overview->findings);
    *overview = (struct hst_heap_overview){0};
}
