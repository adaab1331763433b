/* What the blobs of blocks share (sample_block.h, timeline_block.h): one zstd frame with its size and a
 * checksum in it.  A frame comes from a file, and a file may be damaged.  Only for src/store. */
#ifndef HST_STORE_ZSTD_FRAME_H
#define HST_STORE_ZSTD_FRAME_H

#include <zstd.h>

#include "base/buffer.h"
#include "base/status.h"

/* A compressor set for such frames; NULL: out of memory. ZSTD_freeCCtx frees it. */
ZSTD_CCtx *hst_zstd_compressor_new(void);

struct hst_zstd_reader {
    ZSTD_DCtx *context;
    uint8_t *payload;
    size_t capacity;
};

/* 0: out of memory. */
int hst_zstd_reader_init(struct hst_zstd_reader *reader);
void hst_zstd_reader_release(struct hst_zstd_reader *reader);
/* The payload, which stays the reader's until its next use. HST_E_CORRUPT with the reason, or HST_E_NOMEM. */
enum hst_status hst_zstd_reader_read(struct hst_zstd_reader *reader, const void *data, size_t length,
                                     size_t most_bytes, struct hst_cursor *ret_cursor,
                                     const char **ret_reason) HST_MUST_CHECK;

/* HST_E_CORRUPT, and why. */
static inline enum hst_status hst_block_corrupt(const char **ret_reason, const char *reason)
{
    *ret_reason = reason;
    return HST_E_CORRUPT;
}

#endif
