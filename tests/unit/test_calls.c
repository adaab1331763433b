/* Exact counts: rows of contexts and lines, what is made of them, and their way through the store. */
#include "store_fixture.h"

#include "analyze/call_totals.h"
#include "made_profile.h"
#include "model/lines.h"

static void add(struct made *made, struct hst_calls *calls, uint32_t thread, const char *stack,
                uint64_t count, uint64_t self_ns)
{
    struct hst_call_row *row = hst_calls_row(calls, thread, made_stack(made, stack));
    assert_non_null(row);
    row->calls += count;
    row->self_ns += self_ns;
    row->raw_ns += self_ns * 2;
}

static const struct hst_call_sum *sum_of(const struct made *made, const struct hst_call_totals *totals,
                                         const char *name)
{
    for (size_t i = 0; i < totals->function_count; i++)
        if (strcmp(
                hst_profile_text(&made->profile, made->profile.functions[totals->functions[i].function].name),
                name) == 0)
            return &totals->functions[i].sum;
    fail_msg("no function %s", name);
    return NULL;
}

static const struct hst_call_sum *edge_of(const struct made *made, const struct hst_call_totals *totals,
                                          const char *caller, const char *callee)
{
    for (size_t i = 0; i < totals->edge_count; i++) {
        const struct hst_call_edge *edge = &totals->edges[i];
        const char *from = edge->caller == HST_ID_NONE
                               ? ""
                               : hst_profile_text(&made->profile, made->profile.functions[edge->caller].name);
        if (strcmp(from, caller) == 0 &&
            strcmp(hst_profile_text(&made->profile, made->profile.functions[edge->callee].name), callee) == 0)
            return &edge->sum;
    }
    fail_msg("no edge %s > %s", caller, callee);
    return NULL;
}

struct traced {
    struct made made;
    struct hst_calls calls;
    uint32_t first, second;
};

/* main calls fib once and leaf twice; fib calls itself; another thread calls leaf from fib. */
static void traced_init(struct traced *traced)
{
    made_init(&traced->made);
    hst_calls_init(&traced->calls);
    uint32_t process = made_process(&traced->made, 42);
    traced->first = made_thread(&traced->made, process, 42, "MainThread");
    traced->second = made_thread(&traced->made, process, 43, "worker");
    add(&traced->made, &traced->calls, traced->first, "main", 1, 100);
    add(&traced->made, &traced->calls, traced->first, "main>fib", 1, 10);
    add(&traced->made, &traced->calls, traced->first, "main>fib>fib", 2, 20);
    add(&traced->made, &traced->calls, traced->first, "main>fib>fib>fib", 4, 40);
    add(&traced->made, &traced->calls, traced->first, "main>leaf", 2, 6);
    add(&traced->made, &traced->calls, traced->second, "fib", 1, 7);
    add(&traced->made, &traced->calls, traced->second, "fib>leaf", 5, 5);
}

static void traced_release(struct traced *traced)
{
    hst_calls_release(&traced->calls);
    made_release(&traced->made);
}

static void test_totals(void **state)
{
    (void)state;
    struct traced traced;
    struct hst_call_totals totals;
    traced_init(&traced);
    assert_int_equal(
        hst_call_totals_init(&totals, &traced.made.profile, &traced.calls, HST_ID_NONE, HST_ID_NONE), HST_OK);
    const struct hst_call_sum *fib = sum_of(&traced.made, &totals, "fib");
    assert_int_equal(fib->calls, 8);
    assert_int_equal(fib->primitive, 2);
    assert_int_equal(fib->self_ns, 77);
    assert_int_equal(fib->total_ns, 70 + 12);
    assert_int_equal(fib->raw_self_ns, 154);
    const struct hst_call_sum *leaf = sum_of(&traced.made, &totals, "leaf");
    assert_int_equal(leaf->calls, 7);
    assert_int_equal(leaf->primitive, 7);
    assert_int_equal(sum_of(&traced.made, &totals, "main")->total_ns, 176);
    assert_int_equal(totals.all.total_ns, 176 + 12);
    assert_int_equal(edge_of(&traced.made, &totals, "fib", "fib")->calls, 6);
    assert_int_equal(edge_of(&traced.made, &totals, "fib", "fib")->primitive, 2);
    assert_int_equal(edge_of(&traced.made, &totals, "fib", "fib")->total_ns, 60);
    assert_int_equal(edge_of(&traced.made, &totals, "", "fib")->calls, 1);
    assert_int_equal(edge_of(&traced.made, &totals, "main", "leaf")->self_ns, 6);
    hst_call_totals_release(&totals);
    /* One thread alone. */
    assert_int_equal(
        hst_call_totals_init(&totals, &traced.made.profile, &traced.calls, traced.second, HST_ID_NONE),
        HST_OK);
    assert_int_equal(sum_of(&traced.made, &totals, "fib")->calls, 1);
    assert_int_equal(totals.all.total_ns, 12);
    hst_call_totals_release(&totals);
    traced_release(&traced);
}

static void test_order(void **state)
{
    (void)state;
    static const struct {
        enum hst_call_sort sort;
        const char *first;
    } orders[] = {{HST_CALL_SORT_SELF, "main"},
                  {HST_CALL_SORT_TOTAL, "main"},
                  {HST_CALL_SORT_CALLS, "fib"},
                  {HST_CALL_SORT_NAME, "fib"},
                  {HST_CALL_SORT_PER_CALL, "main"}};
    struct traced traced;
    struct hst_call_totals totals;
    traced_init(&traced);
    assert_int_equal(
        hst_call_totals_init(&totals, &traced.made.profile, &traced.calls, HST_ID_NONE, HST_ID_NONE), HST_OK);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(orders); i++) {
        hst_call_totals_sort(&totals, &traced.made.profile, orders[i].sort);
        uint32_t name = traced.made.profile.functions[totals.functions[0].function].name;
        assert_string_equal(hst_profile_text(&traced.made.profile, name), orders[i].first);
    }
    hst_call_totals_release(&totals);
    traced_release(&traced);
}

/* A stack 200,000 deep costs its frames once. */
static void test_deep(void **state)
{
    (void)state;
    enum { DEPTH = 200000 };
    struct made made;
    struct hst_calls calls;
    struct hst_call_totals totals;
    made_init(&made);
    hst_calls_init(&calls);
    uint32_t thread = made_thread(&made, made_process(&made, 1), 1, "MainThread");
    uint32_t function = made_function(&made, "deep");
    uint32_t location = hst_profile_location(&made.profile, &(struct hst_location){.function = function});
    for (uint32_t i = 0, stack = 0; i < DEPTH; i++) {
        stack = hst_profile_stack(&made.profile, stack, location);
        hst_calls_row(&calls, thread, stack)->calls = 1;
    }
    assert_int_equal(hst_call_totals_init(&totals, &made.profile, &calls, HST_ID_NONE, HST_ID_NONE), HST_OK);
    assert_int_equal(totals.function_count, 1);
    assert_int_equal(totals.functions[0].sum.calls, DEPTH);
    assert_int_equal(totals.functions[0].sum.primitive, 1);
    hst_call_totals_release(&totals);
    hst_calls_release(&calls);
    made_release(&made);
}

static void test_lines_order(void **state)
{
    (void)state;
    struct hst_lines lines;
    hst_lines_init(&lines);
    static const struct hst_line_row rows[] = {{1, 9, 1, 5, 5, 5}, {2, 4, 1, 50, 50, 50}, {1, 3, 7, 2, 2, 2}};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(rows); i++)
        *hst_lines_row(&lines, rows[i].function, rows[i].line) = rows[i];
    hst_lines_sort(&lines);
    assert_int_equal(lines.rows[0].function, 2);
    assert_int_equal(lines.rows[1].line, 3);
    assert_int_equal(lines.rows[2].line, 9);
    assert_int_equal(hst_lines_row(&lines, 1, 3)->hits, 7);
    assert_int_equal(lines.count, 3);
    hst_lines_release(&lines);
}

/* What is written, changed and written again is what comes back. */
static void test_store(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    struct hst_run_writer *writer;
    struct traced traced;
    struct hst_lines lines, lines_back;
    struct hst_calls back;
    traced_init(&traced);
    hst_lines_init(&lines);
    struct hst_run_info info = {.kind = HST_RUN_TRACED, .exit_status = -1, .cost = {.slowdown_percent = -1}};
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    assert_ok(hst_run_writer_new(store, &info, &writer, &err));
    hst_run_writer_set_calls(writer, &traced.calls);
    hst_run_writer_set_lines(writer, &lines);
    struct hst_trace_info *trace = hst_calls_trace(&traced.calls, 0);
    *trace = (struct hst_trace_info){.backend = "profile hook",
                                     .clock = "tsc",
                                     .python_only = 1,
                                     .lost_contexts = 3,
                                     .caller_cost_ns = {1.5, 2.5},
                                     .line_cost_ns = 4.5,
                                     .failure = "no reason"};
    *hst_lines_row(&lines, 0, 12) = (struct hst_line_row){0, 12, 1, 2, 3, 4};
    assert_ok(hst_run_writer_flush(writer, &traced.made.profile, &info, &err));
    add(&traced.made, &traced.calls, traced.first, "main>leaf", 10, 30);
    hst_lines_row(&lines, 0, 12)->hits = 9;
    assert_ok(hst_run_writer_flush(writer, &traced.made.profile, &info, &err));
    info.status = HST_RUN_COMPLETE;
    assert_ok(hst_run_writer_finish(writer, &traced.made.profile, &info, &err));
    hst_run_writer_free(writer);
    hst_calls_init(&back);
    hst_lines_init(&lines_back);
    assert_ok(hst_run_read_calls(store, info.number, &traced.made.profile, &back, &err));
    assert_int_equal(back.count, traced.calls.count);
    for (size_t i = 0; i < back.count; i++) {
        const struct hst_call_row *row =
            hst_calls_find(&traced.calls, back.rows[i].thread, back.rows[i].stack);
        assert_non_null(row);
        assert_memory_equal(row, &back.rows[i], sizeof *row);
    }
    assert_string_equal(back.traces[0].backend, "profile hook");
    assert_string_equal(back.traces[0].failure, "no reason");
    assert_true(back.traces[0].caller_cost_ns[HST_CALL_C] == 2.5 && back.traces[0].line_cost_ns == 4.5);
    assert_ok(hst_run_read_lines(store, info.number, &traced.made.profile, &lines_back, &err));
    assert_int_equal(lines_back.count, 1);
    assert_int_equal(lines_back.rows[0].hits, 9);
    assert_ok(hst_store_export(store, info.number, in_folder(state, "one.hasten"), &err));
    assert_ok(hst_store_remove(store, info.number, &err));
    int64_t left;
    assert_ok(hst_store_number(store,
                               "SELECT (SELECT count(*) FROM call) + (SELECT count(*) FROM trace)"
                               " + (SELECT count(*) FROM line)",
                               0, -1, &left, &err));
    assert_int_equal(left, 0);
    hst_store_free(store);
    hst_calls_release(&back);
    hst_lines_release(&lines_back);
    hst_lines_release(&lines);
    traced_release(&traced);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals),      cmocka_unit_test(test_order), cmocka_unit_test(test_deep),
        cmocka_unit_test(test_lines_order), FOLDER_TEST(test_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
