/* A store's file with bytes changed, cut off, or made up, at very many places: whatever is in it, opening and
 * reading all of it ends, with what was written or with a status and a sentence. */
#include "store_fixture.h"

static enum hst_status ignore_sample(void *context, const struct hst_sample *sample)
{
    const struct hst_profile *profile = context;
    /* What a reader of samples relies on. */
    assert_true(sample->stack < profile->stack_count && sample->thread < profile->thread_count);
    assert_true(sample->state < HST_STATE_COUNT);
    return HST_OK;
}

static int is_a_way_to_fail(enum hst_status status, const struct hst_error *err)
{
    return (status == HST_E_CORRUPT || status == HST_E_INVALID || status == HST_E_NEWER ||
            status == HST_E_NOENT || status == HST_E_IO || status == HST_E_NOMEM || status == HST_E_PERM) &&
           err->text[0] != '\0';
}

/* Reads everything in the file; 1 when all went well. */
static int read_everything(const char *path)
{
    struct hst_error err = {0};
    struct hst_store *store;
    struct hst_run_info *runs = NULL;
    size_t count = 0;
    uint64_t number;
    enum hst_status status = hst_store_open(path, HST_STORE_READ, &store, &err);
    if (status != HST_OK) {
        assert_true(is_a_way_to_fail(status, &err));
        return 0;
    }
    int good = 1;
    status = hst_store_list(store, &runs, &count, &err);
    assert_true(status == HST_OK || is_a_way_to_fail(status, &err));
    good &= status == HST_OK;
    status = hst_store_find(store, "name", &number, &err);
    assert_true(status == HST_OK || is_a_way_to_fail(status, &err));
    for (uint64_t run = 1; run <= 2; run++) {
        struct hst_profile profile;
        assert_true(hst_profile_init(&profile));
        status = hst_run_read_profile(store, run, &profile, &err);
        if (status == HST_OK)
            status = hst_run_read_samples(store, run, &profile, ignore_sample, &profile, &err);
        assert_true(status == HST_OK || is_a_way_to_fail(status, &err));
        good &= status == HST_OK;
        hst_profile_release(&profile);
    }
    hst_free(runs);
    hst_store_free(store);
    return good;
}

/* Two runs in a file without companions. */
static struct hst_buffer make_file(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    const char *path = in_folder(state, "whole.db");
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    (void)add_small_run(store, "name", 3000);
    (void)add_small_run(store, "", 6000);
    assert_ok(hst_store_exec(store, "PRAGMA journal_mode = DELETE", &err));
    hst_store_free(store);
    assert_true(read_everything(path));
    return read_file(path);
}

static void test_changed_bytes(void **state)
{
    struct hst_buffer bytes = make_file(state);
    const char *path = in_folder(state, "damaged.db");
    static const uint8_t masks[] = {0xff, 0x01, 0x80};
    unsigned failed = 0, tried = 0;
    for (size_t at = 0; at < bytes.length; at += at < 200 ? 1 : 61) {
        uint8_t old = bytes.data[at];
        bytes.data[at] ^= masks[tried % HST_ARRAY_LENGTH(masks)];
        write_file(path, bytes.data, bytes.length);
        failed += !read_everything(path);
        tried++;
        bytes.data[at] = old;
    }
    assert_true(tried > 1000 && failed > 100);
    hst_buffer_release(&bytes);
}

static void test_random_damage(void **state)
{
    struct hst_buffer bytes = make_file(state);
    struct hst_buffer copy;
    const char *path = in_folder(state, "damaged.db");
    uint64_t seed = 271828;
    hst_buffer_init(&copy, 0);
    for (unsigned round = 0; round < 400; round++) {
        hst_buffer_clear(&copy);
        hst_buffer_add(&copy, bytes.data, bytes.length);
        if (round % 3 == 0) { /* a page of another place, or of nothing */
            size_t pages = copy.length / 4096, to = next_random(&seed) % pages,
                   from = next_random(&seed) % pages;
            if (round % 2 == 0)
                memmove(copy.data + to * 4096, copy.data + from * 4096, 4096);
            else
                memset(copy.data + to * 4096, (int)(next_random(&seed) % 256), 4096);
        } else {
            for (unsigned i = 0; i < 30; i++)
                copy.data[100 + next_random(&seed) % (copy.length - 100)] = (uint8_t)next_random(&seed);
        }
        if (round % 5 == 0)
            copy.length = next_random(&seed) % copy.length;
        write_file(path, copy.data, copy.length);
        (void)read_everything(path);
    }
    hst_buffer_release(&copy);
    hst_buffer_release(&bytes);
}

/* Rows that SQLite finds nothing wrong with, and that make no run. */
static void test_wrong_rows(void **state)
{
    static const char *const changes[] = {
        "DELETE FROM string WHERE run = 1 AND id = 2",
        "UPDATE string SET id = 100000 WHERE run = 1 AND id = 2",
        "UPDATE string SET text = '' WHERE run = 1 AND id = 2",
        "UPDATE string SET text = x'610062' WHERE run = 1 AND id = 2",
        "INSERT INTO string VALUES(1, -1, 'x')",
        "UPDATE function SET name = 100000 WHERE run = 1 AND id = 0",
        "UPDATE function SET name = -1 WHERE run = 1 AND id = 0",
        "UPDATE function SET file = 'x' WHERE run = 1 AND id = 0",
        "UPDATE location SET column = 70000 WHERE run = 1 AND id = 3",
        "UPDATE location SET function = 70000 WHERE run = 1 AND id = 3",
        "UPDATE location SET line = 5000000000 WHERE run = 1 AND id = 3",
        "UPDATE stack SET parent = id WHERE run = 1 AND id = 5",
        "UPDATE stack SET parent = 4000000000 WHERE run = 1 AND id = 5",
        "UPDATE stack SET location = 40 WHERE run = 1 AND id = 5",
        "UPDATE stack SET depth = 0 WHERE run = 1 AND id = 5",
        "UPDATE stack SET depth = 2 WHERE run = 1 AND id = 0",
        "DELETE FROM stack WHERE run = 1 AND id >= 40",
        "DELETE FROM stack WHERE run = 1",
        "UPDATE thread SET process = 1 WHERE run = 1 AND id = 1",
        "UPDATE thread SET cpu_ns = -5 WHERE run = 1 AND id = 1",
        "UPDATE thread SET cpu_ns = 1.5 WHERE run = 1 AND id = 1",
        "DELETE FROM thread WHERE run = 1",
        "DELETE FROM process WHERE run = 1",
        "UPDATE run SET kind = 'no such kind' WHERE id = 1",
        "UPDATE run SET status = x'ff' WHERE id = 1",
        "UPDATE run SET samples = -1 WHERE id = 1",
        "DELETE FROM run WHERE id = 1",
        "UPDATE block SET thread = 1 WHERE run = 2 AND block = 0",
        "UPDATE block SET thread = 7 WHERE run = 1",
        "UPDATE block SET thread = -1 WHERE run = 1",
        "UPDATE block SET block = block + 1 WHERE run = 1",
        "UPDATE block SET samples = samples + 1 WHERE run = 1",
        "UPDATE block SET samples = 4000000000 WHERE run = 1",
        "UPDATE block SET first_ns = first_ns + 1 WHERE run = 1",
        "UPDATE block SET last_ns = last_ns - 1 WHERE run = 1",
        "UPDATE block SET data = NULL WHERE run = 1",
        "UPDATE block SET data = 'text' WHERE run = 1",
        "UPDATE block SET data = x'' WHERE run = 1",
        "UPDATE block SET data = zeroblob(5000000) WHERE run = 1",
        "UPDATE block SET data = substr(data, 1, length(data) - 1) WHERE run = 1",
        "DROP TABLE block",
        "DROP TABLE run",
        "ALTER TABLE stack RENAME COLUMN parent TO mother",
        "DROP TABLE string; CREATE VIEW string AS SELECT 1 AS run, 0 AS id, 'x' AS text",
        "PRAGMA user_version = 0",
        "PRAGMA user_version = -3",
        "PRAGMA application_id = 5",
    };
    struct hst_buffer bytes = make_file(state);
    const char *path = in_folder(state, "damaged.db");
    for (size_t i = 0; i < HST_ARRAY_LENGTH(changes); i++) {
        sqlite3 *db;
        char *message = NULL;
        write_file(path, bytes.data, bytes.length);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        (void)sqlite3_exec(db, changes[i], NULL, NULL, &message);
        /* NULL in a column that forbids it is SQLite's to refuse. */
        int refused = message != NULL;
        sqlite3_free(message);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        if (!refused && read_everything(path))
            fail_msg("not noticed: %s", changes[i]);
    }
    hst_buffer_release(&bytes);
}

/* The log beside the file is as untrusted as the file. */
static void test_damaged_log(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    const char *path = in_folder(state, "runs.db");
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    (void)add_small_run(store, "name", 3000);
    struct hst_buffer file = read_file(path), log = read_file(in_folder(state, "runs.db-wal"));
    assert_true(log.length > 1000);
    uint64_t seed = 5;
    const char *copy = in_folder(state, "copy.db"), *copy_log = in_folder(state, "copy.db-wal");
    for (unsigned round = 0; round < 150; round++) {
        size_t at = next_random(&seed) % (round % 2 ? log.length : 300);
        uint8_t old = log.data[at];
        log.data[at] ^= (uint8_t)(1 + next_random(&seed) % 255);
        write_file(copy, file.data, file.length);
        write_file(copy_log, log.data, round % 7 == 0 ? at : log.length);
        (void)read_everything(copy);
        (void)unlink(in_folder(state, "copy.db-shm"));
        log.data[at] = old;
    }
    hst_buffer_release(&file);
    hst_buffer_release(&log);
    hst_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_changed_bytes),
        FOLDER_TEST(test_random_damage),
        FOLDER_TEST(test_wrong_rows),
        FOLDER_TEST(test_damaged_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
