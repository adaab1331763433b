/* The page that a snapshot ends with. */
#include <stdio.h>

#include "base/memory.h"
#include "report/heap_cells.h"

enum {
    TYPES = 15,
    FINDINGS = 5,
    PARTS_LEAST = 200 /* a part below one of so many parts of the whole is not shown */
};

static void add_fork(struct hst_buffer *out, const struct hst_heap_cost *cost)
{
    hst_buffer_add_fmt(out,
                       "copied from a child; it went on, with %s page faults meanwhile, which took about %s",
                       hst_cell_count(cost->faults).text, hst_cell_duration(cost->stolen_ns).text);
    if (cost->reaped)
        hst_buffer_add_fmt(out, "; a thread stood still for %s to let the child go\n",
                           hst_cell_duration(cost->reap_pause_ns).text);
    else
        hst_buffer_add_text(out, "; the child stays its zombie until it ends\n");
}

static void add_precopy(struct hst_buffer *out, const struct hst_heap_cost *cost)
{
    hst_buffer_add_fmt(out,
                       "copied while it went on, and again the %s pages that it wrote to, whose faults took "
                       "about %s\n",
                       hst_cell_count(cost->faults).text, hst_cell_duration(cost->stolen_ns).text);
}

static void add_head(struct hst_heap_page *page, const struct hst_heap_overview *overview)
{
    const struct hst_heap *heap = page->view->heap;
    hst_buffer_add_fmt(page->out, "process %d · %s · %s objects, %s", heap->pid, heap->interpreter,
                       hst_cell_count(overview->types.objects).text,
                       hst_cell_bytes(overview->types.bytes).text);
    if (heap->pause_ns > 0)
        hst_buffer_add_fmt(page->out, " · stood still for %s", hst_cell_duration(heap->pause_ns).text);
    hst_buffer_add_byte(page->out, '\n');
    if (heap->way == HST_HEAP_FORKED)
        add_fork(page->out, &heap->cost);
    else if (heap->way == HST_HEAP_PRECOPIED)
        add_precopy(page->out, &heap->cost);
    if (heap->command != NULL)
        hst_text_add(page->out, heap->command, (size_t)page->style->width, HST_CUT_END, 0, page->style);
    hst_buffer_add_byte(page->out, '\n');
    if (heap->way == HST_HEAP_LIVE)
        hst_buffer_add_fmt(page->out, "%staken while the program ran on: numbers are about right%s\n",
                           hst_ink(page->style, HST_INK_YELLOW), hst_ink(page->style, HST_INK_RESET));
    if (heap->incomplete != NULL) {
        hst_buffer_add_text(page->out, hst_ink(page->style, HST_INK_YELLOW));
        hst_text_add(page->out, heap->incomplete, 1024, HST_CUT_END, 0, page->style);
        hst_buffer_add_fmt(page->out, "%s\n", hst_ink(page->style, HST_INK_RESET));
    }
}

static const char *part_name(uint32_t kind)
{
    static const char *const names[] = {[HST_PART_OBJECTS] = "objects",
                                        [HST_PART_TABLES] = "tables and buffers of objects",
                                        [HST_PART_SLACK] = "room in tables for items that are not there",
                                        [HST_PART_FREE] = "free blocks in pools that are in use",
                                        [HST_PART_UNUSED] = "pools without a block in use",
                                        [HST_PART_OVERHEAD] = "heads of pools and blocks",
                                        [HST_PART_NATIVE] = "memory of C code",
                                        [HST_PART_NATIVE_FREE] = "kept free by the C allocator",
                                        [HST_PART_STACK] = "stacks",
                                        [HST_PART_FILE] = "pages of files",
                                        [HST_PART_SHARED] = "shared with other processes",
                                        [HST_PART_OTHER] = "not explained"};
    return kind < HST_ARRAY_LENGTH(names) ? names[kind] : "other";
}

/* Parts of one kind that are little by themselves are one row. */
static void add_parts(struct hst_heap_page *page, const struct hst_heap_overview *overview)
{
    const struct hst_heap *heap = page->view->heap;
    uint64_t whole = heap->resident_bytes != 0 ? heap->resident_bytes : overview->known_bytes;
    char title[128];
    if (heap->part_count == 0)
        return;
    (void)snprintf(title, sizeof title, "Memory of the process: %.40s, %.1f %% of it explained",
                   hst_cell_bytes(whole).text,
                   whole > 0 ? 100 * (double)overview->known_bytes / (double)whole : 0);
    hst_heap_page_head(page, title, NULL);
    for (uint32_t kind = HST_PART_OBJECTS; kind <= HST_PART_OTHER; kind++) {
        uint64_t rest = 0;
        for (size_t i = 0; i < heap->part_count; i++) {
            const struct hst_heap_part *part = &heap->parts[i];
            const char *name = hst_strings_get(&heap->strings, part->name);
            if (part->kind != kind)
                continue;
            if (name[0] == '\0' || part->bytes < whole / PARTS_LEAST) {
                rest += part->bytes;
                continue;
            }
            hst_heap_page_share(page, part->bytes, whole);
            hst_buffer_add_fmt(page->out, "  %s: ", part_name(kind));
            hst_text_add(page->out, name, 60, HST_CUT_START, 0, page->style);
            hst_buffer_add_byte(page->out, '\n');
        }
        if (rest > 0) {
            hst_heap_page_share(page, rest, whole);
            hst_buffer_add_fmt(page->out, "  %s\n", part_name(kind));
        }
    }
}

static void add_types(struct hst_heap_page *page, const struct hst_heap_by_type *types)
{
    size_t most = page->rows != 0 ? page->rows : TYPES, shown = types->count < most ? types->count : most;
    hst_heap_page_head(page, "Objects by type", "  their own              objects  type");
    for (size_t i = 0; i < shown; i++) {
        const struct hst_heap_type_row *row = &types->rows[i];
        hst_heap_page_share(page, row->bytes, types->bytes);
        hst_buffer_add_fmt(page->out, "  %11s  ", hst_cell_count(row->objects).text);
        size_t width = page->style->width > 56 ? (size_t)page->style->width - 32 : 24;
        hst_text_add(page->out, hst_heap_type_name(page->view->heap, row->type), width, HST_CUT_START, 0,
                     page->style);
        hst_buffer_add_byte(page->out, '\n');
    }
    hst_heap_page_more(page, shown, types->count, "types");
}

enum hst_status hst_heap_overview_text(struct hst_heap_page *page, const struct hst_heap_overview *overview)
{
    add_head(page, overview);
    add_parts(page, overview);
    add_types(page, &overview->types);
    HST_TRY(hst_heap_top_text(page, overview->holders, overview->holder_count));
    if (overview->suspect_count > 0)
        HST_TRY(hst_heap_suspects_text(page, overview->suspects, overview->suspect_count, 1));
    if (overview->finding_count > 0)
        hst_heap_page_head(page, "Memory that could be saved", NULL);
    for (size_t i = 0; i < overview->finding_count && i < FINDINGS; i++) {
        const struct hst_heap_finding *row = overview->findings[i];
        HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
        hst_buffer_init(&text, 0);
        hst_buffer_add_text(&text, hst_heap_finding_advice(row->kind));
        if (row->type < page->view->heap->type_count)
            hst_buffer_add_fmt(&text, ": %s", hst_heap_type_name(page->view->heap, row->type));
        hst_buffer_add_fmt(&text, ", %s objects", hst_cell_count(row->objects).text);
        hst_buffer_add_fmt(page->out, "  %9s  ", hst_cell_bytes(row->bytes).text);
        hst_heap_page_rest(page, &text, 13, HST_CUT_START);
        hst_buffer_add_byte(page->out, '\n');
    }
    return hst_buffer_status(page->out);
}
