/* Objects, their references, changes, suspects and cycles, as JSON. */
#include "base/memory.h"
#include "report/heap_cells.h"
#include "report/json.h"

enum { MOST = 1000 }; /* references in a list when rows were not asked for */

static json_t *edge_json(struct hst_heap_page *page, uint32_t edge, uint32_t other)
{
    json_t *row = hst_heap_object_row_json(page, other);
    if (row != NULL && json_object_set_new(row, "place", hst_heap_place_json(page, edge)) == 0)
        return row;
    json_decref(row);
    return NULL;
}

static json_t *targets_json(struct hst_heap_page *page, uint32_t object)
{
    const struct hst_heap *heap = page->view->heap;
    uint32_t begin = heap->first[object];
    size_t shown = hst_heap_page_rows(page, heap->first[object + 1] - begin);
    json_t *list = json_array();
    for (uint32_t edge = begin; edge < begin + shown && edge < begin + MOST; edge++)
        hst_heap_json_append(&list, edge_json(page, edge, heap->targets[edge]));
    return list;
}

static json_t *referrers_json(struct hst_heap_page *page, uint32_t object)
{
    HST_CLEANUP_FREE uint32_t *edges = NULL;
    size_t count, total;
    if (hst_heap_referrers_find(page->view, object, page->rows != 0 ? page->rows : MOST, &edges, &count,
                                &total) != HST_OK)
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        hst_heap_json_append(&list,
                             edge_json(page, edges[i], hst_heap_path_source(page->view->heap, edges[i])));
    return list;
}

json_t *hst_heap_object_json(struct hst_heap_page *page, uint32_t object)
{
    struct hst_heap_view *view = page->view;
    if (hst_heap_view_need(view, HST_HEAP_RETAINED | HST_HEAP_PATHS | HST_HEAP_INCOMING) != HST_OK)
        return NULL;
    json_t *row = hst_heap_object_row_json(page, object);
    if (row != NULL && json_object_set_new(row, "path", hst_heap_path_json(page, object)) == 0 &&
        json_object_set_new(row, "reached", json_boolean(view->dominators.above[object] != HST_GRAPH_NONE)) ==
            0 &&
        json_object_set_new(row, "referrer_count",
                            json_integer(view->incoming_first[object + 1] - view->incoming_first[object])) ==
            0 &&
        json_object_set_new(row, "references", targets_json(page, object)) == 0)
        return row;
    json_decref(row);
    return NULL;
}

json_t *hst_heap_refs_json(struct hst_heap_page *page, uint32_t object)
{
    json_t *row = hst_heap_object_json(page, object);
    if (row != NULL && json_object_set_new(row, "referrers", referrers_json(page, object)) == 0)
        return row;
    json_decref(row);
    return NULL;
}

static json_t *steps_json(struct hst_heap_page *page, const struct hst_heap_merged_row *row)
{
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    if (hst_heap_path_add_steps(page->view, row->steps, row->step_count, 1, &text) != HST_OK)
        text.failed = 1;
    return hst_heap_buffer_json(&text);
}

json_t *hst_heap_merged_json(struct hst_heap_page *page, const struct hst_heap_merged *merged, uint32_t type)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < hst_heap_page_rows(page, merged->count); i++) {
        const struct hst_heap_merged_row *row = &merged->rows[i];
        hst_heap_json_append(&rows, json_pack("{so sI sI sI}", "path", steps_json(page, row), "objects",
                                              (json_int_t)row->objects, "bytes", (json_int_t)row->bytes,
                                              "retained", (json_int_t)row->retained));
    }
    return json_pack("{so sI sI so}", "type", hst_json_text(hst_heap_type_name(page->view->heap, type)),
                     "objects", (json_int_t)merged->objects, "unreached", (json_int_t)merged->unreached,
                     "paths", rows);
}

json_t *hst_heap_compare_json(struct hst_heap_page *page, const struct hst_heap_compare *compare)
{
    json_t *types = json_array(), *holders = json_array();
    for (size_t i = 0; i < hst_heap_page_rows(page, compare->change_count); i++) {
        const struct hst_heap_change *row = &compare->changes[i];
        hst_heap_json_append(
            &types, json_pack("{so sI sI sI sI sI sI}", "type", hst_json_text(row->type), "objects_before",
                              (json_int_t)row->objects_before, "objects_after",
                              (json_int_t)row->objects_after, "bytes_before", (json_int_t)row->bytes_before,
                              "bytes_after", (json_int_t)row->bytes_after, "new",
                              (json_int_t)row->new_objects, "gone", (json_int_t)row->gone_objects));
    }
    for (size_t i = 0; i < hst_heap_page_rows(page, compare->holder_count); i++) {
        const struct hst_heap_accumulation *row = &compare->holders[i];
        hst_heap_json_append(
            &holders,
            json_pack("{so so so sI sI}", "holder", hst_heap_address_json(page->view->heap, row->holder),
                      "path", hst_heap_path_json(page, row->holder), "type",
                      hst_json_text(hst_heap_type_name(page->view->heap, row->type)), "objects",
                      (json_int_t)row->objects, "retained", (json_int_t)row->retained));
    }
    return json_pack("{so so}", "types", types, "holders", holders);
}

/* The holder as a person calls it; the path to it, or to one of what grew where nothing holds it. */
json_t *hst_heap_suspects_json(struct hst_heap_page *page, const struct hst_heap_suspect *rows, size_t count)
{
    const struct hst_heap *heap = page->view->heap;
    json_t *list = json_array();
    for (size_t i = 0; i < hst_heap_page_rows(page, count); i++) {
        const struct hst_heap_suspect *row = &rows[i];
        uint32_t where = row->holder != HST_HEAP_NONE ? row->holder : row->example;
        json_t *holder = row->holder != HST_HEAP_NONE
                             ? hst_json_text(hst_heap_type_name(heap, heap->types[row->holder]))
                             : json_null();
        hst_heap_json_append(&list, json_pack("{so so so so sI sI sI sI ss}", "type",
                                              hst_json_text(hst_heap_type_name(heap, row->type)), "holder",
                                              holder, "address", hst_heap_address_json(heap, where), "path",
                                              hst_heap_path_json(page, where), "bytes",
                                              (json_int_t)row->bytes, "objects", (json_int_t)row->objects,
                                              "growth_bytes", (json_int_t)row->growth_bytes, "growth_objects",
                                              (json_int_t)row->growth_objects, "reason",
                                              hst_suspect_reason_name(row->reason)));
    }
    return json_pack("{so}", "suspects", list);
}

static json_t *cycle_json(struct hst_heap_page *page, const struct hst_heap_cycle_row *row)
{
    const struct hst_heap *heap = page->view->heap;
    json_t *types = json_array(), *places = json_array(), *weaken = json_null();
    for (size_t i = 0; i < row->type_count && i < HST_HEAP_CYCLE_TYPES; i++)
        hst_heap_json_append(&types, hst_json_text(hst_heap_type_name(heap, row->types[i])));
    for (size_t i = 0; i < row->edge_count && i < HST_HEAP_CYCLE_EDGES; i++)
        hst_heap_json_append(&places, hst_heap_place_json(page, row->edges[i]));
    if (row->breaker != HST_HEAP_NONE) {
        uint32_t source = hst_heap_path_source(heap, row->breaker);
        weaken = json_pack("{so so}", "type", hst_json_text(hst_heap_type_name(heap, heap->types[source])),
                           "place", hst_heap_place_json(page, row->breaker));
    }
    return json_pack(
        "{so sI sI sI sI sb so so so}", "types", types, "type_count", (json_int_t)row->type_count, "groups",
        (json_int_t)row->groups, "objects", (json_int_t)row->objects, "bytes", (json_int_t)row->bytes,
        "garbage", row->garbage, "example",
        hst_heap_address_json(heap,
                              row->edge_count > 0 ? hst_heap_path_source(heap, row->edges[0]) : row->example),
        "cycle", places, "weaken", weaken);
}

json_t *hst_heap_cycles_json(struct hst_heap_page *page, const struct hst_heap_cycles *cycles)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < hst_heap_page_rows(page, cycles->count); i++)
        hst_heap_json_append(&rows, cycle_json(page, &cycles->rows[i]));
    return json_pack("{sI sI sI sI sI sI so}", "groups", (json_int_t)cycles->groups, "bytes",
                     (json_int_t)cycles->bytes, "garbage_groups", (json_int_t)cycles->garbage_groups,
                     "garbage_bytes", (json_int_t)cycles->garbage_bytes, "class_groups",
                     (json_int_t)cycles->class_groups, "class_bytes", (json_int_t)cycles->class_bytes,
                     "cycles", rows);
}
