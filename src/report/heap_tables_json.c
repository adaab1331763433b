/* Types, holders, the tree and the overview, as JSON. */
#include "base/memory.h"
#include "report/heap_cells.h"
#include "report/json.h"

json_t *hst_heap_by_type_json(struct hst_heap_page *page, const struct hst_heap_by_type *types)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < hst_heap_page_rows(page, types->count); i++) {
        const struct hst_heap_type_row *row = &types->rows[i];
        hst_heap_json_append(&rows,
                             json_pack("{so sI sI sI sb}", "type",
                                       hst_json_text(hst_heap_type_name(page->view->heap, row->type)),
                                       "objects", (json_int_t)row->objects, "bytes", (json_int_t)row->bytes,
                                       "retained", (json_int_t)row->retained, "exact", row->exact));
    }
    return json_pack("{sI sI so}", "objects", (json_int_t)types->objects, "bytes", (json_int_t)types->bytes,
                     "types", rows);
}

static json_t *top_rows(struct hst_heap_page *page, const struct hst_heap_top_row *rows, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *row = hst_heap_object_row_json(page, rows[i].end);
        if (row != NULL &&
            (json_object_set_new(row, "retained",
                                 json_integer((json_int_t)page->view->retained[rows[i].begin])) != 0 ||
             json_object_set_new(row, "begins_at", hst_heap_address_json(page->view->heap, rows[i].begin)) !=
                 0 ||
             json_object_set_new(row, "path", hst_heap_path_json(page, rows[i].end)) != 0)) {
            json_decref(row);
            row = NULL;
        }
        hst_heap_json_append(&list, row);
    }
    return list;
}

json_t *hst_heap_top_json(struct hst_heap_page *page, const struct hst_heap_top_row *rows, size_t count)
{
    return json_pack("{sI so}", "bytes", (json_int_t)page->view->all_bytes, "objects",
                     top_rows(page, rows, count));
}

json_t *hst_heap_tree_json(struct hst_heap_page *page, const struct hst_heap_tree *tree)
{
    const struct hst_heap *heap = page->view->heap;
    json_t *rows = json_array();
    for (size_t i = 0; i < tree->count; i++) {
        const struct hst_heap_branch *row = &tree->rows[i];
        json_t *type =
            row->type != HST_HEAP_NONE ? hst_json_text(hst_heap_type_name(heap, row->type)) : json_null();
        hst_heap_json_append(&rows, json_pack("{sI so so sI sI sI}", "depth", (json_int_t)row->depth,
                                              "address", hst_heap_address_json(heap, row->object), "type",
                                              type, "objects", (json_int_t)row->objects, "bytes",
                                              (json_int_t)row->bytes, "retained", (json_int_t)row->retained));
    }
    return json_pack("{sI so}", "bytes", (json_int_t)page->view->all_bytes, "tree", rows);
}

static json_t *finding_json(const struct hst_heap *heap, const struct hst_heap_finding *row)
{
    return json_pack("{ss so so so sI sI}", "kind", hst_heap_finding_name(row->kind), "type",
                     hst_json_text(hst_heap_type_name(heap, row->type)), "example",
                     hst_heap_address_json(heap, row->example), "text",
                     hst_json_text(hst_strings_get(&heap->strings, row->text)), "objects",
                     (json_int_t)row->objects, "bytes", (json_int_t)row->bytes);
}

json_t *hst_heap_findings_json(struct hst_heap_page *page, int duplicates)
{
    HST_CLEANUP_FREE const struct hst_heap_finding **rows = NULL;
    size_t count;
    if (hst_heap_findings_sort(page->view->heap, duplicates, &rows, &count) != HST_OK)
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < hst_heap_page_rows(page, count); i++)
        hst_heap_json_append(&list, finding_json(page->view->heap, rows[i]));
    return json_pack("{so}", "findings", list);
}

static json_t *parts_json(const struct hst_heap *heap)
{
    static const char *const kinds[] = {"objects", "tables",      "slack", "free", "unused", "overhead",
                                        "native",  "native_free", "stack", "file", "shared", "other"};
    json_t *list = json_array();
    for (size_t i = 0; i < heap->part_count; i++) {
        const struct hst_heap_part *part = &heap->parts[i];
        hst_heap_json_append(&list,
                             json_pack("{ss so sI}", "kind",
                                       part->kind < HST_ARRAY_LENGTH(kinds) ? kinds[part->kind] : "other",
                                       "name", hst_json_text(hst_strings_get(&heap->strings, part->name)),
                                       "bytes", (json_int_t)part->bytes));
    }
    return list;
}

static uint64_t part_bytes(const struct hst_heap *heap, enum hst_part_kind kind)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < heap->part_count; i++)
        bytes += heap->parts[i].kind == kind ? heap->parts[i].bytes : 0;
    return bytes;
}

/* null: it was taken in another way. */
static json_t *fork_json(const struct hst_heap *heap)
{
    const struct hst_heap_cost *cost = &heap->cost;
    if (heap->way != HST_HEAP_FORKED)
        return json_null();
    return json_pack("{sb sI sI sI}", "reaped", cost->reaped, "reap_pause_ns",
                     (json_int_t)cost->reap_pause_ns, "faults", (json_int_t)cost->faults, "stolen_ns",
                     (json_int_t)cost->stolen_ns);
}

static json_t *precopy_json(const struct hst_heap *heap)
{
    if (heap->way != HST_HEAP_PRECOPIED)
        return json_null();
    return json_pack("{sI sI}", "faults", (json_int_t)heap->cost.faults, "stolen_ns",
                     (json_int_t)heap->cost.stolen_ns);
}

json_t *hst_heap_overview_json(struct hst_heap_page *page, const struct hst_heap_overview *overview)
{
    static const char *const ways[] = {"stopped", "forked", "live", "core", "imported", "precopied"};
    const struct hst_heap *heap = page->view->heap;
    json_t *types = hst_heap_by_type_json(page, &overview->types), *findings = json_array();
    for (size_t i = 0; i < overview->finding_count; i++)
        hst_heap_json_append(&findings, finding_json(heap, overview->findings[i]));
    json_t *suspects = hst_heap_suspects_json(page, overview->suspects, overview->suspect_count);
    json_t *head =
        json_pack("{si so ss ss sI sI sI sI sI}", "pid", heap->pid, "command",
                  hst_json_text(heap->command != NULL ? heap->command : ""), "interpreter", heap->interpreter,
                  "way", (size_t)heap->way < HST_ARRAY_LENGTH(ways) ? ways[heap->way] : "?", "pause_ns",
                  (json_int_t)heap->pause_ns, "census_ns", (json_int_t)heap->census_ns, "own_bytes",
                  (json_int_t)heap->copied_bytes, "resident_bytes", (json_int_t)heap->resident_bytes,
                  "known_bytes", (json_int_t)overview->known_bytes);
    json_t *rest =
        json_pack("{sI sI sI sI so so so so so so}", "object_bytes", (json_int_t)overview->types.bytes,
                  "free_bytes", (json_int_t)part_bytes(heap, HST_PART_FREE), "unused_bytes",
                  (json_int_t)part_bytes(heap, HST_PART_UNUSED), "overhead_bytes",
                  (json_int_t)part_bytes(heap, HST_PART_OVERHEAD), "fork", fork_json(heap), "precopy",
                  precopy_json(heap), "parts", parts_json(heap), "incomplete",
                  heap->incomplete != NULL ? hst_json_text(heap->incomplete) : json_null(), "holders",
                  top_rows(page, overview->holders, overview->holder_count), "findings", findings);
    int failed = head == NULL || json_object_update(head, types) != 0 ||
                 json_object_update(head, suspects) != 0 || json_object_update(head, rest) != 0;
    json_decref(types);
    json_decref(suspects);
    json_decref(rest);
    if (!failed)
        return head;
    json_decref(head);
    return NULL;
}
