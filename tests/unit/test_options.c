/* Option tables against command lines, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"
#include "cli/options.h"

struct fixture {
    double rate_hz, budget;
    uint64_t duration_ns, rows;
    int threads, gil, mode;
    const char *output;
    struct hst_text_list hide;
    char said[4096];
    int operands;
};

static const char *const modes[] = {"wall", "cpu", NULL};

/* Runs the parser over the words of line; argv is left in words. */
static int parse(struct fixture *fixture, int stop_at_first, const char *line, char *words[32])
{
    static char copy[512];
    memset(fixture, 0, sizeof *fixture);
    strcpy(copy, line);
    int argc = 0;
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        words[argc++] = word;
    words[argc] = NULL;
    const struct hst_option options[] = {
        {"rate", 'r', "RATE", "x", HST_OPTION_RATE, &fixture->rate_hz, NULL},
        {"duration", 'd', "TIME", "x", HST_OPTION_DURATION, &fixture->duration_ns, NULL},
        {"budget", 0, "PERCENT", "x", HST_OPTION_PERCENT, &fixture->budget, NULL},
        {"View", 0, NULL, NULL, HST_OPTION_HEADING, NULL, NULL},
        {"rows", 'n', "ROWS", "x", HST_OPTION_COUNT, &fixture->rows, NULL},
        {"threads", 't', NULL, "x", HST_OPTION_FLAG, &fixture->threads, NULL},
        {"gil", 'g', NULL, "x", HST_OPTION_FLAG, &fixture->gil, NULL},
        {"mode", 0, "MODE", "x", HST_OPTION_CHOICE, &fixture->mode, modes},
        {"output", 'o', "FILE", "x", HST_OPTION_TEXT, &fixture->output, NULL},
        {"hide", 0, "PATTERN", "x", HST_OPTION_LIST, &fixture->hide, NULL},
    };
    const struct hst_usage usage = {.command = "run",
                                    .synopsis = "[options] script.py",
                                    .summary = "x",
                                    .options = options,
                                    .option_count = sizeof options / sizeof options[0],
                                    .stop_at_first = stop_at_first,
                                    .operands_max = -1};
    FILE *stream = fmemopen(fixture->said, sizeof fixture->said, "w");
    struct hst_cli cli = {
        .out = stream, .err = stream, .out_style = {.width = 100}, .err_style = {.width = 100}};
    int result = hst_options_parse(&cli, &usage, argc, words, &fixture->operands);
    fclose(stream);
    return result;
}

static void test_values_reach_their_targets(void **state)
{
    (void)state;
    struct fixture f;
    char *w[32];
    assert_int_equal(parse(&f, 0, "run -r 1khz --duration=500ms a --budget 1% -tgn5 --hide x --hide=y b", w),
                     HST_PARSED);
    assert_true(f.rate_hz == 1000);
    assert_true(f.duration_ns == 500000000);
    assert_true(f.budget == 1);
    assert_true(f.threads && f.gil && f.rows == 5);
    assert_int_equal(f.hide.count, 2);
    assert_string_equal(f.hide.texts[1], "y");
    assert_int_equal(f.operands, 2);
    assert_string_equal(w[1], "a");
    assert_string_equal(w[2], "b");
}

static void test_the_program_keeps_its_own_flags(void **state)
{
    (void)state;
    struct fixture f;
    char *w[32];
    assert_int_equal(parse(&f, 1, "run -r 1khz script.py --rate x -t -- y", w), HST_PARSED);
    assert_int_equal(f.operands, 6);
    assert_string_equal(w[1], "script.py");
    assert_string_equal(w[2], "--rate");
    assert_string_equal(w[5], "--");
    assert_int_equal(f.threads, 0);
    assert_int_equal(parse(&f, 1, "run -- -odd-name.py -t", w), HST_PARSED);
    assert_int_equal(f.operands, 2);
    assert_string_equal(w[1], "-odd-name.py");
}

static void test_beginnings_of_names(void **state)
{
    (void)state;
    struct fixture f;
    char *w[32];
    assert_int_equal(parse(&f, 0, "run --thr --dur 2m", w), HST_PARSED);
    assert_true(f.threads && f.duration_ns == 120000000000u);
    assert_int_equal(parse(&f, 0, "run --r 1", w), 2);
    assert_non_null(strstr(f.said, "--rate or --rows"));
}

static void test_mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *line, *said;
    } cases[] = {
        {"run --tread", "try: --threads"},     {"run -x", "no option -x"},
        {"run --rate", "--rate needs RATE"},   {"run --rate fast", "1khz, 10000 or max"},
        {"run -d -1", "does not take '-1'"},   {"run --budget 200%", "up to 100"},
        {"run --mode cup", "try: --mode cpu"}, {"run -n 0x10", "whole number"},
        {"run --gil=1", "takes no value"},     {"run --View", "no option --View"},
        {"run -r 0", "does not take"},         {"run -r nan", "does not take"},
        {"run -d 1e300", "does not take"},     {"run --=3", "no option"},
    };
    struct fixture f;
    char *w[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(&f, 0, cases[i].line, w), 2);
        if (strstr(f.said, cases[i].said) == NULL)
            fail_msg("%s said: %s", cases[i].line, f.said);
    }
}

static void test_help_lists_every_option(void **state)
{
    (void)state;
    struct fixture f;
    char *w[32];
    assert_int_equal(parse(&f, 0, "run --help", w), 0);
    assert_non_null(strstr(f.said, "-r, --rate RATE"));
    assert_non_null(strstr(f.said, "View"));
    assert_non_null(strstr(f.said, "--hide PATTERN"));
    assert_int_equal(parse(&f, 0, "run -th", w), 0);
}

static void test_nearest_word(void **state)
{
    (void)state;
    struct hst_nearest nearest = {.wanted = "atach"};
    hst_nearest_offer(&nearest, "run");
    hst_nearest_offer(&nearest, "attach");
    assert_string_equal(nearest.best, "attach");
    nearest = (struct hst_nearest){.wanted = "zzzzzz"};
    hst_nearest_offer(&nearest, "run");
    assert_null(nearest.best);
    nearest = (struct hst_nearest){.wanted = "rnu"};
    hst_nearest_offer(&nearest, "run");
    assert_string_equal(nearest.best, "run");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_reach_their_targets),
        cmocka_unit_test(test_the_program_keeps_its_own_flags),
        cmocka_unit_test(test_beginnings_of_names),
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_help_lists_every_option),
        cmocka_unit_test(test_nearest_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
