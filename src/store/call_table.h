/* The rows of a traced run (model/calls.h) in the store.  Only for src/store. */
#ifndef HST_STORE_CALL_TABLE_H
#define HST_STORE_CALL_TABLE_H

#include <sqlite3.h>

#include "base/status.h"
#include "model/calls.h"
#include "model/lines.h"
#include "model/profile.h"

struct hst_store;

struct hst_call_writer {
    sqlite3_stmt *put_call, *put_trace, *put_line;
    struct hst_call_row *written; /* as the store has them: only rows that changed are written again */
    size_t count, capacity;
};

enum hst_status hst_call_writer_init(struct hst_call_writer *writer, struct hst_store *store,
                                     struct hst_error *err) HST_MUST_CHECK;
void hst_call_writer_release(struct hst_call_writer *writer);
/* Writes inside the caller's transaction; only keep makes the writer believe that it was. */
enum hst_status hst_call_writer_write(struct hst_call_writer *writer, struct hst_store *store, uint64_t run,
                                      const struct hst_calls *calls, struct hst_error *err) HST_MUST_CHECK;
/* The lines, all of them: they are few. */
enum hst_status hst_call_writer_lines(struct hst_call_writer *writer, struct hst_store *store, uint64_t run,
                                      const struct hst_lines *lines, struct hst_error *err) HST_MUST_CHECK;
/* After the commit. Cannot fail: its memory was taken by the write. */
void hst_call_writer_keep(struct hst_call_writer *writer, const struct hst_calls *calls);

#endif
