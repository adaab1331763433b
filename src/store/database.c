/* Statements and transactions on a store, and SQLite's results as statuses with a next thing to try. */
#include "store/database.h"

#include <errno.h>
#include <string.h>

enum hst_status hst_store_nomem(struct hst_error *err)
{
    return hst_error_set(err, HST_E_NOMEM, "out of memory while using the store");
}

static enum hst_status fail_full(struct hst_store *store, struct hst_error *err)
{
    (void)hst_error_set(err, HST_E_FULL, "no space left for %s", store->path);
    hst_error_hint(err,
                   "free some space (hasten rm RUN removes a run), or use another disk with --store FILE");
    return HST_E_FULL;
}

static enum hst_status fail_io(struct hst_store *store, struct hst_error *err)
{
    int number = sqlite3_system_errno(store->db);
    if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        return fail_full(store, err);
    (void)hst_error_set(err, HST_E_IO, "cannot read or write %s: %s", store->path,
                        number != 0 ? strerror(number) : sqlite3_errmsg(store->db));
    hst_error_hint(err, "check the disk, or use another one with --store FILE");
    return HST_E_IO;
}

static enum hst_status fail_corrupt(struct hst_store *store, struct hst_error *err)
{
    (void)hst_error_set(err, HST_E_CORRUPT, "%s is damaged: %s", store->path, sqlite3_errmsg(store->db));
    hst_error_hint(err, "`sqlite3 FILE .recover | sqlite3 NEW` saves what can be saved; "
                        "with the file moved away, the next run begins a new one");
    return HST_E_CORRUPT;
}

enum hst_status hst_store_fail(struct hst_store *store, struct hst_error *err)
{
    switch (sqlite3_errcode(store->db) & 0xff) {
    case SQLITE_NOMEM:
        return hst_store_nomem(err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: /* lost the race for the log's locks too often */
        (void)hst_error_set(err, HST_E_BUSY, "%s is locked by another program", store->path);
        hst_error_hint(err, "end what holds it (an open sqlite3 shell, perhaps) and try again, "
                            "or use another store with --store FILE");
        return HST_E_BUSY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        (void)hst_error_set(err, HST_E_READONLY, "%s cannot be written", store->path);
        hst_error_hint(err, "check the rights of the file and of its folder, "
                            "or use another store with --store FILE");
        return HST_E_READONLY;
    case SQLITE_FULL:
        return fail_full(store, err);
    case SQLITE_CORRUPT:
        return fail_corrupt(store, err);
    case SQLITE_TOOBIG:
        return hst_error_set(err, HST_E_CORRUPT, "%s holds a value larger than any that belongs there",
                             store->path);
    case SQLITE_NOTADB:
        (void)hst_error_set(err, HST_E_INVALID, "%s is not a store of hasten", store->path);
        hst_error_hint(err, "name a store, or a file that does not exist yet, with --store FILE");
        return HST_E_INVALID;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return fail_io(store, err);
    default: /* SQLITE_ERROR: a table or column that this schema version must have is not there */
        (void)hst_error_set(err, HST_E_CORRUPT, "%s does not hold together: %s", store->path,
                            sqlite3_errmsg(store->db));
        hst_error_hint(err, "move the file away and the next run begins a new one");
        return HST_E_CORRUPT;
    }
}

enum hst_status hst_store_exec(struct hst_store *store, const char *sql, struct hst_error *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? HST_OK : hst_store_fail(store, err);
}

enum hst_status hst_store_prepare(struct hst_store *store, const char *sql, sqlite3_stmt **ret_statement,
                                  struct hst_error *err)
{
    return sqlite3_prepare_v2(store->db, sql, -1, ret_statement, NULL) == SQLITE_OK
               ? HST_OK
               : hst_store_fail(store, err);
}

enum hst_status hst_store_step(struct hst_store *store, sqlite3_stmt *statement, int *ret_row,
                               struct hst_error *err)
{
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return hst_store_fail(store, err);
    *ret_row = result == SQLITE_ROW;
    return HST_OK;
}

enum hst_status hst_store_run(struct hst_store *store, sqlite3_stmt *statement, struct hst_error *err)
{
    int result = sqlite3_step(statement);
    enum hst_status status =
        result == SQLITE_DONE || result == SQLITE_ROW ? HST_OK : hst_store_fail(store, err);
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return status;
}

enum hst_status hst_store_number(struct hst_store *store, const char *sql, uint64_t parameter,
                                 int64_t missing, int64_t *ret_number, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int row = 0;
    HST_TRY(hst_store_prepare(store, sql, &statement, err));
    if (sqlite3_bind_parameter_count(statement) > 0)
        hst_store_bind(statement, 1, parameter);
    HST_TRY(hst_store_step(store, statement, &row, err));
    *ret_number = row && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_int64(statement, 0)
                                                                          : missing;
    return HST_OK;
}

enum hst_status hst_store_begin_write(struct hst_store *store, struct hst_error *err)
{
    if (store->mode == HST_STORE_READ) {
        (void)hst_error_set(err, HST_E_READONLY, "%s was opened for reading only", store->path);
        return HST_E_READONLY;
    }
    return hst_store_exec(store, "BEGIN IMMEDIATE", err);
}

enum hst_status hst_store_commit(struct hst_store *store, struct hst_error *err)
{
    enum hst_status status = hst_store_exec(store, "COMMIT", err);
    if (status != HST_OK)
        hst_store_rollback(store);
    return status;
}

void hst_store_rollback(struct hst_store *store)
{
    /* After some failures (disk full) SQLite has rolled back by itself. */
    if (!sqlite3_get_autocommit(store->db))
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

enum hst_status hst_store_end(struct hst_store *store, enum hst_status status, struct hst_error *err)
{
    if (status == HST_OK)
        return hst_store_commit(store, err);
    hst_store_rollback(store);
    return status;
}

void hst_cleanup_statement_(sqlite3_stmt **statement) { (void)sqlite3_finalize(*statement); }

void hst_cleanup_store_(struct hst_store **store) { hst_store_free(*store); }
