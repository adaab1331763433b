/* The table run: each field of struct hst_run_info has one column, listed once below for writing and reading.
 */
#include "store/run_row.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/database.h"
#include "store/writer_mark.h"

/* A writer that cannot be seen from here is taken for dead when it has not flushed for so long. */
#define SILENT_AFTER_NS UINT64_C(10000000000)

enum type { U64, INT, REAL, TEXT, INT_OR_NULL /* -1 */, REAL_OR_NULL /* negative */ };
struct column {
    const char *name;
    enum type type;
    size_t offset, size;
};
#define FIELD(column, type, field)                                                                           \
    {                                                                                                        \
        column, type, offsetof(struct hst_run_info, field), sizeof((struct hst_run_info *)0)->field          \
    }
/* All but id, name, kind, status and writer, which are not free to change. */
static const struct column columns[] = {
    FIELD("start_wall_ns", U64, start_wall_ns),
    FIELD("duration_ns", U64, duration_ns),
    FIELD("cpu_ns", U64, cpu_ns),
    FIELD("rate_hz", REAL, rate_hz),
    FIELD("budget_percent", REAL, budget_percent),
    FIELD("blocking", INT, blocking),
    FIELD("exit_status", INT_OR_NULL, exit_status),
    FIELD("command", TEXT, command),
    FIELD("directory", TEXT, directory),
    FIELD("hasten_version", TEXT, hasten_version),
    FIELD("samples", U64, cost.samples),
    FIELD("dropped", U64, cost.dropped),
    FIELD("torn", U64, cost.torn),
    FIELD("late", U64, cost.late),
    FIELD("ticks", U64, cost.ticks),
    FIELD("longest_gap_ns", U64, cost.longest_gap_ns),
    FIELD("read_cpu_ns", U64, cost.read_cpu_ns),
    FIELD("wake_cpu_ns", U64, cost.wake_cpu_ns),
    FIELD("remote_reads", U64, cost.remote_reads),
    FIELD("remote_bytes", U64, cost.remote_bytes),
    FIELD("slowdown_percent", REAL_OR_NULL, cost.slowdown_percent),
};
#define COLUMN_COUNT ((int)HST_ARRAY_LENGTH(columns))

static const char *const kind_names[] = {[HST_RUN_SAMPLED] = "sampled",
                                         [HST_RUN_TRACED] = "traced",
                                         [HST_RUN_LINES] = "lines",
                                         [HST_RUN_IMPORTED] = "imported",
                                         [HST_RUN_HEAP] = "heap"};
static const char *const status_names[] = {[HST_RUN_RECORDING] = "recording",
                                           [HST_RUN_COMPLETE] = "complete",
                                           [HST_RUN_INTERRUPTED] = "interrupted"};

static int index_of(const char *const *names, size_t count, const unsigned char *text)
{
    for (size_t i = 0; i < count && text != NULL; i++)
        if (strcmp(names[i], (const char *)text) == 0)
            return (int)i;
    return -1;
}

static void bind_field(sqlite3_stmt *statement, int index, const struct column *column,
                       const struct hst_run_info *info)
{
    const char *field = (const char *)info + column->offset;
    uint64_t number;
    double real;
    int integer;
    switch (column->type) {
    case U64:
        memcpy(&number, field, sizeof number);
        hst_store_bind(statement, index, number);
        break;
    case INT:
    case INT_OR_NULL:
        memcpy(&integer, field, sizeof integer);
        if (column->type == INT || integer != -1)
            (void)sqlite3_bind_int(statement, index, integer);
        break;
    case REAL:
    case REAL_OR_NULL:
        memcpy(&real, field, sizeof real);
        if (column->type == REAL || real >= 0)
            (void)sqlite3_bind_double(statement, index, real);
        break;
    case TEXT:
        (void)sqlite3_bind_text(statement, index, field, (int)strnlen(field, column->size), SQLITE_TRANSIENT);
    }
}

/* A text of a file into a field of so many bytes: what does not fit is cut, not inside a character. */
static void copy_text(char *field, size_t size, const unsigned char *text)
{
    if (text == NULL)
        text = (const unsigned char *)"";
    size_t length = strlen((const char *)text);
    if (length >= size)
        for (length = size - 1; length > 0 && (text[length] & 0xc0) == 0x80;)
            length--;
    if (length > 0)
        memcpy(field, text, length);
    field[length] = '\0';
}

static int read_field(sqlite3_stmt *statement, int index, const struct column *column,
                      struct hst_run_info *info)
{
    char *field = (char *)info + column->offset;
    int null = sqlite3_column_type(statement, index) == SQLITE_NULL;
    int64_t number = sqlite3_column_int64(statement, index);
    double real = null && column->type == REAL_OR_NULL ? -1.0 : sqlite3_column_double(statement, index);
    int integer = null && column->type == INT_OR_NULL ? -1 : (int)number;
    switch (column->type) {
    case U64:
        memcpy(field, &number, sizeof number);
        return number >= 0;
    case INT:
    case INT_OR_NULL:
        memcpy(field, &integer, sizeof integer);
        return null || integer == number;
    case REAL:
    case REAL_OR_NULL:
        memcpy(field, &real, sizeof real);
        return real >= -1e300 && real <= 1e300;
    case TEXT:
        copy_text(field, column->size, sqlite3_column_text(statement, index));
    }
    return 1;
}

/* A name may not look like what hst_store_find takes for something else, and may not be taken. */
static enum hst_status check_name(struct hst_store *store, const char *name, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int taken;
    if (name[0] == '\0')
        return HST_OK;
    if (name[strspn(name, "0123456789")] == '\0' || strcmp(name, "last") == 0 ||
        strncmp(name, "last~", 5) == 0) {
        (void)hst_error_set(err, HST_E_INVALID, "\"%s\" cannot be the name of a run: it already means one",
                            name);
        hst_error_hint(err, "use a name with a letter in it, other than last");
        return HST_E_INVALID;
    }
    HST_TRY(hst_store_prepare(store, "SELECT id FROM run WHERE name = ?1", &statement, err));
    (void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_TRANSIENT);
    HST_TRY(hst_store_step(store, statement, &taken, err));
    if (taken) {
        (void)hst_error_set(err, HST_E_INVALID, "run %lld already has the name \"%s\"",
                            (long long)sqlite3_column_int64(statement, 0), name);
        hst_error_hint(err, "choose another name, or `hasten rm %s` first", name);
        return HST_E_INVALID;
    }
    return HST_OK;
}

enum hst_status hst_run_row_add(struct hst_store *store, struct hst_run_info *info, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    char sql[2048], mark[160];
    if ((unsigned)info->kind >= HST_ARRAY_LENGTH(kind_names))
        return hst_error_set(err, HST_E_INVALID, "a run of a kind that does not exist");
    HST_TRY(check_name(store, info->name, err));
    int length = snprintf(sql, sizeof sql, "INSERT INTO run(name, kind, status, writer");
    for (int i = 0; i < COLUMN_COUNT; i++)
        length += snprintf(sql + length, sizeof sql - (size_t)length, ", %s", columns[i].name);
    length += snprintf(sql + length, sizeof sql - (size_t)length, ") VALUES(?1, ?2, 'recording', ?3");
    for (int i = 0; i < COLUMN_COUNT; i++)
        length += snprintf(sql + length, sizeof sql - (size_t)length, ", ?%d", i + 4);
    (void)snprintf(sql + length, sizeof sql - (size_t)length, ")");
    HST_TRY(hst_store_prepare(store, sql, &statement, err));
    hst_writer_mark(mark, sizeof mark);
    if (info->name[0] != '\0')
        (void)sqlite3_bind_text(statement, 1, info->name, (int)strnlen(info->name, sizeof info->name),
                                SQLITE_TRANSIENT);
    (void)sqlite3_bind_text(statement, 2, kind_names[info->kind], -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 3, mark, -1, SQLITE_TRANSIENT);
    for (int i = 0; i < COLUMN_COUNT; i++)
        bind_field(statement, i + 4, &columns[i], info);
    HST_TRY(hst_store_run(store, statement, err));
    info->number = (uint64_t)sqlite3_last_insert_rowid(store->db);
    info->status = HST_RUN_RECORDING;
    return HST_OK;
}

static enum hst_status check_changed(struct hst_store *store, uint64_t number, struct hst_error *err)
{
    return sqlite3_changes(store->db) == 1
               ? HST_OK
               : hst_error_set(err, HST_E_GONE, "run %llu was removed from %s while it was being recorded",
                               (unsigned long long)number, store->path);
}

enum hst_status hst_run_row_update(struct hst_store *store, uint64_t number, const struct hst_run_info *info,
                                   struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    char sql[2048];
    int length = snprintf(sql, sizeof sql, "UPDATE run SET ");
    for (int i = 0; i < COLUMN_COUNT; i++)
        length += snprintf(sql + length, sizeof sql - (size_t)length, "%s%s = ?%d", i > 0 ? ", " : "",
                           columns[i].name, i + 2);
    (void)snprintf(sql + length, sizeof sql - (size_t)length, " WHERE id = ?1");
    HST_TRY(hst_store_prepare(store, sql, &statement, err));
    hst_store_bind(statement, 1, number);
    for (int i = 0; i < COLUMN_COUNT; i++)
        bind_field(statement, i + 2, &columns[i], info);
    HST_TRY(hst_store_run(store, statement, err));
    return check_changed(store, number, err);
}

enum hst_status hst_run_row_finish(struct hst_store *store, uint64_t number, enum hst_run_status run_status,
                                   struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    if ((unsigned)run_status >= HST_ARRAY_LENGTH(status_names))
        return hst_error_set(err, HST_E_INVALID, "a run with a status that does not exist");
    HST_TRY(
        hst_store_prepare(store, "UPDATE run SET status = ?2, writer = NULL WHERE id = ?1", &statement, err));
    hst_store_bind(statement, 1, number);
    (void)sqlite3_bind_text(statement, 2, status_names[run_status], -1, SQLITE_STATIC);
    HST_TRY(hst_store_run(store, statement, err));
    return check_changed(store, number, err);
}

static int writer_is_gone(const struct hst_run_info *info, const unsigned char *mark)
{
    switch (mark != NULL ? hst_writer_life((const char *)mark) : HST_WRITER_GONE) {
    case HST_WRITER_ALIVE:
        return 0;
    case HST_WRITER_ELSEWHERE:
        return hst_wall_ns() > info->start_wall_ns + info->duration_ns + SILENT_AFTER_NS;
    default:
        return 1;
    }
}

static enum hst_status read_row(struct hst_store *store, sqlite3_stmt *statement,
                                struct hst_run_info *ret_info, struct hst_error *err)
{
    struct hst_run_info info = {.number = (uint64_t)sqlite3_column_int64(statement, 0)};
    int kind = index_of(kind_names, HST_ARRAY_LENGTH(kind_names), sqlite3_column_text(statement, 2));
    int status = index_of(status_names, HST_ARRAY_LENGTH(status_names), sqlite3_column_text(statement, 3));
    int good = kind >= 0 && status >= 0 && info.number >= 1 && info.number <= INT64_MAX;
    copy_text(info.name, sizeof info.name, sqlite3_column_text(statement, 1));
    for (int i = 0; i < COLUMN_COUNT; i++)
        good &= read_field(statement, i + 5, &columns[i], &info);
    if (!good)
        return hst_error_set(err, HST_E_CORRUPT, "%s is damaged: the row of run %lld does not make sense",
                             store->path, (long long)sqlite3_column_int64(statement, 0));
    info.kind = (enum hst_run_kind)kind;
    info.status = (enum hst_run_status)status;
    if (info.status == HST_RUN_RECORDING && writer_is_gone(&info, sqlite3_column_text(statement, 4)))
        info.status = HST_RUN_INTERRUPTED;
    *ret_info = info;
    return HST_OK;
}

static enum hst_status prepare_select(struct hst_store *store, const char *tail, sqlite3_stmt **ret_statement,
                                      struct hst_error *err)
{
    char sql[2048];
    int length = snprintf(sql, sizeof sql, "SELECT id, name, kind, status, writer");
    for (int i = 0; i < COLUMN_COUNT; i++)
        length += snprintf(sql + length, sizeof sql - (size_t)length, ", %s", columns[i].name);
    (void)snprintf(sql + length, sizeof sql - (size_t)length, " FROM run %s", tail);
    return hst_store_prepare(store, sql, ret_statement, err);
}

enum hst_status hst_run_row_read(struct hst_store *store, uint64_t number, struct hst_run_info *ret_info,
                                 struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int row;
    HST_TRY(prepare_select(store, "WHERE id = ?1", &statement, err));
    hst_store_bind(statement, 1, number);
    HST_TRY(hst_store_step(store, statement, &row, err));
    if (!row) {
        (void)hst_error_set(err, HST_E_NOENT, "there is no run %llu in %s", (unsigned long long)number,
                            store->path);
        hst_error_hint(err, "`hasten runs` lists them");
        return HST_E_NOENT;
    }
    return read_row(store, statement, ret_info, err);
}

enum hst_status hst_run_row_list(struct hst_store *store, struct hst_run_info **ret_runs, size_t *ret_count,
                                 struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    HST_CLEANUP_FREE struct hst_run_info *runs = NULL;
    size_t count = 0, capacity = 0;
    int row;
    if (!HST_RESERVE(runs, capacity, 1)) /* an array even when there are no runs */
        return hst_store_nomem(err);
    HST_TRY(prepare_select(store, "ORDER BY id", &statement, err));
    for (;;) {
        HST_TRY(hst_store_step(store, statement, &row, err));
        if (!row)
            break;
        if (!HST_RESERVE(runs, capacity, count + 1))
            return hst_store_nomem(err);
        HST_TRY(read_row(store, statement, &runs[count], err));
        count++;
    }
    *ret_runs = HST_TAKE(runs);
    *ret_count = count;
    return HST_OK;
}
