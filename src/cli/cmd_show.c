/* `hasten show`: a stored run -> its report. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/foreign_file.h"
#include "cli/open_store.h"
#include "cli/show_run.h"
#include "cli/view_options.h"
#include "report/json.h"

struct request {
    struct hst_common_options common;
    const char *lines, *callers, *callees;
    int tree, library;
    const char *run;
};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    struct hst_common_options *common = &request->common;
    const struct hst_option options[] = {
        {"What", 0, NULL, NULL, HST_OPTION_HEADING, NULL, NULL},
        {"tree", 0, NULL, "calls from the start of the program inward", HST_OPTION_FLAG, &request->tree,
         NULL},
        {"lines", 0, "FILE", "the source of a file with the time of each line", HST_OPTION_TEXT,
         &request->lines, NULL},
        HST_OPTION_ROW_THREADS(common),
        {"callers", 0, "FUNCTION", "who calls it, and what each caller costs", HST_OPTION_TEXT,
         &request->callers, NULL},
        {"callees", 0, "FUNCTION", "what it calls, and what each call costs", HST_OPTION_TEXT,
         &request->callees, NULL},
        {"Which part of the run", 0, NULL, NULL, HST_OPTION_HEADING, NULL, NULL},
        HST_OPTION_ROW_MODE(common),
        HST_OPTION_ROW_GIL(common),
        HST_OPTION_ROW_THREAD(common),
        HST_OPTION_ROW_PROCESS(common),
        HST_OPTION_ROW_SINCE(common),
        HST_OPTION_ROW_UNTIL(common),
        HST_OPTION_ROW_SHOW(common),
        HST_OPTION_ROW_HIDE(common),
        HST_OPTION_ROW_LIBRARY(&request->library),
        {"How", 0, NULL, NULL, HST_OPTION_HEADING, NULL, NULL},
        HST_OPTION_ROW_ROWS(common),
        HST_OPTION_ROW_SORT(common),
        HST_OPTION_ROW_JSON(common),
        HST_OPTION_ROW_STORE(common),
    };
    const struct hst_usage usage = {
        .command = "show",
        .synopsis = "[RUN|FILE] [options]",
        .summary = "Says where the time of a run went. RUN: a number, a name, last (default) or last~1.\n"
                   "FILE: what cProfile or line_profiler wrote.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details =
            "self is time in the function's own code and in the library code that it calls; total adds all "
            "else\nthat it calls. \"if twice as fast\" and \"if no time at all\": how many times as fast the "
            "whole would be.\nAll intervals are 95 %.\n\n"
            "  hasten show --mode gil            who holds the interpreter lock\n"
            "  hasten show 3 --lines app.py      run 3, line by line\n"
            "  hasten show app.prof              what `python -m cProfile -o app.prof` wrote\n"
            "  hasten show --hide 're:^_'        time of private helpers counts for who calls them",
        .operands_max = 1,
    };
    int operands;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    request->run = operands > 0 ? argv[1] : "last";
    return result;
}

/* What to show; HST_PARSED, or the exit code when two things were asked for at once. */
static int choose(struct hst_cli *cli, const struct request *request, struct hst_report_options *options)
{
    int relations = request->callers != NULL || request->callees != NULL;
    int kinds = request->tree + (request->lines != NULL) + request->common.threads + relations;
    int two_functions = request->callers != NULL && request->callees != NULL;
    if (kinds > 1 || two_functions)
        return hst_message_usage(cli, "show",
                                 "one of --tree, --lines, --threads, --callers and --callees at a time",
                                 "only one view fits on the screen");
    *options = HST_REPORT_OPTIONS_DEFAULT;
    if (request->tree)
        options->kind = HST_REPORT_TREE;
    else if (request->lines != NULL)
        options->kind = HST_REPORT_LINES;
    else if (request->common.threads)
        options->kind = HST_REPORT_THREADS;
    else if (relations)
        options->kind = HST_REPORT_RELATIONS;
    options->subject = request->lines != NULL     ? request->lines
                       : request->callers != NULL ? request->callers
                                                  : request->callees;
    options->callers = request->callers != NULL;
    options->callees = request->callees != NULL;
    options->sort = (enum hst_sort)request->common.sort;
    options->rows = request->common.rows;
    options->store = request->common.store;
    return HST_PARSED;
}

/* What was imported are sums over all threads and all time. */
static enum hst_status check_part(const struct hst_common_options *common,
                                  const struct hst_report_source *source, struct hst_error *err)
{
    if (source->imported == NULL ||
        (common->mode == HST_MODE_WALL && !common->gil && common->show.count == 0 &&
         common->hide.count == 0 && common->thread == NULL && common->process == NULL &&
         hst_window_is_all(&common->window)))
        return HST_OK;
    (void)hst_error_set(err, HST_E_INVALID, "what %s wrote are sums, of which no part can be shown",
                        source->imported->maker);
    hst_error_hint(err, "leave the options that choose a part away");
    return HST_E_INVALID;
}

static int print(struct hst_cli *cli, const struct request *request, const struct hst_loaded_run *run,
                 struct hst_report_options *options)
{
    struct hst_error err = {0};
    const struct hst_report_source source = hst_loaded_run_source(run);
    enum hst_status status = check_part(&request->common, &source, &err);
    if (status == HST_OK)
        status = hst_view_options_filter(&request->common, &run->profile, &options->filter, &err);
    if (status != HST_OK)
        return hst_message_error(cli, &err);
    options->filter.fold = !request->library && !hst_report_has_calls(&source);
    if (request->common.json) {
        json_t *json;
        if (hst_report_json(&source, options, &json, &err) != HST_OK)
            return hst_message_error(cli, &err);
        return hst_cli_print_json(cli, json);
    }
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 0);
    if (hst_report_text(&source, options, &cli->out_style, &text, &err) != HST_OK)
        return hst_message_error(cli, &err);
    return hst_cli_print_buffer(cli, &text);
}

/* A file of cProfile or line_profiler, else a run in the store. */
static enum hst_status load(const struct request *request, struct hst_loaded_run *run, struct hst_error *err)
{
    if (hst_foreign_kind_of(request->run) != HST_FOREIGN_NONE)
        return hst_loaded_run_from_file(run, request->run, err);
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    uint64_t number = 0;
    enum hst_status status = hst_cli_store_open(request->common.store, HST_STORE_READ, &store, err);
    if (status == HST_OK)
        status = hst_store_find(store, request->run, &number, err);
    if (status == HST_E_NOENT)
        status = hst_foreign_explain(request->run, status, err);
    return status == HST_OK ? hst_loaded_run_init(run, store, number, &request->common.window, err) : status;
}

int hst_cmd_show(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {0};
    struct hst_report_options options;
    int result = parse(cli, argc, argv, &request);
    if (result == HST_PARSED)
        result = choose(cli, &request, &options);
    if (result != HST_PARSED)
        return result;
    struct hst_error err = {0};
    struct hst_loaded_run run;
    if (load(&request, &run, &err) != HST_OK)
        return hst_message_error(cli, &err);
    result = print(cli, &request, &run, &options);
    hst_loaded_run_release(&run);
    return result;
}
