/* Imported sums through the store: what was written comes back, rows that make no sense are refused, a
 * removal leaves nothing. */
#include "store_fixture.h"

#include "model/call_sums.h"

static struct hst_call_sum sum_of(uint64_t n)
{
    return (struct hst_call_sum){.calls = n * 3,
                                 .primitive = n,
                                 .self_ns = n * 10,
                                 .total_ns = n * 100,
                                 .raw_self_ns = n * 10,
                                 .raw_total_ns = n * 100};
}

/* Three functions and their sums, in a row of the store. */
static uint64_t add_run(struct hst_store *store)
{
    struct hst_error err;
    struct hst_profile profile;
    struct hst_run_writer *writer;
    struct hst_call_function functions[2];
    struct hst_call_edge edges[2];
    assert_true(hst_profile_init(&profile));
    for (uint32_t i = 0; i < 3; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "f%u", i);
        struct hst_function function = {.name = hst_strings_add_z(&profile.strings, name), .first_line = i};
        assert_int_equal(hst_profile_function(&profile, &function), i);
    }
    functions[0] = (struct hst_call_function){.function = 2, .sum = sum_of(5)};
    functions[1] = (struct hst_call_function){.function = 0, .sum = sum_of(7)};
    edges[0] = (struct hst_call_edge){.caller = 2, .callee = 0, .sum = sum_of(2)};
    edges[1] = (struct hst_call_edge){.caller = 1, .callee = 2, .sum = sum_of(UINT64_C(1) << 40)};
    const struct hst_imported imported = {
        .file = "a b.prof",
        .maker = "cProfile",
        .edges_timed = 1,
        .totals = {.functions = functions, .function_count = 2, .edges = edges, .edge_count = 2}};
    struct hst_run_info info = {.kind = HST_RUN_IMPORTED, .cost.slowdown_percent = -1, .exit_status = -1};
    assert_ok(hst_run_writer_new(store, &info, &writer, &err));
    hst_run_writer_set_imported(writer, &imported);
    info.status = HST_RUN_COMPLETE;
    assert_ok(hst_run_writer_finish(writer, &profile, &info, &err));
    hst_run_writer_free(writer);
    hst_profile_release(&profile);
    return info.number;
}

static enum hst_status read_run(struct hst_store *store, uint64_t number, struct hst_imported *ret_imported,
                                struct hst_error *err)
{
    struct hst_profile profile;
    assert_true(hst_profile_init(&profile));
    assert_int_equal(hst_run_read_profile(store, number, &profile, err), HST_OK);
    enum hst_status status = hst_run_read_imported(store, number, &profile, ret_imported, err);
    hst_profile_release(&profile);
    return status;
}

static void check(const struct hst_imported *imported)
{
    const struct hst_call_totals *totals = &imported->totals;
    assert_string_equal(imported->file, "a b.prof");
    assert_string_equal(imported->maker, "cProfile");
    assert_int_equal(imported->edges_timed, 1);
    assert_int_equal(totals->function_count, 2);
    assert_int_equal(totals->functions[0].function, 0);
    struct hst_call_sum want = sum_of(7);
    assert_memory_equal(&totals->functions[0].sum, &want, sizeof want);
    assert_int_equal(totals->edge_count, 2);
    assert_int_equal(totals->edges[0].caller, 1);
    assert_int_equal(totals->edges[0].callee, 2);
    want = sum_of(UINT64_C(1) << 40);
    assert_memory_equal(&totals->edges[0].sum, &want, sizeof want);
    assert_int_equal(totals->all.calls, 36);
    assert_int_equal(totals->all.primitive, 12);
    assert_int_equal(totals->all.total_ns, 120);
}

static void test_round_trip(void **state)
{
    struct hst_error err;
    struct hst_store *store, *one;
    struct hst_imported imported;
    struct hst_run_info info;
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    uint64_t number = add_run(store);
    assert_ok(hst_run_read_info(store, number, &info, &err));
    assert_int_equal(info.kind, HST_RUN_IMPORTED);
    assert_ok(read_run(store, number, &imported, &err));
    check(&imported);
    hst_imported_release(&imported);
    assert_ok(hst_store_export(store, number, in_folder(state, "one.hasten"), &err));
    assert_ok(hst_store_open(in_folder(state, "one.hasten"), HST_STORE_READ, &one, &err));
    assert_ok(read_run(one, 1, &imported, &err));
    check(&imported);
    hst_imported_release(&imported);
    hst_store_free(one);
    /* What is printed as it is is not taken from a file. */
    assert_ok(hst_store_exec(store, "UPDATE imported SET maker = char(27) || '[31m'", &err));
    assert_ok(read_run(store, number, &imported, &err));
    assert_string_equal(imported.maker, "another tool");
    hst_imported_release(&imported);
    assert_ok(hst_store_remove(store, number, &err));
    static const char *const tables[] = {"imported", "function_sum", "edge_sum", "function", "string"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(tables); i++) {
        char sql[64];
        int64_t left;
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
        assert_ok(hst_store_number(store, sql, 0, -1, &left, &err));
        assert_int_equal(left, 0);
    }
    hst_store_free(store);
}

static void test_damaged(void **state)
{
    static const char *const damages[] = {
        "UPDATE function_sum SET function = 3 WHERE function = 2",
        "UPDATE function_sum SET calls = -1",
        "UPDATE function_sum SET self_ns = 'many'",
        "UPDATE function_sum SET total_ns = 1.5",
        "UPDATE edge_sum SET caller = 4294967295 WHERE caller = 1",
        "UPDATE edge_sum SET callee = 3 WHERE caller = 1",
        "UPDATE edge_sum SET primitive_calls = -9223372036854775808",
        "DELETE FROM imported",
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(damages); i++) {
        struct hst_error err;
        struct hst_store *store;
        struct hst_imported imported;
        char name[32];
        (void)snprintf(name, sizeof name, "runs%zu.db", i);
        assert_ok(hst_store_open(in_folder(state, name), HST_STORE_WRITE, &store, &err));
        uint64_t number = add_run(store);
        assert_ok(hst_store_exec(store, damages[i], &err));
        assert_refused(read_run(store, number, &imported, &err), HST_E_CORRUPT, "hasten rm");
        hst_store_free(store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {FOLDER_TEST(test_round_trip), FOLDER_TEST(test_damaged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
