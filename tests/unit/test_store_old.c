/* Stored files of released versions, in tests/data: each must open for ever and hold what it held.
 * A file is made once, by the version itself, and then never again: HST_MAKE_OLD_STORE=tests/data/store-vN.db
 * makes this program write one instead of testing. */
#include "store_fixture.h"

#include "store/timeline_reader.h"

#ifndef HST_TEST_DATA
#error "HST_TEST_DATA must name the folder tests/data"
#endif

/* What every such file holds, by arithmetic: sample i of run 1, and its tables. */
#define SAMPLES 5000u
static struct hst_sample old_sample(uint32_t i)
{
    struct hst_sample sample = {.time_ns = (i + 1) * UINT64_C(3000),
                                .weight_ns = i % 50 == 0 ? 123 : 9000,
                                .thread = i % 3,
                                .stack = i * 31 % 21,
                                .state = i % 40 == 7 ? HST_STATE_BLOCKED : HST_STATE_RUNNING,
                                .flags = i % 40 == 7 ? 0 : HST_SAMPLE_HOLDS_GIL};
    sample.detail = sample.state == HST_STATE_BLOCKED ? 203 : 0;
    return sample;
}

static void old_profile(struct hst_profile *profile)
{
    assert_true(hst_profile_init(profile));
    for (uint32_t i = 0; i < 20; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "Class.method_%u", i / 2);
        struct hst_function function = {.qualname = hst_strings_add_z(&profile->strings, name),
                                        .name = hst_strings_add_z(&profile->strings, name + 6),
                                        .file =
                                            hst_strings_add_z(&profile->strings, "/srv/app/m\xc3\xa4in.py"),
                                        .first_line = i / 2 * 10};
        struct hst_location location = {.function = hst_profile_function(profile, &function),
                                        .line = i / 2 * 10 + i % 2,
                                        .end_line = i / 2 * 10 + i % 2,
                                        .column = (uint16_t)(i + 1),
                                        .end_column = (uint16_t)(i + 9),
                                        .instruction = i * 2};
        uint32_t row = hst_profile_location(profile, &location);
        assert_int_equal(hst_profile_stack(profile, i % 5 == 0 ? 0 : i, row), i + 1);
    }
    struct hst_process process = {
        .pid = 4242, .parent_pid = 1, .start_ns = 1, .end_ns = 15000000, .cpu_ns = 14};
    process.command = hst_strings_add_z(&profile->strings, "python3 main.py");
    process.interpreter = hst_strings_add_z(&profile->strings, "CPython 3.13.0");
    process.executable = hst_strings_add_z(&profile->strings, "/usr/bin/python3.13");
    assert_int_equal(hst_profile_add_process(profile, &process), 0);
    for (uint32_t i = 0; i < 3; i++) {
        struct hst_thread thread = {
            .native_id = 4242 + i, .start_ns = i, .end_ns = 15000000, .cpu_ns = i * 7};
        thread.name = hst_strings_add_z(&profile->strings, i == 0 ? "MainThread" : "worker");
        assert_int_equal(hst_profile_add_thread(profile, &thread), i);
    }
}

static struct hst_run_info old_info(void)
{
    struct hst_run_info info = {.name = "kept",
                                .start_wall_ns = UINT64_C(1763856000000000000),
                                .duration_ns = 15000000,
                                .cpu_ns = 14,
                                .rate_hz = 1000,
                                .budget_percent = 1.5,
                                .blocking = 1,
                                .exit_status = 256,
                                .command = "hasten run main.py",
                                .directory = "/srv/app",
                                .hasten_version = "0.1.0",
                                .cost = {SAMPLES, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0.25}};
    return info;
}

/* Since version 2: run 3 was traced with a timeline, run 4 is of lines, run 5 was imported. */
static const struct hst_call_row old_call = {.thread = 1,
                                             .stack = 2,
                                             .calls = 3,
                                             .resumes = 4,
                                             .raises = 5,
                                             .raw_ns = 700,
                                             .self_ns = 600,
                                             .suspended_ns = 80};
static const struct hst_line_row old_line = {
    .function = 4, .line = 41, .hits = 6, .raw_ns = 90, .self_ns = 80, .total_ns = 100};
static const struct hst_call_sum old_sum = {.calls = 9, .primitive = 8, .self_ns = 70, .total_ns = 600};
static const struct hst_call_event old_events[] = {
    {.time_ns = 10, .thread = 1, .stack = 1, .kind = HST_CALL_ENTER},
    {.time_ns = 20, .thread = 1, .stack = 2, .kind = HST_CALL_ENTER},
    {.time_ns = 500, .thread = 1, .stack = 1, .kind = HST_CALL_LEAVE},
    {.time_ns = 700, .thread = 1, .stack = 0, .kind = HST_CALL_LEAVE},
};

static void old_calls(struct hst_calls *calls)
{
    hst_calls_init(calls);
    *hst_calls_row(calls, old_call.thread, old_call.stack) = old_call;
    struct hst_trace_info *trace = hst_calls_trace(calls, 0);
    assert_non_null(trace);
    trace->backend = "sys.monitoring";
    trace->clock = "tsc";
    trace->lost_contexts = 2;
    trace->has_timeline = 1;
    trace->lost_events = 11;
    trace->callee_cost_ns[HST_CALL_C] = 12.5;
}

static void finish_run(struct hst_run_writer *writer, struct hst_run_info *info, uint64_t number)
{
    struct hst_error err;
    struct hst_profile profile;
    old_profile(&profile);
    info->status = HST_RUN_COMPLETE;
    assert_int_equal(info->number, number);
    assert_ok(hst_run_writer_finish(writer, &profile, info, &err));
    hst_run_writer_free(writer);
    hst_profile_release(&profile);
}

static struct hst_run_writer *begin_run(struct hst_store *store, enum hst_run_kind kind,
                                        struct hst_run_info *ret_info)
{
    struct hst_error err;
    struct hst_run_writer *writer;
    *ret_info = (struct hst_run_info){.kind = kind, .exit_status = -1, .cost.slowdown_percent = -1};
    assert_ok(hst_run_writer_new(store, ret_info, &writer, &err));
    return writer;
}

static void make_runs_of_version_2(struct hst_store *store)
{
    struct hst_run_info info;
    struct hst_calls calls;
    struct hst_lines lines;
    struct hst_call_function function = {.function = 3, .sum = old_sum};
    struct hst_call_edge edge = {.caller = 2, .callee = 3, .sum = old_sum};
    const struct hst_imported imported = {
        .file = "old.prof",
        .maker = "cProfile",
        .edges_timed = 1,
        .totals = {.functions = &function, .function_count = 1, .edges = &edge, .edge_count = 1}};
    struct hst_run_writer *writer = begin_run(store, HST_RUN_TRACED, &info);
    old_calls(&calls);
    hst_run_writer_set_calls(writer, &calls);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(old_events); i++)
        assert_int_equal(hst_run_writer_event(writer, &old_events[i]), HST_OK);
    finish_run(writer, &info, 3);
    hst_calls_release(&calls);
    writer = begin_run(store, HST_RUN_LINES, &info);
    hst_lines_init(&lines);
    *hst_lines_row(&lines, old_line.function, old_line.line) = old_line;
    hst_run_writer_set_lines(writer, &lines);
    finish_run(writer, &info, 4);
    hst_lines_release(&lines);
    writer = begin_run(store, HST_RUN_IMPORTED, &info);
    hst_run_writer_set_imported(writer, &imported);
    finish_run(writer, &info, 5);
}

static void make_old_store(const char *path)
{
    struct hst_error err;
    struct hst_store *store;
    struct hst_run_writer *writer;
    struct hst_profile profile;
    struct hst_run_info info = old_info();
    assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
    old_profile(&profile);
    assert_ok(hst_run_writer_new(store, &info, &writer, &err));
    for (uint32_t i = 0; i < SAMPLES; i++) {
        struct hst_sample sample = old_sample(i);
        assert_int_equal(hst_run_writer_add(writer, &sample), HST_OK);
        if (i == SAMPLES / 2)
            assert_ok(hst_run_writer_flush(writer, &profile, &info, &err));
    }
    info.status = HST_RUN_COMPLETE;
    assert_ok(hst_run_writer_finish(writer, &profile, &info, &err));
    hst_run_writer_free(writer);
    /* A second run that never ended. */
    info = (struct hst_run_info){.exit_status = -1, .cost.slowdown_percent = -1};
    assert_ok(hst_run_writer_new(store, &info, &writer, &err));
    assert_ok(hst_run_writer_flush(writer, &profile, &info, &err));
    hst_run_writer_free(writer);
    make_runs_of_version_2(store);
    /* Nothing of the machine on which it was made. */
    assert_ok(hst_store_exec(store,
                             "UPDATE run SET writer = '4242 1 00000000-0000-0000-0000-000000000000 1'"
                             " WHERE writer IS NOT NULL",
                             &err));
    assert_ok(hst_store_exec(store, "PRAGMA journal_mode = DELETE", &err));
    hst_profile_release(&profile);
    hst_store_free(store);
}

struct next_by_thread {
    uint32_t next[3];
    uint64_t weight_ns;
};
static enum hst_status compare(void *context, const struct hst_sample *got)
{
    struct next_by_thread *position = context;
    assert_true(got->thread < 3);
    uint32_t i = position->next[got->thread];
    position->next[got->thread] += 3;
    assert_true(i < SAMPLES);
    struct hst_sample want = old_sample(i);
    assert_true(got->time_ns <= want.time_ns && want.time_ns - got->time_ns < 10);
    assert_int_equal(got->stack, want.stack);
    assert_int_equal(got->state, want.state);
    assert_int_equal(got->flags, want.flags);
    assert_int_equal(got->detail, want.detail);
    position->weight_ns += got->weight_ns;
    return HST_OK;
}

static void check_old_store(const char *path, enum hst_store_mode mode)
{
    struct hst_error err;
    struct hst_store *store;
    struct hst_profile profile, want;
    struct hst_run_info info, want_info = old_info();
    struct next_by_thread position = {.next = {0, 1, 2}};
    uint64_t number, weight_ns = 0;
    assert_ok(hst_store_open(path, mode, &store, &err));
    assert_ok(hst_store_find(store, "kept", &number, &err));
    assert_int_equal(number, 1);
    assert_ok(hst_run_read_info(store, 1, &info, &err));
    want_info.number = 1;
    want_info.status = HST_RUN_COMPLETE;
    assert_string_equal(info.name, want_info.name);
    assert_string_equal(info.command, want_info.command);
    assert_string_equal(info.directory, want_info.directory);
    assert_string_equal(info.hasten_version, want_info.hasten_version);
    assert_true(info.start_wall_ns == want_info.start_wall_ns && info.duration_ns == want_info.duration_ns &&
                info.cpu_ns == want_info.cpu_ns && info.rate_hz == want_info.rate_hz &&
                info.budget_percent == want_info.budget_percent);
    assert_true(info.blocking == 1 && info.exit_status == 256 && info.status == HST_RUN_COMPLETE);
    assert_memory_equal(&info.cost, &want_info.cost, sizeof info.cost);
    assert_true(hst_profile_init(&profile));
    assert_ok(hst_run_read_profile(store, 1, &profile, &err));
    old_profile(&want);
    assert_same_profile(&want, &profile);
    assert_ok(hst_run_read_samples(store, 1, &profile, compare, &position, &err));
    for (uint32_t i = 0; i < SAMPLES; i++)
        weight_ns += old_sample(i).weight_ns;
    assert_true(position.weight_ns == weight_ns);
    for (uint32_t thread = 0; thread < 3; thread++)
        assert_true(position.next[thread] >= SAMPLES && position.next[thread] < SAMPLES + 3);
    assert_ok(hst_run_read_info(store, 2, &info, &err));
    assert_int_equal(info.status, HST_RUN_INTERRUPTED);
    hst_profile_release(&profile);
    hst_profile_release(&want);
    hst_store_free(store);
}

static enum hst_status compare_event(void *context, const struct hst_call_event *got)
{
    size_t *next = context;
    assert_true(*next < HST_ARRAY_LENGTH(old_events));
    const struct hst_call_event *want = &old_events[(*next)++];
    assert_true(got->time_ns == want->time_ns && got->thread == want->thread && got->stack == want->stack &&
                got->kind == want->kind && !got->continued);
    return HST_OK;
}

static void check_traced(struct hst_store *store, const struct hst_profile *profile)
{
    struct hst_error err;
    struct hst_calls calls, want;
    size_t events = 0;
    hst_calls_init(&calls);
    old_calls(&want);
    assert_ok(hst_run_read_calls(store, 3, profile, &calls, &err));
    assert_int_equal(calls.count, 1);
    assert_memory_equal(&calls.rows[0], &old_call, sizeof old_call);
    assert_int_equal(calls.trace_count, 1);
    assert_string_equal(calls.traces[0].backend, want.traces[0].backend);
    assert_string_equal(calls.traces[0].clock, want.traces[0].clock);
    assert_true(calls.traces[0].lost_contexts == 2 && calls.traces[0].lost_events == 11 &&
                calls.traces[0].callee_cost_ns[HST_CALL_C] == 12.5);
    assert_ok(hst_timeline_read(store, 3, profile, compare_event, &events, &err));
    assert_int_equal(events, HST_ARRAY_LENGTH(old_events));
    hst_calls_release(&calls);
    hst_calls_release(&want);
}

static void check_runs_of_version_2(const char *path, enum hst_store_mode mode)
{
    static const enum hst_run_kind kinds[] = {HST_RUN_TRACED, HST_RUN_LINES, HST_RUN_IMPORTED};
    struct hst_error err;
    struct hst_store *store;
    struct hst_profile profile, want;
    struct hst_run_info info;
    struct hst_lines lines;
    struct hst_imported imported;
    assert_ok(hst_store_open(path, mode, &store, &err));
    old_profile(&want);
    for (uint64_t run = 3; run <= 5; run++) {
        assert_ok(hst_run_read_info(store, run, &info, &err));
        assert_true(info.kind == kinds[run - 3] && info.status == HST_RUN_COMPLETE);
        assert_true(hst_profile_init(&profile));
        assert_ok(hst_run_read_profile(store, run, &profile, &err));
        assert_same_profile(&want, &profile);
        hst_profile_release(&profile);
    }
    check_traced(store, &want);
    hst_lines_init(&lines);
    assert_ok(hst_run_read_lines(store, 4, &want, &lines, &err));
    assert_int_equal(lines.count, 1);
    assert_memory_equal(&lines.rows[0], &old_line, sizeof old_line);
    hst_lines_release(&lines);
    assert_ok(hst_run_read_imported(store, 5, &want, &imported, &err));
    assert_string_equal(imported.file, "old.prof");
    assert_true(imported.totals.function_count == 1 && imported.totals.edge_count == 1);
    assert_true(imported.totals.functions[0].function == 3 && imported.totals.functions[0].sum.self_ns == 70);
    assert_true(imported.totals.edges[0].caller == 2 && imported.totals.edges[0].sum.primitive == 8);
    hst_imported_release(&imported);
    hst_profile_release(&want);
    hst_store_free(store);
}

static void test_version_1(void **state)
{
    struct hst_buffer bytes = read_file(HST_TEST_DATA "/store-v1.db");
    const char *copy = in_folder(state, "copy.db");
    write_file(copy, bytes.data, bytes.length);
    check_old_store(copy, HST_STORE_READ);
    check_old_store(copy, HST_STORE_WRITE);
    hst_buffer_release(&bytes);
}

static void test_version_2(void **state)
{
    struct hst_buffer bytes = read_file(HST_TEST_DATA "/store-v2.db");
    const char *copy = in_folder(state, "copy.db");
    write_file(copy, bytes.data, bytes.length);
    check_old_store(copy, HST_STORE_READ);
    check_runs_of_version_2(copy, HST_STORE_READ);
    check_old_store(copy, HST_STORE_WRITE);
    check_runs_of_version_2(copy, HST_STORE_WRITE);
    hst_buffer_release(&bytes);
}

int main(void)
{
    const char *make = getenv("HST_MAKE_OLD_STORE");
    if (make != NULL) {
        make_old_store(make);
        return 0;
    }
    const struct CMUnitTest tests[] = {FOLDER_TEST(test_version_1), FOLDER_TEST(test_version_2)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
