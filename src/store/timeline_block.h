/* Events of one thread in their order (event/call_event.h) <-> the bytes of a block, described in
 * docs/format.md. Calls repeat: a dictionary of the stacks that were entered, indices into it, and times as
 * differences leave zstd a byte or two an event.  Knows nothing of SQLite. */
#ifndef HST_STORE_TIMELINE_BLOCK_H
#define HST_STORE_TIMELINE_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

#define HST_TIMELINE_FORMAT 1
#define HST_TIMELINE_EVENTS 16384u     /* what this version puts into one block at most */
#define HST_TIMELINE_MAX_EVENTS 65536u /* what a reader accepts: part of the format */
#define HST_TIMELINE_MAX_NS (UINT64_C(1) << 60)

struct hst_timeline_row {
    uint64_t time_ns;
    uint32_t entered; /* the stack; 0: the innermost call was left */
};

struct hst_timeline_head {
    uint64_t base_ns; /* when the thread was in start; not after the first event */
    uint64_t lost;    /* events between the block before and base_ns that were dropped */
    uint32_t start;   /* stack */
    uint32_t events;  /* 1 ... */
};

struct hst_timeline_encoder;
struct hst_timeline_encoder *hst_timeline_encoder_new(void);
void hst_timeline_encoder_free(struct hst_timeline_encoder *encoder);
/* Appends the blob of head->events (1 .. HST_TIMELINE_EVENTS) rows, whose times do not fall, to out.  When it
 * fails, out is as it was. */
enum hst_status hst_timeline_encode(struct hst_timeline_encoder *encoder,
                                    const struct hst_timeline_head *head, const struct hst_timeline_row *rows,
                                    struct hst_buffer *out) HST_MUST_CHECK;

struct hst_timeline_decoder;
struct hst_timeline_decoder *hst_timeline_decoder_new(void);
void hst_timeline_decoder_free(struct hst_timeline_decoder *decoder);
/* The rows stay the decoder's until its next use. HST_E_CORRUPT with the reason in ret_reason, or
 * HST_E_NOMEM. */
enum hst_status hst_timeline_decode(struct hst_timeline_decoder *decoder, const void *data, size_t length,
                                    struct hst_timeline_head *ret_head,
                                    const struct hst_timeline_row **ret_rows,
                                    const char **ret_reason) HST_MUST_CHECK;

#endif
