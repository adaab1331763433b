/* The bytes of a block -> samples, each value checked: a block comes from a file, and a file may be damaged.
 */
#include "store/sample_block.h"

#include <string.h>

#include "base/memory.h"
#include "store/zstd_frame.h"

/* Per sample: six planes, three varints of at most ten bytes, two words of at most five. */
#define MAX_PAYLOAD_BYTES (64u + HST_BLOCK_MAX_SAMPLES * 56u)

struct hst_block_decoder {
    struct hst_zstd_reader frame;
    struct hst_block_row *rows;
    size_t row_capacity;
    uint32_t *words;
    size_t word_capacity;
};

/* What the head of the payload says. */
struct layout {
    size_t count;
    unsigned shift;
    enum hst_block_weights weights;
    uint64_t base_ns, time_rest_ns, excess_rest_ns;
};

struct hst_block_decoder *hst_block_decoder_new(void)
{
    struct hst_block_decoder *decoder = hst_alloc_zero(1, sizeof *decoder);
    if (decoder == NULL)
        return NULL;
    if (!hst_zstd_reader_init(&decoder->frame)) {
        hst_free(decoder);
        return NULL;
    }
    return decoder;
}

void hst_block_decoder_free(struct hst_block_decoder *decoder)
{
    if (decoder == NULL)
        return;
    hst_zstd_reader_release(&decoder->frame);
    hst_free(decoder->rows);
    hst_free(decoder->words);
    hst_free(decoder);
}

static enum hst_status read_layout(struct hst_cursor *cursor, struct layout *layout, const char **ret_reason)
{
    if (hst_cursor_byte(cursor) != HST_BLOCK_FORMAT)
        return hst_block_corrupt(ret_reason, "its format is not known");
    unsigned weights = hst_cursor_byte(cursor);
    layout->weights = (enum hst_block_weights)weights;
    layout->shift = hst_cursor_byte(cursor);
    uint64_t count = hst_cursor_u64(cursor);
    layout->base_ns = hst_cursor_u64(cursor);
    layout->time_rest_ns = hst_cursor_u64(cursor);
    layout->excess_rest_ns = hst_cursor_u64(cursor);
    if (cursor->failed || weights > HST_BLOCK_WEIGHTS || layout->shift > HST_BLOCK_MAX_SHIFT || count == 0 ||
        count > HST_BLOCK_MAX_SAMPLES || layout->base_ns > HST_BLOCK_MAX_NS ||
        layout->time_rest_ns >> layout->shift != 0 || layout->excess_rest_ns >> layout->shift != 0)
        return hst_block_corrupt(ret_reason, "its head is out of range");
    layout->count = (size_t)count;
    return HST_OK;
}

/* A dictionary and the planes of indices into it; offset is the column's place in a row. */
static enum hst_status read_column(struct hst_block_decoder *decoder, struct hst_cursor *cursor, size_t count,
                                   size_t offset, const char **ret_reason)
{
    uint64_t word_count = hst_cursor_u64(cursor);
    if (cursor->failed || word_count == 0 || word_count > count)
        return hst_block_corrupt(ret_reason, "a dictionary's size is out of range");
    if (!HST_RESERVE(decoder->words, decoder->word_capacity, (size_t)word_count))
        return HST_E_NOMEM;
    int64_t word = 0;
    for (size_t i = 0; i < word_count; i++) {
        if (__builtin_add_overflow(word, hst_cursor_i64(cursor), &word) || word < 0 || word > UINT32_MAX)
            return hst_block_corrupt(ret_reason, "a dictionary's word is out of range");
        decoder->words[i] = (uint32_t)word;
    }
    const uint8_t *low = word_count > 1 ? hst_cursor_bytes(cursor, count) : NULL;
    const uint8_t *high = word_count > 256 ? hst_cursor_bytes(cursor, count) : NULL;
    if (cursor->failed)
        return hst_block_corrupt(ret_reason, "it ends inside a column");
    for (size_t i = 0; i < count; i++) {
        uint32_t index = (low != NULL ? low[i] : 0u) | (high != NULL ? (uint32_t)high[i] << 8 : 0u);
        if (index >= word_count)
            return hst_block_corrupt(ret_reason, "an index is out of range");
        memcpy((char *)&decoder->rows[i] + offset, &decoder->words[index], sizeof decoder->words[index]);
    }
    return HST_OK;
}

/* Times since base_ns into the rows, still in units. */
static enum hst_status read_times(struct hst_block_decoder *decoder, struct hst_cursor *cursor,
                                  const struct layout *layout, const char **ret_reason)
{
    const uint8_t *low = hst_cursor_bytes(cursor, layout->count);
    const uint8_t *high = hst_cursor_bytes(cursor, layout->count);
    if (cursor->failed)
        return hst_block_corrupt(ret_reason, "it ends inside the times");
    uint64_t units = 0, limit = HST_BLOCK_MAX_NS >> layout->shift;
    for (size_t i = 0; i < layout->count; i++) {
        uint64_t more = high[i] == 255 ? hst_cursor_u64(cursor) : 0;
        if (more > limit >> 8)
            return hst_block_corrupt(ret_reason, "a time is out of range");
        units += ((more + high[i]) << 8) + low[i];
        if (units > limit)
            return hst_block_corrupt(ret_reason, "a time is out of range");
        decoder->rows[i].time_ns = units;
    }
    return HST_OK;
}

/* Units -> times; weights as they are. */
static enum hst_status finish_weights(struct hst_block_decoder *decoder, struct hst_cursor *cursor,
                                      const struct layout *layout, const char **ret_reason)
{
    int64_t weight = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < layout->count; i++) {
        struct hst_block_row *row = &decoder->rows[i];
        if (__builtin_add_overflow(weight, hst_cursor_i64(cursor), &weight) || weight < 0 ||
            __builtin_add_overflow(sum, (uint64_t)weight, &sum) || sum > HST_BLOCK_MAX_NS)
            return hst_block_corrupt(ret_reason, "a weight is out of range");
        int last = i + 1 == layout->count;
        row->time_ns = layout->base_ns + (row->time_ns << layout->shift) + (last ? layout->time_rest_ns : 0);
        row->weight_ns = (uint64_t)weight;
    }
    return HST_OK;
}

/* Units -> times and weights.  The weight so far is the time so far plus the excess so far; since both were
 * rounded down it may seem to fall by a unit, and then stays where it was. */
static enum hst_status finish_rows(struct hst_block_decoder *decoder, struct hst_cursor *cursor,
                                   const struct layout *layout, const char **ret_reason)
{
    int64_t excess_units = 0, limit = (int64_t)(HST_BLOCK_MAX_NS >> layout->shift), weight_before = 0;
    for (size_t i = 0; i < layout->count; i++) {
        struct hst_block_row *row = &decoder->rows[i];
        if (layout->weights == HST_BLOCK_EXCESS &&
            (__builtin_add_overflow(excess_units, hst_cursor_i64(cursor), &excess_units) ||
             excess_units > limit || excess_units < -limit - 1))
            return hst_block_corrupt(ret_reason, "a weight is out of range");
        int last = i + 1 == layout->count;
        uint64_t since_base_ns = (row->time_ns << layout->shift) + (last ? layout->time_rest_ns : 0);
        int64_t weight = (int64_t)since_base_ns + excess_units * (INT64_C(1) << layout->shift) +
                         (last ? (int64_t)layout->excess_rest_ns : 0);
        if (weight < weight_before)
            weight = weight_before;
        row->time_ns = layout->base_ns + since_base_ns;
        row->weight_ns = (uint64_t)(weight - weight_before);
        weight_before = weight;
    }
    return HST_OK;
}

enum hst_status hst_block_decode(struct hst_block_decoder *decoder, const void *data, size_t length,
                                 const struct hst_block_head *head, const struct hst_block_row **ret_rows,
                                 const char **ret_reason)
{
    struct hst_cursor cursor;
    struct layout layout;
    HST_TRY(hst_zstd_reader_read(&decoder->frame, data, length, MAX_PAYLOAD_BYTES, &cursor, ret_reason));
    HST_TRY(read_layout(&cursor, &layout, ret_reason));
    if (layout.count != head->samples)
        return hst_block_corrupt(ret_reason, "it holds another number of samples than its row says");
    if (!HST_RESERVE(decoder->rows, decoder->row_capacity, layout.count))
        return HST_E_NOMEM;
    HST_TRY(read_column(decoder, &cursor, layout.count, offsetof(struct hst_block_row, kind), ret_reason));
    HST_TRY(read_column(decoder, &cursor, layout.count, offsetof(struct hst_block_row, stack), ret_reason));
    HST_TRY(read_times(decoder, &cursor, &layout, ret_reason));
    HST_TRY(layout.weights == HST_BLOCK_WEIGHTS ? finish_weights(decoder, &cursor, &layout, ret_reason)
                                                : finish_rows(decoder, &cursor, &layout, ret_reason));
    if (cursor.failed || cursor.at != cursor.end)
        return hst_block_corrupt(ret_reason, "its columns do not end where it ends");
    if (decoder->rows[0].time_ns != head->first_ns ||
        decoder->rows[layout.count - 1].time_ns != head->last_ns)
        return hst_block_corrupt(ret_reason, "it covers another time than its row says");
    *ret_rows = decoder->rows;
    return HST_OK;
}
