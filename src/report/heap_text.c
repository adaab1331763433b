/* A head, what the memory is made of, and the table of types. */
#include <stdio.h>

#include "report/cell.h"
#include "report/heap.h"

enum { NUMBERS_WIDTH = 48, NAME_LEAST = 20, WIDTH_MOST = 4096 };

static double share_of(uint64_t part, uint64_t whole) { return whole > 0 ? (double)part / (double)whole : 0; }

static void add_head(struct hst_buffer *out, const struct hst_heap_summary *summary,
                     const struct hst_style *style)
{
    hst_buffer_add_fmt(out, "process %d · %s · %s objects, %s", summary->pid, summary->interpreter,
                       hst_cell_count(summary->objects).text, hst_cell_bytes(summary->object_bytes).text);
    if (summary->pause_ns > 0)
        hst_buffer_add_fmt(out, " · stood still for %s", hst_cell_duration(summary->pause_ns).text);
    hst_buffer_add_text(out, "\n");
    hst_text_add(out, summary->command, (size_t)style->width, HST_CUT_END, 0, style);
    hst_buffer_add_text(out, "\n\n");
}

static void add_part(struct hst_buffer *out, const char *name, uint64_t bytes, uint64_t whole)
{
    hst_buffer_add_fmt(out, "  %12s %s  %s\n", hst_cell_bytes(bytes).text,
                       hst_cell_percent(share_of(bytes, whole)).text, name);
}

static void add_parts(struct hst_buffer *out, const struct hst_heap_summary *summary,
                      const struct hst_style *style)
{
    uint64_t known = summary->object_bytes + summary->buffer_bytes + summary->free_bytes +
                     summary->unused_bytes + summary->overhead_bytes;
    uint64_t whole = summary->copied_bytes;
    hst_buffer_add_fmt(out, "%sMemory of its own%s %s\n", hst_ink(style, HST_INK_BOLD),
                       hst_ink(style, HST_INK_RESET), hst_cell_bytes(whole).text);
    add_part(out, "objects", summary->object_bytes, whole);
    add_part(out, "small blocks that are no objects: tables of dicts and lists, text", summary->buffer_bytes,
             whole);
    add_part(out, "free blocks in pools that are in use", summary->free_bytes, whole);
    add_part(out, "pools without an object", summary->unused_bytes, whole);
    add_part(out, "heads of pools", summary->overhead_bytes, whole);
    add_part(out, "the rest: large tables, C code, stacks, data of libraries",
             whole > known ? whole - known : 0, whole);
    hst_buffer_add_text(out, "\n");
}

static void add_row(struct hst_buffer *out, const struct hst_heap_row *row, uint64_t whole,
                    const struct hst_style *style)
{
    size_t room =
        style->width > NUMBERS_WIDTH + NAME_LEAST ? (size_t)style->width - NUMBERS_WIDTH : NAME_LEAST;
    hst_buffer_add_fmt(out, "  %12s %s  %14s  ", hst_cell_bytes(row->bytes).text,
                       hst_cell_percent(share_of(row->bytes, whole)).text, hst_cell_count(row->objects).text);
    hst_text_add(out, row->type, room, HST_CUT_START, 0, style);
    hst_buffer_add_byte(out, '\n');
}

enum hst_status hst_heap_text(const struct hst_heap_summary *summary, size_t rows,
                              const struct hst_style *style, struct hst_buffer *into)
{
    size_t shown = rows == 0 || rows > summary->count ? summary->count : rows;
    add_head(into, summary, style);
    add_parts(into, summary, style);
    hst_buffer_add_fmt(into, "%sObjects by type%s\n%s  %12s %7s  %14s  %s%s\n", hst_ink(style, HST_INK_BOLD),
                       hst_ink(style, HST_INK_RESET), hst_ink(style, HST_INK_DIM), "their own", "", "objects",
                       "type", hst_ink(style, HST_INK_RESET));
    for (size_t i = 0; i < shown; i++)
        add_row(into, &summary->rows[i], summary->object_bytes, style);
    if (shown < summary->count)
        hst_buffer_add_fmt(into, "  %s more types (-n)\n", hst_cell_count(summary->count - shown).text);
    return hst_buffer_status(into);
}
