/* `hasten diff`: two stored runs -> what changed. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/open_store.h"
#include "cli/show_run.h"
#include "cli/view_options.h"
#include "report/json.h"

struct request {
    struct hst_common_options common;
    int library;
    const char *before, *after;
};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    struct hst_common_options *common = &request->common;
    const struct hst_option options[] = {
        HST_OPTION_ROW_MODE(common),
        HST_OPTION_ROW_GIL(common),
        HST_OPTION_ROW_SHOW(common),
        HST_OPTION_ROW_HIDE(common),
        HST_OPTION_ROW_LIBRARY(&request->library),
        HST_OPTION_ROW_ROWS(common),
        HST_OPTION_ROW_JSON(common),
        HST_OPTION_ROW_STORE(common),
    };
    const struct hst_usage usage = {
        .command = "diff",
        .synopsis = "[BEFORE [AFTER]] [options]",
        .summary =
            "Says what changed between two runs, function by function, and whether the samples can tell.\n"
            "Without names it compares the last two runs; with one name, that run and the last.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .operands_max = 2,
    };
    int operands;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    request->before = operands > 0 ? argv[1] : "last~1";
    request->after = operands > 1 ? argv[2] : "last";
    return result;
}

/* Comparing needs stacks, and how sure each side is of them. */
static enum hst_status check_kind(const struct hst_loaded_run *run, struct hst_error *err)
{
    if (run->info.kind != HST_RUN_IMPORTED)
        return HST_OK;
    (void)hst_error_set(err, HST_E_INVALID,
                        "run %llu was imported from %.200s, which holds no stacks: it cannot be compared",
                        (unsigned long long)run->info.number, run->imported.file);
    hst_error_hint(err, "`hasten show %llu --json` has its functions and edges",
                   (unsigned long long)run->info.number);
    return HST_E_INVALID;
}

static int print(struct hst_cli *cli, const struct request *request, const struct hst_loaded_run *before,
                 const struct hst_loaded_run *after)
{
    struct hst_error err = {0};
    struct hst_report_options options = HST_REPORT_OPTIONS_DEFAULT;
    options.rows = request->common.rows;
    if (hst_view_options_filter(&request->common, &after->profile, &options.filter, &err) != HST_OK)
        return hst_message_error(cli, &err);
    options.filter.fold = !request->library;
    const struct hst_report_source first = hst_loaded_run_source(before),
                                   second = hst_loaded_run_source(after);
    if (request->common.json) {
        json_t *json;
        if (hst_report_diff_json(&first, &second, &options, &json, &err) != HST_OK)
            return hst_message_error(cli, &err);
        return hst_cli_print_json(cli, json);
    }
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 0);
    if (hst_report_diff_text(&first, &second, &options, &cli->out_style, &text, &err) != HST_OK)
        return hst_message_error(cli, &err);
    return hst_cli_print_buffer(cli, &text);
}

int hst_cmd_diff(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {0};
    int result = parse(cli, argc, argv, &request);
    if (result != HST_PARSED)
        return result;
    struct hst_error err = {0};
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    uint64_t before_number, after_number;
    if (hst_cli_store_open(request.common.store, HST_STORE_READ, &store, &err) != HST_OK ||
        hst_store_find(store, request.before, &before_number, &err) != HST_OK ||
        hst_store_find(store, request.after, &after_number, &err) != HST_OK)
        return hst_message_error(cli, &err);
    if (before_number == after_number)
        return hst_message_usage(cli, "diff", "hasten runs", "both are run %llu: there is nothing to compare",
                                 (unsigned long long)after_number);
    struct hst_loaded_run before, after;
    if (hst_loaded_run_init(&before, store, before_number, NULL, &err) != HST_OK)
        return hst_message_error(cli, &err);
    if (hst_loaded_run_init(&after, store, after_number, NULL, &err) != HST_OK) {
        hst_loaded_run_release(&before);
        return hst_message_error(cli, &err);
    }
    if (check_kind(&before, &err) != HST_OK || check_kind(&after, &err) != HST_OK)
        result = hst_message_error(cli, &err);
    else
        result = print(cli, &request, &before, &after);
    hst_loaded_run_release(&before);
    hst_loaded_run_release(&after);
    return result;
}
