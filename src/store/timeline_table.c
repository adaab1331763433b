/* Rows of events -> blocks -> rows of the table. */
#include "store/timeline_table.h"

#include <string.h>

#include "base/memory.h"
#include "store/database.h"

#define MAX_OPEN_EVENTS (1u << 20)           /* over all threads (16 MiB); then all are sealed */
#define MAX_SEALED_BYTES (64u * 1024 * 1024) /* then add refuses until a flush succeeds */
#define KEEP_BYTES (8u * 1024 * 1024)        /* capacity above this is given back after a flush */
#define MAX_THREADS (1u << 20)

struct hst_timeline_stream {
    struct hst_timeline_row *rows;
    size_t count, capacity;
    uint64_t base_ns, last_ns; /* where the open block begins; the last event's time */
    uint64_t lost;             /* before the open block */
    uint32_t start, stack;     /* of the open block; where the thread is now */
    uint32_t next_block;
    int used; /* since the last flush */
};

struct hst_timeline_sealed {
    uint64_t first_ns, last_ns;
    uint32_t thread, block, events;
    size_t offset, length; /* in writer->bytes */
};

void hst_timeline_writer_init(struct hst_timeline_writer *writer)
{
    *writer = (struct hst_timeline_writer){0};
    hst_buffer_init(&writer->bytes, MAX_SEALED_BYTES);
}

void hst_timeline_writer_release(struct hst_timeline_writer *writer)
{
    for (size_t i = 0; i < writer->stream_count; i++)
        hst_free(writer->streams[i].rows);
    hst_free(writer->streams);
    hst_timeline_encoder_free(writer->encoder);
    hst_buffer_release(&writer->bytes);
    hst_free(writer->sealed);
    (void)sqlite3_finalize(writer->insert);
    *writer = (struct hst_timeline_writer){0};
}

/* Turns the open events of a thread into a block that waits for the flush. */
static enum hst_status seal(struct hst_timeline_writer *writer, uint32_t thread)
{
    struct hst_timeline_stream *stream = &writer->streams[thread];
    size_t offset = writer->bytes.length;
    if (stream->count == 0)
        return HST_OK;
    if (writer->encoder == NULL)
        writer->encoder = hst_timeline_encoder_new();
    if (writer->encoder == NULL ||
        !HST_RESERVE(writer->sealed, writer->sealed_capacity, writer->sealed_count + 1))
        return HST_E_NOMEM;
    const struct hst_timeline_head head = {.base_ns = stream->base_ns,
                                           .lost = stream->lost,
                                           .start = stream->start,
                                           .events = (uint32_t)stream->count};
    HST_TRY(hst_timeline_encode(writer->encoder, &head, stream->rows, &writer->bytes));
    writer->sealed[writer->sealed_count++] =
        (struct hst_timeline_sealed){.first_ns = stream->rows[0].time_ns,
                                     .last_ns = stream->last_ns,
                                     .thread = thread,
                                     .block = stream->next_block++,
                                     .events = (uint32_t)stream->count,
                                     .offset = offset,
                                     .length = writer->bytes.length - offset};
    writer->open_events -= stream->count;
    stream->count = 0;
    stream->lost = 0;
    stream->base_ns = stream->last_ns;
    stream->start = stream->stack;
    return HST_OK;
}

static enum hst_status seal_all(struct hst_timeline_writer *writer)
{
    for (size_t i = 0; i < writer->stream_count; i++)
        HST_TRY(seal(writer, (uint32_t)i));
    return HST_OK;
}

static enum hst_status make_room(struct hst_timeline_writer *writer, uint32_t thread)
{
    if (thread >= MAX_THREADS)
        return HST_E_INVALID;
    if (thread >= writer->stream_count) {
        size_t count = (size_t)thread + 1;
        if (!HST_RESERVE(writer->streams, writer->stream_capacity, count))
            return HST_E_NOMEM;
        memset(&writer->streams[writer->stream_count], 0,
               (count - writer->stream_count) * sizeof *writer->streams);
        writer->stream_count = count;
    }
    if (writer->open_events >= MAX_OPEN_EVENTS)
        HST_TRY(seal_all(writer));
    struct hst_timeline_stream *stream = &writer->streams[thread];
    if (stream->count == HST_TIMELINE_EVENTS)
        HST_TRY(seal(writer, thread));
    return HST_RESERVE(stream->rows, stream->capacity, stream->count + 1) ? HST_OK : HST_E_NOMEM;
}

static enum hst_status move(struct hst_timeline_writer *writer, const struct hst_call_event *event)
{
    struct hst_timeline_stream *stream = &writer->streams[event->thread];
    HST_TRY(seal(writer, event->thread));
    stream->base_ns = stream->last_ns = event->time_ns;
    stream->start = stream->stack = event->stack;
    stream->lost += event->lost;
    return HST_OK;
}

enum hst_status hst_timeline_writer_add(struct hst_timeline_writer *writer,
                                        const struct hst_call_event *event)
{
    if (event->thread >= writer->stream_count || writer->open_events >= MAX_OPEN_EVENTS ||
        writer->streams[event->thread].count == writer->streams[event->thread].capacity ||
        writer->streams[event->thread].count == HST_TIMELINE_EVENTS)
        HST_TRY(make_room(writer, event->thread));
    struct hst_timeline_stream *stream = &writer->streams[event->thread];
    if (event->time_ns < stream->last_ns || event->time_ns > HST_TIMELINE_MAX_NS)
        return HST_E_INVALID;
    stream->used = 1;
    writer->max_thread = event->thread > writer->max_thread ? event->thread : writer->max_thread;
    writer->max_stack = event->stack > writer->max_stack ? event->stack : writer->max_stack;
    if (event->kind == HST_CALL_MOVE)
        return move(writer, event);
    if (stream->count == 0 && stream->next_block == 0 && stream->base_ns == 0)
        stream->base_ns = event->time_ns;
    stream->rows[stream->count++] = (struct hst_timeline_row){
        .time_ns = event->time_ns, .entered = event->kind == HST_CALL_ENTER ? event->stack : 0};
    stream->last_ns = event->time_ns;
    stream->stack = event->stack;
    writer->open_events++;
    return HST_OK;
}

enum hst_status hst_timeline_writer_write(struct hst_timeline_writer *writer, struct hst_store *store,
                                          uint64_t run, struct hst_error *err)
{
    if (seal_all(writer) != HST_OK)
        return hst_store_nomem(err);
    if (writer->insert == NULL && writer->sealed_count > 0)
        HST_TRY(hst_store_prepare(store,
                                  "INSERT INTO timeline(run, thread, block, first_ns, last_ns, events, data)"
                                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                                  &writer->insert, err));
    for (size_t i = 0; i < writer->sealed_count; i++) {
        const struct hst_timeline_sealed *block = &writer->sealed[i];
        const uint64_t numbers[] = {
            run, block->thread, block->block, block->first_ns, block->last_ns, block->events};
        for (int n = 0; n < (int)HST_ARRAY_LENGTH(numbers); n++)
            hst_store_bind(writer->insert, n + 1, numbers[n]);
        (void)sqlite3_bind_blob64(writer->insert, 7, writer->bytes.data + block->offset, block->length,
                                  SQLITE_STATIC);
        HST_TRY(hst_store_run(store, writer->insert, err));
    }
    return HST_OK;
}

void hst_timeline_writer_keep(struct hst_timeline_writer *writer)
{
    for (size_t i = 0; i < writer->stream_count; i++) {
        struct hst_timeline_stream *stream = &writer->streams[i];
        if (!stream->used) {
            hst_free(stream->rows);
            stream->rows = NULL;
            stream->capacity = 0;
        }
        stream->used = 0;
    }
    writer->sealed_count = 0;
    hst_buffer_clear(&writer->bytes);
    if (writer->bytes.capacity > KEEP_BYTES)
        hst_buffer_release(&writer->bytes);
}

size_t hst_timeline_writer_pending_bytes(const struct hst_timeline_writer *writer)
{
    return writer->bytes.length + writer->open_events * sizeof(struct hst_timeline_row);
}
