/* Exports of a small hand-made run: the exact text where a format is text, the sums where a reader would form
 * them, and the parts that all formats share. What each format's own reader makes of it: tests/export. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "base/memory.h"
#include "export/calltree.h"
#include "export/exporter.h"
#include "export/selection.h"
#include "export/spool.h"
#include "export/text.h"

struct run {
    struct hst_run_info info;
    struct hst_profile profile;
    struct hst_sample samples[16];
    size_t count;
};

static uint32_t text(struct run *run, const char *s) { return hst_strings_add_z(&run->profile.strings, s); }

static uint32_t frame(struct run *run, uint32_t parent, const char *name, const char *file, uint32_t first,
                      uint32_t line)
{
    struct hst_function function = {
        .name = text(run, name), .qualname = text(run, name), .file = text(run, file), .first_line = first};
    struct hst_location location;
    memset(&location, 0, sizeof location);
    location.function = hst_profile_function(&run->profile, &function);
    location.line = line;
    return hst_profile_stack(&run->profile, parent, hst_profile_location(&run->profile, &location));
}

static void sample(struct run *run, uint64_t time, uint64_t weight, uint32_t thread, uint32_t stack,
                   uint8_t state)
{
    run->samples[run->count++] = (struct hst_sample){
        .time_ns = time, .weight_ns = weight, .thread = thread, .stack = stack, .state = state};
}

/* main -> fib -> fib -> fib, main -> a;b (a name with a separator), a second thread with nothing. */
static void make(struct run *run)
{
    memset(run, 0, sizeof *run);
    assert_true(hst_profile_init(&run->profile));
    (void)snprintf(run->info.directory, sizeof run->info.directory, "/srv");
    (void)snprintf(run->info.command, sizeof run->info.command, "python \"app\".py");
    run->info.rate_hz = 1000;
    run->info.cost.slowdown_percent = -1;
    hst_profile_add_process(&run->profile, &(struct hst_process){.pid = 7, .command = text(run, "python")});
    hst_profile_add_thread(&run->profile,
                           &(struct hst_thread){.native_id = 7, .name = text(run, "MainThread")});
    hst_profile_add_thread(&run->profile,
                           &(struct hst_thread){.native_id = 8, .name = text(run, "bad\xff\n\"")});
    uint32_t main_ = frame(run, 0, "main", "/srv/app.py", 1, 2);
    uint32_t fib1 = frame(run, main_, "fib", "/srv/app.py", 10, 12);
    uint32_t fib2 = frame(run, fib1, "fib", "/srv/app.py", 10, 12);
    uint32_t fib3 = frame(run, fib2, "fib", "/srv/app.py", 10, 11);
    uint32_t main_later = frame(run, 0, "main", "/srv/app.py", 1, 3);
    uint32_t odd = frame(run, main_later, "a;b\n", "/lib/x.py", 5, 6);
    sample(run, 100, 100, 0, fib3, HST_STATE_RUNNING);
    sample(run, 110, 10, 0, fib2, HST_STATE_RUNNING);
    sample(run, 111, 1, 0, odd, HST_STATE_BLOCKED);
    sample(run, 2000, 1000, 0, odd, HST_STATE_RUNNING); /* a gap before it */
    sample(run, 50, 50, 1, 0, HST_STATE_RUNNING);
}

static void unmake(struct run *run) { hst_profile_release(&run->profile); }

static enum hst_status source(void *context, hst_export_visitor *visit, void *visit_context,
                              struct hst_error *err)
{
    struct run *run = context;
    (void)err;
    for (size_t i = 0; i < run->count; i++)
        HST_TRY(visit(visit_context, &run->samples[i]));
    return HST_OK;
}

static char *export_with(struct run *run, hst_export_function *write, hst_export_keep *keep)
{
    char path[] = "/tmp/hasten-test-export-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    struct hst_export export = {.info = &run->info,
                                .profile = &run->profile,
                                .mode = "wall",
                                .source = source,
                                .source_context = run,
                                .keep = keep};
    struct hst_output output;
    struct hst_error err = {0};
    assert_int_equal(hst_output_open(&output, path, &err), HST_OK);
    assert_int_equal(write(&export, &output, &err), HST_OK);
    assert_int_equal(hst_output_commit(&output, &err), HST_OK);
    hst_output_release(&output);
    struct hst_buffer bytes;
    hst_buffer_init(&bytes, 0);
    assert_int_equal(hst_file_read(path, &bytes), HST_OK);
    hst_buffer_add_byte(&bytes, 0);
    (void)unlink(path);
    return (char *)bytes.data;
}

static int keep_running(void *context, const struct hst_sample *s)
{
    (void)context;
    return s->state == HST_STATE_RUNNING;
}

static void test_collapsed(void **state)
{
    (void)state;
    struct run run;
    make(&run);
    char *out = export_with(&run, hst_export_collapsed, NULL);
    assert_string_equal(out, "<no Python frame> 50\n"
                             "main (app.py:1);fib (app.py:10);fib (app.py:10) 10\n"
                             "main (app.py:1);fib (app.py:10);fib (app.py:10);fib (app.py:10) 100\n"
                             "main (app.py:1);a:b  (/lib/x.py:5) 1001\n");
    hst_free(out);
    out = export_with(&run, hst_export_collapsed, keep_running);
    assert_non_null(strstr(out, "a:b  (/lib/x.py:5) 1000\n"));
    hst_free(out);
    unmake(&run);
}

static void test_callgrind_counts_recursion_once(void **state)
{
    (void)state;
    struct run run;
    make(&run);
    char *out = export_with(&run, hst_export_callgrind, NULL);
    /* functions are numbered as made: main 0, fib 1, a;b 2, no frame 3 */
    assert_non_null(strstr(out, "\nsummary: 1161\n"));
    assert_non_null(strstr(out, "\nfn=(0)\ncfi="));
    assert_non_null(
        strstr(out, "cfn=(1)\ncalls=2 10\n2 110\n")); /* main -> fib: both samples, whole weight */
    assert_non_null(strstr(out, "cfn=(2)\ncalls=2 5\n3 1001\n")); /* main -> a;b from its other line */
    assert_non_null(strstr(out, "\nfn=(1)\n11 100\n12 10\n")); /* fib: its own lines, and no call to itself */
    assert_null(strstr(strstr(out, "\nfn=(1)\n11"), "cfn=(1)"));
    assert_non_null(strstr(out, "\nfn=(3)\n0 50\n"));
    assert_non_null(strstr(out, "samples that saw the call"));
    hst_free(out);
    unmake(&run);
}

/* even -> odd -> even -> odd -> even: the calls into each function must add up to the whole once. */
static void test_callgrind_mutual_recursion(void **state)
{
    (void)state;
    struct run run;
    make(&run);
    run.count = 0;
    uint32_t at = 0;
    for (int i = 0; i < 5; i++)
        at = frame(&run, at, i % 2 == 0 ? "even" : "odd", "/srv/app.py", 20 + 10 * (uint32_t)(i % 2), 25);
    sample(&run, 9, 9, 0, at, HST_STATE_RUNNING);
    char *out = export_with(&run, hst_export_callgrind, NULL);
    assert_non_null(strstr(out, "\n25 9\n"));           /* even: self */
    assert_non_null(strstr(out, "calls=1 20\n0 9\n"));  /* thread -> even */
    assert_non_null(strstr(out, "calls=1 30\n25 9\n")); /* even -> odd */
    assert_null(strstr(out, "calls=1 20\n25 9\n"));     /* odd -> even: an even is further out */
    hst_free(out);
    unmake(&run);
}

static void test_json_is_valid(void **state)
{
    (void)state;
    static hst_export_function *const formats[] = {hst_export_speedscope, hst_export_gecko,
                                                   hst_export_chrome};
    struct run run;
    make(&run);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(formats); i++) {
        char *out = export_with(&run, formats[i], NULL);
        json_error_t error;
        json_t *root = json_loads(out, JSON_REJECT_DUPLICATES, &error);
        if (root == NULL)
            fail_msg("format %zu, line %d: %s", i, error.line, error.text);
        json_decref(root);
        hst_free(out);
    }
    char *out = export_with(&run, hst_export_jsonl, NULL);
    size_t lines = 0;
    for (char *line = strtok(out, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(root);
        json_decref(root);
    }
    /* run, 1 process, 2 threads, 3 functions, 5 locations, 6 stacks, 5 samples, end */
    assert_int_equal(lines, 1 + 1 + 2 + 3 + 5 + 6 + 5 + 1);
    hst_free(out);
    unmake(&run);
}

static void test_chrome_slices(void **state)
{
    (void)state;
    struct run run;
    make(&run);
    char *out = export_with(&run, hst_export_chrome, NULL);
    size_t begins = 0, ends = 0;
    for (char *at = out; (at = strstr(at, "\"ph\":\"B\"")) != NULL; at++)
        begins++;
    for (char *at = out; (at = strstr(at, "\"ph\":\"E\"")) != NULL; at++)
        ends++;
    /* main once across its two lines, fib x 3, a;b; after the gap main and a;b again */
    assert_int_equal(begins, 7);
    assert_int_equal(ends, 7);
    assert_non_null(strstr(out, "\"name\":\"a;b  (/lib/x.py:5)\",\"pid\":7,\"tid\":7,\"ts\":0.110}"));
    assert_non_null(strstr(out, "\"name\":\"main (app.py:1)\",\"pid\":7,\"tid\":7,\"ts\":2.000}"));
    hst_free(out);
    unmake(&run);
}

static void test_text(void **state)
{
    (void)state;
    struct hst_buffer clean;
    hst_buffer_init(&clean, 0);
    hst_text_clean(&clean, "a\tb;\xc3\xa9\xed\xa0\x80\xf0\x9f\x98\x80\xc3", ";", ':');
    hst_buffer_add_byte(&clean, 0);
    assert_string_equal(
        clean.data,
        "a b:\xc3\xa9" HST_TEXT_REPLACEMENT_UTF8 HST_TEXT_REPLACEMENT_UTF8 HST_TEXT_REPLACEMENT_UTF8
        "\xf0\x9f\x98\x80" HST_TEXT_REPLACEMENT_UTF8);
    hst_buffer_release(&clean);
}

static void test_decimal(void **state)
{
    (void)state;
    struct hst_output output = {.fd = -1};
    hst_buffer_init(&output.pending, 0);
    hst_output_decimal(&output, 0, 3);
    hst_output_text(&output, " ");
    hst_output_decimal(&output, 1234567, 3);
    hst_output_text(&output, " ");
    hst_output_decimal(&output, 50, 6);
    hst_output_text(&output, " ");
    hst_output_u64(&output, UINT64_MAX);
    hst_buffer_add_byte(&output.pending, 0);
    assert_string_equal(output.pending.data, "0.000 1234.567 0.000050 18446744073709551615");
    hst_output_release(&output);
}

struct spool_check {
    uint64_t next, step, seen, weight_ns;
};

static enum hst_status check_order(void *context, const struct hst_sample *s)
{
    struct spool_check *check = context;
    assert_int_equal(s->time_ns, check->next);
    assert_int_equal(s->stack, s->time_ns % 1000);
    assert_int_equal(s->detail, s->time_ns % 7);
    check->next += check->step;
    check->seen++;
    check->weight_ns += s->weight_ns;
    return HST_OK;
}

/* More than a chunk a thread, so that the temporary file is used, and read twice. */
static void test_spool(void **state)
{
    (void)state;
    enum { THREADS = 3, SAMPLES = 60000 };
    struct hst_spool spool;
    assert_int_equal(hst_spool_init(&spool, THREADS), HST_OK);
    for (uint64_t i = 0; i < SAMPLES; i++) {
        struct hst_sample s = {.time_ns = i,
                               .weight_ns = 2,
                               .thread = (uint32_t)(i % THREADS),
                               .stack = i % 1000,
                               .detail = (uint16_t)(i % 7)};
        assert_int_equal(hst_spool_add(&spool, &s), HST_OK);
    }
    assert_true(spool.chunk_count > THREADS);
    for (uint32_t round = 0; round < 2 * THREADS; round++) {
        struct spool_check check = {.next = round % THREADS, .step = THREADS};
        assert_int_equal(hst_spool_read(&spool, round % THREADS, check_order, &check), HST_OK);
        assert_int_equal(check.seen, SAMPLES / THREADS);
        assert_int_equal(check.weight_ns, spool.lanes[round % THREADS].weight_ns);
    }
    hst_spool_release(&spool);
}

static void test_selection(void **state)
{
    (void)state;
    struct run run;
    make(&run);
    struct hst_aggregate all;
    hst_aggregate_init(&all);
    for (size_t i = 0; i < run.count; i++)
        assert_int_equal(hst_aggregate_add(&all, &run.samples[i]), HST_OK);
    struct hst_filter filter = HST_FILTER_ALL;
    filter.mode = HST_MODE_CPU;
    struct hst_selection selection;
    assert_int_equal(hst_selection_init(&selection, &run.profile, &all, &filter, NULL), HST_OK);
    for (size_t i = 0; i < run.count; i++)
        assert_int_equal(hst_selection_keep(&selection, &run.samples[i]),
                         run.samples[i].state == HST_STATE_RUNNING);
    hst_selection_release(&selection);
    hst_aggregate_release(&all);
    unmake(&run);
}

static void test_formats_by_file(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"x.collapsed", "collapsed"},
        {"a/b.folded", "collapsed"},
        {"x.txt", "collapsed"},
        {"x.speedscope.json", "speedscope"},
        {"x.gecko.json", "gecko"},
        {"x.pb.gz", "pprof"},
        {"x.pprof", "pprof"},
        {"x.trace.json", "chrome"},
        {"callgrind.out.7", "callgrind"},
        {"d/callgrind.out", "callgrind"},
        {"x.callgrind", "callgrind"},
        {"x.pstats", "pstats"},
        {"x.prof", "pstats"},
        {"x.jsonl", "jsonl"},
        {"x.hasten", "hasten"},
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(cases); i++) {
        const struct hst_exporter *found = hst_exporter_for_file(cases[i][0]);
        assert_non_null(found);
        assert_string_equal(found->name, cases[i][1]);
    }
    assert_null(hst_exporter_for_file("x.json"));
    assert_null(hst_exporter_for_file("x.speedscope.json.d/x"));
    assert_null(hst_exporter_find("dot"));
    char *name = hst_exporter_file_name(hst_exporter_find("pprof"), 12);
    assert_string_equal(name, "pprof_12.pb.gz");
    hst_free(name);
}

static void test_pstats_refuses_nothing(void **state)
{
    (void)state;
    struct run run;
    make(&run);
    run.count = 0;
    struct hst_export export = {
        .info = &run.info, .profile = &run.profile, .mode = "gc", .source = source, .source_context = &run};
    struct hst_output output = {.fd = -1};
    struct hst_error err = {0};
    assert_int_equal(hst_export_pstats(&export, &output, &err), HST_E_INVALID);
    assert_true(err.hint[0] != '\0');
    hst_output_release(&output);
    unmake(&run);
}

static void test_output_leaves_nothing_behind(void **state)
{
    (void)state;
    struct hst_output output;
    struct hst_error err = {0};
    assert_int_equal(hst_output_open(&output, "/nonexistent-folder/x", &err), HST_E_NOENT);
    assert_non_null(strstr(err.text, "/nonexistent-folder/x"));
    char path[] = "/tmp/hasten-test-output-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(hst_output_open(&output, path, &err), HST_OK);
    char *temporary = hst_strdup(output.temporary);
    hst_output_text(&output, "half");
    hst_output_release(&output); /* no commit */
    assert_int_not_equal(access(temporary, F_OK), 0);
    hst_free(temporary);
    (void)unlink(path);
    if (access("/dev/full", W_OK) == 0) {
        assert_int_equal(hst_output_open(&output, "/dev/full", &err), HST_OK);
        hst_output_text(&output, "x");
        assert_int_equal(hst_output_commit(&output, &err), HST_E_FULL);
        hst_output_release(&output);
    }
}

static void test_output_probe_touches_nothing(void **state)
{
    (void)state;
    struct hst_error err = {0};
    char folder[] = "/tmp/hasten-test-probe-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    assert_int_not_equal(hst_output_probe(folder, &err), HST_OK);
    (void)snprintf(path, sizeof path, "%s/new", folder);
    assert_int_equal(hst_output_probe(path, &err), HST_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(hst_output_probe(path, &err), HST_OK); /* does not wait for a reader */
    (void)unlink(path);
    assert_int_equal(rmdir(folder), 0); /* it is empty */
    assert_int_equal(hst_output_probe(path, &err), HST_E_NOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_collapsed),
        cmocka_unit_test(test_callgrind_counts_recursion_once),
        cmocka_unit_test(test_callgrind_mutual_recursion),
        cmocka_unit_test(test_json_is_valid),
        cmocka_unit_test(test_chrome_slices),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_spool),
        cmocka_unit_test(test_selection),
        cmocka_unit_test(test_formats_by_file),
        cmocka_unit_test(test_pstats_refuses_nothing),
        cmocka_unit_test(test_output_leaves_nothing_behind),
        cmocka_unit_test(test_output_probe_touches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
