/* `hasten heap show`: one object. */
#include "analyze/heap_path.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/heap_run.h"

enum { ROWS = 30 };

int hst_cmd_heap_show(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_common_options common = {.rows = ROWS};
    const struct hst_option options[] = {
        HST_OPTION_ROW_HEAP_ROWS(&common, "30"),
        HST_OPTION_ROW_JSON(&common),
        HST_OPTION_ROW_STORE(&common),
    };
    const struct hst_usage usage = {
        .command = "heap show",
        .synopsis = "[RUN] OBJECT [options]",
        .summary =
            "Shows an object of a snapshot: its type, its value, its attributes and items, and where it "
            "hangs. "
            "OBJECT is an\naddress (0x7f...) or a path that begins with a module: app.CACHE['users'][3].name",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .operands_min = 1,
        .operands_max = 2,
    };
    struct hst_error err = {0};
    struct hst_heap_run run;
    struct hst_heap_answer answer;
    uint32_t object;
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        result = hst_heap_run_open(cli, common.store, operands > 1 ? argv[1] : NULL, &run);
    if (result != HST_PARSED)
        return result;
    if (hst_heap_path_resolve(&run.view, argv[operands], &object, &err) != HST_OK) {
        hst_heap_run_close(&run);
        return hst_message_error(cli, &err);
    }
    hst_heap_answer_begin(&answer, cli, common.json, &run, common.rows);
    if (common.json)
        result = hst_heap_answer_end(&answer, HST_OK, hst_heap_object_json(&answer.page, object));
    else
        result = hst_heap_answer_end(&answer, hst_heap_object_text(&answer.page, object), NULL);
    hst_heap_run_close(&run);
    return result;
}
