/* Runs through the store and back: exactness, growth by flushes, two writers at once, a writer that is
 * killed, readers while it writes, export, and what the writer refuses. */
#include "store_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* The samples that went in, per thread, and how far the reader has come. */
struct expected {
    struct hst_sample *samples;
    size_t count, capacity;
    size_t next[64]; /* per thread: index from which its next sample is searched */
    uint64_t last_block_ns;
    int failed;
};

static enum hst_status compare(void *context, const struct hst_sample *got)
{
    struct expected *expected = context;
    size_t *next = &expected->next[got->thread];
    while (*next < expected->count && expected->samples[*next].thread != got->thread)
        ++*next;
    assert_true(*next < expected->count);
    const struct hst_sample *want = &expected->samples[(*next)++];
    assert_int_equal(got->stack, want->stack);
    assert_int_equal(got->state, want->state);
    assert_int_equal(got->flags, want->flags);
    assert_int_equal(got->detail, want->detail);
    /* The intervals here are 1 us at least and 1 ms at most. */
    assert_true(got->time_ns <= want->time_ns && want->time_ns - got->time_ns < 1000);
    return HST_OK;
}

static struct hst_sample random_sample(uint64_t *seed, uint32_t threads, uint32_t stacks, uint64_t *clock_ns,
                                       uint64_t *before_ns)
{
    uint64_t random = next_random(seed);
    struct hst_sample sample = {.thread = (uint32_t)(random % threads),
                                .stack = (uint32_t)((random >> 8) % (stacks + 1)),
                                .state = (uint8_t)((random >> 40) % HST_STATE_COUNT),
                                .flags = (uint8_t)((random >> 44) % 8)};
    *clock_ns += 1000 + next_random(seed) % 5000;
    sample.time_ns = *clock_ns;
    sample.weight_ns = random % 10 == 0 ? next_random(seed) % 100000 : *clock_ns - before_ns[sample.thread];
    before_ns[sample.thread] = *clock_ns;
    if (sample.state == HST_STATE_BLOCKED)
        sample.detail = (uint16_t)(random >> 48);
    return sample;
}

static void check_run(struct hst_store *store, uint64_t number, const struct hst_profile *profile,
                      struct expected *expected)
{
    struct hst_error err;
    struct hst_profile copy;
    assert_true(hst_profile_init(&copy));
    assert_ok(hst_run_read_profile(store, number, &copy, &err));
    assert_same_profile(profile, &copy);
    assert_ok(hst_run_read_samples(store, number, &copy, compare, expected, &err));
    struct sum in = {0}, out = sum_run(store, number);
    for (size_t i = 0; i < expected->count; i++)
        (void)add_up(&in, &expected->samples[i]);
    assert_int_equal(in.samples, out.samples);
    assert_true(in.weight_ns == out.weight_ns); /* to the nanosecond */
    hst_profile_release(&copy);
}

static void test_round_trip(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    struct hst_run_writer *writer;
    struct hst_profile profile;
    struct hst_run_info info = make_info("first"), back;
    struct expected expected = {0};
    uint64_t seed = 2024, clock_ns = 0, before_ns[64] = {0};
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    fill_profile(&profile, 3, 500, 40);
    info.cost.read_cpu_ns = 123456789;
    info.cost.slowdown_percent = 0.25;
    assert_ok(hst_run_writer_new(store, &info, &writer, &err));
    assert_int_equal(info.number, 1);
    assert_int_equal(info.status, HST_RUN_RECORDING);
    for (int i = 0; i < 60000; i++) {
        struct hst_sample sample = random_sample(&seed, 40, 500, &clock_ns, before_ns);
        assert_int_equal(hst_run_writer_add(writer, &sample), HST_OK);
        assert_true(HST_RESERVE(expected.samples, expected.capacity, expected.count + 1));
        expected.samples[expected.count++] = sample;
        if (i % 9000 == 8999) { /* tables grow and rows change between flushes */
            struct hst_thread *thread = &profile.threads[i % 7];
            thread->cpu_ns = (uint64_t)i;
            thread->name = hst_strings_add_z(&profile.strings, i % 2 ? "renamed" : "again");
            profile.processes[0].cpu_ns = (uint64_t)i;
            (void)hst_profile_stack(&profile, (uint32_t)i / 9000, (uint32_t)i / 9000);
            assert_ok(hst_run_writer_flush(writer, &profile, &info, &err));
            assert_int_equal(hst_run_writer_pending_bytes(writer), 0);
        }
    }
    assert_true(hst_run_writer_pending_bytes(writer) > 0);
    info.status = HST_RUN_COMPLETE;
    info.exit_status = 256;
    info.cpu_ns = UINT64_MAX; /* larger than SQLite's largest number */
    info.cost.samples = expected.count;
    assert_ok(hst_run_writer_finish(writer, &profile, &info, &err));
    assert_refused(hst_run_writer_flush(writer, &profile, &info, &err), HST_E_INVALID, "");
    hst_run_writer_free(writer);
    check_run(store, 1, &profile, &expected);

    assert_ok(hst_run_read_info(store, 1, &back, &err));
    assert_true(back.cpu_ns == INT64_MAX);
    back.cpu_ns = info.cpu_ns;
    assert_string_equal(back.name, "first");
    assert_string_equal(back.command, info.command);
    assert_string_equal(back.directory, info.directory);
    assert_int_equal(back.status, HST_RUN_COMPLETE);
    assert_int_equal(back.exit_status, 256);
    assert_memory_equal(&back.cost, &info.cost, sizeof back.cost);
    assert_true(back.start_wall_ns == info.start_wall_ns && back.rate_hz == info.rate_hz);

    /* Opened anew, by a reader, and in a file of its own. */
    hst_store_free(store);
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_READ, &store, &err));
    memset(expected.next, 0, sizeof expected.next);
    check_run(store, 1, &profile, &expected);
    assert_ok(hst_store_export(store, 1, in_folder(state, "one.hasten"), &err));
    hst_store_free(store);
    assert_ok(hst_store_open(in_folder(state, "one.hasten"), HST_STORE_READ, &store, &err));
    memset(expected.next, 0, sizeof expected.next);
    check_run(store, 1, &profile, &expected);
    hst_store_free(store);
    hst_profile_release(&profile);
    hst_free(expected.samples);
}

static void test_many_blocks(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    uint64_t number = add_small_run(store, "", 10000); /* three blocks */
    struct sum sum = sum_run(store, number);
    assert_int_equal(sum.samples, 10000);
    assert_true(sum.weight_ns == UINT64_C(10000000000) && sum.last_ns == UINT64_C(10000000000));
    hst_store_free(store);
}

static enum hst_status stop_at_five(void *context, const struct hst_sample *sample)
{
    (void)sample;
    return ++*(int *)context == 5 ? HST_E_INTERRUPTED : HST_OK;
}
static void test_visitor_stops(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    struct hst_profile profile;
    int seen = 0;
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    uint64_t number = add_small_run(store, "", 100);
    assert_true(hst_profile_init(&profile));
    assert_ok(hst_run_read_profile(store, number, &profile, &err));
    assert_int_equal(hst_run_read_samples(store, number, &profile, stop_at_five, &seen, &err),
                     HST_E_INTERRUPTED);
    assert_int_equal(seen, 5);
    hst_profile_release(&profile);
    hst_store_free(store);
}

static void test_refused_samples(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    struct hst_run_writer *writer;
    struct hst_profile profile;
    struct hst_run_info info = make_info("");
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    fill_profile(&profile, 3, 10, 2);
    assert_ok(hst_run_writer_new(store, &info, &writer, &err));
    struct hst_sample sample = {.time_ns = 1000};
    assert_int_equal(hst_run_writer_add(writer, &sample), HST_OK);
    sample.time_ns = 999;
    assert_int_equal(hst_run_writer_add(writer, &sample), HST_E_INVALID); /* backwards */
    sample = (struct hst_sample){.time_ns = 2000, .thread = 4000000000u};
    assert_int_equal(hst_run_writer_add(writer, &sample), HST_E_INVALID);
    sample = (struct hst_sample){.time_ns = 2000, .weight_ns = UINT64_MAX};
    assert_int_equal(hst_run_writer_add(writer, &sample), HST_E_INVALID);
    sample = (struct hst_sample){.time_ns = 2000, .state = HST_STATE_COUNT};
    assert_int_equal(hst_run_writer_add(writer, &sample), HST_E_INVALID);
    assert_ok(hst_run_writer_flush(writer, &profile, &info, &err));
    assert_int_equal(sum_run(store, 1).samples, 1);
    sample = (struct hst_sample){.time_ns = 2000, .stack = 11}; /* not in the profile */
    assert_int_equal(hst_run_writer_add(writer, &sample), HST_OK);
    assert_refused(hst_run_writer_flush(writer, &profile, &info, &err), HST_E_INVALID, "");
    /* Removed under the writer's hands. */
    assert_int_equal(sqlite3_exec(store->db, "DELETE FROM run", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(hst_profile_stack(&profile, 10, 9), 11);
    assert_refused(hst_run_writer_flush(writer, &profile, &info, &err), HST_E_GONE, "");
    hst_run_writer_free(writer);
    hst_profile_release(&profile);
    hst_store_free(store);
}

/* Weights that add up to more than a block may hold; more samples than may wait; memory stays bounded. */
static void test_bounds(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    struct hst_run_writer *writer;
    struct hst_profile profile;
    struct hst_run_info info = make_info("");
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    fill_profile(&profile, 3, 400, 100);
    assert_ok(hst_run_writer_new(store, &info, &writer, &err));
    uint64_t seed = 5, weights_ns = 0, samples = 0;
    for (uint64_t i = 0; i < 5; i++, samples++) {
        struct hst_sample sample = {.time_ns = i, .weight_ns = UINT64_C(1) << 60, .thread = 1};
        assert_int_equal(hst_run_writer_add(writer, &sample), HST_OK);
        weights_ns += sample.weight_ns;
    }
    /* Never flushed: refused in the end, with everything taken before still there. */
    enum hst_status status = HST_OK;
    for (uint64_t i = 1; status == HST_OK && i < 20000000; i++) {
        struct hst_sample sample = {.time_ns = i * 500 + next_random(&seed) % 400, .weight_ns = 3000};
        sample.thread = (uint32_t)(i % 100);
        sample.stack = (uint32_t)(next_random(&seed) % 401);
        sample.detail = (uint16_t)next_random(&seed);
        if (sample.thread == 1)
            continue;
        status = hst_run_writer_add(writer, &sample);
        samples += status == HST_OK;
        weights_ns += status == HST_OK ? sample.weight_ns : 0;
        assert_true(hst_run_writer_pending_bytes(writer) < 24 * 1024 * 1024);
    }
    assert_int_equal(status, HST_E_NOMEM);
    info.status = HST_RUN_COMPLETE;
    assert_ok(hst_run_writer_finish(writer, &profile, &info, &err));
    struct sum sum = sum_run(store, 1);
    assert_int_equal(sum.samples, samples);
    assert_true(sum.weight_ns == weights_ns);
    hst_run_writer_free(writer);
    hst_profile_release(&profile);
    hst_store_free(store);
}

/* Writes and flushes for ever; after each flush says through the pipe how many samples are in the store. */
static void write_until_killed(const char *path, int out)
{
    struct hst_error err;
    struct hst_store *store;
    struct hst_run_writer *writer;
    struct hst_profile profile;
    struct hst_run_info info = make_info("");
    fill_profile(&profile, 3, 100, 3);
    if (hst_store_open(path, HST_STORE_WRITE, &store, &err) != HST_OK ||
        hst_run_writer_new(store, &info, &writer, &err) != HST_OK)
        _exit(1);
    for (uint64_t i = 1;; i++) {
        struct hst_sample sample = {.time_ns = i * 1000, .weight_ns = 3000, .thread = (uint32_t)(i % 3)};
        sample.stack = (uint32_t)(i * 7919 % profile.stack_count);
        if (hst_run_writer_add(writer, &sample) != HST_OK)
            _exit(2);
        if (i % 3000 == 0) {
            (void)hst_profile_stack(&profile, (uint32_t)(i / 3000), 1);
            if (hst_run_writer_flush(writer, &profile, &info, &err) != HST_OK)
                _exit(3);
            uint64_t stored = i;
            if (write(out, &stored, sizeof stored) != sizeof stored)
                _exit(4);
        }
    }
}

static void test_killed_writer(void **state)
{
    const char *path = in_folder(state, "runs.db");
    uint64_t seed = 11;
    for (uint64_t round = 1; round <= 12; round++) {
        struct hst_error err;
        struct hst_store *store;
        struct hst_run_info info;
        int ends[2];
        uint64_t stored = 0, said;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_until_killed(path, ends[1]);
        (void)close(ends[1]);
        assert_int_equal(read(ends[0], &stored, sizeof stored), sizeof stored);
        if (round == 1) { /* while it lives: recording, and readable */
            assert_ok(hst_store_open(path, HST_STORE_READ, &store, &err));
            assert_ok(hst_run_read_info(store, round, &info, &err));
            assert_int_equal(info.status, HST_RUN_RECORDING);
            assert_true(sum_run(store, round).samples >= stored);
            hst_store_free(store);
            assert_ok(hst_store_open(path, HST_STORE_WRITE, &store, &err));
            assert_refused(hst_store_remove(store, round, &err), HST_E_BUSY, "end the recording");
            hst_store_free(store);
        }
        (void)usleep((useconds_t)(next_random(&seed) % 40000));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ends[0], &said, sizeof said) == sizeof said)
            stored = said;
        (void)close(ends[0]);
        assert_ok(hst_store_open(path, HST_STORE_READ, &store, &err));
        assert_ok(hst_run_read_info(store, round, &info, &err));
        assert_int_equal(info.status, HST_RUN_INTERRUPTED);
        struct sum sum = sum_run(store, round);
        assert_true(sum.samples >= stored && sum.samples % 3000 == 0 && sum.samples <= stored + 3000);
        hst_store_free(store);
    }
}

/* Two processes, one new store, many flushes each: all of both is there in the end. */
static void test_two_writers(void **state)
{
    const char *path = in_folder(state, "sub/.hasten/runs.db");
    pid_t children[3];
    for (size_t c = 0; c < HST_ARRAY_LENGTH(children); c++) {
        children[c] = fork();
        assert_true(children[c] >= 0);
        if (children[c] != 0)
            continue;
        struct hst_error err;
        struct hst_store *store;
        struct hst_run_writer *writer;
        struct hst_profile profile;
        struct hst_run_info info = make_info("");
        fill_profile(&profile, c + 1, 100, 1);
        if (hst_store_open(path, HST_STORE_WRITE, &store, &err) != HST_OK ||
            hst_run_writer_new(store, &info, &writer, &err) != HST_OK) {
            (void)fprintf(stderr, "writer %zu: %s\n", c, err.text);
            _exit(1);
        }
        for (uint64_t i = 1; i <= 100000; i++) {
            struct hst_sample sample = {.time_ns = i * 1000, .weight_ns = 1000, .stack = (uint32_t)(i % 100)};
            if (hst_run_writer_add(writer, &sample) != HST_OK)
                _exit(2);
            if (i % 1000 == 0 && hst_run_writer_flush(writer, &profile, &info, &err) != HST_OK) {
                (void)fprintf(stderr, "writer %zu: %s\n", c, err.text);
                _exit(3);
            }
        }
        info.status = HST_RUN_COMPLETE;
        if (hst_run_writer_finish(writer, &profile, &info, &err) != HST_OK)
            _exit(4);
        _exit(0);
    }
    for (size_t c = 0; c < HST_ARRAY_LENGTH(children); c++) {
        int how;
        assert_int_equal(waitpid(children[c], &how, 0), children[c]);
        assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    }
    struct hst_error err;
    struct hst_store *store;
    assert_ok(hst_store_open(path, HST_STORE_READ, &store, &err));
    for (uint64_t run = 1; run <= HST_ARRAY_LENGTH(children); run++)
        assert_int_equal(sum_run(store, run).samples, 100000);
    hst_store_free(store);
    struct hst_buffer ignore = read_file(in_folder(state, "sub/.hasten/.gitignore"));
    assert_int_equal(ignore.length, 2);
    assert_memory_equal(ignore.data, "*\n", 2);
    hst_buffer_release(&ignore);
}

/* A reader whose profile is older than the blocks: it sees what its profile can name. */
static void test_reader_behind_writer(void **state)
{
    struct hst_error err;
    struct hst_store *store, *other;
    struct hst_run_writer *writer;
    struct hst_profile profile, seen;
    struct hst_run_info info = make_info("");
    struct sum sum = {0};
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    fill_profile(&profile, 3, 10, 1);
    assert_ok(hst_run_writer_new(store, &info, &writer, &err));
    struct hst_sample sample = {.time_ns = 1000, .weight_ns = 1000, .stack = 10};
    assert_int_equal(hst_run_writer_add(writer, &sample), HST_OK);
    assert_ok(hst_run_writer_flush(writer, &profile, &info, &err));
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_READ, &other, &err));
    assert_true(hst_profile_init(&seen));
    assert_ok(hst_run_read_profile(other, 1, &seen, &err));
    sample.time_ns = 2000;
    sample.stack = hst_profile_stack(&profile, 10, 3);
    assert_int_equal(sample.stack, 11);
    assert_int_equal(hst_run_writer_add(writer, &sample), HST_OK);
    assert_ok(hst_run_writer_flush(writer, &profile, &info, &err));
    assert_ok(hst_run_read_samples(other, 1, &seen, add_up, &sum, &err));
    assert_int_equal(sum.samples, 1);
    assert_int_equal(sum_run(other, 1).samples, 2);
    hst_profile_release(&seen);
    hst_store_free(other);
    hst_run_writer_free(writer);
    hst_profile_release(&profile);
    hst_store_free(store);
}

/* A disk that is full for a while: filled by another file, on a file system of its own of 1 MiB. Nothing is
 * lost by it.  Exits, with the number of the check that failed. */
static void fill_disk_and_flush(const char *folder)
{
    struct hst_error err = {0};
    struct hst_store *store;
    struct hst_run_writer *writer;
    struct hst_profile profile;
    struct hst_run_info info = make_info("");
    char path[256], filler[256];
    static char zeros[1 << 20];
    uint64_t seed = 8;
    if ((unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", 0, "size=1m") != 0)
        _exit(77);
    (void)snprintf(path, sizeof path, "%s/runs.db", folder);
    (void)snprintf(filler, sizeof filler, "%s/filler", folder);
    fill_profile(&profile, 3, 400, 1);
    if (hst_store_open(path, HST_STORE_WRITE, &store, &err) != HST_OK ||
        hst_run_writer_new(store, &info, &writer, &err) != HST_OK)
        _exit(1);
    for (uint64_t i = 1; i <= 60000; i++) {
        struct hst_sample sample = {.time_ns = i * 1000, .weight_ns = 1000};
        sample.stack = (uint32_t)(next_random(&seed) % 401);
        if (hst_run_writer_add(writer, &sample) != HST_OK)
            _exit(2);
    }
    int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || hst_fd_write_all(fd, zeros, sizeof zeros) != HST_E_FULL)
        _exit(3);
    (void)close(fd);
    if (hst_run_writer_flush(writer, &profile, &info, &err) != HST_E_FULL || err.status != HST_E_FULL ||
        strstr(err.hint, "--store") == NULL)
        _exit(4);
    if (sum_run(store, 1).samples != 0 || unlink(filler) != 0)
        _exit(5);
    info.status = HST_RUN_COMPLETE;
    if (hst_run_writer_finish(writer, &profile, &info, &err) != HST_OK)
        _exit(6);
    _exit(sum_run(store, 1).samples == 60000 ? 0 : 7);
}

static void test_disk_full(void **state)
{
    int how;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        fill_disk_and_flush(((struct folder *)*state)->path);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == 77)
        skip(); /* no right to mount */
    assert_int_equal(WEXITSTATUS(how), 0);
}

/* Any other failure to write (here: a limit on the size of files) keeps the samples too. */
static void test_failed_write(void **state)
{
    struct hst_error err;
    struct hst_store *store;
    struct hst_run_writer *writer;
    struct hst_profile profile;
    struct hst_run_info info = make_info("");
    struct rlimit old, tight;
    uint64_t seed = 8;
    assert_ok(hst_store_open(in_folder(state, "runs.db"), HST_STORE_WRITE, &store, &err));
    fill_profile(&profile, 3, 400, 1);
    assert_ok(hst_run_writer_new(store, &info, &writer, &err));
    for (uint64_t i = 1; i <= 400000; i++) {
        struct hst_sample sample = {.time_ns = i * 1000, .weight_ns = 1000};
        sample.stack = (uint32_t)(next_random(&seed) % 401);
        assert_int_equal(hst_run_writer_add(writer, &sample), HST_OK);
    }
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = (struct rlimit){.rlim_cur = 300000, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    memset(&err, 0, sizeof err);
    enum hst_status status = hst_run_writer_flush(writer, &profile, &info, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(status == HST_E_IO || status == HST_E_FULL);
    assert_true(err.hint[0] != '\0');
    assert_int_equal(sum_run(store, 1).samples, 0);
    info.status = HST_RUN_COMPLETE;
    assert_ok(hst_run_writer_finish(writer, &profile, &info, &err));
    assert_int_equal(sum_run(store, 1).samples, 400000);
    hst_run_writer_free(writer);
    hst_profile_release(&profile);
    hst_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_round_trip),    FOLDER_TEST(test_many_blocks),
        FOLDER_TEST(test_visitor_stops), FOLDER_TEST(test_refused_samples),
        FOLDER_TEST(test_bounds),        FOLDER_TEST(test_killed_writer),
        FOLDER_TEST(test_two_writers),   FOLDER_TEST(test_reader_behind_writer),
        FOLDER_TEST(test_disk_full),     FOLDER_TEST(test_failed_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
