/* The timeline of a traced run in the store: events collected thread by thread into blocks, blocks into rows.
 * Only for src/store. */
#ifndef HST_STORE_TIMELINE_TABLE_H
#define HST_STORE_TIMELINE_TABLE_H

#include <sqlite3.h>

#include "event/call_event.h"
#include "store/timeline_block.h"

struct hst_store;

struct hst_timeline_writer {
    struct hst_timeline_stream *streams; /* by thread */
    size_t stream_count, stream_capacity;
    size_t open_events; /* in no block yet, of all threads */
    struct hst_timeline_encoder *encoder;
    struct hst_buffer bytes; /* of blocks that wait for a flush */
    struct hst_timeline_sealed *sealed;
    size_t sealed_count, sealed_capacity;
    uint32_t max_stack, max_thread; /* the largest that events named */
    sqlite3_stmt *insert;
};

void hst_timeline_writer_init(struct hst_timeline_writer *writer);
void hst_timeline_writer_release(struct hst_timeline_writer *writer);
/* Takes one event; within a thread, times do not fall. */
enum hst_status hst_timeline_writer_add(struct hst_timeline_writer *writer,
                                        const struct hst_call_event *event) HST_MUST_CHECK;
/* Writes all blocks, and the events so far as blocks, inside the caller's transaction; only keep makes the
 * writer believe that they are there. */
enum hst_status hst_timeline_writer_write(struct hst_timeline_writer *writer, struct hst_store *store,
                                          uint64_t run, struct hst_error *err) HST_MUST_CHECK;
void hst_timeline_writer_keep(struct hst_timeline_writer *writer);
size_t hst_timeline_writer_pending_bytes(const struct hst_timeline_writer *writer);

#endif
