/* A sample in the spool: time since the thread's previous one (signed), weight, stack, detail as
 * variable-length integers; state and flags as bytes. The file has no name and goes with the process. */
#include "export/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

enum { CHUNK_BYTES = 32 * 1024 };
#define NO_CHUNK UINT32_MAX

enum hst_status hst_spool_init(struct hst_spool *spool, size_t thread_count)
{
    *spool = (struct hst_spool){.fd = -1};
    spool->lanes = hst_alloc_zero(thread_count, sizeof *spool->lanes);
    if (spool->lanes == NULL)
        return HST_E_NOMEM;
    spool->lane_count = thread_count;
    for (size_t i = 0; i < thread_count; i++)
        spool->lanes[i].first_chunk = spool->lanes[i].last_chunk = NO_CHUNK;
    return HST_OK;
}

void hst_spool_release(struct hst_spool *spool)
{
    for (size_t i = 0; i < spool->lane_count; i++)
        hst_buffer_release(&spool->lanes[i].pending);
    hst_free(spool->lanes);
    hst_free(spool->chunks);
    if (spool->fd >= 0)
        (void)close(spool->fd);
    *spool = (struct hst_spool){.fd = -1};
}

static enum hst_status open_file(struct hst_spool *spool)
{
    const char *folder = getenv("TMPDIR");
    HST_CLEANUP_FREE char *path =
        hst_asprintf("%s/hasten-export-XXXXXX", folder != NULL && folder[0] == '/' ? folder : "/tmp");
    if (path == NULL)
        return HST_E_NOMEM;
    spool->fd = mkstemp(path);
    if (spool->fd < 0)
        return hst_status_from_errno(errno);
    (void)unlink(path);
    return HST_OK;
}

static enum hst_status spill(struct hst_spool *spool, struct hst_spool_lane *lane)
{
    HST_TRY(hst_buffer_status(&lane->pending));
    if (spool->fd < 0)
        HST_TRY(open_file(spool));
    if (spool->chunk_count >= NO_CHUNK ||
        !HST_RESERVE(spool->chunks, spool->chunk_capacity, spool->chunk_count + 1))
        return HST_E_NOMEM;
    HST_TRY(hst_fd_write_all(spool->fd, lane->pending.data, lane->pending.length));
    uint32_t chunk = (uint32_t)spool->chunk_count++;
    spool->chunks[chunk] = (struct hst_spool_chunk){
        .offset = spool->file_bytes, .length = (uint32_t)lane->pending.length, .next = NO_CHUNK};
    spool->file_bytes += lane->pending.length;
    if (lane->last_chunk == NO_CHUNK)
        lane->first_chunk = chunk;
    else
        spool->chunks[lane->last_chunk].next = chunk;
    lane->last_chunk = chunk;
    hst_buffer_clear(&lane->pending);
    return HST_OK;
}

enum hst_status hst_spool_add(void *context, const struct hst_sample *sample)
{
    struct hst_spool *spool = context;
    struct hst_spool_lane *lane = &spool->lanes[sample->thread];
    struct hst_buffer *pending = &lane->pending;
    hst_buffer_add_i64(pending, (int64_t)(sample->time_ns - lane->last_time_ns));
    hst_buffer_add_u64(pending, sample->weight_ns);
    hst_buffer_add_u64(pending, sample->stack);
    hst_buffer_add_u64(pending, sample->detail);
    hst_buffer_add_byte(pending, sample->state);
    hst_buffer_add_byte(pending, sample->flags);
    lane->last_time_ns = sample->time_ns;
    lane->samples++;
    lane->weight_ns += sample->weight_ns;
    if (pending->length >= CHUNK_BYTES || pending->failed)
        return spill(spool, lane);
    return HST_OK;
}

struct reading {
    uint32_t thread;
    uint64_t time_ns;
    hst_export_visitor *visit;
    void *context;
};

static enum hst_status visit_bytes(struct reading *reading, const uint8_t *data, size_t length)
{
    struct hst_cursor cursor = {.at = data, .end = data + length};
    while (cursor.at < cursor.end) {
        struct hst_sample sample = {.thread = reading->thread};
        reading->time_ns += (uint64_t)hst_cursor_i64(&cursor);
        sample.time_ns = reading->time_ns;
        sample.weight_ns = hst_cursor_u64(&cursor);
        sample.stack = (uint32_t)hst_cursor_u64(&cursor);
        sample.detail = (uint16_t)hst_cursor_u64(&cursor);
        sample.state = hst_cursor_byte(&cursor);
        sample.flags = hst_cursor_byte(&cursor);
        if (cursor.failed)
            return HST_E_IO; /* the temporary file was changed under us */
        HST_TRY(reading->visit(reading->context, &sample));
    }
    return HST_OK;
}

static enum hst_status read_chunk(const struct hst_spool *spool, const struct hst_spool_chunk *chunk,
                                  uint8_t *block)
{
    for (size_t done = 0; done < chunk->length;) {
        ssize_t got = pread(spool->fd, block + done, chunk->length - done, (off_t)(chunk->offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return HST_E_IO;
        done += (size_t)got;
    }
    return HST_OK;
}

enum hst_status hst_spool_read(struct hst_spool *spool, uint32_t thread, hst_export_visitor *visit,
                               void *context)
{
    struct hst_spool_lane *lane = &spool->lanes[thread];
    struct reading reading = {.thread = thread, .visit = visit, .context = context};
    HST_CLEANUP_FREE uint8_t *block = NULL;
    for (uint32_t i = lane->first_chunk; i != NO_CHUNK; i = spool->chunks[i].next) {
        const struct hst_spool_chunk *chunk = &spool->chunks[i];
        if (block == NULL &&
            (block = hst_alloc(2, CHUNK_BYTES)) == NULL) /* a chunk ends with a whole sample */
            return HST_E_NOMEM;
        HST_TRY(read_chunk(spool, chunk, block));
        HST_TRY(visit_bytes(&reading, block, chunk->length));
    }
    HST_TRY(hst_buffer_status(&lane->pending));
    return visit_bytes(&reading, lane->pending.data, lane->pending.length);
}
