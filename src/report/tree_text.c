/* `show --tree`: calling contexts from the start of the program inward, the costly ones only. */
#include "report/parts.h"

#include <stdio.h>

#include "base/memory.h"

#define TREE_ROWS 60
/* Branches below this share are summed up in one line. */
#define LEAST_SHARE 0.01
/* Frames deeper on the screen than this are drawn at this indent. */
#define INDENT_MAX 24

struct drawing {
    struct hst_page *page;
    const struct hst_tree *tree;
    uint64_t rows_left;
};

static int is_worth(const struct drawing *drawing, uint32_t node)
{
    return (double)drawing->tree->nodes[node].total.ns >= LEAST_SHARE * (double)drawing->page->view.all.ns;
}

static double share_of(const struct drawing *drawing, uint64_t ns)
{
    return (double)ns / (double)drawing->page->view.all.ns;
}

/* Recursion drawn as one row: follows the largest child as long as it is the same function again. */
static uint32_t skip_recursion(const struct drawing *drawing, uint32_t node, uint64_t *ret_levels,
                               uint64_t *ret_self)
{
    *ret_levels = 1;
    *ret_self = drawing->tree->nodes[node].self.ns;
    for (;;) {
        uint32_t child = drawing->tree->nodes[node].first_child;
        if (child == 0 || drawing->tree->nodes[child].function != drawing->tree->nodes[node].function ||
            drawing->tree->nodes[child].next_sibling != 0)
            return node;
        node = child;
        ++*ret_levels;
        *ret_self += drawing->tree->nodes[node].self.ns;
    }
}

static void draw_row(struct drawing *drawing, uint32_t node, unsigned depth, uint64_t levels,
                     uint64_t self_ns)
{
    struct hst_page *page = drawing->page;
    const struct hst_tree_node *row = &drawing->tree->nodes[node];
    unsigned indent = depth < INDENT_MAX ? depth : INDENT_MAX;
    hst_buffer_add_fmt(
        page->out, " %s %s%s%s %s  %*s", hst_cell_percent(share_of(drawing, row->total.ns)).text,
        hst_page_ink(page, HST_INK_CYAN), hst_cell_bar(share_of(drawing, row->total.ns), 5, page->style).text,
        hst_page_ink(page, HST_INK_RESET), hst_cell_percent(share_of(drawing, self_ns)).text, (int)indent * 2,
        "");
    size_t used = 26 + indent * 2 + (levels > 1 ? 20 : 0);
    hst_page_function(page, row->function,
                      (size_t)page->style->width > used + 20 ? (size_t)page->style->width - used : 20);
    if (levels > 1)
        hst_buffer_add_fmt(page->out, "  (%s levels deep)", hst_cell_count(levels).text);
    hst_buffer_add_byte(page->out, '\n');
}

/* Depth first without recursion of our own: the program's may be 100,000 deep. depth counts rows on the
 * screen. */
static enum hst_status draw(struct drawing *drawing)
{
    HST_CLEANUP_FREE uint32_t *pending = NULL;
    HST_CLEANUP_FREE unsigned *depths = NULL;
    size_t count = 0, pending_capacity = 0, depths_capacity = 0;
    uint32_t first = drawing->tree->nodes[0].first_child;
    unsigned depth = 0;
    while (drawing->rows_left > 0) {
        /* Siblings that matter wait in the stack; they are sorted, so the first that does not ends the list.
         */
        size_t from = count;
        for (uint32_t n = first; n != 0 && is_worth(drawing, n); n = drawing->tree->nodes[n].next_sibling) {
            if (!HST_RESERVE(pending, pending_capacity, count + 1) ||
                !HST_RESERVE(depths, depths_capacity, count + 1))
                return HST_E_NOMEM;
            depths[count] = depth;
            pending[count++] = n;
        }
        for (size_t a = from, b = count; a + 1 < b; a++, b--) {
            uint32_t swapped = pending[a];
            pending[a] = pending[b - 1];
            pending[b - 1] = swapped;
        }
        if (count == 0)
            return HST_OK;
        uint32_t node = pending[--count];
        depth = depths[count];
        uint64_t levels, self_ns;
        uint32_t last = skip_recursion(drawing, node, &levels, &self_ns);
        draw_row(drawing, node, depth, levels, self_ns);
        drawing->rows_left--;
        first = drawing->tree->nodes[last].first_child;
        depth++;
    }
    if (count > 0)
        hst_buffer_add_fmt(drawing->page->out, "  ... %zu more branches and what is below them (-n ROWS)\n",
                           count);
    return HST_OK;
}

enum hst_status hst_page_tree(struct hst_page *page, struct hst_error *err)
{
    (void)err;
    struct hst_tree tree;
    HST_TRY(hst_tree_init(&tree, &page->view, HST_TREE_FUNCTIONS));
    enum hst_status status = hst_tree_sort(&tree);
    hst_page_header(page);
    hst_page_title(page, "Tree of calls");
    hst_buffer_add_fmt(page->out, "  %s (%s); branches below 1 %% left out\n",
                       hst_mode_description(page->options->filter.mode),
                       hst_cell_duration(page->view.all.ns).text);
    hst_buffer_add_fmt(page->out, "%s   total            self  function%s%s\n",
                       hst_page_ink(page, HST_INK_DIM),
                       page->options->filter.fold ? ", with the library code it calls" : "",
                       hst_page_ink(page, HST_INK_RESET));
    struct drawing drawing = {.page = page, .tree = &tree, .rows_left = hst_page_rows(page, TREE_ROWS)};
    if (status == HST_OK && page->view.all.ns > 0)
        status = draw(&drawing);
    hst_tree_release(&tree);
    return status;
}
