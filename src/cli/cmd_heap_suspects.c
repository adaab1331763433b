/* `hasten heap suspects`: what may be a leak, from one to three snapshots. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/heap_run.h"

enum { ROWS = 10 };

static int suspect(struct hst_cli *cli, const struct hst_common_options *common, struct hst_heap_run *runs,
                   size_t count)
{
    struct hst_heap_view *views[HST_HEAP_SUSPECT_RUNS];
    struct hst_heap_answer answer;
    HST_CLEANUP_FREE struct hst_heap_suspect *rows = NULL;
    size_t row_count = 0;
    for (size_t i = 0; i < count; i++) {
        views[i] = &runs[i].view;
        if (i > 0 && runs[i].heap.pid != runs[0].heap.pid)
            return hst_message_usage(
                cli, "heap suspects", NULL,
                "runs %llu and %llu are of processes %d and %d: growth is that of one process",
                (unsigned long long)runs[0].number, (unsigned long long)runs[i].number, runs[0].heap.pid,
                runs[i].heap.pid);
        if (i > 0 && runs[i].number <= runs[i - 1].number)
            return hst_message_usage(cli, "heap suspects", NULL,
                                     "runs come in the order in which they were taken");
    }
    hst_heap_answer_begin(&answer, cli, common->json, &runs[count - 1], common->rows);
    enum hst_status status = hst_heap_suspects_find(views, count, &rows, &row_count);
    if (status == HST_OK && !common->json)
        status = hst_heap_suspects_text(&answer.page, rows, row_count, count);
    return hst_heap_answer_end(
        &answer, status,
        status == HST_OK && common->json ? hst_heap_suspects_json(&answer.page, rows, row_count) : NULL);
}

int hst_cmd_heap_suspects(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_common_options common = {.rows = ROWS};
    const struct hst_option options[] = {
        HST_OPTION_ROW_HEAP_ROWS(&common, "10"),
        HST_OPTION_ROW_JSON(&common),
        HST_OPTION_ROW_STORE(&common),
    };
    const struct hst_usage usage = {
        .command = "heap suspects",
        .synopsis = "[RUN [RUN [RUN]]] [options]",
        .summary =
            "Names what may be a leak. Of one snapshot: what holds a tenth of the heap or more, and where "
            "that "
            "comes together.\nOf two or three of a process, oldest first: what grew from each to the next; "
            "three tell a leak from a cache that fills.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .operands_max = HST_HEAP_SUSPECT_RUNS,
    };
    struct hst_heap_run runs[HST_HEAP_SUSPECT_RUNS] = {0};
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    size_t count = result == HST_PARSED && operands > 0 ? (size_t)operands : 1;
    for (size_t i = 0; i < count && result == HST_PARSED; i++)
        result = hst_heap_run_open(cli, common.store, operands > 0 ? argv[i + 1] : NULL, &runs[i]);
    if (result == HST_PARSED)
        result = suspect(cli, &common, runs, count);
    for (size_t i = 0; i < HST_HEAP_SUSPECT_RUNS; i++)
        hst_heap_run_close(&runs[i]);
    return result;
}
