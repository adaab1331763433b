/* Some thousand samples of one thread <-> one compressed blob: the unit in which samples are stored.  Bytes:
 * docs/format.md, "The block".  Times are kept in a power-of-two unit of at most a thousandth of the usual
 * interval; the last sample of a block is exact, so that sums never drift.  Knows nothing of SQLite. */
#ifndef HST_STORE_SAMPLE_BLOCK_H
#define HST_STORE_SAMPLE_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

#define HST_BLOCK_FORMAT 1
#define HST_BLOCK_SAMPLES 4096u      /* what this version puts into one block at most */
#define HST_BLOCK_MAX_SAMPLES 65536u /* what a reader accepts: part of the format */
#define HST_BLOCK_MAX_SHIFT 40u
#define HST_BLOCK_MAX_NS (UINT64_C(1) << 60) /* times, and weights summed over a block: 36 years */

/* How a block keeps the weights; the values are part of the format. */
enum hst_block_weights {
    HST_BLOCK_WEIGHTS_ARE_INTERVALS = 0,
    HST_BLOCK_EXCESS = 1,
    HST_BLOCK_WEIGHTS = 2,
};

struct hst_block_row {
    uint64_t time_ns, weight_ns;
    uint32_t stack;
    uint32_t kind; /* state | flags << 8 | detail << 16 */
};

/* What the row of a block says about its blob, and what the blob must agree with. */
struct hst_block_head {
    uint64_t first_ns, last_ns; /* of the first sample as a reader will see it; of the last, exact */
    uint32_t samples;
};

struct hst_block_encoder;
struct hst_block_encoder *hst_block_encoder_new(void);
void hst_block_encoder_free(struct hst_block_encoder *encoder);
/* Appends the blob of count (1 .. HST_BLOCK_SAMPLES) rows to out.  base_ns is where the first interval begins
 * (the time of the thread's sample before); times may not fall, and base_ns is at most the first of them.
 * When it fails, out is as it was. */
enum hst_status hst_block_encode(struct hst_block_encoder *encoder, uint64_t base_ns,
                                 const struct hst_block_row *rows, size_t count, struct hst_buffer *out,
                                 struct hst_block_head *ret_head) HST_MUST_CHECK;

struct hst_block_decoder;
struct hst_block_decoder *hst_block_decoder_new(void);
void hst_block_decoder_free(struct hst_block_decoder *decoder);
/* The rows (ret_rows[0 .. head->samples - 1]) stay the decoder's until its next use.  HST_E_CORRUPT with the
 * reason in ret_reason, or HST_E_NOMEM. */
enum hst_status hst_block_decode(struct hst_block_decoder *decoder, const void *data, size_t length,
                                 const struct hst_block_head *head, const struct hst_block_row **ret_rows,
                                 const char **ret_reason) HST_MUST_CHECK;

#endif
