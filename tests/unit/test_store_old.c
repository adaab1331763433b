/* Stored files of released versions, in tests/data: each must open for ever and hold what it held.
 * A file is made once, by the version itself, and then never again: HST_MAKE_OLD_STORE=tests/data/store-vN.db
 * makes this program write one instead of testing. */
#include "store_fixture.h"

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
    /* Nothing of the machine on which it was made. */
    assert_ok(hst_store_exec(store,
                             "UPDATE run SET writer = '4242 1 00000000-0000-0000-0000-000000000000 1'"
                             " WHERE writer IS NOT NULL",
                             &err));
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

static void test_version_1(void **state)
{
    struct hst_buffer bytes = read_file(HST_TEST_DATA "/store-v1.db");
    const char *copy = in_folder(state, "copy.db");
    write_file(copy, bytes.data, bytes.length);
    check_old_store(copy, HST_STORE_READ);
    check_old_store(copy, HST_STORE_WRITE);
    hst_buffer_release(&bytes);
}

int main(void)
{
    const char *make = getenv("HST_MAKE_OLD_STORE");
    if (make != NULL) {
        make_old_store(make);
        return 0;
    }
    const struct CMUnitTest tests[] = {FOLDER_TEST(test_version_1)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
