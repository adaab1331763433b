/* A block of a timeline.
 *
 * input   1 byte: odd = what follows is the content, and is compressed here (else a fuzzer never gets past
 * zstd's checksum); even = what follows is the block itself */
#include "fuzz.h"

#include <zstd.h>

#include "base/buffer.h"
#include "store/timeline_block.h"

static void check(struct hst_timeline_decoder *decoder, const void *block, size_t length)
{
    struct hst_timeline_head head = {0};
    const struct hst_timeline_row *rows = NULL;
    const char *reason = NULL;
    enum hst_status status = hst_timeline_decode(decoder, block, length, &head, &rows, &reason);
    FUZZ_REQUIRE(status == HST_OK || (status == HST_E_CORRUPT && reason != NULL));
    if (status != HST_OK)
        return;
    FUZZ_REQUIRE(head.events > 0 && head.events <= HST_TIMELINE_MAX_EVENTS && head.lost <= INT64_MAX);
    uint64_t last_ns = head.base_ns;
    for (uint32_t i = 0; i < head.events; i++) {
        FUZZ_REQUIRE(rows[i].time_ns >= last_ns && rows[i].time_ns <= HST_TIMELINE_MAX_NS);
        last_ns = rows[i].time_ns;
    }
    if (head.events > HST_TIMELINE_EVENTS)
        return;
    /* What was read can be written, and is the same when it is read again. */
    static struct hst_timeline_encoder *encoder;
    static struct hst_timeline_decoder *other;
    encoder = encoder != NULL ? encoder : hst_timeline_encoder_new();
    other = other != NULL ? other : hst_timeline_decoder_new();
    struct hst_buffer again;
    struct hst_timeline_head head_again;
    const struct hst_timeline_row *rows_again;
    hst_buffer_init(&again, 0);
    FUZZ_REQUIRE(hst_timeline_encode(encoder, &head, rows, &again) == HST_OK);
    FUZZ_REQUIRE(hst_timeline_decode(other, again.data, again.length, &head_again, &rows_again, &reason) ==
                 HST_OK);
    FUZZ_REQUIRE(head_again.events == head.events && head_again.start == head.start &&
                 head_again.base_ns == head.base_ns && head_again.lost == head.lost);
    for (uint32_t i = 0; i < head.events; i++)
        FUZZ_REQUIRE(rows[i].time_ns == rows_again[i].time_ns && rows[i].entered == rows_again[i].entered);
    hst_buffer_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hst_timeline_decoder *decoder;
    decoder = decoder != NULL ? decoder : hst_timeline_decoder_new();
    if (decoder == NULL || size == 0)
        return 0;
    if ((data[0] & 1) == 0) {
        check(decoder, data + 1, size - 1);
        return 0;
    }
    size_t bound = ZSTD_compressBound(size);
    void *block = malloc(bound);
    FUZZ_REQUIRE(block != NULL);
    size_t length = ZSTD_compress(block, bound, data + 1, size - 1, 1);
    FUZZ_REQUIRE(!ZSTD_isError(length));
    check(decoder, block, length);
    free(block);
    return 0;
}
