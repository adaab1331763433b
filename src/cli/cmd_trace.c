/* `hasten trace`: starts a program with the agent in it, and stores what it counted: every call, exactly. */
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "cli/agent_run.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/signal_name.h"

static const char *const backend_names[] = {"auto", "monitoring", "profile", "frames", NULL};

int hst_cmd_trace(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_trace_selection selection = {0};
    struct hst_agent_request request = {
        .selection = &selection, .nothing = "no call was made", .nothing_hint = NULL};
    int backend = 0;
    const char *toggle = NULL;
    const struct hst_option options[] = {
        {"python-only", 0, NULL, "leave functions of C out: cheaper", HST_OPTION_FLAG,
         &request.trace.python_only, NULL},
        {"backend", 0, "NAME",
         "auto (default: the cheapest), monitoring (3.12 and later), profile (3.8 to 3.11), "
         "frames (3.9 to 3.12, with --python-only)",
         HST_OPTION_CHOICE, &backend, backend_names},
        {"only", 0, "PATTERN",
         "only functions that match (glob, re:REGEX) are seen, the time of others is their caller's",
         HST_OPTION_LIST, &selection.texts[HST_TRACE_ONLY], NULL},
        {"skip", 0, "PATTERN", "functions that match are not seen, their time is their caller's",
         HST_OPTION_LIST, &selection.texts[HST_TRACE_SKIP], NULL},
        {"from", 0, "PATTERN", "only calls of functions that match, and all inside them, are seen",
         HST_OPTION_LIST, &selection.texts[HST_TRACE_FROM], NULL},
        {"to", 0, "PATTERN", "what functions that match call is not seen", HST_OPTION_LIST,
         &selection.texts[HST_TRACE_TO], NULL},
        {"depth", 0, "N", "calls inside N others are not seen: cheaper", HST_OPTION_COUNT,
         &request.trace.depth, NULL},
        {"paused", 0, NULL, "trace nothing until the program calls hasten.resume(), or the signal comes",
         HST_OPTION_FLAG, &request.trace.paused, NULL},
        {"toggle", 0, "SIGNAL", "a signal to the program, such as USR2, pauses and resumes", HST_OPTION_TEXT,
         &toggle, NULL},
        {"timeline", 0, NULL, "keep the order of calls too, for export -f chrome and -f speedscope",
         HST_OPTION_FLAG, &request.trace.timeline, NULL},
        {"timeline-chunks", 0, "N", NULL, HST_OPTION_COUNT, &request.trace.timeline_chunks, NULL},
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
    request.trace.backend = (enum hst_agent_backend)backend;
    request.trace.toggle = toggle != NULL ? hst_signal_number(toggle) : 0;
    if (request.trace.toggle < 0) {
        hst_program_release(&program);
        return hst_message_usage(cli, "trace", "a signal that a program can catch, such as USR1, USR2 or HUP",
                                 "--toggle does not take '%s'", toggle);
    }
    struct hst_error err = {0};
    enum hst_status status = hst_trace_selection_init(&selection, &err);
    if (selection.count > 0)
        request.nothing = "no call was made that --only, --skip, --from and --to let be seen";
    result = status == HST_OK ? hst_agent_run(cli, &request, &program)
                              : hst_message_usage(cli, "trace", err.hint, "%s", err.text);
    hst_trace_selection_release(&selection);
    hst_program_release(&program);
    return result;
}
