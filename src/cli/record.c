/* A session whose samples go into a store, and what is said when it is over. */
#include "cli/record.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "capture/command.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/export_format.h"
#include "cli/open_store.h"
#include "cli/show_run.h"
#include "store/run_writer.h"

#define PENDING_BYTES_MAX (1u << 20)

struct recording {
    struct hst_run_writer *writer;
    struct hst_profile profile;
    struct hst_run_info info;
    struct hst_session session;
};

static enum hst_status take_sample(void *context, const struct hst_sample *sample)
{
    struct recording *recording = context;
    if (hst_run_writer_pending_bytes(recording->writer) > PENDING_BYTES_MAX)
        recording->session.next_flush_ns = 0;
    return hst_run_writer_add(recording->writer, sample);
}

static enum hst_status take_flush(void *context, const struct hst_profile *profile,
                                  const struct hst_run_info *info, struct hst_error *err)
{
    struct recording *recording = context;
    return hst_run_writer_flush(recording->writer, profile, info, err);
}

static void fill_info(struct hst_run_info *info, const struct hst_record_options *options,
                      const char *command)
{
    *info = (struct hst_run_info){.kind = HST_RUN_SAMPLED,
                                  .status = HST_RUN_RECORDING,
                                  .start_wall_ns = hst_wall_ns(),
                                  .rate_hz = options->rate_hz,
                                  .budget_percent = options->budget_percent,
                                  .blocking = options->blocking,
                                  .exit_status = -1};
    (void)snprintf(info->command, sizeof info->command, "%s", command);
    (void)snprintf(info->hasten_version, sizeof info->hasten_version, "%s", HST_VERSION);
    if (options->name != NULL)
        (void)snprintf(info->name, sizeof info->name, "%s", options->name);
    if (getcwd(info->directory, sizeof info->directory) == NULL)
        info->directory[0] = '\0';
}

int hst_record_say_nothing(struct hst_cli *cli, const struct hst_session *session)
{
    const struct hst_watch *watch = session->watch_count > 0 ? session->watches[0] : NULL;
    if (watch != NULL && watch->why == HST_E_PERM) {
        hst_message(
            cli,
            "be the same user or root; see /proc/sys/kernel/yama/ptrace_scope; in a container add the "
            "capability SYS_PTRACE; or start the program by: hasten run",
            "not allowed to read the memory of process %d", session->target);
        return HST_EXIT_NOT_PERMITTED;
    }
    if (watch != NULL && watch->why == HST_E_UNSUPPORTED) {
        HST_CLEANUP_FREE char *command = hst_process_command(session->target);
        hst_message(cli,
                    watch->error.hint[0] != '\0' ? watch->error.hint
                                                 : "hasten run script.py, or hasten attach PID",
                    "nothing was recorded of process %d%s%s: %s", session->target,
                    command != NULL && command[0] != '\0' ? ", " : "", command != NULL ? command : "",
                    watch->error.text);
        return HST_EXIT_UNSUPPORTED;
    }
    hst_message(cli, "a higher rate: -r 10khz, or -r max",
                "nothing was recorded: the program ended before the first sample");
    return HST_EXIT_OK;
}

int hst_record_export(struct hst_cli *cli, const char *store, const char *format, const char *output,
                      uint64_t number)
{
    if (output == NULL && format == NULL)
        return HST_EXIT_OK;
    enum { WORDS_MAX = 9 };
    const char *words[WORDS_MAX] = {"export"};
    char text[32], *argv[WORDS_MAX] = {NULL};
    int argc = 1;
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    words[argc++] = text;
    const char *const pairs[][2] = {{"-f", format}, {"-o", output}, {"--store", store}};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(pairs); i++)
        if (pairs[i][1] != NULL) {
            words[argc++] = pairs[i][0];
            words[argc++] = pairs[i][1];
        }
    char *copies[WORDS_MAX] = {NULL}; /* a command may move its words about, and want them writable */
    for (int i = 0; i < argc; i++)
        argv[i] = copies[i] = hst_strdup(words[i]);
    int complete = 1;
    for (int i = 0; i < argc; i++)
        complete &= copies[i] != NULL;
    int result = complete ? hst_cmd_export(cli, argc, argv) : HST_EXIT_FAILURE;
    for (int i = 0; i < argc; i++)
        hst_free(copies[i]);
    return result;
}

static enum hst_status begin(struct recording *recording, struct hst_store *store,
                             const struct hst_record_options *options, const char *command,
                             struct hst_error *err)
{
    fill_info(&recording->info, options, command);
    if (!hst_profile_init(&recording->profile))
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    return hst_run_writer_new(store, &recording->info, &recording->writer, err);
}

/* Runs the session; the run in the store is whole whatever happened. */
static enum hst_status work(struct recording *recording, const struct hst_record_options *options,
                            const struct hst_subject *subject, struct hst_error *err)
{
    struct hst_session_options how = {.rate_hz = options->rate_hz,
                                      .budget_percent = options->budget_percent,
                                      .duration_ns = options->duration_ns,
                                      .blocking = options->blocking,
                                      .alone = options->alone,
                                      .control = options->control};
    struct hst_sink sink = {.context = recording, .sample = take_sample, .flush = take_flush};
    enum hst_session_end end = HST_END_EXITED;
    hst_session_init(&recording->session, &how, &recording->profile, &recording->info, &sink);
    enum hst_status status =
        hst_session_run(&recording->session, subject->pid, subject->words != NULL, &end, err);
    recording->info.status =
        status == HST_OK && end != HST_END_INTERRUPTED ? HST_RUN_COMPLETE : HST_RUN_INTERRUPTED;
    struct hst_error late = {0};
    enum hst_status finished =
        hst_run_writer_finish(recording->writer, &recording->profile, &recording->info, &late);
    if (status == HST_OK && finished != HST_OK)
        *err = late;
    return status != HST_OK ? status : finished;
}

static int conclude(struct hst_cli *cli, struct hst_store *store, struct recording *recording,
                    const struct hst_record_options *options, FILE *report)
{
    struct hst_error err = {0};
    if (recording->info.cost.samples == 0) {
        if (hst_store_remove(store, recording->info.number, &err) != HST_OK)
            return hst_message_error(cli, &err);
        int result = hst_record_say_nothing(cli, &recording->session);
        if (options->control != NULL && result == HST_EXIT_OK)
            hst_control_answer(options->control, "empty");
        return recording->session.child ? HST_EXIT_OK
                                        : result; /* a program may be no Python: its own code counts */
    }
    if (recording->session.slowed)
        hst_message_note(cli, NULL, "the rate was lowered to %.0f Hz to stay within %.3g %% of a CPU",
                         1e9 / (double)recording->session.period_ns, options->budget_percent);
    if (!options->quiet) {
        struct hst_style style = hst_style_for(report);
        if (hst_report_run(store, recording->info.number, NULL, &style, report, &err) != HST_OK)
            return hst_message_error(cli, &err);
    }
    if (options->control != NULL)
        hst_control_answer(options->control, "done");
    return hst_record_export(cli, options->store, options->format, options->output, recording->info.number);
}

/* HST_PARSED when there is a process to sample, else the exit code. */
static int start(struct hst_cli *cli, struct hst_subject *subject)
{
    struct hst_error err = {0};
    if (subject->words == NULL)
        return HST_PARSED;
    enum hst_status status = hst_command_start(subject->words, &subject->pid, &err);
    if (status == HST_OK)
        return HST_PARSED;
    (void)hst_message_error(cli, &err);
    return status == HST_E_NOENT ? HST_EXIT_NO_PROGRAM : HST_EXIT_CANNOT_START;
}

/* The program could not be started: there is no run. */
static void forget(struct hst_store *store, struct recording *recording)
{
    struct hst_error ignored;
    if (recording->writer == NULL)
        return;
    recording->info.status = HST_RUN_INTERRUPTED; /* a run that is being recorded is not removed */
    if (hst_run_writer_finish(recording->writer, &recording->profile, &recording->info, &ignored) == HST_OK)
        (void)!hst_store_remove(store, recording->info.number, &ignored);
}

int hst_record(struct hst_cli *cli, const struct hst_record_options *options, struct hst_subject *subject,
               FILE *report, int *ret_exit_status)
{
    struct hst_error err = {0};
    const struct hst_export_wish wish = {options->command, options->format, options->output,
                                         HST_EXPORT_SAMPLES};
    *ret_exit_status = -1;
    int result = hst_export_foresee(cli, &wish, options->store);
    if (result != HST_PARSED)
        return result;
    struct recording recording = {.session.exit_status = -1};
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    enum hst_status status = hst_cli_store_open(options->store, HST_STORE_WRITE, &store, &err);
    if (status == HST_OK)
        status = begin(&recording, store, options, subject->command, &err);
    result = start(cli, subject);
    if (result != HST_PARSED) {
        forget(store, &recording);
    } else {
        if (status == HST_OK && options->control != NULL)
            hst_control_answer(options->control, "run %" PRIu64, recording.info.number);
        if (status == HST_OK)
            status = work(&recording, options, subject, &err);
        result = status != HST_OK ? hst_message_error(cli, &err)
                                  : conclude(cli, store, &recording, options, report);
        if (status == HST_OK && subject->words != NULL)
            hst_session_wait_child(&recording.session);
    }
    *ret_exit_status = recording.session.exit_status;
    hst_session_release(&recording.session);
    hst_run_writer_free(recording.writer);
    hst_profile_release(&recording.profile);
    return result;
}
