/* `hasten trace`: starts a program with the agent in it, and stores what it counted: every call, exactly. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "capture/relay.h"
#include "capture/trace.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/open_store.h"
#include "cli/program.h"
#include "cli/record.h"
#include "cli/show_run.h"
#include "store/run_writer.h"

struct request {
    const char *store, *name, *output, *format;
    int python_only, backend, quiet;
};

static const char *const backend_names[] = {"auto", "monitoring", "profile", "frames", NULL};

struct tracing {
    struct hst_run_writer *writer;
    struct hst_profile profile;
    struct hst_calls calls;
    struct hst_run_info info;
    struct hst_trace trace;
};

static enum hst_status flush(void *context, struct hst_error *err)
{
    struct tracing *tracing = context;
    return hst_run_writer_flush(tracing->writer, &tracing->profile, &tracing->info, err);
}

static void fill_info(struct hst_run_info *info, const struct request *request, const char *command)
{
    *info = (struct hst_run_info){.kind = HST_RUN_TRACED,
                                  .status = HST_RUN_RECORDING,
                                  .start_wall_ns = hst_wall_ns(),
                                  .exit_status = -1,
                                  .cost = {.slowdown_percent = -1}};
    (void)snprintf(info->command, sizeof info->command, "%s", command);
    (void)snprintf(info->hasten_version, sizeof info->hasten_version, "%s", HST_VERSION);
    if (request->name != NULL)
        (void)snprintf(info->name, sizeof info->name, "%s", request->name);
    if (getcwd(info->directory, sizeof info->directory) == NULL)
        info->directory[0] = '\0';
}

static enum hst_status begin(struct tracing *tracing, struct hst_store *store, const struct request *request,
                             const char *command, struct hst_error *err)
{
    fill_info(&tracing->info, request, command);
    if (!hst_profile_init(&tracing->profile))
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    tracing->trace.options = (struct hst_trace_options){.python_only = request->python_only,
                                                        .backend = (enum hst_agent_backend)request->backend};
    tracing->trace.profile = &tracing->profile;
    tracing->trace.info = &tracing->info;
    tracing->trace.calls = &tracing->calls;
    tracing->trace.flush = flush;
    tracing->trace.context = tracing;
    HST_TRY(hst_trace_init(&tracing->trace, err));
    HST_TRY(hst_run_writer_new(store, &tracing->info, &tracing->writer, err));
    hst_run_writer_set_calls(tracing->writer, &tracing->calls);
    return HST_OK;
}

/* The run in the store is whole whatever happened. */
static enum hst_status finish(struct tracing *tracing, enum hst_status status, struct hst_error *err)
{
    struct hst_error late = {0};
    tracing->info.status = status == HST_OK ? HST_RUN_COMPLETE : HST_RUN_INTERRUPTED;
    if (tracing->writer == NULL)
        return status;
    enum hst_status finished =
        hst_run_writer_finish(tracing->writer, &tracing->profile, &tracing->info, &late);
    if (status == HST_OK && finished != HST_OK)
        *err = late;
    return status != HST_OK ? status : finished;
}

/* There is no call: was it traced at all, and if not, why? */
static int say_nothing(struct hst_cli *cli, const struct tracing *tracing)
{
    const char *why =
        "no Python of 3.8 or later ran in it, or it does not let LD_PRELOAD in (a static or setuid "
        "program)";
    for (size_t i = 0; i < tracing->calls.trace_count; i++)
        if (tracing->calls.traces[i].failure[0] != '\0')
            why = tracing->calls.traces[i].failure;
    hst_message(cli, "hasten run samples a program from outside, whatever it is", "nothing was traced: %s",
                why);
    return HST_EXIT_OK; /* the program's own code counts */
}

static int conclude(struct hst_cli *cli, struct hst_store *store, struct tracing *tracing,
                    const struct request *request)
{
    struct hst_error err = {0};
    if (tracing->info.cost.samples == 0) {
        if (hst_store_remove(store, tracing->info.number, &err) != HST_OK)
            return hst_message_error(cli, &err);
        return say_nothing(cli, tracing);
    }
    if (!request->quiet &&
        hst_report_run(store, tracing->info.number, NULL, &cli->err_style, cli->err, &err) != HST_OK)
        return hst_message_error(cli, &err);
    return hst_record_export(cli, request->store, request->format, request->output, tracing->info.number);
}

/* The run of a program that could not be started goes again. */
static int not_started(struct hst_cli *cli, struct hst_store *store, struct tracing *tracing,
                       enum hst_status status, const struct hst_error *err)
{
    struct hst_error ignored;
    if (finish(tracing, HST_E_NOENT, &ignored) == HST_E_NOENT && tracing->info.number != 0)
        (void)!hst_store_remove(store, tracing->info.number, &ignored);
    (void)hst_message_error(cli, err);
    return status == HST_E_NOENT ? HST_EXIT_NO_PROGRAM : HST_EXIT_CANNOT_START;
}

static int trace(struct hst_cli *cli, const struct request *request, const struct hst_program *program,
                 struct tracing *tracing)
{
    struct hst_error err = {0};
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    hst_relay_block();
    if (hst_cli_store_open(request->store, HST_STORE_WRITE, &store, &err) != HST_OK ||
        begin(tracing, store, request, program->command, &err) != HST_OK)
        return hst_message_error(cli, &err);
    enum hst_status status = hst_trace_start(&tracing->trace, program->words, &err);
    if (status != HST_OK)
        return not_started(cli, store, tracing, status, &err);
    status = finish(tracing, hst_trace_follow(&tracing->trace, &err), &err);
    int result = status == HST_OK ? conclude(cli, store, tracing, request) : hst_message_error(cli, &err);
    if (tracing->info.exit_status == -1)
        tracing->info.exit_status = hst_relay_wait(tracing->trace.pid);
    return result;
}

static int run(struct hst_cli *cli, const struct request *request, const struct hst_program *program)
{
    struct tracing tracing = {.info = {.exit_status = -1}};
    hst_calls_init(&tracing.calls);
    int result = trace(cli, request, program, &tracing);
    int exit_status = tracing.info.exit_status;
    hst_trace_release(&tracing.trace);
    hst_run_writer_free(tracing.writer);
    hst_calls_release(&tracing.calls);
    hst_profile_release(&tracing.profile);
    return hst_program_end_like(exit_status, result);
}

int hst_cmd_trace(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {0};
    const struct hst_option options[] = {
        {"python-only", 0, NULL, "leave functions of C out: cheaper", HST_OPTION_FLAG, &request.python_only,
         NULL},
        {"backend", 0, "NAME",
         "auto (default: the cheapest), monitoring (3.12 and later), profile (3.8 to 3.11), "
         "frames (3.9 to 3.12, with --python-only)",
         HST_OPTION_CHOICE, &request.backend, backend_names},
        {"name", 0, "NAME", "a name for the run, for show, diff and export", HST_OPTION_TEXT, &request.name,
         NULL},
        {"output", 'o', "FILE", "also export the run to FILE when it ends", HST_OPTION_TEXT, &request.output,
         NULL},
        {"format", 'f', "FORMAT", "format of the export (default: from the file's ending)", HST_OPTION_TEXT,
         &request.format, NULL},
        {"quiet", 'q', NULL, "no report at the end", HST_OPTION_FLAG, &request.quiet, NULL},
        {"store", 0, "PATH", "the store (default: HASTEN_STORE, else .hasten/ at the project's root)",
         HST_OPTION_TEXT, &request.store, NULL},
    };
    const struct hst_usage usage = {
        .command = "trace",
        .synopsis = "[options] [--] script.py [args] | -m module [args] | -c CODE | command [args]",
        .summary = "Starts a program and counts every call in it and in its Python children: how often each "
                   "function was called, from where, and how long it took, without what the counting itself "
                   "cost. The program's streams, signals and exit code are its own.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details =
            "Exact, and therefore dearer than sampling: `hasten run` says where the time goes, `hasten "
            "trace` how often\nand from where.\n\nExamples:\n  hasten trace script.py --its-own-flag\n  "
            "hasten trace --python-only -o out.prof -m pytest\n  hasten show --callers parse\n",
        .stop_at_first = 1,
        .operands_min = 0,
        .operands_max = -1,
    };
    struct hst_program program;
    int result = hst_program_parse(cli, &usage, argc, argv, "script.py", &program);
    if (result != HST_PARSED)
        return result;
    result = run(cli, &request, &program);
    hst_program_release(&program);
    return result;
}
