/* Heaps through the store: what was written comes back; what makes no sense is refused, by the writer and by
 * the reader; a removal leaves nothing. */
#include "store_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <zstd.h>

#include "made_heap.h"
#include "store/heap_column.h"
#include "store/heap_reader.h"
#include "store/heap_writer.h"

#define ALL (HST_HEAP_PLACES | HST_HEAP_VALUES)

static struct hst_store *open_store(void **state, const char *name)
{
    struct hst_error err;
    struct hst_store *store;
    assert_ok(hst_store_open(in_folder(state, name), HST_STORE_WRITE, &store, &err));
    return store;
}

static uint64_t write_heap(struct hst_store *store, const struct hst_heap *heap, const char *name)
{
    struct hst_error err;
    struct hst_run_info info = make_info(name);
    assert_ok(hst_heap_write(store, &info, heap, &err));
    assert_true(info.number > 0 && info.kind == HST_RUN_HEAP && info.status == HST_RUN_COMPLETE);
    assert_true(info.cost.samples == heap->count);
    return info.number;
}

#define assert_same_rows(a, b, rows, count)                                                                  \
    do {                                                                                                     \
        if ((a)->count > 0)                                                                                  \
            assert_memory_equal((a)->rows, (b)->rows, (a)->count * sizeof *(a)->rows);                       \
    } while (0)

static void assert_same_tables(const struct hst_heap *a, const struct hst_heap *b)
{
    assert_int_equal(a->strings.count, b->strings.count);
    for (uint32_t i = 0; i < a->strings.count; i++)
        assert_string_equal(hst_strings_get(&a->strings, i), hst_strings_get(&b->strings, i));
    assert_int_equal(a->type_count, b->type_count);
    assert_int_equal(a->name_count, b->name_count);
    assert_int_equal(a->root_count, b->root_count);
    assert_int_equal(a->part_count, b->part_count);
    assert_int_equal(a->finding_count, b->finding_count);
    assert_same_rows(a, b, type_rows, type_count);
    assert_same_rows(a, b, names, name_count);
    assert_same_rows(a, b, roots, root_count);
    assert_same_rows(a, b, parts, part_count);
    for (size_t i = 0; i < a->finding_count; i++) { /* the row has a gap */
        const struct hst_heap_finding *x = &a->findings[i], *y = &b->findings[i];
        assert_true(x->kind == y->kind && x->type == y->type && x->example == y->example &&
                    x->text == y->text && x->objects == y->objects && x->bytes == y->bytes);
    }
}

static void assert_same_heap(const struct hst_heap *a, const struct hst_heap *b, unsigned what)
{
    assert_int_equal(a->pid, b->pid);
    assert_string_equal(a->command, b->command);
    assert_string_equal(a->interpreter, b->interpreter);
    assert_true(a->wall_ns == b->wall_ns && a->way == b->way && a->pause_ns == b->pause_ns &&
                a->copied_bytes == b->copied_bytes && a->resident_bytes == b->resident_bytes &&
                a->census_ns == b->census_ns && a->cost.faults == b->cost.faults &&
                a->cost.stolen_ns == b->cost.stolen_ns && a->cost.reaped == b->cost.reaped &&
                a->cost.reap_pause_ns == b->cost.reap_pause_ns);
    assert_true((a->incomplete == NULL) == (b->incomplete == NULL));
    if (a->incomplete != NULL)
        assert_string_equal(a->incomplete, b->incomplete);
    assert_same_tables(a, b);
    assert_int_equal(a->count, b->count);
    size_t references = a->first[a->count];
    assert_same_rows(a, b, addresses, count);
    assert_same_rows(a, b, types, count);
    assert_same_rows(a, b, bytes, count);
    assert_memory_equal(a->first, b->first, (a->count + 1) * sizeof *a->first);
    assert_memory_equal(a->targets, b->targets, references * sizeof *a->targets);
    if ((what & HST_HEAP_PLACES) == 0 || a->places == NULL)
        assert_null(b->places);
    else
        assert_memory_equal(a->places, b->places, references * sizeof *a->places);
    const struct hst_heap_values *x = &a->values, *y = &b->values;
    assert_int_equal(y->count, (what & HST_HEAP_VALUES) != 0 ? x->count : 0);
    if (y->count == 0)
        return;
    assert_memory_equal(x->objects, y->objects, x->count * sizeof *x->objects);
    assert_memory_equal(x->ends, y->ends, x->count * sizeof *x->ends);
    assert_memory_equal(x->data, y->data, x->ends[x->count - 1]);
}

static void check_round_trip(struct hst_store *store, const struct hst_heap *heap)
{
    struct hst_error err;
    struct hst_heap read;
    uint64_t run = write_heap(store, heap, "");
    for (unsigned what = 0; what <= ALL; what++) {
        assert_ok(hst_heap_read(store, run, what, &read, &err));
        assert_same_heap(heap, &read, what);
        hst_heap_release(&read);
    }
}

static void test_small(void **state)
{
    struct hst_store *store = open_store(state, "runs.db");
    struct made_heap made;
    made_small(&made);
    struct hst_heap *heap = &made.heap;
    check_round_trip(store, heap);
    heap->way = HST_HEAP_CORE;
    heap->incomplete = hst_strdup("it was built with \xff");
    heap->pause_ns = 1;
    heap->copied_bytes = 2;
    heap->resident_bytes = INT64_MAX;
    heap->census_ns = 4;
    heap->cost = (struct hst_heap_cost){.reaped = 1, .reap_pause_ns = 3, .faults = 5, .stolen_ns = 7};
    made_finding(&made, (struct hst_heap_finding){.kind = HST_FINDING_INTERN,
                                                  .type = HST_HEAP_NONE,
                                                  .example = HST_HEAP_NONE,
                                                  .text = made_text(&made, "\x01\xff'"),
                                                  .objects = INT64_MAX,
                                                  .bytes = INT64_MAX});
    check_round_trip(store, heap);
    /* Addresses of any distance; what belongs to an object may be far from what is usual. */
    for (size_t i = 0; i < heap->count; i++)
        heap->addresses[i] = i * (UINT64_MAX / 16) + (i & 1);
    heap->addresses[heap->count - 1] = UINT64_MAX - 1;
    heap->bytes[0] = UINT64_C(1) << 61;
    heap->bytes[3] = 0;
    for (size_t i = 0; i < made.edge_count; i++)
        heap->places[i] = i % 2 ? UINT32_MAX : 0;
    heap->roots[0].number = UINT32_MAX;
    heap->type_rows[2].address = INT64_MAX;
    heap->type_rows[2].pre_bytes = UINT32_MAX;
    check_round_trip(store, heap);
    hst_free(heap->places);
    heap->places = NULL;
    check_round_trip(store, heap);
    made_release(&made);
    hst_store_free(store);
}

static void test_empty_and_one(void **state)
{
    struct hst_store *store = open_store(state, "runs.db");
    struct made_heap made;
    made_begin(&made);
    made_finish(&made);
    check_round_trip(store, &made.heap);
    made_release(&made);
    made_begin(&made);
    uint32_t object = made_object(&made, made_type(&made, "list", 40), 56);
    made_finish(&made);
    check_round_trip(store, &made.heap);
    made_release(&made);
    made_begin(&made);
    object = made_object(&made, made_type(&made, "list", 40), 56);
    made_refer(&made, object, object, hst_place_of(HST_PLACE_ITEM, UINT64_MAX));
    made_value(&made, object, "", 0);
    made_finish(&made);
    check_round_trip(store, &made.heap);
    made_release(&made);
    hst_store_free(store);
}

/* Some with more than one block a column, and objects whose references lie in two. */
static void test_random(void **state)
{
    struct hst_store *store = open_store(state, "runs.db");
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct made_heap made;
        uint32_t objects = seed <= 38 ? (uint32_t)(1 + seed * seed % 97 * seed)
                                      : HST_HEAP_BLOCK_ROWS + (uint32_t)(seed - 39) * 1000;
        made_random(&made, seed * 7919, objects,
                    seed == 40 ? 2 * HST_HEAP_BLOCK_ROWS : (uint32_t)(seed * 113 % 4000));
        check_round_trip(store, &made.heap);
        made_release(&made);
    }
    hst_store_free(store);
}

static void test_export_and_remove(void **state)
{
    static const char *const tables[] = {"run",       "string",    "heap",         "heap_type",
                                         "heap_name", "heap_part", "heap_finding", "heap_column"};
    struct hst_error err;
    struct hst_store *store = open_store(state, "runs.db"), *one;
    struct hst_run_info *runs, info;
    struct hst_heap read;
    struct made_heap made;
    size_t count;
    made_random(&made, 99, 1000, 3000);
    uint64_t number = write_heap(store, &made.heap, "before");
    assert_ok(hst_store_list(store, &runs, &count, &err));
    assert_true(count == 1 && runs[0].kind == HST_RUN_HEAP && runs[0].cost.samples == 1000);
    hst_free(runs);
    assert_ok(hst_store_export(store, number, in_folder(state, "one.hasten"), &err));
    assert_ok(hst_store_open(in_folder(state, "one.hasten"), HST_STORE_READ, &one, &err));
    assert_ok(hst_heap_read(one, 1, ALL, &read, &err));
    assert_same_heap(&made.heap, &read, ALL);
    hst_heap_release(&read);
    info = make_info("");
    assert_refused(hst_heap_write(one, &info, &made.heap, &err), HST_E_READONLY, "");
    assert_true(info.number == 0);
    hst_store_free(one);
    assert_ok(hst_store_remove(store, number, &err));
    for (size_t i = 0; i < HST_ARRAY_LENGTH(tables); i++) {
        char sql[64];
        int64_t left;
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
        assert_ok(hst_store_number(store, sql, 0, -1, &left, &err));
        assert_int_equal(left, 0);
    }
    assert_refused(hst_heap_read(store, number, 0, &read, &err), HST_E_NOENT, "hasten runs");
    number = add_small_run(store, "sampled", 10);
    assert_refused(hst_heap_read(store, number, 0, &read, &err), HST_E_INVALID, "hasten show");
    made_release(&made);
    hst_store_free(store);
}

/* What the person may ask in SQL. */
static void test_views(void **state)
{
    static const struct {
        const char *sql;
        int64_t number;
    } questions[] = {
        {"SELECT objects FROM named_heap_type WHERE name = 'app.Node'", 2},
        {"SELECT bytes FROM named_heap_type WHERE name = 'dict'", 352 + 2 * 184},
        {"SELECT \"index\" FROM named_heap_name WHERE type_name = 'app.Node' AND kind = 'attribute' AND name "
         "= 'other'",
         1},
        {"SELECT bytes FROM named_heap_part WHERE kind = 'native' AND name = 'libc.so.6'", 4096},
        {"SELECT bytes FROM named_heap_finding WHERE kind = 'slots' AND type = 'app.Node'", 96},
        {"SELECT object_count FROM heap WHERE way = 'stopped' AND incomplete IS NULL", MADE_SMALL_COUNT},
    };
    struct hst_error err;
    struct hst_store *store = open_store(state, "runs.db");
    struct made_heap made;
    made_small(&made);
    (void)write_heap(store, &made.heap, "");
    for (size_t i = 0; i < HST_ARRAY_LENGTH(questions); i++) {
        int64_t number;
        assert_ok(hst_store_number(store, questions[i].sql, 0, -1, &number, &err));
        assert_int_equal(number, questions[i].number);
    }
    made_release(&made);
    hst_store_free(store);
}

/* Each change makes a heap that is none. */
static void spoil(struct hst_heap *heap, unsigned how)
{
    uint32_t *const numbers[] = {&heap->types[3],         &heap->targets[4],        &heap->first[0],
                                 &heap->first[2],         &heap->roots[1].object,   &heap->roots[1].kind,
                                 &heap->roots[1].name,    &heap->type_rows[1].name, &heap->names[0].type,
                                 &heap->names[0].text,    &heap->parts[0].kind,     &heap->parts[0].name,
                                 &heap->findings[0].kind, &heap->findings[0].text,  &heap->values.objects[0]};
    if (how < HST_ARRAY_LENGTH(numbers))
        *numbers[how] = UINT32_MAX - 1;
    else if (how == HST_ARRAY_LENGTH(numbers))
        heap->addresses[5] = heap->addresses[4];
    else if (how == HST_ARRAY_LENGTH(numbers) + 1)
        heap->values.objects[1] = heap->values.objects[0];
    else if (how == HST_ARRAY_LENGTH(numbers) + 2)
        heap->values.ends[0] = 65;
    else if (how == HST_ARRAY_LENGTH(numbers) + 3)
        heap->names[1] = heap->names[0];
    else
        heap->way = (enum hst_heap_way)9;
}

static void test_refused_heaps(void **state)
{
    struct hst_error err;
    struct hst_store *store = open_store(state, "runs.db");
    int64_t left;
    for (unsigned how = 0; how < 20; how++) {
        struct made_heap made;
        struct hst_run_info info = make_info("");
        made_small(&made);
        spoil(&made.heap, how);
        memset(&err, 0, sizeof err);
        enum hst_status status = hst_heap_write(store, &info, &made.heap, &err);
        if (status != HST_E_INVALID || err.text[0] == '\0')
            fail_msg("change %u: %s", how, hst_status_name(status));
        assert_true(info.number == 0);
        made_release(&made);
    }
    assert_ok(hst_store_number(store, "SELECT (SELECT count(*) FROM run) + (SELECT count(*) FROM string)", 0,
                               -1, &left, &err));
    assert_int_equal(left, 0);
    hst_store_free(store);
}

/* Rows that SQLite finds nothing wrong with, and that make no heap. */
static void test_wrong_rows(void **state)
{
    static const char *const changes[] = {
        "DELETE FROM heap",
        "UPDATE heap SET pid = -1",
        "UPDATE heap SET way = 'flying'",
        "UPDATE heap SET wall_ns = 1.5",
        "UPDATE heap SET object_count = object_count + 1",
        "UPDATE heap SET object_count = object_count - 1",
        "UPDATE heap SET object_count = 4000000000",
        "UPDATE heap SET object_count = 5000000000",
        "UPDATE heap SET object_count = 0",
        "UPDATE heap SET reference_count = reference_count + 1",
        "UPDATE heap SET reference_count = reference_count - 1, place_count = place_count - 1",
        "UPDATE heap SET reference_count = 4294967000, place_count = 4294967000",
        "UPDATE heap SET place_count = 1",
        "UPDATE heap SET value_count = value_count + 1",
        "UPDATE heap SET value_count = -1",
        "UPDATE heap SET value_bytes = value_bytes + 1",
        "UPDATE heap SET value_bytes = 9223372036854775807",
        "UPDATE heap SET root_count = root_count + 1",
        "UPDATE heap SET root_count = 4294967295",
        "DELETE FROM string WHERE id = 2",
        "DELETE FROM string",
        "UPDATE string SET text = '' WHERE id = 2",
        "DELETE FROM heap_type WHERE id = 2",
        "DELETE FROM heap_type",
        "UPDATE heap_type SET name = 4000000000 WHERE id = 1",
        "UPDATE heap_type SET object = 1000 WHERE id = 1",
        "UPDATE heap_type SET basic_size = 5000000000 WHERE id = 1",
        "UPDATE heap_type SET conservative = 2 WHERE id = 1",
        "UPDATE heap_type SET objects = objects + 1 WHERE id = 1",
        "UPDATE heap_type SET bytes = bytes - 1 WHERE id = 1",
        "UPDATE heap_name SET type = 1000",
        "UPDATE heap_name SET place = -1",
        "UPDATE heap_name SET text = 1000",
        "UPDATE heap_part SET kind = 'no such kind'",
        "UPDATE heap_part SET name = 1000",
        "UPDATE heap_part SET id = id + 1",
        "UPDATE heap_part SET bytes = -1",
        "UPDATE heap_finding SET kind = x'ff'",
        "UPDATE heap_finding SET type = 1000",
        "UPDATE heap_finding SET example = 1000",
        "UPDATE heap_finding SET text = NULL",
        "UPDATE heap_column SET block = block + 1",
        "UPDATE heap_column SET count = count + 1",
        "UPDATE heap_column SET count = count - 1",
        "UPDATE heap_column SET count = 4000000000",
        "UPDATE heap_column SET count = 0",
        "UPDATE heap_column SET data = 'text' WHERE column = 'target'",
        "UPDATE heap_column SET data = x''",
        "UPDATE heap_column SET data = zeroblob(1000000)",
        "UPDATE heap_column SET data = substr(data, 1, length(data) - 1) WHERE column = 'root_name'",
        "DELETE FROM heap_column WHERE column = 'value_text'",
        "UPDATE heap_column SET data = (SELECT data FROM heap_column WHERE column = 'address') WHERE column "
        "= 'type'",
        "INSERT INTO heap_column SELECT run, column, block + 1, count, data FROM heap_column",
        "DROP TABLE heap_column",
        "DROP TABLE heap",
    };
    struct made_heap made;
    made_small(&made);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(changes); i++) {
        char name[32];
        struct hst_error err = {0};
        struct hst_heap read;
        (void)snprintf(name, sizeof name, "runs%zu.db", i);
        struct hst_store *store = open_store(state, name);
        uint64_t run = write_heap(store, &made.heap, "");
        if (sqlite3_exec(store->db, changes[i], NULL, NULL, NULL) == SQLITE_OK) {
            enum hst_status status = hst_heap_read(store, run, ALL, &read, &err);
            if (status != HST_E_CORRUPT || err.text[0] == '\0' || err.hint[0] == '\0')
                fail_msg("%s: %s", changes[i], hst_status_name(status));
        }
        hst_store_free(store);
    }
    made_release(&made);
}

/* What every question to a heap relies on. */
static void assert_sound(const struct hst_heap *heap)
{
    assert_true(heap->first[0] == 0);
    for (size_t i = 0; i < heap->count; i++) {
        assert_true(heap->types[i] < heap->type_count && heap->first[i] <= heap->first[i + 1]);
        assert_true(i == 0 || heap->addresses[i] > heap->addresses[i - 1]);
    }
    for (size_t i = 0; i < heap->first[heap->count]; i++)
        assert_true(heap->targets[i] < heap->count);
    for (size_t i = 0; i < heap->root_count; i++)
        assert_true(heap->roots[i].object < heap->count && heap->roots[i].name < heap->strings.count);
    for (size_t i = 0; i < heap->values.count; i++)
        assert_true(heap->values.objects[i] < heap->count);
}

/* The content of blocks with bytes changed, compressed again: else nothing gets past the checksum. */
static void test_changed_content(void **state)
{
    struct hst_error err;
    struct made_heap made;
    uint64_t seed = 31;
    unsigned refused = 0, read_anyway = 0;
    made_random(&made, 5, 300, 700);
    struct hst_store *store = open_store(state, "runs.db");
    uint64_t run = write_heap(store, &made.heap, "");
    ZSTD_CCtx *compressor = ZSTD_createCCtx();
    assert_ok(hst_store_exec(
        store, "PRAGMA synchronous = OFF; CREATE TEMP TABLE kept AS SELECT rowid AS id, * FROM heap_column",
        &err));
    for (unsigned round = 0; round < 1500; round++) {
        sqlite3_stmt *s;
        static uint8_t content[1 << 20], blob[1 << 20];
        struct hst_heap heap;
        assert_int_equal(sqlite3_prepare_v2(store->db,
                                            "SELECT id, data FROM kept ORDER BY id LIMIT 1 OFFSET ?1", -1, &s,
                                            NULL),
                         SQLITE_OK);
        (void)sqlite3_bind_int(s, 1, (int)(round % HST_COLUMN_COUNT));
        assert_int_equal(sqlite3_step(s), SQLITE_ROW);
        int64_t id = sqlite3_column_int64(s, 0);
        size_t length = ZSTD_decompress(content, sizeof content, sqlite3_column_blob(s, 1),
                                        (size_t)sqlite3_column_bytes(s, 1));
        assert_false(ZSTD_isError(length));
        assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
        for (uint64_t i = next_random(&seed) % 3 + 1; i > 0; i--)
            content[next_random(&seed) % length] = (uint8_t)next_random(&seed);
        if (round % 10 == 0)
            length -= next_random(&seed) % length;
        length = ZSTD_compress2(compressor, blob, sizeof blob, content, length);
        assert_int_equal(
            sqlite3_prepare_v2(store->db, "UPDATE heap_column SET data = ?2 WHERE rowid = ?1", -1, &s, NULL),
            SQLITE_OK);
        (void)sqlite3_bind_int64(s, 1, id);
        (void)sqlite3_bind_blob64(s, 2, blob, length, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(s), SQLITE_DONE);
        assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
        memset(&err, 0, sizeof err);
        enum hst_status status = hst_heap_read(store, run, ALL, &heap, &err);
        assert_true(status == HST_OK || (status == HST_E_CORRUPT && err.text[0] != '\0'));
        if (status == HST_OK) {
            assert_sound(&heap);
            hst_heap_release(&heap);
            read_anyway++;
        } else {
            refused++;
        }
        assert_ok(hst_store_exec(
            store, "UPDATE heap_column SET data = (SELECT data FROM kept WHERE id = heap_column.rowid)",
            &err));
    }
    assert_true(refused > 200 && read_anyway > 20);
    (void)ZSTD_freeCCtx(compressor);
    made_release(&made);
    hst_store_free(store);
}

/* A disk that takes no more (here: a limit on the size of files) leaves the store as it was. */
static void test_failed_write(void **state)
{
    struct hst_error err = {0};
    struct made_heap made;
    struct hst_run_info info = make_info("");
    struct rlimit old, tight;
    int64_t left;
    made_random(&made, 3, 50000, 200000);
    struct hst_store *store = open_store(state, "runs.db");
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = (struct rlimit){.rlim_cur = 300000, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    enum hst_status status = hst_heap_write(store, &info, &made.heap, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(status == HST_E_IO || status == HST_E_FULL);
    assert_true(err.hint[0] != '\0' && info.number == 0);
    assert_ok(hst_store_number(
        store, "SELECT (SELECT count(*) FROM run) + (SELECT count(*) FROM heap_column)", 0, -1, &left, &err));
    assert_int_equal(left, 0);
    check_round_trip(store, &made.heap);
    made_release(&made);
    hst_store_free(store);
}

int main(void)
{
    const char *make = getenv("HST_MAKE_HEAP_STORE"); /* for tests/fuzz/seeds.py */
    if (make != NULL) {
        struct hst_error err;
        struct hst_store *store;
        struct made_heap made;
        made_small(&made);
        assert_ok(hst_store_open(make, HST_STORE_WRITE, &store, &err));
        (void)write_heap(store, &made.heap, "heap");
        assert_ok(hst_store_exec(store, "PRAGMA journal_mode = DELETE", &err));
        made_release(&made);
        hst_store_free(store);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_small),      FOLDER_TEST(test_empty_and_one),     FOLDER_TEST(test_random),
        FOLDER_TEST(test_views),      FOLDER_TEST(test_export_and_remove), FOLDER_TEST(test_refused_heaps),
        FOLDER_TEST(test_wrong_rows), FOLDER_TEST(test_changed_content),   FOLDER_TEST(test_failed_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
