/* `hasten heap diff`: what is new, gone and grown between two snapshots. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/heap_run.h"

enum { ROWS = 20 };

static int compare(struct hst_cli *cli, const struct hst_common_options *common, struct hst_heap_run *before,
                   struct hst_heap_run *after)
{
    struct hst_heap_answer answer;
    struct hst_heap_compare compared;
    if (before->number == after->number)
        return hst_message_usage(cli, "heap diff", "hasten runs",
                                 "both are run %llu: there is nothing to compare",
                                 (unsigned long long)after->number);
    if (before->heap.pid != after->heap.pid)
        hst_message_note(cli, NULL, "these are processes %d and %d: objects are matched by their address",
                         before->heap.pid, after->heap.pid);
    hst_heap_answer_begin(&answer, cli, common->json, after, common->rows);
    enum hst_status status = hst_heap_compare_init(&compared, &before->heap, &after->view);
    if (status != HST_OK)
        return hst_heap_answer_end(&answer, status, NULL);
    int result = common->json
                     ? hst_heap_answer_end(&answer, HST_OK, hst_heap_compare_json(&answer.page, &compared))
                     : hst_heap_answer_end(&answer, hst_heap_compare_text(&answer.page, &compared), NULL);
    hst_heap_compare_release(&compared);
    return result;
}

int hst_cmd_heap_diff(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_common_options common = {.rows = ROWS};
    const struct hst_option options[] = {
        HST_OPTION_ROW_HEAP_ROWS(&common, "20"),
        HST_OPTION_ROW_JSON(&common),
        HST_OPTION_ROW_STORE(&common),
    };
    const struct hst_usage usage = {
        .command = "heap diff",
        .synopsis = "[BEFORE [AFTER]] [options]",
        .summary =
            "Says what is new, gone and grown between two snapshots of a program, by type and by what alone "
            "holds what is new.\nWithout names it compares the last two; with one name, that one and the "
            "last.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details =
            "Objects are the same when address and type are: one that was freed and another of its type that "
            "came in\nits place count as one.",
        .operands_max = 2,
    };
    struct hst_heap_run before = {0}, after = {0};
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        result = hst_heap_run_open(cli, common.store, operands > 0 ? argv[1] : "last~1", &before);
    if (result == HST_PARSED)
        result = hst_heap_run_open(cli, common.store, operands > 1 ? argv[2] : "last", &after);
    if (result == HST_PARSED)
        result = compare(cli, &common, &before, &after);
    hst_heap_run_close(&before);
    hst_heap_run_close(&after);
    return result;
}
