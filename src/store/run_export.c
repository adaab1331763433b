/* One run -> a store file of its own, in which it is run 1: copies its rows between two connections, so that
 * it does not matter how the source was opened. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/database.h"
#include "store/run_row.h"

/* Tables whose first column is the run's number. */
static const char *const tables[] = {"string",    "function",     "location",  "stack",        "process",
                                     "thread",    "block",        "call",      "trace",        "line",
                                     "imported",  "function_sum", "edge_sum",  "timeline",     "heap",
                                     "heap_type", "heap_name",    "heap_part", "heap_finding", "heap_column"};

/* Copies the rows of run from one table; the first column becomes 1. */
static enum hst_status copy_table(struct hst_store *from, struct hst_store *to, const char *table,
                                  const char *key, const char *order, uint64_t run, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *select = NULL, *insert = NULL;
    char sql[256];
    int row;
    (void)snprintf(sql, sizeof sql, "SELECT * FROM %s WHERE %s = ?1 ORDER BY %s", table, key, order);
    HST_TRY(hst_store_prepare(from, sql, &select, err));
    hst_store_bind(select, 1, run);
    int columns = sqlite3_column_count(select);
    int length = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES(1", table);
    for (int i = 1; i < columns && length < (int)sizeof sql - 8; i++)
        length += snprintf(sql + length, sizeof sql - (size_t)length, ",?%d", i + 1);
    (void)snprintf(sql + length, sizeof sql - (size_t)length, ")");
    HST_TRY(hst_store_prepare(to, sql, &insert, err));
    for (;;) {
        HST_TRY(hst_store_step(from, select, &row, err));
        if (!row)
            return HST_OK;
        for (int i = 1; i < columns; i++)
            (void)sqlite3_bind_value(insert, i + 1, sqlite3_column_value(select, i));
        HST_TRY(hst_store_run(to, insert, err));
    }
}

static const char *order_of(const char *table)
{
    return strcmp(table, "block") == 0          ? "first_ns, thread, block"
           : strcmp(table, "timeline") == 0     ? "first_ns, thread, block"
           : strcmp(table, "call") == 0         ? "thread, stack"
           : strcmp(table, "trace") == 0        ? "process"
           : strcmp(table, "line") == 0         ? "function, line"
           : strcmp(table, "imported") == 0     ? "run"
           : strcmp(table, "function_sum") == 0 ? "function"
           : strcmp(table, "edge_sum") == 0     ? "caller, callee"
           : strcmp(table, "heap") == 0         ? "run"
           : strcmp(table, "heap_name") == 0    ? "type, place"
           : strcmp(table, "heap_column") == 0  ? "column, block"
                                                : "id";
}

static enum hst_status copy_rows(struct hst_store *from, struct hst_store *to, uint64_t run,
                                 struct hst_error *err)
{
    struct hst_run_info info;
    HST_TRY(hst_run_row_read(from, run, &info, err));
    HST_TRY(copy_table(from, to, "run", "id", "id", run, err));
    for (size_t i = 0; i < HST_ARRAY_LENGTH(tables); i++)
        HST_TRY(copy_table(from, to, tables[i], "run", order_of(tables[i]), run, err));
    /* To the copy nothing will ever be added. */
    return hst_run_row_finish(to, 1, info.status == HST_RUN_COMPLETE ? HST_RUN_COMPLETE : HST_RUN_INTERRUPTED,
                              err);
}

static enum hst_status copy_run(struct hst_store *from, struct hst_store *to, uint64_t run,
                                struct hst_error *err)
{
    HST_TRY(hst_store_exec(from, "SAVEPOINT export", err));
    enum hst_status status = hst_store_begin_write(to, err);
    if (status == HST_OK)
        status = hst_store_end(to, copy_rows(from, to, run, err), err);
    (void)sqlite3_exec(from->db, "RELEASE export", NULL, NULL, NULL);
    HST_TRY(status);
    /* One file without companions, which opens in a folder that cannot be written. */
    return hst_store_exec(to, "PRAGMA journal_mode = DELETE", err);
}

/* A file of that name is replaced, but not when it is a store with more in it than one run. */
enum hst_status hst_store_export_check(const char *store_path, const char *path, struct hst_error *err)
{
    HST_CLEANUP_STORE struct hst_store *old = NULL;
    struct stat ours, theirs;
    struct hst_error ignored;
    int64_t runs = 0;
    if (strcmp(path, "-") == 0) {
        (void)hst_error_set(err, HST_E_UNSUPPORTED, "a store cannot be written to standard output");
        hst_error_hint(err, "name a file with -o FILE");
        return HST_E_UNSUPPORTED;
    }
    if (stat(path, &theirs) != 0)
        return HST_OK;
    int same = stat(store_path, &ours) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
    if (!same && S_ISREG(theirs.st_mode) && hst_store_open(path, HST_STORE_READ, &old, &ignored) == HST_OK)
        (void)!hst_store_number(old, "SELECT count(*) FROM run", 0, 0, &runs, &ignored);
    if (!same && runs <= 1 && S_ISREG(theirs.st_mode))
        return HST_OK;
    (void)hst_error_set(err, HST_E_INVALID,
                        S_ISREG(theirs.st_mode)
                            ? "%s is a store with other runs in it, which an export would replace"
                            : "%s is not a file",
                        path);
    hst_error_hint(err, "name another file with -o FILE");
    return HST_E_INVALID;
}

enum hst_status hst_store_export(struct hst_store *store, uint64_t number, const char *path,
                                 struct hst_error *err)
{
    struct hst_run_info info;
    HST_TRY(hst_run_row_read(store, number, &info, err));
    HST_TRY(hst_store_export_check(store->path, path, err));
    HST_CLEANUP_FREE char *temporary = hst_asprintf("%s.%ld.tmp", path, (long)getpid());
    if (temporary == NULL)
        return hst_store_nomem(err);
    (void)unlink(temporary);
    struct hst_store *to = NULL;
    enum hst_status status = hst_store_open_schema(temporary, HST_STORE_WRITE, store->schema, &to, err);
    if (status == HST_OK)
        status = copy_run(store, to, number, err);
    hst_store_free(to);
    if (status == HST_OK && rename(temporary, path) != 0)
        status =
            hst_error_set(err, hst_status_from_errno(errno), "cannot write %s: %s", path, strerror(errno));
    if (status != HST_OK) {
        static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
        for (size_t i = 0; i < HST_ARRAY_LENGTH(endings); i++) {
            HST_CLEANUP_FREE char *left = hst_asprintf("%s%s", temporary, endings[i]);
            if (left != NULL)
                (void)unlink(left);
        }
    }
    return status;
}
