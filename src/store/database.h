/* The connection to a store's file that the modules of this folder share: statements, transactions, and what
 * SQLite says turned into a status and sentences.  Only for src/store and its tests. */
#ifndef HST_STORE_DATABASE_H
#define HST_STORE_DATABASE_H

#include <sqlite3.h>

#include "base/memory.h"
#include "base/status.h"
#include "store/schema.h"
#include "store/store.h"

#define HST_STORE_BUSY_MS 5000                       /* how long a transaction waits for another's lock */
#define HST_STORE_MAX_VALUE_BYTES (64 * 1024 * 1024) /* no text or blob in a store is larger */

struct hst_store {
    sqlite3 *db;
    char *path;
    enum hst_store_mode mode;
    const struct hst_schema *schema;
    int copied; /* an older file that could not be upgraded in place: db is an upgraded copy in memory */
};

/* hst_store_open with another schema than today's: for tests of upgrades. */
enum hst_status hst_store_open_schema(const char *path, enum hst_store_mode mode,
                                      const struct hst_schema *schema, struct hst_store **ret_store,
                                      struct hst_error *err) HST_MUST_CHECK;

/* The status and sentences for what the last call on the connection failed with. */
enum hst_status hst_store_fail(struct hst_store *store, struct hst_error *err);
enum hst_status hst_store_nomem(struct hst_error *err);

enum hst_status hst_store_exec(struct hst_store *store, const char *sql,
                               struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_store_prepare(struct hst_store *store, const char *sql, sqlite3_stmt **ret_statement,
                                  struct hst_error *err) HST_MUST_CHECK;
/* ret_row: 1 = there is a row, 0 = there are no more. */
enum hst_status hst_store_step(struct hst_store *store, sqlite3_stmt *statement, int *ret_row,
                               struct hst_error *err) HST_MUST_CHECK;
/* Runs a statement that gives no rows, and makes it ready for the next time. */
enum hst_status hst_store_run(struct hst_store *store, sqlite3_stmt *statement,
                              struct hst_error *err) HST_MUST_CHECK;
/* The one number that a query gives; missing when it gives none (or NULL). */
enum hst_status hst_store_number(struct hst_store *store, const char *sql, uint64_t parameter,
                                 int64_t missing, int64_t *ret_number, struct hst_error *err) HST_MUST_CHECK;

enum hst_status hst_store_begin_write(struct hst_store *store, struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_store_commit(struct hst_store *store, struct hst_error *err) HST_MUST_CHECK;
void hst_store_rollback(struct hst_store *store);
/* Commits, or rolls back when status is not HST_OK; gives the first failure. */
enum hst_status hst_store_end(struct hst_store *store, enum hst_status status,
                              struct hst_error *err) HST_MUST_CHECK;

/* Numbers of 64 bits are stored in 63: a larger one is stored as the largest. */
static inline int64_t hst_store_clamp(uint64_t value)
{
    return value <= INT64_MAX ? (int64_t)value : INT64_MAX;
}
static inline void hst_store_bind(sqlite3_stmt *statement, int index, uint64_t value)
{
    (void)sqlite3_bind_int64(statement, index, hst_store_clamp(value));
}

void hst_cleanup_statement_(sqlite3_stmt **statement);
#define HST_CLEANUP_STATEMENT HST_CLEANUP(hst_cleanup_statement_)
void hst_cleanup_store_(struct hst_store **store);
#define HST_CLEANUP_STORE HST_CLEANUP(hst_cleanup_store_)

#endif
