/* A program with the agent in it, whose counts go into a store, and what is said when it is over. */
#include "cli/agent_run.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "capture/relay.h"
#include "cli/exit_codes.h"
#include "cli/export_format.h"
#include "cli/open_store.h"
#include "cli/record.h"
#include "cli/show_run.h"
#include "store/run_writer.h"

#define PENDING_BYTES_MAX (24u << 20)

struct tracing {
    struct hst_run_writer *writer;
    struct hst_profile profile;
    struct hst_calls calls;
    struct hst_lines lines;
    struct hst_run_info info;
    struct hst_trace trace;
};

static enum hst_status flush(void *context, struct hst_error *err)
{
    struct tracing *tracing = context;
    return hst_run_writer_flush(tracing->writer, &tracing->profile, &tracing->info, err);
}

static enum hst_status take_event(void *context, const struct hst_call_event *event, struct hst_error *err)
{
    struct tracing *tracing = context;
    enum hst_status status = hst_run_writer_event(tracing->writer, event);
    if (status != HST_OK)
        return hst_error_set(err, status, "an event cannot be kept: %s", hst_status_name(status));
    return hst_run_writer_pending_bytes(tracing->writer) > PENDING_BYTES_MAX ? flush(tracing, err) : HST_OK;
}

static void fill_info(struct hst_run_info *info, const struct hst_agent_request *request, const char *command)
{
    *info = (struct hst_run_info){.kind = request->trace.lines ? HST_RUN_LINES : HST_RUN_TRACED,
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

static enum hst_status begin(struct tracing *tracing, struct hst_store *store,
                             const struct hst_agent_request *request, const char *command,
                             struct hst_error *err)
{
    fill_info(&tracing->info, request, command);
    if (!hst_profile_init(&tracing->profile))
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    tracing->trace.options = request->trace;
    tracing->trace.profile = &tracing->profile;
    tracing->trace.info = &tracing->info;
    tracing->trace.calls = &tracing->calls;
    tracing->trace.lines = request->trace.lines ? &tracing->lines : NULL;
    tracing->trace.flush = flush;
    tracing->trace.context = tracing;
    HST_TRY(hst_trace_init(&tracing->trace, err));
    if (request->selection != NULL)
        hst_trace_selection_apply(request->selection, &tracing->trace.maps);
    if (request->trace.timeline) {
        tracing->trace.maps.event = take_event;
        tracing->trace.maps.event_context = tracing;
    }
    HST_TRY(hst_run_writer_new(store, &tracing->info, &tracing->writer, err));
    hst_run_writer_set_calls(tracing->writer, &tracing->calls);
    hst_run_writer_set_lines(tracing->writer, tracing->trace.lines);
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

/* Nothing was counted: was the program traced at all, and if not, why? */
static int say_nothing(struct hst_cli *cli, const struct tracing *tracing,
                       const struct hst_agent_request *request)
{
    const char *why = tracing->calls.trace_count > 0
                          ? request->nothing
                          : "no Python of 3.8 or later ran in it, or it does not let LD_PRELOAD in (a "
                            "static or setuid program)";
    const char *hint = tracing->calls.trace_count > 0
                           ? request->nothing_hint
                           : "hasten run samples a program from outside, whatever it is";
    for (size_t i = 0; i < tracing->calls.trace_count; i++)
        if (tracing->calls.traces[i].failure[0] != '\0')
            why = tracing->calls.traces[i].failure;
    hst_message(cli, hint, "nothing was traced: %s", why);
    if (tracing->calls.trace_count > 0 && request->selection != NULL)
        hst_trace_selection_say(cli, request->selection);
    return HST_EXIT_OK; /* the program's own code counts */
}

static int conclude(struct hst_cli *cli, struct hst_store *store, struct tracing *tracing,
                    const struct hst_agent_request *request)
{
    struct hst_error err = {0};
    if (tracing->info.cost.samples == 0) {
        if (hst_store_remove(store, tracing->info.number, &err) != HST_OK)
            return hst_message_error(cli, &err);
        return say_nothing(cli, tracing, request);
    }
    if (!request->quiet &&
        hst_report_run(store, tracing->info.number, NULL, &cli->err_style, cli->err, &err) != HST_OK)
        return hst_message_error(cli, &err);
    if (request->selection != NULL)
        hst_trace_selection_say(cli, request->selection);
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

static int trace(struct hst_cli *cli, const struct hst_agent_request *request,
                 const struct hst_program *program, struct tracing *tracing)
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

/* The program waits for the order, and begins. */
static int join(struct hst_cli *cli, const struct hst_agent_request *request, const char *command,
                struct tracing *tracing)
{
    struct hst_error err = {0};
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    if (hst_cli_store_open(request->store, HST_STORE_WRITE, &store, &err) != HST_OK ||
        begin(tracing, store, request, command, &err) != HST_OK)
        return hst_message_error(cli, &err);
    HST_CLEANUP_FREE char *order = hst_trace_order(&tracing->trace);
    hst_control_answer(tracing->trace.control, "run %" PRIu64, tracing->info.number);
    hst_control_answer(tracing->trace.control, "order %s", order != NULL ? order : "");
    enum hst_status status = finish(tracing, hst_trace_follow(&tracing->trace, &err), &err);
    int empty = tracing->info.cost.samples == 0;
    if (status == HST_OK && empty)
        status = hst_store_remove(store, tracing->info.number, &err);
    if (status != HST_OK)
        return hst_message_error(cli, &err);
    hst_control_answer(tracing->trace.control, empty ? "empty" : "done");
    return HST_EXIT_OK;
}

static void release(struct tracing *tracing)
{
    hst_trace_release(&tracing->trace);
    hst_run_writer_free(tracing->writer);
    hst_calls_release(&tracing->calls);
    hst_lines_release(&tracing->lines);
    hst_profile_release(&tracing->profile);
}

int hst_agent_join(struct hst_cli *cli, const struct hst_agent_request *request, int pid, const char *command,
                   struct hst_control *control)
{
    struct tracing tracing = {.trace = {.joined = pid, .control = control}};
    hst_calls_init(&tracing.calls);
    hst_lines_init(&tracing.lines);
    int result = join(cli, request, command, &tracing);
    release(&tracing);
    return result;
}

static unsigned content_of(const struct hst_trace_options *options)
{
    return options->lines      ? HST_EXPORT_LINES
           : options->timeline ? HST_EXPORT_SUMS | HST_EXPORT_EVENTS
                               : HST_EXPORT_SUMS;
}

int hst_agent_run(struct hst_cli *cli, const struct hst_agent_request *request,
                  const struct hst_program *program)
{
    const struct hst_export_wish wish = {request->trace.lines ? "lines" : "trace", request->format,
                                         request->output, content_of(&request->trace)};
    int result = hst_export_foresee(cli, &wish, request->store);
    if (result != HST_PARSED)
        return result;
    struct tracing tracing = {.info = {.exit_status = -1}};
    hst_calls_init(&tracing.calls);
    hst_lines_init(&tracing.lines);
    result = trace(cli, request, program, &tracing);
    int exit_status = tracing.info.exit_status;
    release(&tracing);
    return hst_program_end_like(exit_status, result);
}
