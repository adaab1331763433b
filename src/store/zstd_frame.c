/* Frames made and read. */
#include "store/zstd_frame.h"

#include "base/memory.h"

#define COMPRESSION_LEVEL 1

ZSTD_CCtx *hst_zstd_compressor_new(void)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context != NULL &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, COMPRESSION_LEVEL)) &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)))
        return context;
    (void)ZSTD_freeCCtx(context);
    return NULL;
}

int hst_zstd_reader_init(struct hst_zstd_reader *reader)
{
    *reader = (struct hst_zstd_reader){.context = ZSTD_createDCtx()};
    return reader->context != NULL;
}

void hst_zstd_reader_release(struct hst_zstd_reader *reader)
{
    (void)ZSTD_freeDCtx(reader->context);
    hst_free(reader->payload);
    *reader = (struct hst_zstd_reader){0};
}

enum hst_status hst_zstd_reader_read(struct hst_zstd_reader *reader, const void *data, size_t length,
                                     size_t most_bytes, struct hst_cursor *ret_cursor,
                                     const char **ret_reason)
{
    unsigned long long size = ZSTD_getFrameContentSize(data, length);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
        return hst_block_corrupt(ret_reason, "it is not a zstd frame with a size");
    if (size > most_bytes)
        return hst_block_corrupt(ret_reason, "it is larger than a block can be");
    if (!HST_RESERVE(reader->payload, reader->capacity, (size_t)size + 1))
        return HST_E_NOMEM;
    size_t got = ZSTD_decompressDCtx(reader->context, reader->payload, (size_t)size, data, length);
    if (ZSTD_isError(got) || got != size)
        return hst_block_corrupt(ret_reason, "its compressed bytes are damaged");
    *ret_cursor = (struct hst_cursor){.at = reader->payload, .end = reader->payload + got};
    return HST_OK;
}
