/* Opens a store's file, whatever state it is in: absent, empty, older, newer, damaged, locked, read-only, or
 * not a store at all.  Removes runs from it. */
#include "store/store.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "store/database.h"
#include "store/folder.h"
#include "store/run_row.h"

#define REMOVE_AT_ONCE 256 /* blocks in one transaction, so that others get their turn */

void hst_store_free(struct hst_store *store)
{
    if (store == NULL)
        return;
    (void)sqlite3_close_v2(store->db);
    hst_free(store->path);
    hst_free(store);
}

const char *hst_store_path(const struct hst_store *store) { return store->path; }

/* "file:PATH?immutable=1", with what a URI would take for its own escaped. */
static char *immutable_uri(const char *path)
{
    struct hst_buffer uri;
    hst_buffer_init(&uri, 0);
    hst_buffer_add_text(&uri, "file:");
    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '%' || *at == '?' || *at == '#')
            hst_buffer_add_fmt(&uri, "%%%02x", (unsigned char)*at);
        else
            hst_buffer_add_byte(&uri, (uint8_t)*at);
    }
    hst_buffer_add(&uri, "?immutable=1", sizeof "?immutable=1");
    if (hst_buffer_status(&uri) != HST_OK)
        hst_buffer_release(&uri);
    return (char *)uri.data;
}

/* Why the file could not be opened, in the system's words. */
static enum hst_status fail_open(struct hst_store *store, struct hst_error *err)
{
    if ((sqlite3_errcode(store->db) & 0xff) != SQLITE_CANTOPEN)
        return hst_store_fail(store, err);
    int write = store->mode == HST_STORE_WRITE;
    enum hst_status status = HST_E_IO;
    if (access(store->path, R_OK) != 0 && (errno != ENOENT || !write)) {
        status = hst_error_set(err, hst_status_from_errno(errno), "cannot open the store %s: %s", store->path,
                               strerror(errno));
    } else if (write) {
        status = hst_error_set(err, HST_E_READONLY, "%s cannot be written", store->path);
    } else {
        (void)hst_error_set(err, HST_E_IO, "cannot open the store %s", store->path);
    }
    hst_error_hint(err, write ? "check the rights of the file and of its folder, or use another store with "
                                "--store FILE"
                              : "check the rights of the file and of its folder");
    return status;
}

/* Opens the connection with the settings that protect against what a file may contain. */
static enum hst_status open_connection(struct hst_store *store, const char *name, int flags,
                                       struct hst_error *err)
{
    (void)sqlite3_close_v2(store->db);
    store->db = NULL;
    int result = sqlite3_open_v2(name, &store->db, flags | SQLITE_OPEN_EXRESCODE, NULL);
    if (store->db == NULL)
        return hst_store_nomem(err);
    if (result != SQLITE_OK)
        return fail_open(store, err);
    (void)sqlite3_busy_timeout(store->db, HST_STORE_BUSY_MS);
    (void)sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, HST_STORE_MAX_VALUE_BYTES);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_exec(store->db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
    return HST_OK;
}

/* WAL, so that readers and the writer do not wait for each other.  Two processes that turn it on at once get
 * SQLITE_BUSY without waiting, hence the loop; where the file system has no WAL, the old journal does. */
static enum hst_status prepare_for_writing(struct hst_store *store, struct hst_error *err)
{
    uint64_t give_up_ns = hst_now_ns() + HST_STORE_BUSY_MS * UINT64_C(1000000);
    HST_TRY(hst_store_exec(store, "PRAGMA auto_vacuum = INCREMENTAL", err));
    while (sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK) {
        if ((sqlite3_errcode(store->db) & 0xff) != SQLITE_BUSY || hst_now_ns() > give_up_ns)
            return fail_open(store, err);
        (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return hst_store_exec(store, "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216", err);
}

static enum hst_status open_for_writing(struct hst_store *store, const struct hst_schema *schema,
                                        struct hst_error *err)
{
    int version;
    HST_TRY(hst_store_folder_make(store->path, err));
    int is_new = access(store->path, F_OK) != 0;
    HST_TRY(open_connection(store, store->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err));
    if (sqlite3_db_readonly(store->db, "main") == 1) {
        (void)hst_error_set(err, HST_E_READONLY, "%s cannot be written", store->path);
        hst_error_hint(err, "check the rights of the file, or use another store with --store FILE");
        return HST_E_READONLY;
    }
    /* Before anything is changed: the file may be another program's. */
    if (sqlite3_exec(store->db, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
        return fail_open(store, err);
    if (is_new) /* SQLite gives its files beside it to the same user */
        hst_store_hand_over(store->path);
    HST_TRY(hst_schema_inspect(store, schema, &version, err));
    HST_TRY(prepare_for_writing(store, err));
    return version < schema->version ? hst_schema_upgrade(store, schema, err) : HST_OK;
}

/* An older file where it cannot be upgraded: the upgrade is done on a copy in memory. */
static enum hst_status copy_and_upgrade(struct hst_store *store, const struct hst_schema *schema,
                                        struct hst_error *err)
{
    sqlite3 *copy = NULL;
    if (sqlite3_open(":memory:", &copy) != SQLITE_OK) {
        (void)sqlite3_close_v2(copy);
        return hst_store_nomem(err);
    }
    sqlite3_backup *backup = sqlite3_backup_init(copy, "main", store->db, "main");
    int result = backup != NULL ? sqlite3_backup_step(backup, -1) : SQLITE_NOMEM;
    (void)sqlite3_backup_finish(backup);
    if (result != SQLITE_DONE) {
        enum hst_status status = hst_store_fail(store, err);
        (void)sqlite3_close_v2(copy);
        return status;
    }
    (void)sqlite3_close_v2(store->db);
    store->db = copy;
    store->copied = 1;
    return hst_schema_upgrade(store, schema, err);
}

static enum hst_status upgrade_for_reading(struct hst_store *store, const struct hst_schema *schema,
                                           struct hst_error *err)
{
    HST_CLEANUP_STORE struct hst_store *writable = NULL;
    struct hst_error ignored;
    if (hst_store_open_schema(store->path, HST_STORE_WRITE, schema, &writable, &ignored) != HST_OK)
        return copy_and_upgrade(store, schema, err);
    return open_connection(store, store->path, SQLITE_OPEN_READONLY, err);
}

static enum hst_status open_for_reading(struct hst_store *store, const struct hst_schema *schema,
                                        struct hst_error *err)
{
    int version = 0;
    if (access(store->path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        (void)hst_error_set(err, HST_E_NOENT, "there is no store at %s", store->path);
        hst_error_hint(err, "`hasten run PROGRAM` makes one; another is named with --store FILE");
        return HST_E_NOENT;
    }
    HST_TRY(open_connection(store, store->path, SQLITE_OPEN_READONLY, err));
    int result = sqlite3_exec(store->db, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) & 0xff;
    if (result == SQLITE_CANTOPEN || result == SQLITE_READONLY) {
        /* Reading a WAL file wants to write beside it.  Where that is not allowed nobody writes the file
         * either, so it may be taken as it stands. */
        HST_CLEANUP_FREE char *uri = immutable_uri(store->path);
        HST_CLEANUP_FREE char *log = hst_asprintf("%s-wal", store->path);
        struct stat info;
        if (uri == NULL || log == NULL)
            return hst_store_nomem(err);
        if (stat(log, &info) == 0 && info.st_size > 0) {
            (void)hst_error_set(err, HST_E_PERM,
                                "the newest runs of %s are still in %s, which cannot be read "
                                "without writing beside it",
                                store->path, log);
            hst_error_hint(err,
                           "copy both files to a folder of your own and name the copy with --store FILE");
            return HST_E_PERM;
        }
        HST_TRY(open_connection(store, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err));
    }
    if (sqlite3_exec(store->db, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
        return fail_open(store, err);
    HST_TRY(hst_schema_inspect(store, schema, &version, err));
    if (version == 0) {
        (void)hst_error_set(err, HST_E_NOENT, "%s is empty", store->path);
        hst_error_hint(err, "`hasten run PROGRAM` records a run");
        return HST_E_NOENT;
    }
    return version < schema->version ? upgrade_for_reading(store, schema, err) : HST_OK;
}

enum hst_status hst_store_open_schema(const char *path, enum hst_store_mode mode,
                                      const struct hst_schema *schema, struct hst_store **ret_store,
                                      struct hst_error *err)
{
    if (path == NULL || path[0] == '\0')
        return hst_error_set(err, HST_E_INVALID, "the store has no name");
    HST_CLEANUP_STORE struct hst_store *store = hst_alloc_zero(1, sizeof *store);
    if (store == NULL)
        return hst_store_nomem(err);
    store->mode = mode;
    store->schema = schema;
    /* ":memory:" is a file name like another here. */
    store->path = path[0] == ':' ? hst_asprintf("./%s", path) : hst_strdup(path);
    if (store->path == NULL)
        return hst_store_nomem(err);
    struct stat info;
    if (stat(store->path, &info) == 0 && S_ISDIR(info.st_mode)) {
        (void)hst_error_set(err, HST_E_INVALID, "%s is a folder, not a store", store->path);
        hst_error_hint(err, "name a file in it with --store FILE");
        return HST_E_INVALID;
    }
    HST_TRY(mode == HST_STORE_WRITE ? open_for_writing(store, schema, err)
                                    : open_for_reading(store, schema, err));
    *ret_store = HST_TAKE(store);
    return HST_OK;
}

enum hst_status hst_store_open(const char *path, enum hst_store_mode mode, struct hst_store **ret_store,
                               struct hst_error *err)
{
    return hst_store_open_schema(path, mode, &hst_schema_now, ret_store, err);
}

/* Deletes rows of the run that are left, a bounded number a transaction. */
static enum hst_status remove_rows(struct hst_store *store, uint64_t number, struct hst_error *err)
{
    static const char *const one_by_one[] = {
        "DELETE FROM block WHERE rowid IN (SELECT rowid FROM block WHERE run = ?1 LIMIT ?2)",
        "DELETE FROM timeline WHERE rowid IN (SELECT rowid FROM timeline WHERE run = ?1 LIMIT ?2)",
        "DELETE FROM heap_column WHERE rowid IN (SELECT rowid FROM heap_column WHERE run = ?1 LIMIT ?2)",
    };
    /* string is last: while it has rows of a run, hst_store_remove finds that run again. */
    static const char *const at_once[] = {
        "DELETE FROM stack WHERE run = ?1",     "DELETE FROM location WHERE run = ?1",
        "DELETE FROM function WHERE run = ?1",  "DELETE FROM thread WHERE run = ?1",
        "DELETE FROM process WHERE run = ?1",   "DELETE FROM call WHERE run = ?1",
        "DELETE FROM trace WHERE run = ?1",     "DELETE FROM line WHERE run = ?1",
        "DELETE FROM imported WHERE run = ?1",  "DELETE FROM function_sum WHERE run = ?1",
        "DELETE FROM edge_sum WHERE run = ?1",  "DELETE FROM heap WHERE run = ?1",
        "DELETE FROM heap_type WHERE run = ?1", "DELETE FROM heap_name WHERE run = ?1",
        "DELETE FROM heap_part WHERE run = ?1", "DELETE FROM heap_finding WHERE run = ?1",
        "DELETE FROM string WHERE run = ?1",
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(one_by_one); i++) {
        HST_CLEANUP_STATEMENT sqlite3_stmt *blocks = NULL;
        HST_TRY(hst_store_prepare(store, one_by_one[i], &blocks, err));
        do {
            hst_store_bind(blocks, 1, number);
            hst_store_bind(blocks, 2, REMOVE_AT_ONCE);
            HST_TRY(hst_store_run(store, blocks, err));
        } while (sqlite3_changes(store->db) > 0);
    }
    for (size_t i = 0; i < HST_ARRAY_LENGTH(at_once); i++) {
        HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
        HST_TRY(hst_store_prepare(store, at_once[i], &statement, err));
        hst_store_bind(statement, 1, number);
        HST_TRY(hst_store_run(store, statement, err));
    }
    return HST_OK;
}

/* Gives the space back to the disk, a thousand pages a transaction. */
static enum hst_status shrink(struct hst_store *store, struct hst_error *err)
{
    int64_t before = INT64_MAX, left;
    for (;;) {
        HST_TRY(hst_store_number(store, "PRAGMA freelist_count", 0, 0, &left, err));
        if (left == 0 || left >= before) /* no progress: a file without incremental vacuum */
            return HST_OK;
        before = left;
        HST_TRY(hst_store_exec(store, "PRAGMA incremental_vacuum(1000)", err));
    }
}

static enum hst_status remove_run_row(struct hst_store *store, uint64_t number, struct hst_error *err)
{
    struct hst_run_info info;
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    HST_TRY(hst_run_row_read(store, number, &info, err));
    if (info.status == HST_RUN_RECORDING) {
        (void)hst_error_set(err, HST_E_BUSY, "run %llu is still being recorded", (unsigned long long)number);
        hst_error_hint(err, "end the recording first (Ctrl-C in its terminal)");
        return HST_E_BUSY;
    }
    HST_TRY(hst_store_prepare(store, "DELETE FROM run WHERE id = ?1", &statement, err));
    hst_store_bind(statement, 1, number);
    return hst_store_run(store, statement, err);
}

enum hst_status hst_store_remove(struct hst_store *store, uint64_t number, struct hst_error *err)
{
    HST_TRY(hst_store_begin_write(store, err));
    HST_TRY(hst_store_end(store, remove_run_row(store, number, err), err));
    HST_TRY(remove_rows(store, number, err));
    /* Runs whose removal was cut short before. */
    int64_t orphan = 0;
    for (;;) {
        HST_TRY(hst_store_number(store,
                                 "SELECT min(s.run) FROM (SELECT DISTINCT run FROM string) s"
                                 " WHERE s.run NOT IN (SELECT id FROM run)",
                                 0, 0, &orphan, err));
        if (orphan == 0)
            return shrink(store, err);
        HST_TRY(remove_rows(store, (uint64_t)orphan, err));
    }
}
