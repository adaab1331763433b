/* The schema as SQL, one text a version: a text that was released is never changed, a new one is added. */
#include "store/schema.h"

#include <stdio.h>

#include "store/database.h"

static const char step_0_to_1[] =
    "CREATE TABLE run("
    " id INTEGER PRIMARY KEY AUTOINCREMENT," /* a number is never given twice, not even after rm */
    " name TEXT UNIQUE, kind TEXT NOT NULL, status TEXT NOT NULL,"
    " start_wall_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL, cpu_ns INTEGER NOT NULL,"
    " rate_hz REAL NOT NULL, budget_percent REAL NOT NULL, blocking INTEGER NOT NULL, exit_status INTEGER,"
    " command TEXT NOT NULL, directory TEXT NOT NULL, hasten_version TEXT NOT NULL,"
    " samples INTEGER NOT NULL, dropped INTEGER NOT NULL, torn INTEGER NOT NULL, late INTEGER NOT NULL,"
    " ticks INTEGER NOT NULL, longest_gap_ns INTEGER NOT NULL, read_cpu_ns INTEGER NOT NULL,"
    " wake_cpu_ns INTEGER NOT NULL, remote_reads INTEGER NOT NULL, remote_bytes INTEGER NOT NULL,"
    " slowdown_percent REAL, writer TEXT);"
    "CREATE TABLE string(run INTEGER NOT NULL, id INTEGER NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY(run, id)) WITHOUT ROWID;"
    "CREATE TABLE function(run INTEGER NOT NULL, id INTEGER NOT NULL, name INTEGER NOT NULL,"
    " qualname INTEGER NOT NULL, file INTEGER NOT NULL, first_line INTEGER NOT NULL,"
    " PRIMARY KEY(run, id)) WITHOUT ROWID;"
    "CREATE TABLE location(run INTEGER NOT NULL, id INTEGER NOT NULL, function INTEGER NOT NULL,"
    " line INTEGER NOT NULL, end_line INTEGER NOT NULL, column INTEGER NOT NULL, end_column INTEGER NOT NULL,"
    " instruction INTEGER NOT NULL, PRIMARY KEY(run, id)) WITHOUT ROWID;"
    "CREATE TABLE stack(run INTEGER NOT NULL, id INTEGER NOT NULL, parent INTEGER NOT NULL,"
    " location INTEGER NOT NULL, depth INTEGER NOT NULL, PRIMARY KEY(run, id)) WITHOUT ROWID;"
    "CREATE TABLE process(run INTEGER NOT NULL, id INTEGER NOT NULL, pid INTEGER NOT NULL,"
    " parent_pid INTEGER NOT NULL, command INTEGER NOT NULL, interpreter INTEGER NOT NULL,"
    " executable INTEGER NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,"
    " cpu_ns INTEGER NOT NULL, PRIMARY KEY(run, id)) WITHOUT ROWID;"
    "CREATE TABLE thread(run INTEGER NOT NULL, id INTEGER NOT NULL, process INTEGER NOT NULL,"
    " native_id INTEGER NOT NULL, name INTEGER NOT NULL, interpreter_id INTEGER NOT NULL,"
    " start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, cpu_ns INTEGER NOT NULL,"
    " runnable_ns INTEGER NOT NULL, PRIMARY KEY(run, id)) WITHOUT ROWID;"
    /* With a rowid: rows of some kilobytes, which a table without one would keep on overflow pages. */
    "CREATE TABLE block(run INTEGER NOT NULL, thread INTEGER NOT NULL, block INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, samples INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE UNIQUE INDEX block_by_time ON block(run, first_ns, thread, block);"
    "CREATE VIEW run_summary AS SELECT id AS run, name, status,"
    " datetime(start_wall_ns / 1000000000, 'unixepoch') AS start_utc, duration_ns / 1e9 AS seconds,"
    " cpu_ns / 1e9 AS cpu_seconds, samples, command FROM run;"
    "CREATE VIEW named_function AS SELECT f.run, f.id, n.text AS name, q.text AS qualname, p.text AS file,"
    " f.first_line FROM function f"
    " JOIN string n ON n.run = f.run AND n.id = f.name"
    " JOIN string q ON q.run = f.run AND q.id = f.qualname"
    " JOIN string p ON p.run = f.run AND p.id = f.file;"
    "CREATE VIEW named_location AS SELECT l.run, l.id, f.qualname AS function, f.file, l.line, l.end_line,"
    " l.column, l.end_column, l.instruction FROM location l"
    " JOIN named_function f ON f.run = l.run AND f.id = l.function;"
    "CREATE VIEW named_stack AS SELECT s.run, s.id, s.parent, s.depth, l.function, l.file, l.line"
    " FROM stack s JOIN named_location l ON l.run = s.run AND l.id = s.location WHERE s.id <> 0;"
    "CREATE VIEW named_process AS SELECT p.run, p.id, p.pid, p.parent_pid, c.text AS command,"
    " i.text AS interpreter, x.text AS executable, p.start_ns, p.end_ns, p.cpu_ns FROM process p"
    " JOIN string c ON c.run = p.run AND c.id = p.command"
    " JOIN string i ON i.run = p.run AND i.id = p.interpreter"
    " JOIN string x ON x.run = p.run AND x.id = p.executable;"
    "CREATE VIEW named_thread AS SELECT t.run, t.id, p.pid, t.native_id, n.text AS name, t.interpreter_id,"
    " t.start_ns, t.end_ns, t.cpu_ns, t.runnable_ns FROM thread t"
    " JOIN process p ON p.run = t.run AND p.id = t.process"
    " JOIN string n ON n.run = t.run AND n.id = t.name;";

/* Traced runs: one row a context, and how each process was traced. Imported runs: where from, one row a
 * function, one row a pair of caller and callee. */
static const char step_1_to_2[] =
    "CREATE TABLE call(run INTEGER NOT NULL, thread INTEGER NOT NULL, stack INTEGER NOT NULL,"
    " calls INTEGER NOT NULL, resumes INTEGER NOT NULL, raises INTEGER NOT NULL, raw_ns INTEGER NOT NULL,"
    " self_ns INTEGER NOT NULL, suspended_ns INTEGER NOT NULL, PRIMARY KEY(run, thread, stack)) WITHOUT "
    "ROWID;"
    "CREATE TABLE trace(run INTEGER NOT NULL, process INTEGER NOT NULL, backend TEXT NOT NULL,"
    " clock TEXT NOT NULL, python_only INTEGER NOT NULL, lost_contexts INTEGER NOT NULL,"
    " lost_suspensions INTEGER NOT NULL, hook_taken INTEGER NOT NULL, python_caller_ns REAL NOT NULL,"
    " python_callee_ns REAL NOT NULL, c_caller_ns REAL NOT NULL, c_callee_ns REAL NOT NULL,"
    " line_ns REAL NOT NULL, failure TEXT NOT NULL, lost_events INTEGER, PRIMARY KEY(run, process))"
    " WITHOUT ROWID;"
    "CREATE TABLE line(run INTEGER NOT NULL, function INTEGER NOT NULL, line INTEGER NOT NULL,"
    " hits INTEGER NOT NULL, raw_ns INTEGER NOT NULL, self_ns INTEGER NOT NULL, total_ns INTEGER NOT NULL,"
    " PRIMARY KEY(run, function, line)) WITHOUT ROWID;"
    "CREATE TABLE timeline(run INTEGER NOT NULL, thread INTEGER NOT NULL, block INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, events INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE UNIQUE INDEX timeline_by_time ON timeline(run, first_ns, thread, block);"
    "CREATE VIEW named_call AS SELECT c.run, t.pid, t.native_id AS thread, s.function, s.file, s.depth, "
    "c.calls,"
    " c.resumes, c.raises, c.raw_ns, c.self_ns, c.suspended_ns, c.stack FROM call c"
    " JOIN named_thread t ON t.run = c.run AND t.id = c.thread"
    " JOIN named_stack s ON s.run = c.run AND s.id = c.stack;"
    "CREATE TABLE imported(run INTEGER NOT NULL PRIMARY KEY, file TEXT NOT NULL, maker TEXT NOT NULL,"
    " edges_timed INTEGER NOT NULL);"
    "CREATE TABLE function_sum(run INTEGER NOT NULL, function INTEGER NOT NULL, calls INTEGER NOT NULL,"
    " primitive_calls INTEGER NOT NULL, self_ns INTEGER NOT NULL, total_ns INTEGER NOT NULL,"
    " PRIMARY KEY(run, function)) WITHOUT ROWID;"
    "CREATE TABLE edge_sum(run INTEGER NOT NULL, caller INTEGER NOT NULL, callee INTEGER NOT NULL,"
    " calls INTEGER NOT NULL, primitive_calls INTEGER NOT NULL, self_ns INTEGER NOT NULL,"
    " total_ns INTEGER NOT NULL, PRIMARY KEY(run, caller, callee)) WITHOUT ROWID;"
    "CREATE VIEW named_function_sum AS SELECT s.run, f.qualname AS function, f.file, f.first_line, s.calls,"
    " s.primitive_calls, s.self_ns, s.total_ns FROM function_sum s"
    " JOIN named_function f ON f.run = s.run AND f.id = s.function;";

/* Heaps: what a person may ask for is rows, what there are millions of is columns in blocks. */
static const char step_2_to_3[] =
    "CREATE TABLE heap(run INTEGER NOT NULL PRIMARY KEY, pid INTEGER NOT NULL, command TEXT NOT NULL,"
    " interpreter TEXT NOT NULL, wall_ns INTEGER NOT NULL, way TEXT NOT NULL, pause_ns INTEGER NOT NULL,"
    " copied_bytes INTEGER NOT NULL, resident_bytes INTEGER NOT NULL, census_ns INTEGER NOT NULL,"
    " faults INTEGER NOT NULL, stolen_ns INTEGER NOT NULL, reap_pause_ns INTEGER, incomplete TEXT,"
    " object_count INTEGER NOT NULL,"
    " reference_count INTEGER NOT NULL, place_count INTEGER NOT NULL, value_count INTEGER NOT NULL,"
    " value_bytes INTEGER NOT NULL, root_count INTEGER NOT NULL);"
    "CREATE TABLE heap_type(run INTEGER NOT NULL, id INTEGER NOT NULL, name INTEGER NOT NULL,"
    " object INTEGER, address INTEGER NOT NULL, flags INTEGER NOT NULL, basic_size INTEGER NOT NULL,"
    " item_size INTEGER NOT NULL, pre_bytes INTEGER NOT NULL, conservative INTEGER NOT NULL,"
    " objects INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(run, id)) WITHOUT ROWID;"
    "CREATE TABLE heap_name(run INTEGER NOT NULL, type INTEGER NOT NULL, place INTEGER NOT NULL,"
    " text INTEGER NOT NULL, PRIMARY KEY(run, type, place)) WITHOUT ROWID;"
    "CREATE TABLE heap_part(run INTEGER NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL,"
    " name INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(run, id)) WITHOUT ROWID;"
    "CREATE TABLE heap_finding(run INTEGER NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL,"
    " type INTEGER, example INTEGER, text INTEGER NOT NULL, objects INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, PRIMARY KEY(run, id)) WITHOUT ROWID;"
    "CREATE TABLE heap_column(run INTEGER NOT NULL, column TEXT NOT NULL, block INTEGER NOT NULL,"
    " count INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE UNIQUE INDEX heap_column_by_block ON heap_column(run, column, block);"
    "CREATE VIEW named_heap_type AS SELECT t.run, t.id, n.text AS name, t.objects, t.bytes, t.basic_size,"
    " t.item_size, t.pre_bytes, t.flags, t.conservative, t.address, t.object FROM heap_type t"
    " JOIN string n ON n.run = t.run AND n.id = t.name;"
    "CREATE VIEW named_heap_name AS SELECT h.run, h.type, t.name AS type_name,"
    " CASE h.place & 7 WHEN 3 THEN 'attribute' ELSE 'field' END AS kind, h.place >> 3 AS \"index\","
    " n.text AS name FROM heap_name h"
    " JOIN named_heap_type t ON t.run = h.run AND t.id = h.type"
    " JOIN string n ON n.run = h.run AND n.id = h.text;"
    "CREATE VIEW named_heap_part AS SELECT p.run, p.id, p.kind, n.text AS name, p.bytes FROM heap_part p"
    " JOIN string n ON n.run = p.run AND n.id = p.name;"
    "CREATE VIEW named_heap_finding AS SELECT f.run, f.id, f.kind, t.name AS type, f.example,"
    " n.text AS text, f.objects, f.bytes FROM heap_finding f"
    " JOIN string n ON n.run = f.run AND n.id = f.text"
    " LEFT JOIN named_heap_type t ON t.run = f.run AND t.id = f.type;";

static const char *const steps_now[] = {step_0_to_1, step_1_to_2, step_2_to_3};
const struct hst_schema hst_schema_now = {.steps = steps_now, .version = HST_ARRAY_LENGTH(steps_now)};

/* What says whose file it is, of one moment: another process may be making the store just now, and
 * without the savepoint its tables, its application and its version could be of before and of after. */
static enum hst_status read_identity(struct hst_store *store, int64_t *ret_tables, int64_t *ret_application,
                                     int64_t *ret_version, struct hst_error *err)
{
    HST_TRY(hst_store_exec(store, "SAVEPOINT identity", err));
    enum hst_status status =
        hst_store_number(store, "SELECT count(*) FROM sqlite_master", 0, 0, ret_tables, err);
    if (status == HST_OK)
        status = hst_store_number(store, "PRAGMA application_id", 0, 0, ret_application, err);
    if (status == HST_OK)
        status = hst_store_number(store, "PRAGMA user_version", 0, 0, ret_version, err);
    if (status != HST_OK) {
        (void)sqlite3_exec(store->db, "RELEASE identity", NULL, NULL, NULL);
        return status;
    }
    return hst_store_exec(store, "RELEASE identity", err);
}

enum hst_status hst_schema_inspect(struct hst_store *store, const struct hst_schema *schema, int *ret_version,
                                   struct hst_error *err)
{
    int64_t tables, application, version;
    HST_TRY(read_identity(store, &tables, &application, &version, err));
    if (tables == 0 && application == 0 && version == 0) {
        *ret_version = 0;
        return HST_OK;
    }
    if (application != HST_STORE_APPLICATION_ID) {
        (void)hst_error_set(err, HST_E_INVALID,
                            "%s is an SQLite file of another program, not a store of hasten", store->path);
        hst_error_hint(err, "name a store, or a file that does not exist yet, with --store FILE");
        return HST_E_INVALID;
    }
    if (version > schema->version) {
        (void)hst_error_set(err, HST_E_NEWER,
                            "%s was written by a newer hasten (format %lld; this one knows 1 to %d)",
                            store->path, (long long)version, schema->version);
        hst_error_hint(err, "update hasten, or keep this version's runs apart with --store FILE");
        return HST_E_NEWER;
    }
    if (version < 1)
        return hst_error_set(err, HST_E_CORRUPT, "%s is damaged: it has no version", store->path);
    *ret_version = (int)version;
    return HST_OK;
}

enum hst_status hst_schema_upgrade(struct hst_store *store, const struct hst_schema *schema,
                                   struct hst_error *err)
{
    int version = 0;
    char stamp[96];
    (void)snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   HST_STORE_APPLICATION_ID, schema->version);
    HST_TRY(hst_store_exec(store, "BEGIN IMMEDIATE", err));
    /* Looked at again under the lock: another process may have done it meanwhile. */
    enum hst_status status = hst_schema_inspect(store, schema, &version, err);
    int complete = version == schema->version;
    for (; status == HST_OK && version < schema->version; version++)
        status = hst_store_exec(store, schema->steps[version], err);
    if (status == HST_OK && !complete)
        status = hst_store_exec(store, stamp, err);
    return hst_store_end(store, status, err);
}
