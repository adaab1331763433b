/* The tables of a profile -> rows of a run: each flush writes what was added or changed since the last one.
 * Only for src/store. */
#ifndef HST_STORE_TABLE_WRITER_H
#define HST_STORE_TABLE_WRITER_H

#include <sqlite3.h>

#include "base/status.h"
#include "model/profile.h"

struct hst_store;

enum hst_table { HST_TABLE_STRING, HST_TABLE_FUNCTION, HST_TABLE_LOCATION, HST_TABLE_STACK, HST_TABLE_COUNT };

struct hst_table_writer {
    sqlite3_stmt *insert[HST_TABLE_COUNT], *put_process, *put_thread;
    size_t written[HST_TABLE_COUNT]; /* rows that are in the store for good */
    size_t pending[HST_TABLE_COUNT]; /* rows that the transaction under way wrote */
    struct hst_process *processes;   /* as they were last written: those rows change */
    size_t process_count, process_capacity;
    struct hst_thread *threads;
    size_t thread_count, thread_capacity;
};

enum hst_status hst_table_writer_init(struct hst_table_writer *tables, struct hst_store *store,
                                      struct hst_error *err) HST_MUST_CHECK;
void hst_table_writer_release(struct hst_table_writer *tables);
/* Writes inside the caller's transaction; only keep makes the writer believe that it was. */
enum hst_status hst_table_writer_write(struct hst_table_writer *tables, struct hst_store *store, uint64_t run,
                                       const struct hst_profile *profile,
                                       struct hst_error *err) HST_MUST_CHECK;
/* After the commit. Cannot fail: its memory was taken by the write. */
void hst_table_writer_keep(struct hst_table_writer *tables, const struct hst_profile *profile);

#endif
