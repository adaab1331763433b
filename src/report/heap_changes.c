/* What grew, what is suspected, what keeps itself alive, and what could be saved. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "report/heap_cells.h"

static void add_name(struct hst_heap_page *page, const char *name, size_t taken)
{
    size_t width = (size_t)page->style->width;
    hst_text_add(page->out, name, width > taken + 24 ? width - taken : 24, HST_CUT_START, 0, page->style);
    hst_buffer_add_byte(page->out, '\n');
}

enum hst_status hst_heap_compare_text(struct hst_heap_page *page, const struct hst_heap_compare *compare)
{
    enum { TAKEN = 54 };
    size_t shown = hst_heap_page_rows(page, compare->change_count);
    hst_heap_page_head(page, "By type", "      bytes     objects         new        gone  type");
    for (size_t i = 0; i < shown; i++) {
        const struct hst_heap_change *row = &compare->changes[i];
        hst_buffer_add_fmt(page->out, " %10s %11s %11s %11s  ",
                           hst_heap_signed_bytes((int64_t)(row->bytes_after - row->bytes_before)).text,
                           hst_heap_signed_count((int64_t)(row->objects_after - row->objects_before)).text,
                           hst_cell_count(row->new_objects).text, hst_cell_count(row->gone_objects).text);
        add_name(page, row->type, TAKEN);
    }
    hst_heap_page_more(page, shown, compare->change_count, "types");
    if (compare->change_count == 0)
        hst_buffer_add_text(page->out, "  nothing changed\n");
    shown = hst_heap_page_rows(page, compare->holder_count);
    hst_heap_page_head(page, "What is new, by what alone holds it",
                       "   retained     objects  type and holder");
    for (size_t i = 0; i < shown; i++) {
        const struct hst_heap_accumulation *row = &compare->holders[i];
        HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
        hst_buffer_init(&text, 0);
        hst_buffer_add_fmt(&text, "%s in ", hst_heap_type_name(page->view->heap, row->type));
        if (row->holder == HST_GRAPH_ROOT)
            hst_buffer_add_text(&text, "no one object alone");
        else
            HST_TRY(hst_heap_path_add(page->view, row->holder, &text));
        hst_buffer_add_fmt(page->out, " %10s %11s  ", hst_cell_bytes(row->retained).text,
                           hst_cell_count(row->objects).text);
        hst_heap_page_rest(page, &text, 26, HST_CUT_START);
        hst_buffer_add_byte(page->out, '\n');
    }
    hst_heap_page_more(page, shown, compare->holder_count, "holders");
    return hst_buffer_status(page->out);
}

static enum hst_status add_suspect(struct hst_heap_page *page, const struct hst_heap_suspect *row)
{
    static const char *const says[] = {
        [HST_SUSPECT_HOLDS] = "one object holds them",
        [HST_SUSPECT_TYPE] = "together they are a large part of the heap",
        [HST_SUSPECT_GROWS] = "grew from each snapshot to the next",
        [HST_SUSPECT_NATIVE] = "only C code refers to them, and they grew: a reference "
                               "that it does not give back",
        [HST_SUSPECT_GARBAGE] = "cycles that nothing reaches grew: is the collector "
                                "off?"};
    uint32_t where = row->holder != HST_HEAP_NONE ? row->holder : row->example;
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 0);
    hst_buffer_add_fmt(page->out, "  %9s", hst_cell_bytes(row->bytes).text);
    if (row->growth_bytes != 0)
        hst_buffer_add_fmt(page->out, "  %10s  %9s objects", hst_heap_signed_bytes(row->growth_bytes).text,
                           hst_heap_signed_count(row->growth_objects).text);
    else if (row->objects > 0)
        hst_buffer_add_fmt(page->out, "  %9s objects", hst_cell_count(row->objects).text);
    hst_buffer_add_text(page->out, "  ");
    add_name(page, hst_heap_type_name(page->view->heap, row->type), row->growth_bytes != 0 ? 44 : 32);
    hst_buffer_add_fmt(page->out, "             %s\n", says[row->reason]);
    if (where == HST_HEAP_NONE)
        return HST_OK;
    if (row->holder != HST_HEAP_NONE) {
        hst_heap_add_object(page->view, where, &text);
        hst_buffer_add_text(&text, ": ");
    } else
        hst_buffer_add_text(&text, "one of them: ");
    HST_TRY(hst_heap_path_add(page->view, where, &text));
    hst_buffer_add_text(page->out, "             ");
    hst_heap_page_rest(page, &text, 13, HST_CUT_START);
    hst_buffer_add_byte(page->out, '\n');
    return HST_OK;
}

enum hst_status hst_heap_suspects_text(struct hst_heap_page *page, const struct hst_heap_suspect *rows,
                                       size_t count, size_t runs)
{
    size_t shown = hst_heap_page_rows(page, count);
    hst_heap_page_head(
        page, runs > 1 ? "What grew, and went on growing" : "What holds a large part of the heap", NULL);
    for (size_t i = 0; i < shown; i++)
        HST_TRY(add_suspect(page, &rows[i]));
    hst_heap_page_more(page, shown, count, "suspects");
    if (count == 0)
        hst_buffer_add_text(page->out, "  nothing\n");
    return hst_buffer_status(page->out);
}

static void add_signature(const struct hst_heap *heap, const struct hst_heap_cycle_row *row,
                          struct hst_buffer *text)
{
    for (size_t i = 0; i < row->type_count && i < HST_HEAP_CYCLE_TYPES; i++)
        hst_buffer_add_fmt(text, "%s%s", i > 0 ? ", " : "", hst_heap_type_name(heap, row->types[i]));
    if (row->type_count > HST_HEAP_CYCLE_TYPES)
        hst_buffer_add_fmt(text, " and %zu more types", row->type_count - HST_HEAP_CYCLE_TYPES);
}

/* The cycle as a path that comes back: app.Tree.leaf.parent; below it, what to weaken. */
static void add_cycle(struct hst_heap_page *page, const struct hst_heap_cycle_row *row)
{
    const struct hst_heap *heap = page->view->heap;
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 0);
    for (size_t i = 0; i < row->edge_count && i < HST_HEAP_CYCLE_EDGES; i++) {
        uint32_t source = hst_heap_path_source(heap, row->edges[i]);
        if (i == 0)
            hst_buffer_add_fmt(&text, "such as %s 0x%llx: ", hst_heap_type_name(heap, heap->types[source]),
                               (unsigned long long)heap->addresses[source]);
        hst_heap_path_add_place(page->view, source, row->edges[i], 0, &text);
    }
    hst_buffer_add_text(&text, row->edge_count > HST_HEAP_CYCLE_EDGES ? " ..." : " is itself");
    if (row->breaker != HST_HEAP_NONE) {
        uint32_t source = hst_heap_path_source(heap, row->breaker);
        hst_buffer_add_fmt(&text, "; weaken %s", hst_heap_type_name(heap, heap->types[source]));
        hst_heap_path_add_place(page->view, source, row->breaker, 0, &text);
    }
    hst_buffer_add_text(page->out, "             ");
    hst_heap_page_rest(page, &text, 13, HST_CUT_END);
    hst_buffer_add_byte(page->out, '\n');
}

enum hst_status hst_heap_cycles_text(struct hst_heap_page *page, const struct hst_heap_cycles *cycles)
{
    size_t shown = hst_heap_page_rows(page, cycles->count);
    hst_buffer_add_fmt(page->out,
                       "%s groups of objects keep themselves alive, %s; %s of them are garbage that was "
                       "not collected yet, %s\n",
                       hst_cell_count(cycles->groups).text, hst_cell_bytes(cycles->bytes).text,
                       hst_cell_count(cycles->garbage_groups).text,
                       hst_cell_bytes(cycles->garbage_bytes).text);
    if (cycles->class_groups > 0)
        hst_buffer_add_fmt(page->out, "beside %s of classes, %s: every class is one, by its __mro__\n",
                           hst_cell_count(cycles->class_groups).text,
                           hst_cell_bytes(cycles->class_bytes).text);
    if (cycles->count > 0)
        hst_heap_page_head(page, "By the types that they are of", "     groups     bytes              types");
    for (size_t i = 0; i < shown; i++) {
        const struct hst_heap_cycle_row *row = &cycles->rows[i];
        HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
        hst_buffer_init(&text, 0);
        add_signature(page->view->heap, row, &text);
        hst_buffer_add_fmt(page->out, " %10s %9s  %-11s  ", hst_cell_count(row->groups).text,
                           hst_cell_bytes(row->bytes).text, row->garbage ? "garbage" : "");
        hst_heap_page_rest(page, &text, 36, HST_CUT_END);
        hst_buffer_add_byte(page->out, '\n');
        if (row->edge_count > 0)
            add_cycle(page, row);
    }
    hst_heap_page_more(page, shown, cycles->count, "kinds");
    return hst_buffer_status(page->out);
}

enum hst_status hst_heap_findings_text(struct hst_heap_page *page, int duplicates)
{
    const struct hst_heap *heap = page->view->heap;
    HST_CLEANUP_FREE const struct hst_heap_finding **rows = NULL;
    size_t count;
    HST_TRY(hst_heap_findings_sort(heap, duplicates, &rows, &count));
    size_t shown = hst_heap_page_rows(page, count);
    hst_heap_page_head(page, duplicates ? "Equal objects" : "Memory that could be saved",
                       "      saves     objects  what");
    for (size_t i = 0; i < shown; i++) {
        const struct hst_heap_finding *row = rows[i];
        HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
        hst_buffer_init(&text, 0);
        if (row->type < heap->type_count)
            hst_buffer_add_text(&text, hst_heap_type_name(heap, row->type));
        if (row->text != 0)
            hst_buffer_add_fmt(&text, " %s", hst_strings_get(&heap->strings, row->text));
        if (!duplicates)
            hst_buffer_add_fmt(&text, "%s%s", text.length > 0 ? "  " : "",
                               hst_heap_finding_advice(row->kind));
        hst_buffer_add_fmt(page->out, " %10s %11s  ", hst_cell_bytes(row->bytes).text,
                           hst_cell_count(row->objects).text);
        hst_heap_page_rest(page, &text, 26, HST_CUT_START);
        hst_buffer_add_byte(page->out, '\n');
    }
    hst_heap_page_more(page, shown, count, "rows");
    if (count == 0)
        hst_buffer_add_text(page->out, "  none\n");
    return hst_buffer_status(page->out);
}
