/* `hasten heap types`: a snapshot by type. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/heap_run.h"

enum { ROWS = 25, EXACT_MOST = 30 };

int hst_cmd_heap_types(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_common_options common = {.rows = ROWS};
    const struct hst_option options[] = {
        {"sort", 0, "COLUMN", "order of rows: bytes (default), retained, objects or name", HST_OPTION_CHOICE,
         &common.sort, hst_heap_sort_names},
        HST_OPTION_ROW_HEAP_ROWS(&common, "25"),
        HST_OPTION_ROW_JSON(&common),
        HST_OPTION_ROW_STORE(&common),
    };
    const struct hst_usage usage = {
        .command = "heap types",
        .synopsis = "[RUN] [options]",
        .summary =
            "Counts the objects of a snapshot by type: how many, their own memory, and what would be freed "
            "with all of them.\nOf the first 30 rows that is exact, of the others at least what each object "
            "alone keeps.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .operands_max = 1,
    };
    struct hst_heap_run run;
    struct hst_heap_answer answer;
    struct hst_heap_by_type types;
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        result = hst_heap_run_open(cli, common.store, operands > 0 ? argv[1] : NULL, &run);
    if (result != HST_PARSED)
        return result;
    size_t exact = common.rows == 0 || common.rows > EXACT_MOST ? EXACT_MOST : (size_t)common.rows;
    hst_heap_answer_begin(&answer, cli, common.json, &run, common.rows);
    enum hst_status status = hst_heap_by_type_init(&types, &run.view, (enum hst_heap_sort)common.sort, exact);
    if (status != HST_OK)
        result = hst_heap_answer_end(&answer, status, NULL);
    else if (common.json)
        result = hst_heap_answer_end(&answer, HST_OK, hst_heap_by_type_json(&answer.page, &types));
    else
        result = hst_heap_answer_end(&answer, hst_heap_by_type_text(&answer.page, &types), NULL);
    if (status == HST_OK)
        hst_heap_by_type_release(&types);
    hst_heap_run_close(&run);
    return result;
}
