/* `hasten import`: a file of another profiler -> a run in the store. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/foreign_file.h"
#include "cli/open_store.h"
#include "cli/options.h"
#include "cli/show_run.h"
#include "report/cell.h"
#include "store/run_writer.h"

struct request {
    const char *file, *name, *store;
};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    struct hst_common_options common = {0};
    const struct hst_option options[] = {
        {"name", 0, "NAME", "a name for the run, for show and export", HST_OPTION_TEXT, &request->name, NULL},
        HST_OPTION_ROW_STORE(&common),
    };
    const struct hst_usage usage = {
        .command = "import",
        .synopsis = "FILE [options]",
        .summary = "Keeps what cProfile or line_profiler wrote as a run in the store.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details =
            "cProfile's file holds functions and who called them: show (with --callers and --callees) and\n"
            "export -f pstats or callgrind work on the run. line_profiler's holds lines: show and export\n"
            "-f lprof do. `hasten show FILE` looks without keeping.\n\n"
            "  python -m cProfile -o app.prof app.py\n"
            "  hasten import app.prof --name before",
        .operands_min = 1,
        .operands_max = 1,
    };
    int operands;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    request->store = common.store;
    request->file = operands > 0 ? argv[1] : NULL;
    return result;
}

static enum hst_status store_run(const struct request *request, struct hst_loaded_run *run,
                                 struct hst_error *err)
{
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    struct hst_run_writer *writer = NULL;
    HST_TRY(hst_cli_store_open(request->store, HST_STORE_WRITE, &store, err));
    HST_TRY(hst_run_writer_new(store, &run->info, &writer, err));
    hst_run_writer_set_imported(writer, &run->imported);
    if (run->has_lines)
        hst_run_writer_set_lines(writer, &run->lines);
    run->info.status = HST_RUN_COMPLETE;
    enum hst_status status = hst_run_writer_finish(writer, &run->profile, &run->info, err);
    hst_run_writer_free(writer);
    return status;
}

static enum hst_status check_file(const char *file, struct hst_error *err)
{
    if (hst_foreign_kind_of(file) != HST_FOREIGN_NONE)
        return HST_OK;
    (void)hst_error_set(err, HST_E_NOENT, "there is no file %.300s", file);
    hst_error_hint(err, "`python -m cProfile -o FILE script.py` makes one");
    return hst_foreign_explain(file, HST_E_NOENT, err);
}

int hst_cmd_import(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {0};
    int result = parse(cli, argc, argv, &request);
    if (result != HST_PARSED)
        return result;
    struct hst_error err = {0};
    struct hst_loaded_run run;
    if (check_file(request.file, &err) != HST_OK ||
        hst_loaded_run_from_file(&run, request.file, &err) != HST_OK)
        return hst_message_error(cli, &err);
    if (request.name != NULL)
        (void)snprintf(run.info.name, sizeof run.info.name, "%s", request.name);
    if (store_run(&request, &run, &err) == HST_OK) {
        unsigned long long number = (unsigned long long)run.info.number;
        (void)fprintf(cli->out, "run %llu: %s %s of %s functions from %s\nnext: hasten show %llu\n", number,
                      hst_cell_count(run.info.cost.samples).text, run.has_lines ? "hits of lines" : "calls",
                      hst_cell_count(run.profile.function_count).text, request.file, number);
        result = HST_EXIT_OK;
    } else {
        result = hst_message_error(cli, &err);
    }
    hst_loaded_run_release(&run);
    return result;
}
