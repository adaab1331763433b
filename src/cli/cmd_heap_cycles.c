/* `hasten heap cycles`: groups of objects that keep each other alive. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/heap_run.h"

enum { ROWS = 20 };

int hst_cmd_heap_cycles(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_common_options common = {.rows = ROWS};
    const struct hst_option options[] = {
        HST_OPTION_ROW_HEAP_ROWS(&common, "20"),
        HST_OPTION_ROW_JSON(&common),
        HST_OPTION_ROW_STORE(&common),
    };
    const struct hst_usage usage = {
        .command = "heap cycles",
        .synopsis = "[RUN] [options]",
        .summary = "Counts the groups of objects that keep each other alive, by the types that they are of: "
                   "which are "
                   "garbage that was\nnot collected yet, a cycle in one of them, and the one reference whose "
                   "weakening would end it, where there is one.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .operands_max = 1,
    };
    struct hst_heap_run run;
    struct hst_heap_answer answer;
    struct hst_heap_cycles cycles;
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        result = hst_heap_run_open(cli, common.store, operands > 0 ? argv[1] : NULL, &run);
    if (result != HST_PARSED)
        return result;
    hst_heap_answer_begin(&answer, cli, common.json, &run, common.rows);
    enum hst_status status =
        hst_heap_cycles_init(&cycles, &run.view, common.rows == 0 ? SIZE_MAX : (size_t)common.rows);
    if (status != HST_OK)
        result = hst_heap_answer_end(&answer, status, NULL);
    else if (common.json)
        result = hst_heap_answer_end(&answer, HST_OK, hst_heap_cycles_json(&answer.page, &cycles));
    else
        result = hst_heap_answer_end(&answer, hst_heap_cycles_text(&answer.page, &cycles), NULL);
    if (status == HST_OK)
        hst_heap_cycles_release(&cycles);
    hst_heap_run_close(&run);
    return result;
}
