/* `hasten heap top`: the objects of a snapshot by what freeing them would give. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/heap_run.h"

enum { ROWS = 25, LEAST = 1000 /* without -n: a part of the heap that is worth a row */ };

int hst_cmd_heap_top(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_common_options common = {.rows = UINT64_MAX}; /* not given */
    const struct hst_option options[] = {
        {"rows", 'n', "ROWS", "rows (default 25, of those with a thousandth of the heap; 0: all)",
         HST_OPTION_COUNT, &common.rows, NULL},
        HST_OPTION_ROW_JSON(&common),
        HST_OPTION_ROW_STORE(&common),
    };
    const struct hst_usage usage = {
        .command = "heap top",
        .synopsis = "[RUN] [options]",
        .summary =
            "Lists the objects of a snapshot that alone keep most alive, and where they hang. An object and "
            "what holds it are one\nrow when nearly all that the holder keeps is the object's.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .operands_max = 1,
    };
    struct hst_heap_run run;
    struct hst_heap_answer answer;
    HST_CLEANUP_FREE struct hst_heap_top_row *rows = NULL;
    size_t count = 0;
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        result = hst_heap_run_open(cli, common.store, operands > 0 ? argv[1] : NULL, &run);
    if (result != HST_PARSED)
        return result;
    uint64_t least_bytes = common.rows == UINT64_MAX ? run.view.all_bytes / LEAST : 0;
    if (common.rows == UINT64_MAX)
        common.rows = ROWS;
    size_t wanted = common.rows == 0 || common.rows > run.heap.count ? run.heap.count : (size_t)common.rows;
    hst_heap_answer_begin(&answer, cli, common.json, &run, common.rows);
    enum hst_status status = hst_heap_top_find(&run.view, wanted, least_bytes, &rows, &count);
    if (status == HST_OK && !common.json)
        status = hst_heap_top_text(&answer.page, rows, count);
    result = hst_heap_answer_end(
        &answer, status,
        status == HST_OK && common.json ? hst_heap_top_json(&answer.page, rows, count) : NULL);
    hst_heap_run_close(&run);
    return result;
}
