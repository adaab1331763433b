/* `hasten heap duplicates` and `hasten heap waste`: what the snapshot found that could be saved. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/heap_run.h"

enum { ROWS = 30 };

static int findings(struct hst_cli *cli, int argc, char **argv, const char *command, const char *summary,
                    int duplicates)
{
    struct hst_common_options common = {.rows = ROWS};
    const struct hst_option options[] = {
        HST_OPTION_ROW_HEAP_ROWS(&common, "30"),
        HST_OPTION_ROW_JSON(&common),
        HST_OPTION_ROW_STORE(&common),
    };
    const struct hst_usage usage = {
        .command = command,
        .synopsis = "[RUN] [options]",
        .summary = summary,
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .operands_max = 1,
    };
    struct hst_heap_run run;
    struct hst_heap_answer answer;
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        result = hst_heap_run_open(cli, common.store, operands > 0 ? argv[1] : NULL, &run);
    if (result != HST_PARSED)
        return result;
    hst_heap_answer_begin(&answer, cli, common.json, &run, common.rows);
    if (common.json)
        result = hst_heap_answer_end(&answer, HST_OK, hst_heap_findings_json(&answer.page, duplicates));
    else
        result = hst_heap_answer_end(&answer, hst_heap_findings_text(&answer.page, duplicates), NULL);
    hst_heap_run_close(&run);
    return result;
}

int hst_cmd_heap_duplicates(struct hst_cli *cli, int argc, char **argv)
{
    return findings(
        cli, argc, argv, "heap duplicates",
        "Lists equal objects of a snapshot (strings, bytes, tuples), and what keeping one of each would "
        "save.",
        1);
}

int hst_cmd_heap_waste(struct hst_cli *cli, int argc, char **argv)
{
    return findings(
        cli, argc, argv, "heap waste",
        "Lists memory of a snapshot that could be saved: tables larger than what they hold, attributes in "
        "dicts, and what\n__slots__ or arrays would give.",
        0);
}
