/* Recorded memory of every version -> the stacks that the program told of itself when it was recorded. And
 * what the reader does when any one of its reads fails.
 *
 * usage: test_replay FOLDER      (with NAME.snap and NAME.txt for each version) */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "replay.h"
#include "target/snapshot.h"

/* Hands reads on to another memory; number fail_at fails, or all from there on. */
struct flaky {
    struct hst_memory base;
    struct hst_memory *source;
    uint64_t fail_at; /* 0 = none */
    int for_good;
    enum hst_status how;
};

static enum hst_status flaky_read(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    struct flaky *flaky = (struct flaky *)memory;
    uint64_t number = ++memory->reads;
    if (flaky->fail_at != 0 && (number == flaky->fail_at || (flaky->for_good && number > flaky->fail_at)))
        return flaky->how;
    return hst_memory_read_pieces(flaky->source, pieces, count);
}

static struct flaky flaky_over(struct hst_snapshot *snapshot, uint64_t fail_at, enum hst_status how)
{
    return (struct flaky){.base = {.read = flaky_read, .still = 1},
                          .source = &snapshot->memory,
                          .fail_at = fail_at,
                          .how = how};
}

static char folder[1024];

static struct hst_snapshot *load(const char *name)
{
    char path[2048];
    struct hst_snapshot *snapshot;
    struct hst_error err;
    (void)snprintf(path, sizeof path, "%s/%s.snap", folder, name);
    if (hst_snapshot_load(path, &snapshot, &err) != HST_OK)
        fail_msg("%s", err.text);
    return snapshot;
}

/* The text of the expected stacks, terminated; the caller's to free. */
static char *expected_stacks(const char *name)
{
    char path[2048];
    struct hst_buffer file;
    (void)snprintf(path, sizeof path, "%s/%s.txt", folder, name);
    hst_buffer_init(&file, 0);
    assert_int_equal(hst_file_read(path, &file), HST_OK);
    hst_buffer_add_byte(&file, '\0');
    assert_true(file.length > 500);
    return (char *)file.data;
}

static void assert_stacks(const char *name, const char *found)
{
    char *expected = expected_stacks(name);
    size_t line = 0, at = 0;
    for (; expected[at] != '\0' && expected[at] == found[at]; at++)
        line = expected[at] == '\n' ? at + 1 : line;
    if (expected[at] != found[at])
        fail_msg("%s: expected %.80s... found %.80s...", name, expected + line, found + line);
    hst_free(expected);
}

/* Bytes up to the block behind this one. */
static size_t block_length(const char *block)
{
    const char *next = strstr(block, "\nthread\n");
    return next != NULL ? (size_t)(next + 1 - block) : strlen(block);
}

/* Each thread's block is one of the expected ones, or what is left of one that was cut above a frame, with
 * one frame that the cut one is known to call in the place of the rest. */
static void assert_cut_stacks(const char *name, const char *found, const char *note)
{
    char *expected = expected_stacks(name);
    for (const char *block = found; *block != '\0'; block += block_length(block)) {
        size_t length = block_length(block);
        const char *last = memrchr(block, '\n', length - 1);
        size_t sure = last != NULL ? (size_t)(last + 1 - block) : 0;
        int fits = 0;
        for (const char *other = expected; !fits && *other != '\0'; other += block_length(other))
            fits = block_length(other) >= sure && memcmp(block, other, sure) == 0;
        if (!fits)
            fail_msg("%s, %s: no such stack: %.*s", name, note, (int)length, block);
    }
    hst_free(expected);
}

static enum hst_status read_all(struct hst_memory *memory, const struct hst_snapshot *snapshot,
                                struct hst_buffer *text, uint64_t *ret_torn)
{
    struct replay replay;
    struct hst_error err = {0};
    HST_TRY(replay_open(memory, snapshot->maps, snapshot->maps_length, "", &replay, &err));
    enum hst_status status = replay_stacks(&replay, 1, text);
    *ret_torn = replay.frames.stats.torn;
    replay_close(&replay);
    return status;
}

static void test_stacks(void **state)
{
    const char *name = *state;
    struct hst_snapshot *snapshot = load(name);
    struct replay replay;
    struct hst_error err = {0};
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    if (replay_open(&snapshot->memory, snapshot->maps, snapshot->maps_length, "", &replay, &err) != HST_OK)
        fail_msg("%s: %s", name, err.text);
    assert_int_equal(strtoul(name + strlen("cpython-3."), NULL, 10), replay.runtime.abi.minor);
    assert_int_equal(
        strncmp(replay.runtime.version, name + strlen("cpython-"), strlen(name) - strlen("cpython-")), 0);
    /* Again and again: what is remembered between two reads must not change what is read. The last ones are
     * so much later that every code object is looked at anew. */
    static const uint64_t times_ns[] = {1, 2, 3, 1000000000, 2000000000};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(times_ns); i++) {
        hst_buffer_clear(&text);
        assert_int_equal(replay_stacks(&replay, times_ns[i], &text), HST_OK);
        assert_stacks(name, (char *)text.data);
    }
    assert_int_equal(replay.frames.stats.dropped, 0);
    assert_int_equal(replay.frames.stats.torn, 0);
    assert_int_equal(replay.frames.stats.stacks, HST_ARRAY_LENGTH(times_ns) * replay.thread_count);
    /* Nothing runs, so a stack that is known is one read: two where the version has its frames in other
     * places. */
    uint64_t before = snapshot->memory.reads;
    hst_buffer_clear(&text);
    assert_int_equal(replay_stacks(&replay, 2000000001, &text), HST_OK);
    assert_true(snapshot->memory.reads - before <= 2 * replay.thread_count);
    assert_int_equal(hst_profile_validate(&replay.profile, &err), HST_OK);
    hst_buffer_release(&text);
    replay_close(&replay);
    hst_snapshot_free(snapshot);
}

static void test_lock_and_threads(void **state)
{
    struct hst_snapshot *snapshot = load(*state);
    struct replay replay;
    struct hst_error err = {0};
    struct hst_gil gil = {0};
    assert_int_equal(replay_open(&snapshot->memory, snapshot->maps, snapshot->maps_length, "", &replay, &err),
                     HST_OK);
    assert_int_equal(replay.thread_count, 4);
    assert_int_equal(hst_runtime_gil(&replay.runtime, replay.threads[0].interpreter, &gil), HST_OK);
    assert_true(gil.address != 0);
    assert_true(gil.holder == 0); /* all wait */
    assert_int_equal(gil.collecting, 0);
    for (size_t i = 0; i < replay.thread_count; i++) {
        assert_true(replay.threads[i].interpreter_id == 0 && replay.threads[i].thread_id != 0);
        assert_int_equal(replay.threads[i].native_id != 0, replay.runtime.abi.minor >= 11);
    }
    replay_close(&replay);
    hst_snapshot_free(snapshot);
}

static void assert_variable(struct replay *replay, size_t thread, size_t index, const char *name,
                            const char *expected)
{
    char *text = replay_variable(replay, thread, index, name);
    assert_non_null(text);
    assert_string_equal(text, expected);
    hst_free(text);
}

/* The variables that target.py gives its frames: a count that falls, a list's item, a name of another
 * alphabet. */
static void test_variables(void **state)
{
    struct hst_snapshot *snapshot = load(*state);
    struct replay replay;
    struct hst_error err = {0};
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    assert_int_equal(replay_open(&snapshot->memory, snapshot->maps, snapshot->maps_length, "", &replay, &err),
                     HST_OK);
    assert_int_equal(replay_stacks(&replay, 1, &text), HST_OK);
    int falls = 20, descends = 5, combines = 0;
    for (size_t i = 0; i < replay.thread_count; i++) {
        const char *function;
        for (size_t k = 0; (function = replay_function(&replay, i, k)) != NULL; k++) {
            char number[16];
            if (strcmp(function, "fall") == 0) {
                (void)snprintf(number, sizeof number, "%d", falls--);
                assert_variable(&replay, i, k, "n", number);
            } else if (strcmp(function, "descend") == 0) {
                (void)snprintf(number, sizeof number, "%d", descends--);
                assert_variable(&replay, i, k, "n", number);
            } else if (strcmp(function, "combine") == 0) {
                assert_variable(&replay, i, k, "a", "1");
                assert_variable(&replay, i, k, "b", "2");
                combines++;
            } else if (strcmp(function, "make") == 0) {
                assert_variable(&replay, i, k, "deep", "3");
            }
        }
    }
    assert_int_equal(falls, 0);
    assert_int_equal(descends, -1);
    assert_int_equal(combines, 1);
    hst_buffer_release(&text);
    replay_close(&replay);
    hst_snapshot_free(snapshot);
}

/* Read n fails once, or this and all later ones: the answer is an error or the right stacks; where the reader
 * says that it met torn ones, they may be cut. */
static void fail_each_read(const char *name, enum hst_status how, int for_good, uint64_t step)
{
    struct hst_snapshot *snapshot = load(name);
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    struct flaky flaky = flaky_over(snapshot, 0, how);
    uint64_t torn = 0, failed = 0;
    assert_int_equal(read_all(&flaky.base, snapshot, &text, &torn), HST_OK);
    assert_int_equal(torn, 0);
    uint64_t reads = flaky.base.reads;
    assert_true(reads > 100);
    for (uint64_t n = 1; n <= reads; n += step) {
        char note[80];
        hst_buffer_clear(&text);
        flaky = flaky_over(snapshot, n, how);
        flaky.for_good = for_good;
        enum hst_status status = read_all(&flaky.base, snapshot, &text, &torn);
        (void)snprintf(note, sizeof note, "read %u of %u fails", (unsigned)n, (unsigned)reads);
        if (status == HST_OK && torn == 0)
            assert_stacks(name, (char *)text.data);
        else if (status == HST_OK)
            assert_cut_stacks(name, (char *)text.data, note);
        failed += status != HST_OK;
        /* A read that fails makes others needless or is tried again, a few times. */
        assert_true(flaky.base.reads < 4 * reads);
    }
    assert_true(for_good ? failed > 0 : failed < reads);
    hst_buffer_release(&text);
    hst_snapshot_free(snapshot);
}

static void test_one_read_fails(void **state)
{
    fail_each_read(*state, HST_E_TORN, 0, 1);
    fail_each_read(*state, HST_E_GONE, 0, 3);
}
static void test_all_reads_fail_from_some_point(void **state) { fail_each_read(*state, HST_E_GONE, 1, 3); }

/* A file of which bytes are missing or changed is refused or read, in bounds. */
static void test_damaged_file(void **state)
{
    char path[2048];
    struct hst_buffer file;
    (void)snprintf(path, sizeof path, "%s/%s.snap", folder, (char *)*state);
    hst_buffer_init(&file, 0);
    assert_int_equal(hst_file_read(path, &file), HST_OK);
    assert_true(file.length < 300000);
    for (size_t length = 0; length < file.length; length += file.length / 40 + 1) {
        struct hst_snapshot *snapshot = NULL;
        assert_int_equal(hst_snapshot_decode(file.data, length, &snapshot), HST_E_INVALID);
        uint8_t *copy = test_malloc(file.length);
        memcpy(copy, file.data, file.length);
        copy[length] ^= 0x55;
        if (hst_snapshot_decode(copy, file.length, &snapshot) == HST_OK)
            hst_snapshot_free(snapshot);
        test_free(copy);
    }
    hst_buffer_release(&file);
}

static int is_snapshot(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".snap") == 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        CMUnitTestFunction function;
    } kinds[] = {
        {"stacks", test_stacks},
        {"lock and threads", test_lock_and_threads},
        {"variables", test_variables},
        {"one read fails", test_one_read_fails},
        {"all reads fail from some point", test_all_reads_fail_from_some_point},
        {"damaged file", test_damaged_file},
    };
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    static struct CMUnitTest tests[32 * KINDS];
    static char names[32 * KINDS][128], versions[32][64];
    struct dirent **entries;
    (void)snprintf(folder, sizeof folder, "%s", argc > 1 ? argv[1] : ".");
    int found = scandir(folder, &entries, is_snapshot, versionsort);
    if (found < 1 || found > 32) {
        (void)fprintf(stderr, "no snapshots in %s: tests/replay/record.sh makes them\n", folder);
        return 1;
    }
    for (int i = 0; i < found; i++) {
        (void)snprintf(versions[i], sizeof versions[i], "%.*s", (int)strlen(entries[i]->d_name) - 5,
                       entries[i]->d_name);
        free(entries[i]);
        for (int k = 0; k < KINDS; k++) {
            (void)snprintf(names[i * KINDS + k], sizeof names[0], "%.60s: %s", versions[i], kinds[k].name);
            tests[i * KINDS + k] = (struct CMUnitTest){
                .name = names[i * KINDS + k], .test_func = kinds[k].function, .initial_state = versions[i]};
        }
    }
    free(entries);
    return _cmocka_run_group_tests("replay", tests, (size_t)found * KINDS, NULL, NULL);
}
