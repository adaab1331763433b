/* Tables of types and holders, and the tree of who keeps whom. */
#include "base/memory.h"
#include "report/heap_cells.h"

enum { INDENT = 2 };

enum hst_status hst_heap_by_type_text(struct hst_heap_page *page, const struct hst_heap_by_type *types)
{
    enum { TAKEN = 53 };
    size_t shown = hst_heap_page_rows(page, types->count);
    hst_heap_page_head(page, "Objects by type", "  their own             retained             objects  type");
    for (size_t i = 0; i < shown; i++) {
        const struct hst_heap_type_row *row = &types->rows[i];
        struct hst_cell retained = hst_cell_bytes(row->retained);
        hst_heap_page_share(page, row->bytes, types->bytes);
        hst_buffer_add_fmt(
            page->out, "  %s%9s %s  %11s  ",
            row->exact          ? " "
            : page->style->utf8 ? "≥"
                                : ">",
            retained.text,
            hst_cell_percent(types->bytes > 0 ? (double)row->retained / (double)types->bytes : 0).text,
            hst_cell_count(row->objects).text);
        const char *name = hst_heap_type_name(page->view->heap, row->type);
        size_t width = (size_t)page->style->width;
        hst_text_add(page->out, name, width > TAKEN + 24 ? width - TAKEN : 24, HST_CUT_START, 0, page->style);
        hst_buffer_add_byte(page->out, '\n');
    }
    hst_heap_page_more(page, shown, types->count, "types");
    return hst_buffer_status(page->out);
}

enum hst_status hst_heap_top_text(struct hst_heap_page *page, const struct hst_heap_top_row *rows,
                                  size_t count)
{
    enum { LABEL = 26, TAKEN = 34 + LABEL };
    struct hst_heap_view *view = page->view;
    hst_heap_page_head(page, "Objects by what freeing them would give",
                       "   retained              own  what                        where");
    for (size_t i = 0; i < count; i++) {
        uint32_t end = rows[i].end;
        HST_CLEANUP(hst_buffer_release) struct hst_buffer label;
        HST_CLEANUP(hst_buffer_release) struct hst_buffer path;
        hst_buffer_init(&label, 0);
        hst_buffer_init(&path, 0);
        hst_heap_add_object(view, end, &label);
        hst_buffer_add_byte(&label, '\0');
        HST_TRY(hst_buffer_status(&label));
        HST_TRY(hst_heap_path_add(view, end, &path));
        if (!hst_heap_path_is_of_module(view, end)) /* it cannot be named by that path */
            hst_buffer_add_fmt(&path, "  0x%llx", (unsigned long long)view->heap->addresses[end]);
        hst_heap_page_share(page, view->retained[rows[i].begin], view->all_bytes);
        hst_buffer_add_fmt(page->out, "  %9s  ", hst_cell_bytes(view->heap->bytes[end]).text);
        hst_text_add(page->out, (const char *)label.data, LABEL, HST_CUT_END, 1, page->style);
        hst_buffer_add_text(page->out, "  ");
        hst_heap_page_rest(page, &path, TAKEN, HST_CUT_START);
        hst_buffer_add_byte(page->out, '\n');
    }
    return hst_buffer_status(page->out);
}

static void add_branch(struct hst_heap_page *page, const struct hst_heap_branch *row, size_t taken,
                       struct hst_buffer *text)
{
    struct hst_heap_view *view = page->view;
    if (row->object == HST_HEAP_NONE) {
        hst_buffer_add_fmt(text, "%s%s %s", hst_cell_count(row->objects).text, row->depth > 0 ? " more" : "",
                           row->type != HST_HEAP_NONE ? hst_heap_type_name(view->heap, row->type)
                                                      : "of other types");
    } else {
        uint32_t above = view->dominators.above[row->object], via = view->via[row->object];
        hst_heap_add_object(view, row->object, text);
        if (via != HST_HEAP_NONE && above == view->before[row->object]) {
            hst_buffer_add_text(text, "  ");
            hst_heap_path_add_place(view, above, via, 0, text);
        } else if (above == HST_GRAPH_ROOT && hst_heap_view_root(view, row->object) != NULL) {
            hst_buffer_add_text(text, "  ");
            hst_heap_path_add_root(view, hst_heap_view_root(view, row->object), text);
        }
        hst_buffer_add_fmt(text, "  0x%llx", (unsigned long long)view->heap->addresses[row->object]);
    }
    hst_heap_page_rest(page, text, taken, HST_CUT_START);
}

enum hst_status hst_heap_tree_text(struct hst_heap_page *page, const struct hst_heap_tree *tree)
{
    enum { TAKEN = 34 };
    HST_TRY(hst_heap_view_need(page->view, HST_HEAP_PATHS));
    hst_heap_page_head(page, "Who alone keeps what alive", "   retained              own  object");
    for (size_t i = 0; i < tree->count; i++) {
        const struct hst_heap_branch *row = &tree->rows[i];
        HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
        hst_buffer_init(&text, 0);
        hst_heap_page_share(page, row->retained, page->view->all_bytes);
        hst_buffer_add_fmt(page->out, "  %9s  %*s", hst_cell_bytes(row->bytes).text, (int)row->depth * INDENT,
                           "");
        add_branch(page, row, TAKEN + row->depth * INDENT, &text);
        hst_buffer_add_byte(page->out, '\n');
    }
    return hst_buffer_status(page->out);
}
