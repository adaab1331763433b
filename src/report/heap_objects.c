/* One object: what it is, who refers to it, whom it refers to; and the paths to the objects of a type. */
#include "base/memory.h"
#include "report/heap_cells.h"

static void add_label(struct hst_heap_page *page, uint32_t object)
{
    struct hst_heap_view *view = page->view;
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 0);
    hst_heap_add_object(view, object, &text);
    hst_buffer_add_fmt(&text, " at 0x%llx", (unsigned long long)view->heap->addresses[object]);
    hst_heap_page_rest(page, &text, 0, HST_CUT_START);
    hst_buffer_add_fmt(page->out, "\n  its own %s · retained %s",
                       hst_cell_bytes(view->heap->bytes[object]).text,
                       hst_cell_bytes(view->retained[object]).text);
    hst_buffer_add_fmt(
        page->out, "%s\n",
        view->dominators.above[object] == HST_GRAPH_NONE ? " · not reached from any root: garbage" : "");
}

/* A row of an edge: the place, and the object at the end that was not named yet. */
static void add_edge(struct hst_heap_page *page, uint32_t edge, uint32_t other, int place_last)
{
    enum { TAKEN = 15 };
    struct hst_heap_view *view = page->view;
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    uint32_t source = hst_heap_path_source(view->heap, edge);
    hst_buffer_init(&text, 0);
    if (!place_last) {
        hst_heap_path_add_place(view, source, edge, 0, &text);
        hst_buffer_add_text(&text, text.length > 0 ? "  " : "");
    }
    hst_heap_add_object(view, other, &text);
    if (place_last) {
        hst_buffer_add_text(&text, "  ");
        hst_heap_path_add_place(view, source, edge, 0, &text);
    }
    hst_buffer_add_fmt(&text, "  0x%llx", (unsigned long long)view->heap->addresses[other]);
    hst_buffer_add_fmt(page->out, "  %11s  ", hst_cell_bytes(view->retained[other]).text);
    hst_heap_page_rest(page, &text, TAKEN, HST_CUT_START);
    hst_buffer_add_byte(page->out, '\n');
}

static enum hst_status add_referrers(struct hst_heap_page *page, uint32_t object)
{
    HST_CLEANUP_FREE uint32_t *edges = NULL;
    size_t count, total, most = page->rows != 0 ? page->rows : SIZE_MAX;
    HST_TRY(hst_heap_referrers_find(page->view, object, most, &edges, &count, &total));
    hst_heap_page_head(page, "Who refers to it", total > 0 ? "     retained" : NULL);
    for (size_t i = 0; i < page->view->heap->root_count; i++) {
        const struct hst_heap_root *root = &page->view->heap->roots[i];
        if (root->object != object)
            continue;
        HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
        hst_buffer_init(&text, 0);
        hst_heap_path_add_root(page->view, root, &text);
        if (root->number > 1)
            hst_buffer_add_fmt(&text, ": %u references", root->number);
        hst_buffer_add_text(page->out, "         root  ");
        hst_heap_page_rest(page, &text, 15, HST_CUT_START);
        hst_buffer_add_byte(page->out, '\n');
    }
    for (size_t i = 0; i < count; i++)
        add_edge(page, edges[i], hst_heap_path_source(page->view->heap, edges[i]), 1);
    hst_heap_page_more(page, count, total, "references");
    return HST_OK;
}

static void add_targets(struct hst_heap_page *page, uint32_t object)
{
    const struct hst_heap *heap = page->view->heap;
    uint32_t begin = heap->first[object], end = heap->first[object + 1];
    size_t shown = hst_heap_page_rows(page, end - begin);
    hst_heap_page_head(page, "Whom it refers to", end > begin ? "     retained" : NULL);
    for (uint32_t edge = begin; edge < begin + shown; edge++)
        add_edge(page, edge, heap->targets[edge], 0);
    hst_heap_page_more(page, shown, end - begin, "references");
}

static enum hst_status add_path(struct hst_heap_page *page, uint32_t object)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 0);
    HST_TRY(hst_heap_path_add(page->view, object, &text));
    hst_buffer_add_text(page->out, "  ");
    hst_heap_page_rest(page, &text, 2, HST_CUT_START);
    hst_buffer_add_byte(page->out, '\n');
    return HST_OK;
}

enum hst_status hst_heap_refs_text(struct hst_heap_page *page, uint32_t object)
{
    HST_TRY(hst_heap_view_need(page->view, HST_HEAP_RETAINED | HST_HEAP_PATHS));
    add_label(page, object);
    hst_heap_page_head(page, "The shortest path from the roots", NULL);
    HST_TRY(add_path(page, object));
    HST_TRY(add_referrers(page, object));
    add_targets(page, object);
    return hst_buffer_status(page->out);
}

enum hst_status hst_heap_object_text(struct hst_heap_page *page, uint32_t object)
{
    struct hst_heap_view *view = page->view;
    HST_TRY(hst_heap_view_need(view, HST_HEAP_RETAINED | HST_HEAP_PATHS | HST_HEAP_INCOMING));
    add_label(page, object);
    HST_TRY(add_path(page, object));
    uint32_t begin = view->heap->first[object], end = view->heap->first[object + 1];
    size_t shown = hst_heap_page_rows(page, end - begin);
    if (end > begin)
        hst_heap_page_head(page, "What it has", NULL);
    for (uint32_t edge = begin; edge < begin + shown; edge++)
        add_edge(page, edge, view->heap->targets[edge], 0);
    hst_heap_page_more(page, shown, end - begin, "references");
    uint32_t referrers = view->incoming_first[object + 1] - view->incoming_first[object];
    hst_buffer_add_fmt(page->out, "\n%s reference%s to it (heap refs)\n", hst_cell_count(referrers).text,
                       referrers == 1 ? "" : "s");
    return hst_buffer_status(page->out);
}

enum hst_status hst_heap_merged_text(struct hst_heap_page *page, const struct hst_heap_merged *merged,
                                     uint32_t type)
{
    enum { TAKEN = 30 };
    size_t shown = hst_heap_page_rows(page, merged->count);
    HST_CLEANUP_FREE char *title =
        hst_asprintf("%s objects of %.200s, by the way that leads to them",
                     hst_cell_count(merged->objects).text, hst_heap_type_name(page->view->heap, type));
    if (title == NULL)
        return HST_E_NOMEM;
    hst_heap_page_head(page, title, "      objects     retained  shortest path");
    for (size_t i = 0; i < shown; i++) {
        const struct hst_heap_merged_row *row = &merged->rows[i];
        HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
        hst_buffer_init(&text, 0);
        HST_TRY(hst_heap_path_add_steps(page->view, row->steps, row->step_count, 1, &text));
        hst_buffer_add_fmt(page->out, "  %11s  %11s  ", hst_cell_count(row->objects).text,
                           hst_cell_bytes(row->retained).text);
        hst_heap_page_rest(page, &text, TAKEN, HST_CUT_START);
        hst_buffer_add_byte(page->out, '\n');
    }
    hst_heap_page_more(page, shown, merged->count, "ways");
    if (merged->unreached > 0)
        hst_buffer_add_fmt(page->out, "  %11s               not reached from any root: garbage\n",
                           hst_cell_count(merged->unreached).text);
    return hst_buffer_status(page->out);
}
