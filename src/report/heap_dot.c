/* The neighbourhood of an object as a graph in the language of graphviz: the path from the roots, who refers
 * to it, whom it refers to. */
#include "base/memory.h"
#include "report/heap_cells.h"

enum { AROUND = 12, LABEL_COLUMNS = 48 };

static void add_quoted(struct hst_buffer *out, struct hst_buffer *text, const struct hst_style *style)
{
    struct hst_buffer clean;
    hst_buffer_init(&clean, 0);
    hst_buffer_add_byte(text, '\0');
    if (!text->failed)
        hst_text_add(&clean, (const char *)text->data, LABEL_COLUMNS, HST_CUT_END, 0, style);
    for (size_t i = 0; i < clean.length; i++) {
        if (clean.data[i] == '"' || clean.data[i] == '\\')
            hst_buffer_add_byte(out, '\\');
        hst_buffer_add_byte(out, clean.data[i]);
    }
    out->failed |= clean.failed | text->failed;
    hst_buffer_release(&clean);
}

/* Nodes may be said more than once: the last wins, and all say the same. */
static void add_node(struct hst_heap_page *page, uint32_t object, const char *more)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 0);
    hst_heap_add_object(page->view, object, &text);
    hst_buffer_add_fmt(page->out, "  o%u [label=\"", object);
    add_quoted(page->out, &text, page->style);
    hst_buffer_add_fmt(page->out, "\\n0x%llx\\n%s retained\"%s];\n",
                       (unsigned long long)page->view->heap->addresses[object],
                       hst_cell_bytes(page->view->retained[object]).text, more);
}

static void add_edge(struct hst_heap_page *page, uint32_t edge, const char *more)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    uint32_t source = hst_heap_path_source(page->view->heap, edge);
    hst_buffer_init(&text, 0);
    hst_heap_path_add_place(page->view, source, edge, 0, &text);
    hst_buffer_add_fmt(page->out, "  o%u -> o%u [label=\"", source, page->view->heap->targets[edge]);
    add_quoted(page->out, &text, page->style);
    hst_buffer_add_fmt(page->out, "\"%s];\n", more);
}

static enum hst_status add_path(struct hst_heap_page *page, uint32_t object)
{
    HST_CLEANUP_FREE struct hst_heap_step *steps = NULL;
    size_t count;
    HST_TRY(hst_heap_path_find(page->view, object, &steps, &count));
    size_t begin = count > 4 * AROUND ? count - 4 * AROUND : 0;
    for (size_t i = begin; i < count; i++) {
        add_node(page, steps[i].object, i == 0 ? ", shape=house" : "");
        if (i > begin)
            add_edge(page, steps[i].edge, ", color=firebrick, penwidth=2");
    }
    return HST_OK;
}

enum hst_status hst_heap_refs_dot(struct hst_heap_page *page, uint32_t object)
{
    const struct hst_heap *heap = page->view->heap;
    HST_CLEANUP_FREE uint32_t *edges = NULL;
    size_t count, total;
    HST_TRY(hst_heap_view_need(page->view, HST_HEAP_RETAINED | HST_HEAP_PATHS));
    HST_TRY(hst_heap_referrers_find(page->view, object, AROUND, &edges, &count, &total));
    hst_buffer_add_text(page->out,
                        "digraph heap {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\", "
                        "fontsize=10];\n  edge [fontname=\"sans-serif\", fontsize=9];\n");
    HST_TRY(add_path(page, object));
    for (size_t i = 0; i < count; i++) {
        if (edges[i] == page->view->via[object])
            continue; /* the path has it */
        add_node(page, hst_heap_path_source(heap, edges[i]), "");
        add_edge(page, edges[i], "");
    }
    for (uint32_t edge = heap->first[object];
         edge < heap->first[object + 1] && edge - heap->first[object] < AROUND; edge++) {
        add_node(page, heap->targets[edge], "");
        add_edge(page, edge, "");
    }
    add_node(page, object, ", style=filled, fillcolor=lightyellow");
    hst_buffer_add_text(page->out, "}\n");
    return hst_buffer_status(page->out);
}
