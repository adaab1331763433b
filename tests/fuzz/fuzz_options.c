/* Command lines: the words of the input, one a line, for a table with an option of every kind. */
#include "fuzz.h"

#include <string.h>

#include "cli/options.h"

enum { WORDS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const modes[] = {"wall", "cpu", NULL};
    double rate_hz = 0, budget = 0;
    uint64_t duration_ns = 0, rows = 0;
    int threads = 0, mode = 0, operands = 0, words = 0;
    const char *output = NULL;
    struct hst_text_list hide = {0};
    const struct hst_option options[] = {
        {"rate", 'r', "RATE", "x", HST_OPTION_RATE, &rate_hz, NULL},
        {"duration", 'd', "TIME", "x", HST_OPTION_DURATION, &duration_ns, NULL},
        {"budget", 0, "PERCENT", "x", HST_OPTION_PERCENT, &budget, NULL},
        {"View", 0, NULL, NULL, HST_OPTION_HEADING, NULL, NULL},
        {"rows", 'n', "ROWS", "x", HST_OPTION_COUNT, &rows, NULL},
        {"threads", 't', NULL, "x", HST_OPTION_FLAG, &threads, NULL},
        {"mode", 0, "MODE", "x", HST_OPTION_CHOICE, &mode, modes},
        {"output", 'o', "FILE", "x", HST_OPTION_TEXT, &output, NULL},
        {"hide", 0, "PATTERN", "x", HST_OPTION_LIST, &hide, NULL},
    };
    char *copy = malloc(size + 1), *argv[WORDS_MAX + 2];
    FUZZ_REQUIRE(copy != NULL);
    memcpy(copy, data, size);
    copy[size] = '\0';
    const struct hst_usage usage = {.command = "run",
                                    .synopsis = "x",
                                    .summary = "x",
                                    .options = options,
                                    .option_count = sizeof options / sizeof options[0],
                                    .stop_at_first = size % 2 != 0,
                                    .operands_max = size % 3 == 0 ? 2 : -1};
    argv[words++] = copy;
    for (char *at = copy; words < WORDS_MAX && (at = strchr(at, '\n')) != NULL; argv[words++] = at)
        *at++ = '\0';
    argv[words] = NULL;
    char *said = NULL;
    size_t said_length = 0;
    FILE *stream = open_memstream(&said, &said_length);
    FUZZ_REQUIRE(stream != NULL);
    struct hst_cli cli = {
        .out = stream, .err = stream, .out_style = {.width = 100}, .err_style = {.width = 100}};
    int result = hst_options_parse(&cli, &usage, words, argv, &operands);
    (void)fclose(stream);
    FUZZ_REQUIRE(result == HST_PARSED || (result >= 0 && result < 256 && said_length > 0));
    if (result == HST_PARSED) {
        FUZZ_REQUIRE(operands >= 0 && operands < words);
        FUZZ_REQUIRE(rate_hz >= 0 && budget >= 0 && budget <= 100 && mode >= 0 && mode < 2);
        FUZZ_REQUIRE(hide.count <= HST_TEXT_LIST_MAX);
    }
    free(said);
    free(copy);
    return 0;
}
