/* The store's file: where it is, every state in which it can be found and what is said about it, the ways to
 * name a run, removing, and the steps from an older version. */
#include "store_fixture.h"

#include <grp.h>

static void test_locate(void **state)
{
    char *real = realpath(((struct folder *)*state)->path, NULL);
    char want[512];
    assert_int_equal(unsetenv("HASTEN_STORE"), 0);
    assert_int_equal(mkdir(in_folder(state, "project"), 0755), 0);
    assert_int_equal(mkdir(in_folder(state, "project/deep"), 0755), 0);
    assert_int_equal(mkdir(in_folder(state, "project/deep/er"), 0755), 0);
    write_file(in_folder(state, "project/pyproject.toml"), "", 0);

    (void)snprintf(want, sizeof want, "%s/project/.hasten/runs.db", real);
    char *got = hst_store_locate(NULL, in_folder(state, "project/deep/er"));
    assert_string_equal(got, want);
    hst_free(got);
    got = hst_store_locate(NULL, in_folder(state, "project"));
    assert_string_equal(got, want);
    hst_free(got);
    assert_int_equal(mkdir(in_folder(state, "project/deep/.git"), 0755), 0);
    (void)snprintf(want, sizeof want, "%s/project/deep/.hasten/runs.db", real);
    got = hst_store_locate(NULL, in_folder(state, "project/deep/er/.."));
    assert_string_equal(got, want);
    hst_free(got);
    /* Nothing above marks a project: the folder itself (unless the temporary folder is inside one). */
    got = hst_store_locate(NULL, real);
    (void)snprintf(want, sizeof want, "%s/.hasten/runs.db", real);
    assert_string_equal(got, want);
    hst_free(got);
    got = hst_store_locate("", "/");
    assert_string_equal(got, "/.hasten/runs.db");
    hst_free(got);

    assert_int_equal(setenv("HASTEN_STORE", "/there/x.db", 1), 0);
    got = hst_store_locate(NULL, real);
    assert_string_equal(got, "/there/x.db");
    hst_free(got);
    got = hst_store_locate("mine.db", real);
    assert_string_equal(got, "mine.db");
    hst_free(got);
    got = hst_store_locate("not/there/", real);
    assert_string_equal(got, "not/there/runs.db");
    hst_free(got);
    got = hst_store_locate(real, "/");
    (void)snprintf(want, sizeof want, "%s/runs.db", real);
    assert_string_equal(got, want);
    hst_free(got);
    assert_int_equal(unsetenv("HASTEN_STORE"), 0);
    free(real);
}

static void test_open_makes_folder_once(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    struct stat info;
    assert_refused(hst_store_open(in_folder(state, "a/.hasten/runs.db"), HST_STORE_READ, &store, &err),
                   HST_E_NOENT, "hasten run");
    assert_ok(hst_store_open(in_folder(state, "a/.hasten/runs.db"), HST_STORE_WRITE, &store, &err));
    assert_string_equal(hst_store_path(store), in_folder(state, "a/.hasten/runs.db"));
    hst_store_free(store);
    struct hst_buffer ignore = read_file(in_folder(state, "a/.hasten/.gitignore"));
    assert_int_equal(ignore.length, 2);
    assert_memory_equal(ignore.data, "*\n", 2);
    hst_buffer_release(&ignore);
    assert_int_equal(stat(in_folder(state, "a/.gitignore"), &info), -1);
    /* One that the user removed stays removed. */
    assert_int_equal(unlink(in_folder(state, "a/.hasten/.gitignore")), 0);
    assert_ok(hst_store_open(in_folder(state, "a/.hasten/runs.db"), HST_STORE_WRITE, &store, &err));
    hst_store_free(store);
    assert_int_equal(stat(in_folder(state, "a/.hasten/.gitignore"), &info), -1);
    hst_store_free(NULL);
}

static void test_names_that_are_special_elsewhere(void **state)
{
    static const char *const names[] = {"a?mode=ro#x%41.db", "file:x.db", "with 'quote\".db"};
    struct hst_error err;
    struct hst_store *store;
    struct stat info;
    for (size_t i = 0; i < HST_ARRAY_LENGTH(names); i++) {
        assert_ok(hst_store_open(in_folder(state, names[i]), HST_STORE_WRITE, &store, &err));
        (void)add_small_run(store, "", 3);
        hst_store_free(store);
        assert_int_equal(stat(in_folder(state, names[i]), &info), 0);
    }
    assert_refused(hst_store_open("", HST_STORE_WRITE, &store, &err), HST_E_INVALID, "");
}

static void test_not_a_store(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    const char *text = in_folder(state, "text"), *empty = in_folder(state, "empty");
    const char *other = in_folder(state, "other.db"), *folder = ((struct folder *)*state)->path;
    char line[4096];
    memset(line, 'x', sizeof line);
    write_file(text, line, sizeof line);
    write_file(empty, "", 0);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(other, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE run(a)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    struct hst_buffer before = read_file(other);
    for (int mode = HST_STORE_READ; mode <= HST_STORE_WRITE; mode++) {
        enum hst_store_mode m = (enum hst_store_mode)mode;
        assert_refused(hst_store_open(text, m, &store, &err), HST_E_INVALID, "--store");
        assert_refused(hst_store_open(other, m, &store, &err), HST_E_INVALID, "--store");
        assert_refused(hst_store_open(folder, m, &store, &err), HST_E_INVALID, "");
        assert_refused(hst_store_open(in_folder(state, "text/in/a/file.db"), m, &store, &err), HST_E_NOENT,
                       "--store");
    }
    /* Another program's file is left as it was. */
    struct hst_buffer after = read_file(other);
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.data, after.data, before.length);
    hst_buffer_release(&before);
    hst_buffer_release(&after);
    assert_refused(hst_store_open(empty, HST_STORE_READ, &store, &err), HST_E_NOENT, "hasten run");
    assert_ok(hst_store_open(empty, HST_STORE_WRITE, &store, &err)); /* an empty file may become one */
    assert_int_equal(add_small_run(store, "", 1), 1);
    hst_store_free(store);
}

/* Makes the store whose empty file is just being looked at, the moment its version is asked for. */
static int make_meanwhile(unsigned event, void *path, void *statement, void *text)
{
    struct hst_error err;
    struct hst_store *store;
    (void)event;
    (void)statement;
    if (strcmp(text, "PRAGMA user_version") != 0)
        return 0;
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    hst_store_free(store);
    return 0;
}

static void test_made_while_inspected(void **state)
{
    struct hst_error err;
    char *path = strdup(in_folder(state, "runs.db"));
    struct hst_store store = {.path = path};
    assert_non_null(path);
    int version = -1;
    assert_int_equal(sqlite3_open(path, &store.db), SQLITE_OK);
    assert_ok(hst_store_exec(&store, "PRAGMA journal_mode = WAL", &err));
    assert_int_equal(sqlite3_trace_v2(store.db, SQLITE_TRACE_STMT, make_meanwhile, path), SQLITE_OK);
    assert_ok(hst_schema_inspect(&store, &hst_schema_now, &version, &err));
    assert_int_equal(version, 0); /* as it was when the look began */
    assert_int_equal(sqlite3_trace_v2(store.db, 0, NULL, NULL), SQLITE_OK);
    assert_ok(hst_schema_inspect(&store, &hst_schema_now, &version, &err));
    assert_int_equal(version, hst_schema_now.version);
    assert_int_equal(sqlite3_close(store.db), SQLITE_OK);
    free(path);
}

static void test_newer_version(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    const char *path = in_folder(state, "runs.db");
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    assert_ok(hst_store_exec(store, "PRAGMA user_version = 99", &err));
    hst_store_free(store);
    assert_refused(hst_store_open(path, HST_STORE_READ, &store, &err), HST_E_NEWER, "update hasten");
    assert_non_null(strstr(err.text, "99"));
    assert_refused(hst_store_open(path, HST_STORE_WRITE, &store, &err), HST_E_NEWER, "update hasten");
}

static void test_locked(void **state)
{
    struct hst_error err;
    struct hst_store *store, *other;
    const char *path = in_folder(state, "runs.db");
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    uint64_t number = add_small_run(store, "", 10);
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &other, &err));
    assert_ok(hst_store_begin_write(other, &err));
    assert_int_equal(sqlite3_busy_timeout(store->db, 50), SQLITE_OK);
    struct hst_run_info info = make_info("");
    struct hst_run_writer *writer = NULL;
    assert_refused(hst_run_writer_new(store, &info, &writer, &err), HST_E_BUSY, "--store");
    assert_null(writer);
    assert_int_equal(info.number, 0);
    assert_refused(hst_store_remove(store, number, &err), HST_E_BUSY, "try again");
    assert_int_equal(sum_run(store, number).samples, 10); /* reading goes on */
    hst_store_rollback(other);
    hst_store_free(other);
    assert_ok(hst_store_remove(store, number, &err));
    hst_store_free(store);
}

/* In a child that is nobody, since root may write everywhere; exits with the number of the check that failed.
 */
static void read_as_nobody(const char *folder)
{
    struct hst_error err;
    struct hst_store *store;
    char path[300];
    (void)snprintf(path, sizeof path, "%s/runs.db", folder);
    if (getuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 ||
                          setresuid(65534, 65534, 65534) != 0))
        _exit(77);
    if (access(path, W_OK) == 0)
        _exit(77); /* nothing stops this user */
    if (hst_store_open(path, HST_STORE_READ, &store, &err) != HST_OK)
        _exit(1);
    if (sum_run(store, 1).samples != 500)
        _exit(2);
    if (hst_store_remove(store, 1, &err) != HST_E_READONLY)
        _exit(3);
    hst_store_free(store);
    if (hst_store_open(path, HST_STORE_WRITE, &store, &err) != HST_E_READONLY || err.hint[0] == '\0')
        _exit(4);
    (void)snprintf(path, sizeof path, "%s/new/runs.db", folder);
    if (hst_store_open(path, HST_STORE_WRITE, &store, &err) != HST_E_PERM || err.hint[0] == '\0')
        _exit(5);
    (void)snprintf(path, sizeof path, "%s/secret.db", folder);
    if (hst_store_open(path, HST_STORE_READ, &store, &err) != HST_E_PERM || err.hint[0] == '\0')
        _exit(6);
    _exit(0);
}

static void test_read_only(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    const char *path = in_folder(state, "runs.db"), *secret = in_folder(state, "secret.db");
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    (void)add_small_run(store, "", 500);
    hst_store_free(store);
    write_file(secret, "x", 1);
    assert_int_equal(chmod(secret, 0), 0);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(((struct folder *)*state)->path, 0555), 0);
    int how;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        read_as_nobody(((struct folder *)*state)->path);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(how), 0);
}

static void check_found(struct hst_store *store, const char *text, uint64_t want)
{
    struct hst_error err;
    uint64_t number = 0;
    assert_ok(hst_store_find(store, text, &number, &err));
    assert_int_equal(number, want);
}

static void test_find(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    uint64_t number = 4711;
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    assert_refused(hst_store_find(store, "last", &number, &err), HST_E_NOENT, "hasten run");
    (void)add_small_run(store, "before", 1);
    (void)add_small_run(store, "", 1);
    (void)add_small_run(store, "after-cache", 1);
    (void)add_small_run(store, "x'; DROP TABLE run; --", 1);
    check_found(store, "1", 1);
    check_found(store, "003", 3);
    check_found(store, "last", 4);
    check_found(store, "last~0", 4);
    check_found(store, "last~", 3);
    check_found(store, "last~3", 1);
    check_found(store, "before", 1);
    check_found(store, "x'; DROP TABLE run; --", 4);
    assert_refused(hst_store_find(store, "befroe", &number, &err), HST_E_NOENT, "before");
    assert_refused(hst_store_find(store, "after", &number, &err), HST_E_NOENT, "after-cache");
    assert_refused(hst_store_find(store, "quite different", &number, &err), HST_E_NOENT, "hasten runs");
    assert_null(strstr(err.hint, "before"));
    static const char *const absent[] = {
        "0",  "5",      "-1", "last~4", "last~x", "last~99999999999999999999", "", "99999999999999999999999",
        "1x", "last~-1"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(absent); i++)
        assert_refused(hst_store_find(store, absent[i], &number, &err), HST_E_NOENT, "");
    char endless[5000];
    memset(endless, 'b', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_refused(hst_store_find(store, endless, &number, &err), HST_E_NOENT, "");
    assert_int_equal(number, 4711); /* set only on success */

    struct hst_run_info *runs;
    size_t count;
    assert_ok(hst_store_list(store, &runs, &count, &err));
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(runs[i].number, i + 1);
        assert_int_equal(runs[i].status, HST_RUN_COMPLETE);
        assert_int_equal(runs[i].exit_status, -1);
        assert_true(runs[i].cost.slowdown_percent < 0);
    }
    assert_string_equal(runs[2].name, "after-cache");
    hst_free(runs);
    hst_store_free(store);
}

static void test_names(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    struct hst_run_writer *writer = NULL;
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    (void)add_small_run(store, "taken", 1);
    static const char *const wrong[] = {"taken", "12", "last", "last~2"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(wrong); i++) {
        struct hst_run_info info = make_info(wrong[i]);
        assert_refused(hst_run_writer_new(store, &info, &writer, &err), HST_E_INVALID, "name");
        assert_null(writer);
    }
    assert_int_equal(add_small_run(store, "lasting", 1), 2);
    assert_ok(hst_store_remove(store, 1, &err));
    assert_int_equal(add_small_run(store, "taken", 1), 3); /* free again; the number is not */
    hst_store_free(store);
}

static void test_remove(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    struct stat before, after;
    const char *path = in_folder(state, "runs.db");
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    (void)add_small_run(store, "small", 10);
    (void)add_small_run(store, "large", 3000000);
    (void)add_small_run(store, "other", 10);
    assert_refused(hst_store_remove(store, 9, &err), HST_E_NOENT, "hasten runs");
    hst_store_free(store);
    assert_int_equal(stat(path, &before), 0);
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    assert_ok(hst_store_remove(store, 2, &err));
    assert_int_equal(sum_run(store, 1).samples, 10);
    assert_int_equal(sum_run(store, 3).samples, 10);
    struct hst_run_info info;
    assert_refused(hst_run_read_info(store, 2, &info, &err), HST_E_NOENT, "");
    int64_t left;
    assert_ok(hst_store_number(store, "SELECT count(*) FROM block WHERE run = 2", 0, 0, &left, &err));
    assert_int_equal(left, 0);
    /* A removal that was cut short after its first step is completed by the next one. */
    assert_ok(hst_store_exec(store, "DELETE FROM run WHERE id = 3", &err));
    assert_ok(hst_store_remove(store, 1, &err));
    static const char *const tables[] = {"run",   "string",  "function", "location",
                                         "stack", "process", "thread",   "block"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(tables); i++) {
        char sql[64];
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
        assert_ok(hst_store_number(store, sql, 0, -1, &left, &err));
        assert_int_equal(left, 0);
    }
    hst_store_free(store);
    assert_int_equal(stat(path, &after), 0);
    assert_true(after.st_size * 3 < before.st_size); /* the disk has its space back: empty tables are left */
}

static void test_export_target(void **state)
{
    struct hst_error err;
    struct hst_store *store, *copy;
    const char *path = in_folder(state, "runs.db"), *one = in_folder(state, "one.hasten");
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    (void)add_small_run(store, "a", 10);
    (void)add_small_run(store, "b", 20);
    assert_refused(hst_store_export(store, 3, one, &err), HST_E_NOENT, "");
    assert_refused(hst_store_export(store, 1, "-", &err), HST_E_UNSUPPORTED, "-o");
    assert_refused(hst_store_export(store, 1, path, &err), HST_E_INVALID, "-o");
    assert_refused(hst_store_export(store, 1, in_folder(state, "."), &err), HST_E_INVALID, "-o");
    assert_ok(hst_store_export(store, 1, one, &err));
    assert_ok(hst_store_export(store, 2, one, &err)); /* an export may be replaced */
    assert_ok(hst_store_open(one, HST_STORE_READ, &copy, &err));
    assert_int_equal(sum_run(copy, 1).samples, 20);
    struct hst_run_info info;
    assert_ok(hst_run_read_info(copy, 1, &info, &err));
    assert_string_equal(info.name, "b");
    hst_store_free(copy);
    struct stat left;
    char temporary[300];
    (void)snprintf(temporary, sizeof temporary, "%s.%ld.tmp", one, (long)getpid());
    assert_int_equal(stat(temporary, &left), -1);
    /* It is a store like any: runs may be added. */
    assert_ok(hst_store_open(one, HST_STORE_WRITE, &copy, &err));
    assert_int_equal(add_small_run(copy, "c", 5), 2);
    assert_refused(hst_store_export(store, 1, one, &err), HST_E_INVALID, "-o");
    hst_store_free(copy);
    hst_store_free(store);
}

/* The views that docs/format.md shows. */
static void test_views(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    int64_t count;
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    (void)add_small_run(store, "", 10);
    static const struct {
        const char *sql;
        int64_t want;
    } queries[] = {
        {"SELECT count(*) FROM run_summary WHERE start_utc > '2020-01-01' AND seconds = 0.01", 1},
        {"SELECT count(*) FROM named_function WHERE run = 1 AND file LIKE '%main.py'", 40},
        {"SELECT count(*) FROM named_location WHERE run = 1", 40},
        {"SELECT count(*) FROM named_stack WHERE run = 1 AND function <> ''", 40},
        {"SELECT count(*) FROM named_process WHERE interpreter = 'CPython 3.13.0'", 1},
        {"SELECT count(*) FROM named_thread WHERE pid = 77 AND name IN ('MainThread', 'worker')", 2},
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(queries); i++) {
        assert_ok(hst_store_number(store, queries[i].sql, 0, -1, &count, &err));
        assert_true(i == 1 ? count > 0 : count == queries[i].want);
    }
    hst_store_free(store);
}

/* A version that does not exist, to see the steps taken: in place, and on a copy where that cannot be. */
static void test_upgrade(void **state)
{
    static const char add_column[] = "ALTER TABLE run ADD COLUMN note TEXT DEFAULT 'none';";
    static const char add_table[] = "CREATE TABLE extra(x); INSERT INTO extra VALUES(3);";
    const char *next[5] = {hst_schema_now.steps[0], hst_schema_now.steps[1], hst_schema_now.steps[2],
                           add_column, add_table};
    const char *broken[5] = {hst_schema_now.steps[0], hst_schema_now.steps[1], hst_schema_now.steps[2],
                             add_column, "CREATE TABLE extra(x); nonsense"};
    struct hst_schema fifth = {.steps = next, .version = 5}, bad = {.steps = broken, .version = 5};
    struct hst_error err;
    struct hst_store *store;
    int64_t value;
    const char *path = in_folder(state, "runs.db");
    assert_int_equal(hst_schema_now.version, 3);
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    (void)add_small_run(store, "old", 10);
    hst_store_free(store);

    /* A step that fails leaves the file as it was. */
    assert_true(hst_store_open_schema(path, HST_STORE_WRITE, &bad, &store, &err) != HST_OK);
    assert_ok(hst_store_open(path, HST_STORE_READ, &store, &err));
    assert_int_equal(sum_run(store, 1).samples, 10);
    hst_store_free(store);

    /* Held by a writer: a reader takes a copy. */
    struct hst_store *holder;
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &holder, &err));
    assert_ok(hst_store_begin_write(holder, &err));
    assert_ok(hst_store_open_schema(path, HST_STORE_READ, &fifth, &store, &err));
    assert_true(store->copied);
    assert_ok(hst_store_number(store, "SELECT x FROM extra", 0, 0, &value, &err));
    assert_int_equal(value, 3);
    assert_int_equal(sum_run(store, 1).samples, 10);
    assert_ok(hst_store_export(store, 1, in_folder(state, "from_copy.hasten"), &err));
    hst_store_free(store);
    hst_store_rollback(holder);
    hst_store_free(holder);

    /* A reader that may write upgrades in place. */
    assert_ok(hst_store_open_schema(path, HST_STORE_READ, &fifth, &store, &err));
    assert_false(store->copied);
    assert_ok(hst_store_number(store, "PRAGMA user_version", 0, 0, &value, &err));
    assert_int_equal(value, 5);
    assert_ok(hst_store_number(store, "SELECT count(*) FROM run WHERE note = 'none'", 0, 0, &value, &err));
    assert_int_equal(value, 1);
    hst_store_free(store);
    assert_refused(hst_store_open(path, HST_STORE_READ, &store, &err), HST_E_NEWER, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_locate),
        FOLDER_TEST(test_open_makes_folder_once),
        FOLDER_TEST(test_names_that_are_special_elsewhere),
        FOLDER_TEST(test_not_a_store),
        FOLDER_TEST(test_made_while_inspected),
        FOLDER_TEST(test_newer_version),
        FOLDER_TEST(test_locked),
        FOLDER_TEST(test_read_only),
        FOLDER_TEST(test_find),
        FOLDER_TEST(test_names),
        FOLDER_TEST(test_remove),
        FOLDER_TEST(test_export_target),
        FOLDER_TEST(test_views),
        FOLDER_TEST(test_upgrade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
