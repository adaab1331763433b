/* One snapshot: walks down the tree of dominators to where what is below comes apart. The growth between
 * several is heap_growth's. */
#include "analyze/heap_suspects.h"

#include <stdlib.h>

#include "analyze/heap_growth.h"
#include "analyze/heap_holders.h"
#include "base/memory.h"

#define LARGE_SHARE 0.10 /* of the heap: what retains less is no suspect */
#define KEEPS_SHARE 0.80 /* while a child keeps that much, what is below has not come apart yet */
#define LEAST_BYTES UINT64_C(1000000) /* in a small heap a tenth is nothing */
enum { GROUP_LEAST = 10 };            /* objects of a type that together are a suspect */

const char *hst_suspect_reason_name(enum hst_suspect_reason reason)
{
    static const char *const names[] = {"holds", "type", "grows", "native", "garbage"};
    return (size_t)reason < HST_ARRAY_LENGTH(names) ? names[reason] : "?";
}

enum hst_status hst_heap_suspect_list_add(struct hst_heap_suspect_list *list,
                                          const struct hst_heap_suspect *suspect)
{
    if (!HST_RESERVE(list->rows, list->capacity, list->count + 1))
        return HST_E_NOMEM;
    list->rows[list->count++] = *suspect;
    return HST_OK;
}

struct looking {
    struct hst_heap_view *view;
    struct hst_heap_suspect_list *list;
    uint64_t threshold;
    uint32_t *open; /* objects to look at */
    size_t open_count, open_capacity;
};

static enum hst_status add_holder(struct looking *looking, uint32_t object)
{
    struct hst_heap_view *view = looking->view;
    uint32_t point = hst_heap_view_descend(view, object, KEEPS_SHARE);
    size_t count;
    const uint32_t *children = hst_heap_view_children(view, point, &count);
    struct hst_heap_gathering gathering;
    HST_TRY(hst_heap_gathering_find(view, point, children, count, &gathering));
    struct hst_heap_suspect suspect = {.reason = HST_SUSPECT_HOLDS,
                                       .type = gathering.type != HST_HEAP_NONE ? gathering.type
                                                                               : view->heap->types[point],
                                       .holder = gathering.holder,
                                       .example = gathering.example,
                                       .bytes = view->retained[object],
                                       .objects = gathering.objects};
    return hst_heap_suspect_list_add(looking->list, &suspect);
}

/* Of what hangs below a module or the roots and is no suspect by itself: a type that is one together. */
static enum hst_status add_group(struct looking *looking, uint32_t above, const uint32_t *rest, size_t count)
{
    struct hst_heap_view *view = looking->view;
    struct hst_heap_gathering gathering;
    HST_TRY(hst_heap_gathering_find(view, above, rest, count, &gathering));
    /* Lists and dicts are everywhere: that many together hold much says nothing. */
    if (gathering.objects < GROUP_LEAST || gathering.retained < looking->threshold ||
        hst_heap_view_is_builtin(view, gathering.wrapped))
        return HST_OK;
    const struct hst_heap_suspect suspect = {.reason = HST_SUSPECT_TYPE,
                                             .type = gathering.type,
                                             .holder = gathering.holder,
                                             .example = gathering.example,
                                             .bytes = gathering.retained,
                                             .objects = gathering.objects};
    return hst_heap_suspect_list_add(looking->list, &suspect);
}

/* The children of one that is no suspect by itself: the roots, a module. */
static enum hst_status look_below(struct looking *looking, uint32_t above)
{
    struct hst_heap_view *view = looking->view;
    size_t count, rest_count = 0;
    const uint32_t *children = hst_heap_view_children(view, above, &count);
    HST_CLEANUP_FREE uint32_t *rest = hst_alloc(count + 1, sizeof *rest);
    if (rest == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        if (view->retained[children[i]] < looking->threshold)
            rest[rest_count++] = children[i];
        else if (!hst_heap_view_is_frame_of_program(view, children[i]))
            HST_TRY(add_holder(looking, children[i]));
        else if (!HST_RESERVE(looking->open, looking->open_capacity, looking->open_count + 1))
            return HST_E_NOMEM;
        else
            looking->open[looking->open_count++] = children[i];
    return add_group(looking, above, rest, rest_count);
}

static enum hst_status look(struct hst_heap_view *view, struct hst_heap_suspect_list *list)
{
    struct looking looking = {.view = view, .list = list};
    HST_TRY(hst_heap_view_need(view, HST_HEAP_CHILDREN));
    looking.threshold = (uint64_t)(LARGE_SHARE * (double)view->all_bytes);
    if (looking.threshold < LEAST_BYTES)
        looking.threshold = LEAST_BYTES;
    enum hst_status status = look_below(&looking, HST_GRAPH_ROOT);
    while (status == HST_OK && looking.open_count > 0)
        status = look_below(&looking, looking.open[--looking.open_count]);
    hst_free(looking.open);
    return status;
}

static int strongest(const void *a, const void *b)
{
    const struct hst_heap_suspect *x = a, *y = b;
    if (x->growth_bytes != y->growth_bytes)
        return x->growth_bytes < y->growth_bytes ? 1 : -1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->holder < y->holder ? -1 : x->holder > y->holder;
}

enum hst_status hst_heap_suspects_find(struct hst_heap_view *const *views, size_t count,
                                       struct hst_heap_suspect **ret_rows, size_t *ret_count)
{
    struct hst_heap_suspect_list list = {0};
    enum hst_status status = count > 1 ? hst_heap_growth_find(views, count, &list) : look(views[0], &list);
    if (status != HST_OK) {
        hst_free(list.rows);
        return status;
    }
    if (list.count > 0)
        qsort(list.rows, list.count, sizeof *list.rows, strongest);
    *ret_rows = list.rows;
    *ret_count = list.count;
    return HST_OK;
}
