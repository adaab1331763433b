/* Reports of hand-made profiles: what they say, and that they fit the screen they are made for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_profile.h"
#include "report/cell.h"
#include "report/count_values.h"
#include "report/json.h"
#include "report/report.h"

static const struct hst_style plain = {.width = 100};
static const struct hst_style pretty = {.width = 100, .utf8 = 1};

static char *report(const struct made *made, struct hst_run_info info, struct hst_report_options options,
                    const struct hst_style *style)
{
    const struct hst_report_source source = {
        .info = &info, .profile = &made->profile, .aggregate = &made->aggregate};
    struct hst_buffer buffer;
    struct hst_error err = {0};
    hst_buffer_init(&buffer, 0);
    if (hst_report_text(&source, &options, style, &buffer, &err) != HST_OK)
        fail_msg("%s", err.text);
    hst_buffer_add_byte(&buffer, '\0');
    char *text = strdup((const char *)buffer.data);
    hst_buffer_release(&buffer);
    return text;
}

static struct hst_run_info run_info(const struct made *made)
{
    struct hst_run_info info = {.number = 7,
                                .status = HST_RUN_COMPLETE,
                                .duration_ns = made->time_ns,
                                .rate_hz = 1000,
                                .command = "python3 app.py",
                                .directory = "/home/me"};
    info.cost.slowdown_percent = -1;
    for (size_t i = 0; i < made->aggregate.count; i++)
        info.cost.samples += made->aggregate.rows[i].samples;
    return info;
}

/* A run with everything in it: many functions with long names, threads, waits, libraries. */
static struct made large_run(void)
{
    struct made made;
    made_init(&made);
    uint32_t process = made_process(&made, 1), t = made_thread(&made, process, 1, "main");
    for (unsigned i = 0; i < 40; i++) {
        char frames[200];
        snprintf(frames, sizeof frames,
                 "main>a_function_with_quite_a_long_name_because_people_write_those_%u:%u>json.loads", i,
                 i * 10 + 1);
        made_samples(&made, t, made_stack(&made, frames), RUNNING, 100 - i);
    }
    for (uint16_t i = 0; i < 20; i++) {
        uint32_t other = made_thread(&made, process, 2u + i, "a_thread_with_a_long_name_too");
        struct hst_sample kind = {.state = i % 2 ? HST_STATE_BLOCKED : HST_STATE_GIL_WAIT, .detail = i};
        made_samples(&made, other, made_stack(&made, "threading.run>serve:3"), kind, 100);
    }
    return made;
}

static void assert_fits(const char *text, unsigned lines_max)
{
    unsigned lines = 0;
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)(end - text), text);
        if (hst_text_width(line) > 100)
            fail_msg("%zu columns: %s", hst_text_width(line), line);
        lines++;
        text = end + 1;
    }
    if (lines > lines_max)
        fail_msg("%u lines", lines);
}

static void test_it_fits_one_screen(void **state)
{
    (void)state;
    struct made made = large_run();
    struct hst_run_info info = run_info(&made);
    const struct hst_style *styles[] = {&plain, &pretty};
    for (int s = 0; s < 2; s++) {
        char *text = report(&made, info, HST_REPORT_OPTIONS_DEFAULT, styles[s]);
        assert_fits(text, 48);
        free(text);
        for (enum hst_report_kind kind = HST_REPORT_TREE; kind <= HST_REPORT_RELATIONS; kind++) {
            struct hst_report_options options = HST_REPORT_OPTIONS_DEFAULT;
            options.kind = kind;
            options.subject = kind == HST_REPORT_LINES ? "app.py" : "main";
            options.callers = options.callees = 1;
            text = report(&made, info, options, styles[s]);
            assert_fits(text, 120);
            free(text);
        }
    }
    made_release(&made);
}

static void assert_says(const char *text, const char *words)
{
    if (strstr(text, words) == NULL)
        fail_msg("'%s' is not in:\n%s", words, text);
}

static void test_numbers_of_a_known_run(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "main");
    made_samples(&made, t, made_stack(&made, "main:5>hot:9"), RUNNING, 8000);
    made_samples(&made, t, made_stack(&made, "main:6>load:12>json.loads"), RUNNING, 2000);
    char *text = report(&made, run_info(&made), HST_REPORT_OPTIONS_DEFAULT, &plain);
    assert_says(text, "run 7 | 10.0 s wall");
    assert_says(text, "CPython 3.11.2");
    assert_says(text, "10,000 samples at 1 kHz");
    assert_says(text, " 80.0 % ####   0.8  80.0 %  1.66-1.68x  4.81-5.20x  hot");
    assert_says(text, "100 % in library code, most by calling loads");
    assert_says(text, "app.py:9");
    assert_says(text, "100.0 % #####      10.0 s   running on a CPU");
    assert_says(text, "hasten show 7 --callers hot");
    assert_null(strstr(text, "Only"));
    free(text);
    struct hst_report_options options = HST_REPORT_OPTIONS_DEFAULT;
    options.store = "/tmp/x";
    options.filter.mode = HST_MODE_GC;
    text = report(&made, run_info(&made), options, &plain);
    assert_says(text, "No samples of time in the garbage collector");
    free(text);
    made_release(&made);
}

static void test_few_samples_are_called_few(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "main");
    char *text = report(&made, run_info(&made), HST_REPORT_OPTIONS_DEFAULT, &plain);
    assert_says(text, "the program ended too soon");
    free(text);
    made_samples(&made, t, made_stack(&made, "main"), RUNNING, 12);
    text = report(&made, run_info(&made), HST_REPORT_OPTIONS_DEFAULT, &plain);
    assert_says(text, "Only 12 samples here");
    free(text);
    made_release(&made);
}

/* Side by side, Amdahl's law gives only the most that could be gained. */
static void test_threads_side_by_side(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t process = made_process(&made, 1);
    uint32_t one = made_thread(&made, process, 1, "one"), two = made_thread(&made, process, 2, "two");
    made_samples(&made, one, made_stack(&made, "main>work"), RUNNING, 1000);
    made_samples(&made, two, made_stack(&made, "other"), RUNNING, 1000);
    struct hst_run_info info = run_info(&made);
    info.duration_ns /= 2;
    char *text = report(&made, info, HST_REPORT_OPTIONS_DEFAULT, &plain);
    assert_says(text, "<=");
    assert_says(text, "side by side");
    free(text);
    info.duration_ns *= 2;
    text = report(&made, info, HST_REPORT_OPTIONS_DEFAULT, &plain);
    assert_null(strstr(text, "<="));
    free(text);
    made_release(&made);
}

/* Names come from the measured program: they must not reach the terminal as commands. */
static void test_names_cannot_move_the_cursor(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "thread\033[2J\n");
    made_samples(&made, t,
                 made_stack(&made, "evil\033]0;title\007\n\xc2\x9b"
                                   "31m>\xff\xfe"),
                 RUNNING, 200);
    struct hst_run_info info = run_info(&made);
    snprintf(info.command, sizeof info.command, "a\033[31m\n\tb");
    for (enum hst_report_kind kind = HST_REPORT_SUMMARY; kind <= HST_REPORT_RELATIONS; kind++) {
        struct hst_report_options options = HST_REPORT_OPTIONS_DEFAULT;
        options.kind = kind;
        options.subject = kind == HST_REPORT_LINES ? "/home/me/app.py" : "evil*";
        options.callers = options.callees = 1;
        char *text = report(&made, info, options, &pretty);
        assert_null(strchr(text, '\033'));
        assert_null(strchr(text, '\007'));
        assert_null(strstr(text, "\xc2\x9b"));
        free(text);
    }
    made_release(&made);
}

static void test_what_is_not_there_is_named(void **state)
{
    (void)state;
    struct made made = large_run();
    struct hst_run_info info = run_info(&made);
    const struct hst_report_source source = {
        .info = &info, .profile = &made.profile, .aggregate = &made.aggregate};
    struct hst_report_options options = HST_REPORT_OPTIONS_DEFAULT;
    options.kind = HST_REPORT_RELATIONS;
    options.subject = "no_such_function";
    struct hst_buffer buffer;
    hst_buffer_init(&buffer, 0);
    struct hst_error err = {0};
    assert_int_equal(hst_report_text(&source, &options, &plain, &buffer, &err), HST_E_NOENT);
    assert_non_null(strstr(err.text, "no_such_function"));
    assert_true(err.hint[0] != '\0');
    options.kind = HST_REPORT_LINES;
    options.subject = "pp.py"; /* the end of a name is not the end of a path */
    assert_int_equal(hst_report_text(&source, &options, &plain, &buffer, &err), HST_E_NOENT);
    hst_buffer_release(&buffer);
    made_release(&made);
}

static void test_json_says_the_same(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "main\xff");
    made_samples(&made, t, made_stack(&made, "main:5>hot:9"), RUNNING, 300);
    made_samples(&made, t, made_stack(&made, "main:5"), RUNNING, 100);
    struct hst_run_info info = run_info(&made);
    const struct hst_report_source source = {
        .info = &info, .profile = &made.profile, .aggregate = &made.aggregate};
    for (enum hst_report_kind kind = HST_REPORT_SUMMARY; kind <= HST_REPORT_RELATIONS; kind++) {
        struct hst_report_options options = HST_REPORT_OPTIONS_DEFAULT;
        options.kind = kind;
        options.subject = kind == HST_REPORT_LINES ? "app.py" : "hot";
        options.callers = 1;
        json_t *json = NULL;
        struct hst_error err = {0};
        assert_int_equal(hst_report_json(&source, &options, &json, &err), HST_OK);
        char *text = json_dumps(json, 0);
        assert_non_null(text);
        if (kind == HST_REPORT_SUMMARY) {
            json_t *first = json_array_get(json_object_get(json, "functions"), 0);
            assert_string_equal(json_string_value(json_object_get(first, "function")), "hot");
            assert_int_equal(json_integer_value(json_object_get(first, "self_ns")), 300000000);
            assert_true(json_real_value(json_object_get(first, "speedup_if_free")) == 4);
            assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "run"), "number")), 7);
        } else if (kind == HST_REPORT_RELATIONS) {
            json_t *caller = json_array_get(json_object_get(json, "callers"), 0);
            assert_string_equal(json_string_value(json_object_get(caller, "function")), "main");
        }
        free(text);
        json_decref(json);
    }
    made_release(&made);
}

static void test_cells(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } durations[] = {{0, "0 s"},
                     {1500, "2 us"},
                     {999600, "1.0 ms"},
                     {12300000, "12 ms"},
                     {999600000, "1.00 s"},
                     {12340000000, "12.3 s"},
                     {185000000000, "3 min 05 s"},
                     {7384000000000, "2 h 03 min"}};
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++)
        assert_string_equal(hst_cell_duration(durations[i].ns).text, durations[i].text);
    assert_string_equal(hst_cell_count(1234567).text, "1,234,567");
    assert_string_equal(hst_cell_count(12).text, "12");
    assert_string_equal(hst_cell_bar(0.5, 4, &plain).text, "##  ");
    assert_int_equal(hst_text_width(hst_cell_bar(0.37, 5, &pretty).text), 5);
    assert_string_equal(hst_cell_file("/home/me/src/app.py", "/home/me").text, "src/app.py");
    assert_string_equal(hst_cell_file("/usr/lib/python3.11/json/decoder.py", "/home/me").text,
                        "json/decoder.py");
    assert_string_equal(hst_cell_word("src/app.py").text, "src/app.py");
    assert_string_equal(hst_cell_word("my app's.py").text, "'my app'\\''s.py'");
    assert_string_equal(hst_cell_word("").text, "''");
    struct hst_buffer buffer;
    hst_buffer_init(&buffer, 0);
    hst_text_add(&buffer, "größenwahn", 5, HST_CUT_END, 1, &pretty);
    hst_text_add(&buffer, "größenwahn", 5, HST_CUT_START, 1, &plain);
    hst_text_add(&buffer, "ab", 4, HST_CUT_END, 1, &plain);
    hst_buffer_add_byte(&buffer, '\0');
    assert_string_equal((const char *)buffer.data, "größ…~wahnab  ");
    hst_buffer_clear(&buffer);
    hst_text_add(&buffer, "a\x9b\xc2\x9b\x1b\xe2\x82z", 20, HST_CUT_END, 0, &pretty);
    hst_text_add(&buffer, "cut to nothing", 0, HST_CUT_START, 0, &pretty);
    hst_buffer_add_byte(&buffer, '\0');
    assert_string_equal((const char *)buffer.data, "a?\?\?\?\?z");
    hst_buffer_release(&buffer);
}

static void check_number(double value)
{
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    hst_count_number_add(&text, value);
    hst_buffer_add_byte(&text, 0);
    double read = strtod((const char *)text.data, NULL);
    if (read != value)
        fail_msg("%.17g is written as %s", value, (const char *)text.data);
    hst_buffer_release(&text);
}

static void check_text(double value, const char *expected)
{
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    hst_count_number_add(&text, value);
    hst_buffer_add_byte(&text, 0);
    assert_string_equal((const char *)text.data, expected);
    hst_buffer_release(&text);
}

static void test_numbers_are_read_back(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 300000; i++) {
        double value;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        memcpy(&value, &random, sizeof value);
        if (value == value && value - value == 0)
            check_number(value);
        check_number((double)(random >> 40) / 1e6);
        check_number((double)(random >> 11) * 1e-9);
        check_number(-(double)(random >> 50) / 1024);
    }
    check_text(0.1, "0.1");
    check_text(-12.05, "-12.05");
    check_text(1e-7, "0.0000001");
    check_text(0.00069427490234375, "0.00069427490234375");
    check_text(0.1 + 0.2, "0.30000000000000004");
    check_text(999999999999999, "999999999999999");
    check_text(1e15, "1e+15");
    check_text(-0.0, "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_read_back),
        cmocka_unit_test(test_it_fits_one_screen),
        cmocka_unit_test(test_numbers_of_a_known_run),
        cmocka_unit_test(test_few_samples_are_called_few),
        cmocka_unit_test(test_threads_side_by_side),
        cmocka_unit_test(test_names_cannot_move_the_cursor),
        cmocka_unit_test(test_what_is_not_there_is_named),
        cmocka_unit_test(test_json_says_the_same),
        cmocka_unit_test(test_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
