/* The block of samples alone: what it keeps exactly, what it rounds and by how much, and that no bytes
 * whatever make the decoder do anything but refuse. */
#include "store_fixture.h"

#include <zstd.h>

#include "store/sample_block.h"

struct block {
    struct hst_block_row rows[HST_BLOCK_SAMPLES];
    size_t count;
    uint64_t base_ns;
};

static struct hst_buffer encode(const struct block *block, struct hst_block_head *ret_head)
{
    struct hst_buffer bytes;
    struct hst_block_encoder *encoder = hst_block_encoder_new();
    assert_non_null(encoder);
    hst_buffer_init(&bytes, 0);
    assert_int_equal(hst_block_encode(encoder, block->base_ns, block->rows, block->count, &bytes, ret_head),
                     HST_OK);
    hst_block_encoder_free(encoder);
    return bytes;
}

/* Intervals around mean_ns; weights_differ: one sample in so many has a weight of its own (0: none). */
static void make_block(struct block *block, uint64_t seed, size_t count, uint64_t mean_ns,
                       unsigned weights_differ)
{
    block->count = count;
    block->base_ns = next_random(&seed) % 1000000000;
    uint64_t at_ns = block->base_ns;
    for (size_t i = 0; i < count; i++) {
        uint64_t dt_ns = mean_ns / 2 + next_random(&seed) % (mean_ns + 1);
        if (next_random(&seed) % 500 == 0)
            dt_ns *= 3000; /* a gap */
        at_ns += dt_ns;
        int differs = weights_differ != 0 && next_random(&seed) % weights_differ == 0;
        block->rows[i] = (struct hst_block_row){
            .time_ns = at_ns,
            .weight_ns = differs ? next_random(&seed) % (2 * mean_ns + 1) : dt_ns,
            .stack = (uint32_t)(next_random(&seed) % (count > 2000 ? 100000 : 300)),
            .kind = next_random(&seed) % 20 == 0 ? (uint32_t)next_random(&seed) : 1u,
        };
    }
}

static void check_block(const struct block *block, uint64_t mean_ns)
{
    struct hst_block_head head;
    struct hst_buffer bytes = encode(block, &head);
    struct hst_block_decoder *decoder = hst_block_decoder_new();
    const struct hst_block_row *rows;
    const char *reason = "";
    if (hst_block_decode(decoder, bytes.data, bytes.length, &head, &rows, &reason) != HST_OK)
        fail_msg("%s", reason);
    assert_int_equal(head.samples, block->count);
    assert_true(head.last_ns == block->rows[block->count - 1].time_ns);
    uint64_t sum_in = 0, sum_out = 0, unit_ns = mean_ns / 1000 + 1;
    for (size_t i = 0; i < block->count; i++) {
        sum_in += block->rows[i].weight_ns;
        sum_out += rows[i].weight_ns;
        assert_int_equal(rows[i].stack, block->rows[i].stack);
        assert_int_equal(rows[i].kind, block->rows[i].kind);
        assert_true(rows[i].time_ns <= block->rows[i].time_ns);
        assert_true(block->rows[i].time_ns - rows[i].time_ns < unit_ns);
        assert_true(i == 0 || rows[i].time_ns >= rows[i - 1].time_ns);
        /* The sums never drift: at every sample they are within two units below the truth. */
        assert_true(sum_out <= sum_in && sum_in - sum_out < 2 * unit_ns);
    }
    assert_true(sum_in == sum_out);
    hst_block_decoder_free(decoder);
    hst_buffer_release(&bytes);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 3, 100, 255, 256, 257, 1000, 4095, 4096};
    static const uint64_t means_ns[] = {0, 1, 50, 2000, 100000, 1000000, 10000000000};
    struct block *block = malloc(sizeof *block);
    assert_non_null(block);
    uint64_t seed = 1;
    for (size_t c = 0; c < HST_ARRAY_LENGTH(counts); c++)
        for (size_t m = 0; m < HST_ARRAY_LENGTH(means_ns); m++)
            for (unsigned differ = 0; differ < 3; differ++) {
                make_block(block, ++seed * 77777, counts[c], means_ns[m], differ * differ);
                check_block(block, means_ns[m]);
            }
    free(block);
}

static void test_extremes(void **state)
{
    (void)state;
    struct block *block = calloc(1, sizeof *block);
    assert_non_null(block);
    /* The longest time and the largest weight, of which the time tells nothing. */
    block->count = 2;
    block->rows[0] = (struct hst_block_row){.weight_ns = 0, .stack = UINT32_MAX, .kind = UINT32_MAX};
    block->rows[1] = (struct hst_block_row){.time_ns = HST_BLOCK_MAX_NS, .weight_ns = HST_BLOCK_MAX_NS};
    check_block(block, HST_BLOCK_MAX_NS / 1000);
    block->rows[0].weight_ns = HST_BLOCK_MAX_NS;
    block->rows[1].weight_ns = 0;
    check_block(block, HST_BLOCK_MAX_NS / 1000);
    /* All at one time. */
    memset(block->rows, 0, sizeof block->rows);
    block->count = HST_BLOCK_SAMPLES;
    check_block(block, 0);
    free(block);
}

static void test_equal_samples_cost_next_to_nothing(void **state)
{
    (void)state;
    struct hst_block_head head;
    struct block *block = calloc(1, sizeof *block);
    assert_non_null(block);
    block->count = HST_BLOCK_SAMPLES;
    for (size_t i = 0; i < block->count; i++)
        block->rows[i] = (struct hst_block_row){
            .time_ns = (i + 1) * 1000000, .weight_ns = 1000000, .stack = 123456, .kind = 0x00cc0005};
    struct hst_buffer bytes = encode(block, &head);
    assert_true(bytes.length <= block->count / 16);
    hst_buffer_release(&bytes);
    free(block);
}

/* At a rate every sample stands for a stretch of 1 ms and comes at a random moment of it: the weights are
 * exact and cost nothing, the times little more than the 11.7 bits that are in them. */
static void test_equal_stretches(void **state)
{
    (void)state;
    struct hst_block_head head;
    struct block *block = calloc(1, sizeof *block);
    assert_non_null(block);
    block->count = 1000;
    uint64_t seed = 5;
    for (size_t i = 0; i < block->count; i++)
        block->rows[i] = (struct hst_block_row){.time_ns = i * 1000000 + next_random(&seed) % 1000000,
                                                .weight_ns = i == 700 ? 3000000 : 1000000,
                                                .stack = 7,
                                                .kind = 1};
    check_block(block, 1000000);
    struct hst_buffer bytes = encode(block, &head);
    assert_true(bytes.length <= block->count * 14 / 8);
    struct hst_block_decoder *decoder = hst_block_decoder_new();
    const struct hst_block_row *rows;
    const char *reason = "";
    assert_int_equal(hst_block_decode(decoder, bytes.data, bytes.length, &head, &rows, &reason), HST_OK);
    for (size_t i = 0; i < block->count; i++)
        assert_int_equal(rows[i].weight_ns, block->rows[i].weight_ns);
    hst_block_decoder_free(decoder);
    hst_buffer_release(&bytes);
    free(block);
}

/* A call-heavy thread, flat out: another stack among 400 each time, 2 us with noise. */
static void test_bytes_per_sample(void **state)
{
    (void)state;
    struct hst_block_head head;
    struct block *block = malloc(sizeof *block);
    assert_non_null(block);
    uint64_t seed = 99, at_ns = 0;
    block->count = HST_BLOCK_SAMPLES;
    block->base_ns = 0;
    for (size_t i = 0; i < block->count; i++) {
        uint64_t dt_ns = 1000 + next_random(&seed) % 2000;
        at_ns += dt_ns;
        block->rows[i] = (struct hst_block_row){.time_ns = at_ns,
                                                .weight_ns = dt_ns,
                                                .stack = (uint32_t)(next_random(&seed) % 400),
                                                .kind = 0x0101};
    }
    struct hst_buffer bytes = encode(block, &head);
    assert_true(bytes.length <= block->count * 7 / 2);
    hst_buffer_release(&bytes);
    free(block);
}

static void test_refuses_what_cannot_be_encoded(void **state)
{
    (void)state;
    struct hst_block_head head;
    struct hst_buffer bytes;
    struct hst_block_row row = {.time_ns = 5};
    struct hst_block_encoder *encoder = hst_block_encoder_new();
    hst_buffer_init(&bytes, 100);
    assert_int_equal(hst_block_encode(encoder, 0, &row, 0, &bytes, &head), HST_E_INVALID);
    assert_int_equal(hst_block_encode(encoder, 6, &row, 1, &bytes, &head), HST_E_INVALID);
    assert_int_equal(hst_block_encode(encoder, 5, &row, 1, &bytes, &head), HST_E_NOMEM); /* over the limit */
    assert_int_equal(bytes.length, 0);
    bytes.limit = 100000;
    assert_int_equal(hst_block_encode(encoder, 5, &row, 1, &bytes, &head), HST_OK);
    hst_block_encoder_free(encoder);
    hst_buffer_release(&bytes);
}

/* Damage before compression, which no checksum finds: the decoder's own checks must hold. */
static void test_damaged_payload(void **state)
{
    (void)state;
    struct hst_block_head head;
    struct block *block = malloc(sizeof *block);
    assert_non_null(block);
    make_block(block, 4242, 700, 2000, 3);
    struct hst_buffer bytes = encode(block, &head);
    uint8_t payload[40000], damaged[40000], packed[60000];
    size_t length = ZSTD_decompress(payload, sizeof payload, bytes.data, bytes.length);
    assert_false(ZSTD_isError(length));
    struct hst_block_decoder *decoder = hst_block_decoder_new();
    const struct hst_block_row *rows;
    uint64_t seed = 31337;
    unsigned refused = 0;
    for (unsigned round = 0; round < 6000; round++) {
        memcpy(damaged, payload, length);
        size_t kept = next_random(&seed) % 4 == 0 ? next_random(&seed) % length : length;
        for (uint64_t hits = 1 + next_random(&seed) % 4; hits > 0; hits--)
            damaged[next_random(&seed) % (next_random(&seed) % 2 ? 40 : length)] =
                (uint8_t)(next_random(&seed) % 3 ? next_random(&seed) : 0xff);
        size_t size = ZSTD_compress(packed, sizeof packed, damaged, kept, 1);
        const char *reason = NULL;
        enum hst_status status = hst_block_decode(decoder, packed, size, &head, &rows, &reason);
        assert_true(status == HST_OK || (status == HST_E_CORRUPT && reason != NULL));
        refused += status == HST_E_CORRUPT;
    }
    assert_true(refused > 3000);
    hst_block_decoder_free(decoder);
    hst_buffer_release(&bytes);
    free(block);
}

/* Damage to the compressed bytes is always found: they carry a checksum. */
static void test_damaged_frame(void **state)
{
    (void)state;
    struct hst_block_head head;
    struct block *block = malloc(sizeof *block);
    assert_non_null(block);
    make_block(block, 777, 500, 2000, 0);
    struct hst_buffer bytes = encode(block, &head);
    struct hst_block_decoder *decoder = hst_block_decoder_new();
    const struct hst_block_row *rows;
    const char *reason;
    for (size_t i = 0; i < bytes.length; i++) {
        bytes.data[i] ^= 0x55;
        assert_int_equal(hst_block_decode(decoder, bytes.data, i, &head, &rows, &reason), HST_E_CORRUPT);
        enum hst_status status = hst_block_decode(decoder, bytes.data, bytes.length, &head, &rows, &reason);
        if (status == HST_OK) /* a bit that zstd does not look at: then all is as it was */
            for (size_t k = 0; k < block->count; k++)
                assert_int_equal(rows[k].stack, block->rows[k].stack);
        else
            assert_int_equal(status, HST_E_CORRUPT);
        bytes.data[i] ^= 0x55;
    }
    /* A frame that says it is enormous is refused before any memory is asked for. */
    static const uint8_t enormous[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0};
    assert_int_equal(hst_block_decode(decoder, enormous, sizeof enormous, &head, &rows, &reason),
                     HST_E_CORRUPT);
    assert_int_equal(hst_block_decode(decoder, "", 0, &head, &rows, &reason), HST_E_CORRUPT);
    hst_block_decoder_free(decoder);
    hst_buffer_release(&bytes);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_equal_samples_cost_next_to_nothing),
        cmocka_unit_test(test_equal_stretches),
        cmocka_unit_test(test_bytes_per_sample),
        cmocka_unit_test(test_refuses_what_cannot_be_encoded),
        cmocka_unit_test(test_damaged_payload),
        cmocka_unit_test(test_damaged_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
