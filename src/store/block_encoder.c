/* Samples of one thread -> the bytes of a block: a dictionary and byte planes for each column, then zstd. */
#include "store/sample_block.h"

#include <string.h>

#include "base/memory.h"
#include "store/zstd_frame.h"

/* Level 1: measured with tests/bench/bench_store.c, level 3 saves under 1 % of the bytes and level 6 no more
 * at twice the time. */
/* A plane of so many bytes gets a zstd block of its own: its bytes are distributed in their own way, and a
 * code of their own saves 5 to 12 %.  Smaller ones would lose that to the block's head. */
#define OWN_BLOCK_BYTES 128
#define MAX_CUTS 12
#define SLOT_BITS 13u
#define SLOT_COUNT (1u << SLOT_BITS)
_Static_assert(SLOT_COUNT >= 2 * HST_BLOCK_SAMPLES, "the dictionary's table is at most half full");
_Static_assert(HST_BLOCK_SAMPLES <= 65536, "an index fits two byte planes");

/* A slot belongs to the dictionary being made when its stamp is the dictionary's: nothing needs clearing. */
struct slot {
    uint32_t key, stamp, index;
};

struct hst_block_encoder {
    ZSTD_CCtx *zstd;
    struct hst_buffer payload;
    uint32_t stamp;
    struct slot slots[SLOT_COUNT];
    uint32_t words[HST_BLOCK_SAMPLES];   /* the values of the dictionary, in order of first use */
    uint16_t indices[HST_BLOCK_SAMPLES]; /* each sample's place in words */
    uint8_t plane[HST_BLOCK_SAMPLES];
    size_t cuts[MAX_CUTS]; /* where in the payload a zstd block ends */
    size_t cut_count;
};

struct hst_block_encoder *hst_block_encoder_new(void)
{
    struct hst_block_encoder *encoder = hst_alloc_zero(1, sizeof *encoder);
    if (encoder == NULL)
        return NULL;
    hst_buffer_init(&encoder->payload, 0);
    encoder->zstd = hst_zstd_compressor_new();
    if (encoder->zstd == NULL) {
        hst_block_encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

void hst_block_encoder_free(struct hst_block_encoder *encoder)
{
    if (encoder == NULL)
        return;
    (void)ZSTD_freeCCtx(encoder->zstd);
    hst_buffer_release(&encoder->payload);
    hst_free(encoder);
}

/* The unit is 2^shift ns: at most 1/1024 of the geometric mean of the intervals, which one long gap among
 * short intervals hardly moves. */
static unsigned choose_shift(uint64_t base_ns, const struct hst_block_row *rows, size_t count)
{
    uint64_t log_sum = 0, before = base_ns;
    for (size_t i = 0; i < count; i++) {
        log_sum += 63u - (unsigned)__builtin_clzll((rows[i].time_ns - before) | 1);
        before = rows[i].time_ns;
    }
    uint64_t mean_log = log_sum / count;
    if (mean_log <= 10)
        return 0;
    return mean_log - 10 < HST_BLOCK_MAX_SHIFT ? (unsigned)(mean_log - 10) : HST_BLOCK_MAX_SHIFT;
}

/* The place of word in the dictionary, which gets it when it is new. */
static uint32_t look_up(struct hst_block_encoder *encoder, uint32_t word, uint32_t *word_count)
{
    uint32_t at = (word * 0x9e3779b1u) >> (32 - SLOT_BITS);
    for (;; at = (at + 1) & (SLOT_COUNT - 1)) {
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

static void begin_dictionary(struct hst_block_encoder *encoder)
{
    if (++encoder->stamp == 0) { /* 2^32 dictionaries later */
        memset(encoder->slots, 0, sizeof encoder->slots);
        encoder->stamp = 1;
    }
}

static void add_plane(struct hst_block_encoder *encoder, size_t count)
{
    if (count >= OWN_BLOCK_BYTES)
        encoder->cuts[encoder->cut_count++] = encoder->payload.length;
    hst_buffer_add(&encoder->payload, encoder->plane, count);
    if (count >= OWN_BLOCK_BYTES)
        encoder->cuts[encoder->cut_count++] = encoder->payload.length;
}

/* Number of words, the words as differences, and (when there is more than one) the planes of indices. */
static void put_words(struct hst_block_encoder *encoder, uint32_t word_count)
{
    uint32_t before = 0;
    hst_buffer_add_u64(&encoder->payload, word_count);
    for (uint32_t i = 0; i < word_count; i++) {
        hst_buffer_add_i64(&encoder->payload, (int64_t)encoder->words[i] - (int64_t)before);
        before = encoder->words[i];
    }
}

static void put_indices(struct hst_block_encoder *encoder, uint32_t word_count, size_t count)
{
    for (unsigned shift = 0; shift < 16 && word_count > 1u << shift; shift += 8) {
        for (size_t i = 0; i < count; i++)
            encoder->plane[i] = (uint8_t)(encoder->indices[i] >> shift);
        add_plane(encoder, count);
    }
}

static void put_column(struct hst_block_encoder *encoder, const struct hst_block_row *rows, size_t count,
                       size_t offset)
{
    uint32_t word_count = 0;
    begin_dictionary(encoder);
    for (size_t i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, (const char *)&rows[i] + offset, sizeof word);
        encoder->indices[i] = (uint16_t)look_up(encoder, word, &word_count);
    }
    put_words(encoder, word_count);
    put_indices(encoder, word_count, count);
}

/* Intervals in units: a plane of low bytes, a plane of high bytes (255 = and more), and the more. */
static void put_times(struct hst_block_encoder *encoder, uint64_t base_ns, const struct hst_block_row *rows,
                      size_t count, unsigned shift)
{
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t at = (rows[i].time_ns - base_ns) >> shift;
        encoder->plane[i] = (uint8_t)(at - before);
        before = at;
    }
    add_plane(encoder, count);
    int more = 0;
    before = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t at = (rows[i].time_ns - base_ns) >> shift, high = (at - before) >> 8;
        encoder->plane[i] = high < 255 ? (uint8_t)high : 255;
        more |= high >= 255;
        before = at;
    }
    add_plane(encoder, count);
    before = 0;
    for (size_t i = 0; i < count && more; i++) {
        uint64_t at = (rows[i].time_ns - base_ns) >> shift, high = (at - before) >> 8;
        if (high >= 255)
            hst_buffer_add_u64(&encoder->payload, high - 255);
        before = at;
    }
}

/* By how much the weights so far exceed the time so far, at sample i: constant while weights are intervals.
 */
struct excess {
    uint64_t before_ns;
    int64_t sum_ns;
};
static void excess_add(struct excess *excess, const struct hst_block_row *row)
{
    excess->sum_ns += (int64_t)row->weight_ns - (int64_t)(row->time_ns - excess->before_ns);
    excess->before_ns = row->time_ns;
}

static void put_excess(struct hst_block_encoder *encoder, uint64_t base_ns, const struct hst_block_row *rows,
                       size_t count, unsigned shift)
{
    struct excess excess = {.before_ns = base_ns};
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        excess_add(&excess, &rows[i]);
        int64_t units = excess.sum_ns >> shift;
        hst_buffer_add_i64(&encoder->payload, units - before);
        before = units;
    }
}

/* Weights as they are, each as the difference from the one before. */
static void put_weights(struct hst_block_encoder *encoder, const struct hst_block_row *rows, size_t count)
{
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        hst_buffer_add_i64(&encoder->payload, (int64_t)(rows[i].weight_ns - before));
        before = rows[i].weight_ns;
    }
}

/* Flat out, a weight is the interval before its sample: no column.  At a rate every sample stands for a
 * stretch of equal length, but comes at a random moment of it: the weights hardly differ. Else the excess. */
static enum hst_block_weights choose_weights(uint64_t base_ns, const struct hst_block_row *rows, size_t count)
{
    struct excess excess = {.before_ns = base_ns};
    int64_t excess_before = 0;
    uint64_t weight_before = 0;
    size_t excess_changes = 0, weight_changes = 0;
    for (size_t i = 0; i < count; i++) {
        excess_add(&excess, &rows[i]);
        excess_changes += excess.sum_ns != excess_before;
        weight_changes += rows[i].weight_ns != weight_before;
        excess_before = excess.sum_ns;
        weight_before = rows[i].weight_ns;
    }
    return excess_changes == 0               ? HST_BLOCK_WEIGHTS_ARE_INTERVALS
           : weight_changes < excess_changes ? HST_BLOCK_WEIGHTS
                                             : HST_BLOCK_EXCESS;
}

static int64_t excess_of(uint64_t base_ns, const struct hst_block_row *rows, size_t count)
{
    struct excess excess = {.before_ns = base_ns};
    for (size_t i = 0; i < count; i++)
        excess_add(&excess, &rows[i]);
    return excess.sum_ns;
}

static void put_payload(struct hst_block_encoder *encoder, uint64_t base_ns, const struct hst_block_row *rows,
                        size_t count, unsigned shift)
{
    enum hst_block_weights weights = choose_weights(base_ns, rows, count);
    uint64_t rest_mask = (UINT64_C(1) << shift) - 1;
    uint64_t excess_rest =
        weights == HST_BLOCK_EXCESS ? (uint64_t)excess_of(base_ns, rows, count) & rest_mask : 0;
    struct hst_buffer *payload = &encoder->payload;
    hst_buffer_clear(payload);
    encoder->cut_count = 0;
    hst_buffer_add_byte(payload, HST_BLOCK_FORMAT);
    hst_buffer_add_byte(payload, (uint8_t)weights);
    hst_buffer_add_byte(payload, (uint8_t)shift);
    hst_buffer_add_u64(payload, count);
    hst_buffer_add_u64(payload, base_ns);
    hst_buffer_add_u64(payload, (rows[count - 1].time_ns - base_ns) & rest_mask);
    hst_buffer_add_u64(payload, excess_rest);
    put_column(encoder, rows, count, offsetof(struct hst_block_row, kind));
    put_column(encoder, rows, count, offsetof(struct hst_block_row, stack));
    put_times(encoder, base_ns, rows, count, shift);
    if (weights == HST_BLOCK_EXCESS)
        put_excess(encoder, base_ns, rows, count, shift);
    else if (weights == HST_BLOCK_WEIGHTS)
        put_weights(encoder, rows, count);
}

/* Appends the payload, compressed, to out.  With room for the bound (and for the heads of the cuts) only
 * missing memory can make zstd fail. */
static enum hst_status compress_payload(struct hst_block_encoder *encoder, struct hst_buffer *out)
{
    size_t start = out->length, bound = ZSTD_compressBound(encoder->payload.length) + MAX_CUTS * 16;
    if (out->failed || (out->limit != 0 && (bound > out->limit || start > out->limit - bound)) ||
        !HST_RESERVE(out->data, out->capacity, start + bound))
        return HST_E_NOMEM;
    ZSTD_inBuffer from = {.src = encoder->payload.data};
    ZSTD_outBuffer to = {.dst = out->data + start, .size = bound};
    if (ZSTD_isError(ZSTD_CCtx_reset(encoder->zstd, ZSTD_reset_session_only)) ||
        ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(encoder->zstd, encoder->payload.length)))
        return HST_E_NOMEM;
    for (size_t i = 0; i < encoder->cut_count; i++) {
        from.size = encoder->cuts[i];
        if (from.size > from.pos && ZSTD_compressStream2(encoder->zstd, &to, &from, ZSTD_e_flush) != 0)
            return HST_E_NOMEM;
    }
    from.size = encoder->payload.length;
    if (ZSTD_compressStream2(encoder->zstd, &to, &from, ZSTD_e_end) != 0)
        return HST_E_NOMEM;
    out->length = start + to.pos;
    return HST_OK;
}

enum hst_status hst_block_encode(struct hst_block_encoder *encoder, uint64_t base_ns,
                                 const struct hst_block_row *rows, size_t count, struct hst_buffer *out,
                                 struct hst_block_head *ret_head)
{
    if (count == 0 || count > HST_BLOCK_SAMPLES || base_ns > rows[0].time_ns)
        return HST_E_INVALID;
    unsigned shift = choose_shift(base_ns, rows, count);
    put_payload(encoder, base_ns, rows, count, shift);
    HST_TRY(hst_buffer_status(&encoder->payload));
    HST_TRY(compress_payload(encoder, out));
    uint64_t first_ns = base_ns + ((rows[0].time_ns - base_ns) >> shift << shift);
    *ret_head = (struct hst_block_head){.first_ns = count > 1 ? first_ns : rows[0].time_ns,
                                        .last_ns = rows[count - 1].time_ns,
                                        .samples = (uint32_t)count};
    return HST_OK;
}
