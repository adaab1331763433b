/* What the tests of the store share: a folder that goes away, a profile and samples made from a seed, and a
 * visitor that compares what comes back with what was written. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/database.h"
#include "store/run_reader.h"
#include "store/run_writer.h"
#include "store/store.h"

struct folder {
    char path[64];
};

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}
static inline int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    assert_non_null(folder);
    (void)snprintf(folder->path, sizeof folder->path, "/tmp/hst-test-store-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    *state = folder;
    return 0;
}
static inline int remove_folder(void **state)
{
    struct folder *folder = *state;
    (void)chmod(folder->path, 0755);
    (void)nftw(folder->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
    return 0;
}
/* The path of a name in the test's folder; good until the eighth call after. */
static inline const char *in_folder(void **state, const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", ((struct folder *)*state)->path, name);
    return path;
}
static inline void write_file(const char *path, const void *data, size_t length)
{
    struct hst_error err;
    assert_int_equal(hst_file_write(path, data, length, &err), HST_OK);
}
static inline struct hst_buffer read_file(const char *path)
{
    struct hst_buffer bytes;
    hst_buffer_init(&bytes, 0);
    assert_int_equal(hst_file_read(path, &bytes), HST_OK);
    return bytes;
}

/* Fails with the error's own words. */
#define assert_ok(expression)                                                                                \
    do {                                                                                                     \
        err.text[0] = '\0';                                                                                  \
        enum hst_status ok_status_ = (expression);                                                           \
        if (ok_status_ != HST_OK)                                                                            \
            fail_msg("%s: %s", hst_status_name(ok_status_), err.text);                                       \
    } while (0)
/* Fails unless the status comes with a sentence, and the hint has this in it ("" = any, also none). */
#define assert_refused(expression, wanted, hint_part)                                                        \
    do {                                                                                                     \
        memset(&err, 0, sizeof err);                                                                         \
        assert_int_equal((expression), (wanted));                                                            \
        assert_int_equal(err.status, (wanted));                                                              \
        assert_true(err.text[0] != '\0');                                                                    \
        if (strstr(err.hint, (hint_part)) == NULL)                                                           \
            fail_msg("hint \"%s\" lacks \"%s\"", err.hint, (hint_part));                                     \
    } while (0)

static inline uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Functions, locations, stacks (a tree), a process and threads; all from the seed, texts with odd bytes too.
 */
static inline void fill_profile(struct hst_profile *profile, uint64_t seed, uint32_t stacks, uint32_t threads)
{
    assert_true(hst_profile_init(profile));
    for (uint32_t i = 0; i < stacks; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "Klasse%u.b\xc3\xa4r\xff\n'%u", i % 7, i % 31);
        struct hst_function function = {.name = hst_strings_add_z(&profile->strings, name + 8),
                                        .qualname = hst_strings_add_z(&profile->strings, name),
                                        .file = hst_strings_add_z(&profile->strings, "/srv/a\"b/main.py"),
                                        .first_line = (uint32_t)(i % 31)};
        struct hst_location location = {.function = hst_profile_function(profile, &function),
                                        .line = (uint32_t)(next_random(&seed) % 1000),
                                        .end_line = (uint32_t)(next_random(&seed) % 1000),
                                        .column = (uint16_t)next_random(&seed),
                                        .end_column = (uint16_t)next_random(&seed),
                                        .instruction = i};
        uint32_t row = hst_profile_location(profile, &location);
        uint32_t parent = (uint32_t)(next_random(&seed) % profile->stack_count);
        assert_int_equal(hst_profile_stack(profile, parent, row), i + 1);
    }
    struct hst_process process = {.pid = 77, .parent_pid = 1, .start_ns = 5, .end_ns = INT64_MAX};
    process.interpreter = hst_strings_add_z(&profile->strings, "CPython 3.13.0");
    process.command = hst_strings_add_z(&profile->strings, "python3 main.py");
    assert_int_equal(hst_profile_add_process(profile, &process), 0);
    for (uint32_t i = 0; i < threads; i++) {
        struct hst_thread thread = {.native_id = 1000 + i, .start_ns = i, .cpu_ns = next_random(&seed) >> 1};
        thread.name = hst_strings_add_z(&profile->strings, i == 0 ? "MainThread" : "worker");
        assert_int_equal(hst_profile_add_thread(profile, &thread), i);
    }
}

static inline void assert_same_profile(const struct hst_profile *a, const struct hst_profile *b)
{
    assert_int_equal(a->strings.count, b->strings.count);
    for (uint32_t i = 0; i < a->strings.count; i++)
        assert_string_equal(hst_profile_text(a, i), hst_profile_text(b, i));
    assert_int_equal(a->function_count, b->function_count);
    assert_memory_equal(a->functions, b->functions, a->function_count * sizeof *a->functions);
    assert_int_equal(a->location_count, b->location_count);
    assert_memory_equal(a->locations, b->locations, a->location_count * sizeof *a->locations);
    assert_int_equal(a->stack_count, b->stack_count);
    assert_memory_equal(a->stacks, b->stacks, a->stack_count * sizeof *a->stacks);
    assert_int_equal(a->process_count, b->process_count);
    for (size_t i = 0; i < a->process_count; i++) {
        assert_int_equal(a->processes[i].pid, b->processes[i].pid);
        assert_int_equal(a->processes[i].command, b->processes[i].command);
        assert_int_equal(a->processes[i].interpreter, b->processes[i].interpreter);
        assert_true(a->processes[i].end_ns == b->processes[i].end_ns);
        assert_true(a->processes[i].cpu_ns == b->processes[i].cpu_ns);
    }
    assert_int_equal(a->thread_count, b->thread_count);
    for (size_t i = 0; i < a->thread_count; i++) {
        assert_int_equal(a->threads[i].native_id, b->threads[i].native_id);
        assert_int_equal(a->threads[i].name, b->threads[i].name);
        assert_int_equal(a->threads[i].process, b->threads[i].process);
        assert_true(a->threads[i].cpu_ns == b->threads[i].cpu_ns);
    }
}

static inline struct hst_run_info make_info(const char *name)
{
    struct hst_run_info info = {.start_wall_ns = hst_wall_ns(), .exit_status = -1, .rate_hz = 1000};
    info.cost.slowdown_percent = -1;
    (void)snprintf(info.name, sizeof info.name, "%s", name);
    (void)snprintf(info.command, sizeof info.command, "python3 main.py --n 5");
    (void)snprintf(info.directory, sizeof info.directory, "/srv/app");
    (void)snprintf(info.hasten_version, sizeof info.hasten_version, "0.1.0");
    return info;
}

/* A small finished run: count samples of thread 0, a millisecond apart. */
static inline uint64_t add_small_run(struct hst_store *store, const char *name, uint32_t count)
{
    struct hst_error err = {0};
    struct hst_run_info info = make_info(name);
    struct hst_profile profile;
    struct hst_run_writer *writer = NULL;
    fill_profile(&profile, 5, 40, 2);
    assert_ok(hst_run_writer_new(store, &info, &writer, &err));
    for (uint32_t i = 1; i <= count; i++) {
        struct hst_sample sample = {.time_ns = i * UINT64_C(1000000),
                                    .weight_ns = 1000000,
                                    .stack = i % 41,
                                    .state = HST_STATE_RUNNING,
                                    .flags = HST_SAMPLE_HOLDS_GIL};
        assert_int_equal(hst_run_writer_add(writer, &sample), HST_OK);
    }
    info.status = HST_RUN_COMPLETE;
    info.duration_ns = count * UINT64_C(1000000);
    info.cost.samples = count;
    assert_ok(hst_run_writer_finish(writer, &profile, &info, &err));
    hst_run_writer_free(writer);
    hst_profile_release(&profile);
    return info.number;
}

struct sum {
    uint64_t samples, weight_ns, last_ns;
};
static inline enum hst_status add_up(void *context, const struct hst_sample *sample)
{
    struct sum *sum = context;
    sum->samples++;
    sum->weight_ns += sample->weight_ns;
    sum->last_ns = sample->time_ns;
    return HST_OK;
}
/* Reads the whole run, and fails the test when it cannot be read. */
static inline struct sum sum_run(struct hst_store *store, uint64_t number)
{
    struct hst_error err = {0};
    struct hst_profile profile;
    struct sum sum = {0};
    assert_true(hst_profile_init(&profile));
    assert_ok(hst_run_read_profile(store, number, &profile, &err));
    assert_ok(hst_run_read_samples(store, number, &profile, add_up, &sum, &err));
    hst_profile_release(&profile);
    return sum;
}

#define FOLDER_TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

#endif
