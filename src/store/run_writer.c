/* Collects samples thread by thread, seals them into blocks, and writes blocks and tables in one transaction.
 * Memory is bounded: so many samples wait to be sealed, so many bytes wait to be written, and no more. */
#include "store/run_writer.h"

#include <stdlib.h>
#include <string.h>

#include "store/call_table.h"
#include "store/database.h"
#include "store/run_row.h"
#include "store/sample_block.h"
#include "store/sum_table.h"
#include "store/table_writer.h"
#include "store/timeline_table.h"

#define MAX_OPEN_SAMPLES 131072u             /* over all threads (3 MiB); then all are sealed */
#define MAX_SEALED_BYTES (16u * 1024 * 1024) /* then add refuses until a flush succeeds */
#define KEEP_SEALED_BYTES (2u * 1024 * 1024) /* capacity above this is given back after a flush */
#define MAX_THREADS (1u << 20)

/* The samples of one thread that are not sealed yet. */
struct stream {
    struct hst_block_row *rows;
    size_t count, capacity;
    uint64_t base_ns, last_ns; /* where the open block begins; the last sample's time */
    uint64_t weight_sum_ns;    /* of the open block */
    uint32_t next_block;
    int started, sealed_since_flush;
};

struct sealed_block {
    struct hst_block_head head;
    uint32_t thread, block;
    size_t offset, length; /* in writer->sealed_bytes */
};

struct hst_run_writer {
    struct hst_store *store;
    uint64_t number;
    int finished;
    struct stream *streams; /* by thread */
    size_t stream_count, stream_capacity;
    size_t open_samples;
    uint32_t max_stack, max_thread; /* the largest that samples named */
    struct hst_block_encoder *encoder;
    struct hst_buffer sealed_bytes;
    struct sealed_block *sealed;
    size_t sealed_count, sealed_capacity;
    struct hst_table_writer tables;
    struct hst_call_writer call_rows;
    struct hst_timeline_writer timeline;
    const struct hst_calls *calls; /* of a traced run */
    const struct hst_lines *lines; /* of a run of lines */
    const struct hst_imported *imported;
    sqlite3_stmt *insert_block;
};

void hst_run_writer_free(struct hst_run_writer *writer)
{
    if (writer == NULL)
        return;
    for (size_t i = 0; i < writer->stream_count; i++)
        hst_free(writer->streams[i].rows);
    hst_free(writer->streams);
    hst_block_encoder_free(writer->encoder);
    hst_buffer_release(&writer->sealed_bytes);
    hst_free(writer->sealed);
    hst_table_writer_release(&writer->tables);
    hst_call_writer_release(&writer->call_rows);
    hst_timeline_writer_release(&writer->timeline);
    (void)sqlite3_finalize(writer->insert_block);
    hst_free(writer);
}

static void cleanup_writer(struct hst_run_writer **writer) { hst_run_writer_free(*writer); }

enum hst_status hst_run_writer_new(struct hst_store *store, struct hst_run_info *info,
                                   struct hst_run_writer **ret_writer, struct hst_error *err)
{
    HST_CLEANUP(cleanup_writer) struct hst_run_writer *writer = hst_alloc_zero(1, sizeof *writer);
    if (writer == NULL)
        return hst_store_nomem(err);
    writer->store = store;
    hst_buffer_init(&writer->sealed_bytes, MAX_SEALED_BYTES);
    hst_timeline_writer_init(&writer->timeline);
    writer->encoder = hst_block_encoder_new();
    if (writer->encoder == NULL)
        return hst_store_nomem(err);
    HST_TRY(hst_table_writer_init(&writer->tables, store, err));
    HST_TRY(hst_call_writer_init(&writer->call_rows, store, err));
    HST_TRY(hst_store_prepare(store,
                              "INSERT INTO block(run, thread, block, first_ns, last_ns, samples, data)"
                              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                              &writer->insert_block, err));
    struct hst_run_info begun = *info;
    HST_TRY(hst_store_begin_write(store, err));
    HST_TRY(hst_store_end(store, hst_run_row_add(store, &begun, err), err));
    writer->number = begun.number;
    info->number = begun.number;
    info->status = begun.status;
    *ret_writer = HST_TAKE(writer);
    return HST_OK;
}

/* Turns the open samples of a thread into a block that waits for the flush. */
static enum hst_status seal(struct hst_run_writer *writer, uint32_t thread)
{
    struct stream *stream = &writer->streams[thread];
    size_t offset = writer->sealed_bytes.length;
    struct hst_block_head head;
    if (stream->count == 0)
        return HST_OK;
    if (!HST_RESERVE(writer->sealed, writer->sealed_capacity, writer->sealed_count + 1))
        return HST_E_NOMEM;
    HST_TRY(hst_block_encode(writer->encoder, stream->base_ns, stream->rows, stream->count,
                             &writer->sealed_bytes, &head));
    writer->sealed[writer->sealed_count++] =
        (struct sealed_block){.head = head,
                              .thread = thread,
                              .block = stream->next_block++,
                              .offset = offset,
                              .length = writer->sealed_bytes.length - offset};
    writer->open_samples -= stream->count;
    stream->count = 0;
    stream->base_ns = stream->last_ns;
    stream->weight_sum_ns = 0;
    stream->sealed_since_flush = 1;
    return HST_OK;
}

static enum hst_status seal_all(struct hst_run_writer *writer)
{
    for (size_t i = 0; i < writer->stream_count; i++)
        HST_TRY(seal(writer, (uint32_t)i));
    return HST_OK;
}

/* What the fast way of add does not do: a new thread, a full block, memory. */
static enum hst_status make_room(struct hst_run_writer *writer, const struct hst_sample *sample)
{
    if (writer->finished || sample->thread >= MAX_THREADS)
        return HST_E_INVALID;
    if (sample->thread >= writer->stream_count) {
        size_t count = (size_t)sample->thread + 1;
        if (!HST_RESERVE(writer->streams, writer->stream_capacity, count))
            return HST_E_NOMEM;
        memset(&writer->streams[writer->stream_count], 0,
               (count - writer->stream_count) * sizeof *writer->streams);
        writer->stream_count = count;
    }
    if (writer->open_samples >= MAX_OPEN_SAMPLES)
        HST_TRY(seal_all(writer));
    struct stream *stream = &writer->streams[sample->thread];
    if (stream->count == HST_BLOCK_SAMPLES || stream->weight_sum_ns > HST_BLOCK_MAX_NS - sample->weight_ns)
        HST_TRY(seal(writer, sample->thread));
    if (!HST_RESERVE(stream->rows, stream->capacity, stream->count + 1))
        return HST_E_NOMEM;
    return HST_OK;
}

enum hst_status hst_run_writer_add(struct hst_run_writer *writer, const struct hst_sample *sample)
{
    if (sample->time_ns > HST_BLOCK_MAX_NS || sample->weight_ns > HST_BLOCK_MAX_NS ||
        sample->state >= HST_STATE_COUNT)
        return HST_E_INVALID;
    if (sample->thread >= writer->stream_count || writer->open_samples >= MAX_OPEN_SAMPLES ||
        writer->streams[sample->thread].count == writer->streams[sample->thread].capacity ||
        writer->streams[sample->thread].count == HST_BLOCK_SAMPLES ||
        writer->streams[sample->thread].weight_sum_ns > HST_BLOCK_MAX_NS - sample->weight_ns ||
        writer->finished)
        HST_TRY(make_room(writer, sample));
    struct stream *stream = &writer->streams[sample->thread];
    if (!stream->started) {
        /* The first interval is the first weight, where that is one. */
        stream->base_ns = sample->time_ns - (sample->weight_ns <= sample->time_ns ? sample->weight_ns : 0);
        stream->started = 1;
    } else if (sample->time_ns < stream->last_ns) {
        return HST_E_INVALID;
    }
    stream->rows[stream->count++] = (struct hst_block_row){
        .time_ns = sample->time_ns,
        .weight_ns = sample->weight_ns,
        .stack = sample->stack,
        .kind = (uint32_t)sample->state | (uint32_t)sample->flags << 8 | (uint32_t)sample->detail << 16};
    stream->last_ns = sample->time_ns;
    stream->weight_sum_ns += sample->weight_ns;
    writer->open_samples++;
    if (sample->stack > writer->max_stack)
        writer->max_stack = sample->stack;
    if (sample->thread > writer->max_thread)
        writer->max_thread = sample->thread;
    return HST_OK;
}

enum hst_status hst_run_writer_event(struct hst_run_writer *writer, const struct hst_call_event *event)
{
    return writer->finished ? HST_E_INVALID : hst_timeline_writer_add(&writer->timeline, event);
}

void hst_run_writer_set_calls(struct hst_run_writer *writer, const struct hst_calls *calls)
{
    writer->calls = calls;
}

void hst_run_writer_set_lines(struct hst_run_writer *writer, const struct hst_lines *lines)
{
    writer->lines = lines;
}

void hst_run_writer_set_imported(struct hst_run_writer *writer, const struct hst_imported *imported)
{
    writer->imported = imported;
}

size_t hst_run_writer_pending_bytes(const struct hst_run_writer *writer)
{
    return writer->sealed_bytes.length + writer->open_samples * sizeof(struct hst_block_row) +
           hst_timeline_writer_pending_bytes(&writer->timeline);
}

static enum hst_status write_blocks(struct hst_run_writer *writer, struct hst_error *err)
{
    sqlite3_stmt *statement = writer->insert_block;
    for (size_t i = 0; i < writer->sealed_count; i++) {
        const struct sealed_block *block = &writer->sealed[i];
        hst_store_bind(statement, 1, writer->number);
        hst_store_bind(statement, 2, block->thread);
        hst_store_bind(statement, 3, block->block);
        hst_store_bind(statement, 4, block->head.first_ns);
        hst_store_bind(statement, 5, block->head.last_ns);
        hst_store_bind(statement, 6, block->head.samples);
        (void)sqlite3_bind_blob64(statement, 7, writer->sealed_bytes.data + block->offset, block->length,
                                  SQLITE_STATIC);
        HST_TRY(hst_store_run(writer->store, statement, err));
    }
    return HST_OK;
}

/* What was written is let go, and so is the room of threads that had nothing to say since the last flush. */
static void forget_written(struct hst_run_writer *writer)
{
    for (size_t i = 0; i < writer->stream_count; i++) {
        struct stream *stream = &writer->streams[i];
        if (!stream->sealed_since_flush && stream->count == 0) {
            hst_free(stream->rows);
            stream->rows = NULL;
            stream->capacity = 0;
        }
        stream->sealed_since_flush = 0;
    }
    writer->sealed_count = 0;
    hst_buffer_clear(&writer->sealed_bytes);
    if (writer->sealed_bytes.capacity > KEEP_SEALED_BYTES)
        hst_buffer_release(&writer->sealed_bytes);
}

static enum hst_status write_all(struct hst_run_writer *writer, const struct hst_profile *profile,
                                 const struct hst_run_info *info, int finish, struct hst_error *err)
{
    struct hst_store *store = writer->store;
    HST_TRY(hst_run_row_update(store, writer->number, info, err));
    HST_TRY(hst_table_writer_write(&writer->tables, store, writer->number, profile, err));
    HST_TRY(write_blocks(writer, err));
    HST_TRY(hst_timeline_writer_write(&writer->timeline, store, writer->number, err));
    if (writer->calls != NULL)
        HST_TRY(hst_call_writer_write(&writer->call_rows, store, writer->number, writer->calls, err));
    if (writer->lines != NULL)
        HST_TRY(hst_call_writer_lines(&writer->call_rows, store, writer->number, writer->lines, err));
    if (writer->imported != NULL && finish)
        HST_TRY(hst_sum_table_write(store, writer->number, writer->imported, err));
    return finish ? hst_run_row_finish(store, writer->number, info->status, err) : HST_OK;
}

static enum hst_status flush(struct hst_run_writer *writer, const struct hst_profile *profile,
                             const struct hst_run_info *info, int finish, struct hst_error *err)
{
    if (writer->finished)
        return hst_error_set(err, HST_E_INVALID, "the run is closed already");
    if ((writer->stream_count > 0 &&
         (writer->max_stack >= profile->stack_count || writer->max_thread >= profile->thread_count)) ||
        (writer->timeline.stream_count > 0 && (writer->timeline.max_stack >= profile->stack_count ||
                                               writer->timeline.max_thread >= profile->thread_count)))
        return hst_error_set(err, HST_E_INVALID,
                             "a sample names a stack or thread that the profile does not have");
    for (int all_sealed = 0; !all_sealed;) {
        /* After failed flushes there may be no room to seal the rest until the sealed ones are written. */
        all_sealed = seal_all(writer) == HST_OK;
        if (!all_sealed && writer->sealed_count == 0)
            return hst_store_nomem(err);
        HST_TRY(hst_store_begin_write(writer->store, err));
        HST_TRY(
            hst_store_end(writer->store, write_all(writer, profile, info, finish && all_sealed, err), err));
        hst_table_writer_keep(&writer->tables, profile);
        hst_timeline_writer_keep(&writer->timeline);
        if (writer->calls != NULL)
            hst_call_writer_keep(&writer->call_rows, writer->calls);
        forget_written(writer);
    }
    writer->finished = finish;
    return HST_OK;
}

enum hst_status hst_run_writer_flush(struct hst_run_writer *writer, const struct hst_profile *profile,
                                     const struct hst_run_info *info, struct hst_error *err)
{
    return flush(writer, profile, info, 0, err);
}

enum hst_status hst_run_writer_finish(struct hst_run_writer *writer, const struct hst_profile *profile,
                                      const struct hst_run_info *info, struct hst_error *err)
{
    return flush(writer, profile, info, 1, err);
}
