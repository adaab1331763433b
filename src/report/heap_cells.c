/* Spells rows. */
#include "report/heap_cells.h"

#include <stdio.h>

#include "base/memory.h"
#include "report/json.h"

void hst_heap_page_head(struct hst_heap_page *page, const char *title, const char *heads)
{
    const struct hst_style *style = page->style;
    if (page->out->length > 0)
        hst_buffer_add_byte(page->out, '\n');
    hst_buffer_add_fmt(page->out, "%s%s%s\n", hst_ink(style, HST_INK_BOLD), title,
                       hst_ink(style, HST_INK_RESET));
    if (heads != NULL)
        hst_buffer_add_fmt(page->out, "%s%s%s\n", hst_ink(style, HST_INK_DIM), heads,
                           hst_ink(style, HST_INK_RESET));
}

size_t hst_heap_page_rows(const struct hst_heap_page *page, size_t count)
{
    return page->rows == 0 || count < page->rows ? count : page->rows;
}

void hst_heap_page_more(struct hst_heap_page *page, size_t shown, size_t count, const char *of_what)
{
    if (shown < count)
        hst_buffer_add_fmt(page->out, "  %s%s more %s (-n)%s\n", hst_ink(page->style, HST_INK_DIM),
                           hst_cell_count(count - shown).text, of_what, hst_ink(page->style, HST_INK_RESET));
}

void hst_heap_page_share(struct hst_heap_page *page, uint64_t bytes, uint64_t whole)
{
    hst_buffer_add_fmt(page->out, "  %9s %s", hst_cell_bytes(bytes).text,
                       hst_cell_percent(whole > 0 ? (double)bytes / (double)whole : 0).text);
}

struct hst_cell hst_heap_signed_bytes(int64_t bytes)
{
    struct hst_cell cell, size = hst_cell_bytes((uint64_t)(bytes < 0 ? -bytes : bytes));
    (void)snprintf(cell.text, sizeof cell.text, "%s%.100s",
                   bytes < 0   ? "-"
                   : bytes > 0 ? "+"
                               : "",
                   size.text);
    return cell;
}

struct hst_cell hst_heap_signed_count(int64_t count)
{
    struct hst_cell cell, size = hst_cell_count((uint64_t)(count < 0 ? -count : count));
    (void)snprintf(cell.text, sizeof cell.text, "%s%.100s",
                   count < 0   ? "-"
                   : count > 0 ? "+"
                               : "",
                   size.text);
    return cell;
}

void hst_heap_page_rest(struct hst_heap_page *page, const struct hst_buffer *text, size_t taken,
                        enum hst_text_cut cut)
{
    enum { LEAST = 24 };
    size_t width = (size_t)page->style->width;
    HST_CLEANUP_FREE char *copy = hst_strndup((const char *)text->data, text->length);
    if (copy == NULL)
        page->out->failed = 1;
    else
        hst_text_add(page->out, copy, width > taken + LEAST ? width - taken : LEAST, cut, 0, page->style);
}

static size_t items_of(const struct hst_heap *heap, uint32_t object)
{
    size_t items = 0;
    for (uint32_t edge = heap->first[object]; edge < heap->first[object + 1] && heap->places != NULL;
         edge++) {
        enum hst_place_kind kind = hst_place_kind_of(heap->places[edge]);
        items += kind == HST_PLACE_ITEM || kind == HST_PLACE_VALUE;
    }
    return items;
}

void hst_heap_add_object(const struct hst_heap_view *view, uint32_t object, struct hst_buffer *into)
{
    const struct hst_heap *heap = view->heap;
    size_t length, items;
    hst_buffer_add_text(into, hst_heap_type_name(heap, heap->types[object]));
    if (hst_heap_value(heap, object, &length) != NULL) {
        hst_buffer_add_byte(into, ' ');
        hst_heap_path_add_value(view, object, into);
    } else if ((items = items_of(heap, object)) > 0)
        hst_buffer_add_fmt(into, " of %s", hst_cell_count(items).text);
}

static const struct {
    const char *name, *advice;
} findings[] = {
    [HST_FINDING_DUPLICATE] = {"duplicate", "equal objects: keep one"},
    [HST_FINDING_LIST_SLACK] = {"list slack",
                                "lists with room for items that are not there: list(x) has none"},
    [HST_FINDING_DICT_SPARSE] = {"sparse dict", "dicts and sets larger than what they hold: dict(x) is not"},
    [HST_FINDING_MATERIALISED] = {"materialised",
                                  "attributes that became a dict: avoid vars(x) and x.__dict__"},
    [HST_FINDING_SLOTS] = {"slots", "__slots__ would save"},
    [HST_FINDING_ARRAY] = {"array", "lists of numbers: array.array or numpy would save"},
    [HST_FINDING_FREEZE] =
        {"freeze", "pages that each forked child copies when it collects: gc.freeze() before the fork"},
    [HST_FINDING_INTERN] = {"intern", "equal strings: sys.intern makes them one"},
};

const char *hst_heap_finding_name(uint32_t kind)
{
    return kind < HST_ARRAY_LENGTH(findings) ? findings[kind].name : "other";
}

const char *hst_heap_finding_advice(uint32_t kind)
{
    return kind < HST_ARRAY_LENGTH(findings) ? findings[kind].advice : "";
}

json_t *hst_heap_buffer_json(struct hst_buffer *buffer)
{
    hst_buffer_add_byte(buffer, '\0');
    json_t *json = buffer->failed ? NULL : hst_json_text((const char *)buffer->data);
    hst_buffer_release(buffer);
    return json;
}

json_t *hst_heap_address_json(const struct hst_heap *heap, uint32_t object)
{
    return object < heap->count ? json_sprintf("0x%llx", (unsigned long long)heap->addresses[object])
                                : json_null();
}

json_t *hst_heap_path_json(struct hst_heap_page *page, uint32_t object)
{
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    if (object < page->view->heap->count && hst_heap_path_add(page->view, object, &text) != HST_OK)
        text.failed = 1;
    return hst_heap_buffer_json(&text);
}

json_t *hst_heap_place_json(struct hst_heap_page *page, uint32_t edge)
{
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    if (edge != HST_HEAP_NONE)
        hst_heap_path_add_place(page->view, hst_heap_path_source(page->view->heap, edge), edge, 0, &text);
    return hst_heap_buffer_json(&text);
}

json_t *hst_heap_object_row_json(struct hst_heap_page *page, uint32_t object)
{
    const struct hst_heap *heap = page->view->heap;
    size_t length;
    json_t *row =
        json_pack("{so so sI sI}", "address", hst_heap_address_json(heap, object), "type",
                  hst_json_text(hst_heap_type_name(heap, heap->types[object])), "bytes",
                  (json_int_t)heap->bytes[object], "retained", (json_int_t)page->view->retained[object]);
    if (row != NULL && hst_heap_value(heap, object, &length) != NULL) {
        struct hst_buffer text;
        hst_buffer_init(&text, 0);
        hst_heap_path_add_value(page->view, object, &text);
        if (json_object_set_new(row, "value", hst_heap_buffer_json(&text)) != 0) {
            json_decref(row);
            return NULL;
        }
    }
    return row;
}

void hst_heap_json_append(json_t **array, json_t *item)
{
    if (*array != NULL && item != NULL && json_array_append_new(*array, item) == 0)
        return;
    if (*array == NULL)
        json_decref(item);
    json_decref(*array);
    *array = NULL;
}
