/* Both ways. A block comes from a file, and a file may be damaged: each value is checked. */
#include "store/timeline_block.h"

#include <string.h>
#include <zstd.h>

#include "base/memory.h"

#define COMPRESSION_LEVEL 1
#define SLOT_BITS 15u
#define SLOT_COUNT (1u << SLOT_BITS)
/* An event: four planes, a varint of at most ten bytes, a word of at most five. */
#define MAX_PAYLOAD_BYTES (64u + HST_TIMELINE_MAX_EVENTS * 19u)
_Static_assert(SLOT_COUNT >= 2 * HST_TIMELINE_EVENTS, "the dictionary's table is at most half full");
_Static_assert(HST_TIMELINE_MAX_EVENTS <= 65536, "an index fits two byte planes");

/* A slot belongs to the dictionary being made when its stamp is the dictionary's: nothing needs clearing. */
struct slot {
    uint32_t key, stamp, index;
};

struct hst_timeline_encoder {
    ZSTD_CCtx *zstd;
    struct hst_buffer payload;
    uint32_t stamp;
    struct slot slots[SLOT_COUNT];
    uint32_t words[HST_TIMELINE_EVENTS];
    uint16_t indices[HST_TIMELINE_EVENTS];
    uint8_t low[HST_TIMELINE_EVENTS], high[HST_TIMELINE_EVENTS];
};

struct hst_timeline_encoder *hst_timeline_encoder_new(void)
{
    struct hst_timeline_encoder *encoder = hst_alloc_zero(1, sizeof *encoder);
    if (encoder == NULL)
        return NULL;
    hst_buffer_init(&encoder->payload, 0);
    encoder->zstd = ZSTD_createCCtx();
    if (encoder->zstd == NULL ||
        ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_compressionLevel, COMPRESSION_LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_checksumFlag, 1))) {
        hst_timeline_encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

void hst_timeline_encoder_free(struct hst_timeline_encoder *encoder)
{
    if (encoder == NULL)
        return;
    (void)ZSTD_freeCCtx(encoder->zstd);
    hst_buffer_release(&encoder->payload);
    hst_free(encoder);
}

/* The place of word in the dictionary, which gets it when it is new. */
static uint32_t look_up(struct hst_timeline_encoder *encoder, uint32_t word, uint32_t *word_count)
{
    for (uint32_t at = (word * 0x9e3779b1u) >> (32 - SLOT_BITS);; at = (at + 1) & (SLOT_COUNT - 1)) {
        struct slot *slot = &encoder->slots[at];
        if (slot->stamp != encoder->stamp) {
            encoder->words[*word_count] = word;
            *slot = (struct slot){.key = word, .stamp = encoder->stamp, .index = *word_count};
            return (*word_count)++;
        }
        if (slot->key == word)
            return slot->index;
    }
}

static void put_entered(struct hst_timeline_encoder *encoder, const struct hst_timeline_row *rows,
                        size_t count)
{
    struct hst_buffer *payload = &encoder->payload;
    uint32_t word_count = 0, before = 0;
    if (++encoder->stamp == 0) { /* 2^32 dictionaries later */
        memset(encoder->slots, 0, sizeof encoder->slots);
        encoder->stamp = 1;
    }
    for (size_t i = 0; i < count; i++)
        encoder->indices[i] = (uint16_t)look_up(encoder, rows[i].entered, &word_count);
    hst_buffer_add_u64(payload, word_count);
    for (uint32_t i = 0; i < word_count; i++) {
        hst_buffer_add_i64(payload, (int64_t)encoder->words[i] - (int64_t)before);
        before = encoder->words[i];
    }
    for (unsigned shift = 0; shift < 16 && word_count > 1u << shift; shift += 8) {
        for (size_t i = 0; i < count; i++)
            encoder->low[i] = (uint8_t)(encoder->indices[i] >> shift);
        hst_buffer_add(payload, encoder->low, count);
    }
}

/* Differences: a plane of low bytes, a plane of high bytes (255 = and more), and the more. */
static void put_times(struct hst_timeline_encoder *encoder, uint64_t base_ns,
                      const struct hst_timeline_row *rows, size_t count)
{
    int more = 0;
    uint64_t before = base_ns;
    for (size_t i = 0; i < count; i++) {
        uint64_t passed = rows[i].time_ns - before;
        encoder->low[i] = (uint8_t)passed;
        encoder->high[i] = passed >> 8 < 255 ? (uint8_t)(passed >> 8) : 255;
        more |= passed >> 8 >= 255;
        before = rows[i].time_ns;
    }
    hst_buffer_add(&encoder->payload, encoder->low, count);
    hst_buffer_add(&encoder->payload, encoder->high, count);
    before = base_ns;
    for (size_t i = 0; i < count && more; i++) {
        if (encoder->high[i] == 255)
            hst_buffer_add_u64(&encoder->payload, ((rows[i].time_ns - before) >> 8) - 255);
        before = rows[i].time_ns;
    }
}

static enum hst_status compress_payload(struct hst_timeline_encoder *encoder, struct hst_buffer *out)
{
    size_t start = out->length, bound = ZSTD_compressBound(encoder->payload.length);
    if (out->failed || (out->limit != 0 && (bound > out->limit || start > out->limit - bound)) ||
        !HST_RESERVE(out->data, out->capacity, start + bound))
        return HST_E_NOMEM;
    size_t length = ZSTD_compress2(encoder->zstd, out->data + start, bound, encoder->payload.data,
                                   encoder->payload.length);
    if (ZSTD_isError(length))
        return HST_E_NOMEM;
    out->length = start + length;
    return HST_OK;
}

enum hst_status hst_timeline_encode(struct hst_timeline_encoder *encoder,
                                    const struct hst_timeline_head *head, const struct hst_timeline_row *rows,
                                    struct hst_buffer *out)
{
    struct hst_buffer *payload = &encoder->payload;
    if (head->events == 0 || head->events > HST_TIMELINE_EVENTS || head->base_ns > rows[0].time_ns)
        return HST_E_INVALID;
    hst_buffer_clear(payload);
    hst_buffer_add_byte(payload, HST_TIMELINE_FORMAT);
    hst_buffer_add_u64(payload, head->events);
    hst_buffer_add_u64(payload, head->base_ns);
    hst_buffer_add_u64(payload, head->start);
    hst_buffer_add_u64(payload, head->lost);
    put_entered(encoder, rows, head->events);
    put_times(encoder, head->base_ns, rows, head->events);
    HST_TRY(hst_buffer_status(payload));
    return compress_payload(encoder, out);
}

/* --- and back --- */

struct hst_timeline_decoder {
    ZSTD_DCtx *zstd;
    uint8_t *payload;
    size_t payload_capacity;
    struct hst_timeline_row *rows;
    size_t row_capacity;
    uint32_t *words;
    size_t word_capacity;
};

struct hst_timeline_decoder *hst_timeline_decoder_new(void)
{
    struct hst_timeline_decoder *decoder = hst_alloc_zero(1, sizeof *decoder);
    if (decoder == NULL)
        return NULL;
    decoder->zstd = ZSTD_createDCtx();
    if (decoder->zstd == NULL) {
        hst_free(decoder);
        return NULL;
    }
    return decoder;
}

void hst_timeline_decoder_free(struct hst_timeline_decoder *decoder)
{
    if (decoder == NULL)
        return;
    (void)ZSTD_freeDCtx(decoder->zstd);
    hst_free(decoder->payload);
    hst_free(decoder->rows);
    hst_free(decoder->words);
    hst_free(decoder);
}

static enum hst_status corrupt(const char **ret_reason, const char *reason)
{
    *ret_reason = reason;
    return HST_E_CORRUPT;
}

static enum hst_status decompress(struct hst_timeline_decoder *decoder, const void *data, size_t length,
                                  struct hst_cursor *ret_cursor, const char **ret_reason)
{
    unsigned long long size = ZSTD_getFrameContentSize(data, length);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
        return corrupt(ret_reason, "it is not a zstd frame with a size");
    if (size > MAX_PAYLOAD_BYTES)
        return corrupt(ret_reason, "it is larger than a block can be");
    if (!HST_RESERVE(decoder->payload, decoder->payload_capacity, (size_t)size + 1))
        return HST_E_NOMEM;
    size_t got = ZSTD_decompressDCtx(decoder->zstd, decoder->payload, (size_t)size, data, length);
    if (ZSTD_isError(got) || got != size)
        return corrupt(ret_reason, "its compressed bytes are damaged");
    *ret_cursor = (struct hst_cursor){.at = decoder->payload, .end = decoder->payload + got};
    return HST_OK;
}

static enum hst_status read_head(struct hst_cursor *cursor, struct hst_timeline_head *head,
                                 const char **ret_reason)
{
    if (hst_cursor_byte(cursor) != HST_TIMELINE_FORMAT)
        return corrupt(ret_reason, "its format is not known");
    uint64_t events = hst_cursor_u64(cursor);
    head->base_ns = hst_cursor_u64(cursor);
    uint64_t start = hst_cursor_u64(cursor);
    head->lost = hst_cursor_u64(cursor);
    if (cursor->failed || events == 0 || events > HST_TIMELINE_MAX_EVENTS || start > UINT32_MAX ||
        head->base_ns > HST_TIMELINE_MAX_NS || head->lost > INT64_MAX)
        return corrupt(ret_reason, "its head is out of range");
    head->events = (uint32_t)events;
    head->start = (uint32_t)start;
    return HST_OK;
}

static enum hst_status read_entered(struct hst_timeline_decoder *decoder, struct hst_cursor *cursor,
                                    size_t count, const char **ret_reason)
{
    uint64_t word_count = hst_cursor_u64(cursor);
    if (cursor->failed || word_count == 0 || word_count > count)
        return corrupt(ret_reason, "a dictionary's size is out of range");
    if (!HST_RESERVE(decoder->words, decoder->word_capacity, (size_t)word_count))
        return HST_E_NOMEM;
    int64_t word = 0;
    for (size_t i = 0; i < word_count; i++) {
        if (__builtin_add_overflow(word, hst_cursor_i64(cursor), &word) || word < 0 || word > UINT32_MAX)
            return corrupt(ret_reason, "a dictionary's word is out of range");
        decoder->words[i] = (uint32_t)word;
    }
    const uint8_t *low = word_count > 1 ? hst_cursor_bytes(cursor, count) : NULL;
    const uint8_t *high = word_count > 256 ? hst_cursor_bytes(cursor, count) : NULL;
    if (cursor->failed)
        return corrupt(ret_reason, "it ends inside a column");
    for (size_t i = 0; i < count; i++) {
        uint32_t index = (low != NULL ? low[i] : 0u) | (high != NULL ? (uint32_t)high[i] << 8 : 0u);
        if (index >= word_count)
            return corrupt(ret_reason, "an index is out of range");
        decoder->rows[i].entered = decoder->words[index];
    }
    return HST_OK;
}

static enum hst_status read_times(struct hst_timeline_decoder *decoder, struct hst_cursor *cursor,
                                  const struct hst_timeline_head *head, const char **ret_reason)
{
    const uint8_t *low = hst_cursor_bytes(cursor, head->events);
    const uint8_t *high = hst_cursor_bytes(cursor, head->events);
    if (low == NULL || high == NULL)
        return corrupt(ret_reason, "it ends inside the times");
    uint64_t now = head->base_ns;
    for (size_t i = 0; i < head->events; i++) {
        uint64_t more = high[i] == 255 ? hst_cursor_u64(cursor) : 0;
        if (more > HST_TIMELINE_MAX_NS >> 8)
            return corrupt(ret_reason, "a time is out of range");
        now += (more + high[i]) * 256 + low[i];
        if (cursor->failed || now > HST_TIMELINE_MAX_NS)
            return corrupt(ret_reason, "a time is out of range");
        decoder->rows[i].time_ns = now;
    }
    return HST_OK;
}

enum hst_status hst_timeline_decode(struct hst_timeline_decoder *decoder, const void *data, size_t length,
                                    struct hst_timeline_head *ret_head,
                                    const struct hst_timeline_row **ret_rows, const char **ret_reason)
{
    struct hst_cursor cursor;
    struct hst_timeline_head head;
    HST_TRY(decompress(decoder, data, length, &cursor, ret_reason));
    HST_TRY(read_head(&cursor, &head, ret_reason));
    if (!HST_RESERVE(decoder->rows, decoder->row_capacity, head.events))
        return HST_E_NOMEM;
    HST_TRY(read_entered(decoder, &cursor, head.events, ret_reason));
    HST_TRY(read_times(decoder, &cursor, &head, ret_reason));
    if (cursor.at != cursor.end)
        return corrupt(ret_reason, "something follows its end");
    *ret_head = head;
    *ret_rows = decoder->rows;
    return HST_OK;
}
