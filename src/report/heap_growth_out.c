/* Writes one round. */
#include "report/heap_growth_out.h"

#include "report/heap_cells.h"
#include "report/json.h"

enum hst_status hst_heap_round_text(const struct hst_heap_round *round, const struct hst_style *style,
                                    struct hst_buffer *out)
{
    enum { TAKEN = 53, LEAST = 24 };
    size_t width = (size_t)style->width > TAKEN + LEAST ? (size_t)style->width - TAKEN : LEAST;
    struct hst_heap_page page = {.style = style, .rows = round->shown, .out = out};
    hst_buffer_add_fmt(out, "%safter %s%s: %s objects (%s), %s (%s)", hst_ink(style, HST_INK_BOLD),
                       hst_cell_duration(round->elapsed_ns).text, hst_ink(style, HST_INK_RESET),
                       hst_cell_count(round->all.objects).text, hst_heap_signed_count(round->objects).text,
                       hst_cell_bytes(round->all.bytes).text, hst_heap_signed_bytes(round->bytes).text);
    if (round->run > 0)
        hst_buffer_add_fmt(out, ", run %llu", (unsigned long long)round->run);
    hst_buffer_add_fmt(out, "\n%s    objects         new       bytes         new  type%s\n",
                       hst_ink(style, HST_INK_DIM), hst_ink(style, HST_INK_RESET));
    for (size_t i = 0; i < round->shown; i++) {
        const struct hst_heap_grown *row = &round->rows[i];
        hst_buffer_add_fmt(out, "%11s %11s %11s %11s  ", hst_cell_count(row->now.objects).text,
                           hst_heap_signed_count(row->objects).text, hst_cell_bytes(row->now.bytes).text,
                           hst_heap_signed_bytes(row->bytes).text);
        hst_text_add(out, row->type, width, HST_CUT_START, 0, style);
        hst_buffer_add_byte(out, '\n');
    }
    hst_heap_page_more(&page, round->shown, round->count, "types");
    if (round->count == 0)
        hst_buffer_add_text(out, "  nothing grew\n");
    hst_buffer_add_byte(out, '\n');
    return hst_buffer_status(out);
}

json_t *hst_heap_round_json(const struct hst_heap_round *round)
{
    json_t *types = json_array();
    for (size_t i = 0; i < round->count; i++) {
        const struct hst_heap_grown *row = &round->rows[i];
        hst_heap_json_append(&types, json_pack("{s:o, s:I, s:I, s:I, s:I}", "type", hst_json_text(row->type),
                                               "objects", (json_int_t)row->now.objects, "growth_objects",
                                               (json_int_t)row->objects, "bytes", (json_int_t)row->now.bytes,
                                               "growth_bytes", (json_int_t)row->bytes));
    }
    return json_pack("{s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:o}", "round", (json_int_t)round->number,
                     "elapsed_ns", (json_int_t)round->elapsed_ns, "pause_ns", (json_int_t)round->pause_ns,
                     "run", round->run > 0 ? json_integer((json_int_t)round->run) : json_null(), "objects",
                     (json_int_t)round->all.objects, "growth_objects", (json_int_t)round->objects, "bytes",
                     (json_int_t)round->all.bytes, "growth_bytes", (json_int_t)round->bytes, "types", types);
}
