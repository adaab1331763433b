/* `hasten inside`: the other end of a measurement that a program asks for itself, by the Python package
 * (python/hasten/_measurement.py; control.h has what the two say).  Nobody types it, so it is not in the list
 * of commands.  It leaves the program's family, so that the program's own waits never meet it.  What goes
 * wrong is said on standard error, and the pipe is closed. */
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "base/memory.h"
#include "capture/relay.h"
#include "cli/agent_run.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/record.h"
#include "target/lent.h"
#include "target/process.h"

enum kind { SAMPLE, TRACE, LINES };
static const char *const kind_names[] = {"sample", "trace", "lines", NULL};

struct wish {
    int kind;
    uint64_t pid, memory, maps;
    const char *executable;
    struct hst_record_options record;
    struct hst_agent_request agent;
    struct hst_trace_selection selection;
    struct hst_control control;
};

/* A process of its own, which init waits for. Nonzero: this one is over. */
static int leave_family(void)
{
    pid_t pid = fork();
    if (pid != 0)
        _exit(pid > 0 ? HST_EXIT_OK : HST_EXIT_FAILURE);
    return setsid() < 0;
}

static int measure(struct hst_cli *cli, struct wish *wish)
{
    HST_CLEANUP_FREE char *command = hst_process_command((int)wish->pid);
    const char *words = command != NULL ? command : "";
    hst_relay_block();
    if (wish->kind != SAMPLE) {
        struct hst_error err = {0};
        wish->agent.trace.lines = wish->kind == LINES;
        wish->agent.selection = wish->kind == TRACE ? &wish->selection : NULL;
        if (hst_trace_selection_init(&wish->selection, &err) != HST_OK)
            return hst_message_usage(cli, "trace", err.hint, "%s", err.text);
        int result = hst_agent_join(cli, &wish->agent, (int)wish->pid, words, &wish->control);
        hst_trace_selection_release(&wish->selection);
        return result;
    }
    int ignored;
    struct hst_subject subject = {.pid = (int)wish->pid, .command = words};
    wish->record.store = wish->agent.store;
    wish->record.name = wish->agent.name;
    wish->record.quiet = 1;
    wish->record.control = &wish->control;
    hst_lent_set(&(struct hst_lent){.pid = (int)wish->pid,
                                    .memory = wish->memory > 0 ? (int)wish->memory : -1,
                                    .maps = wish->maps > 0 ? (int)wish->maps : -1,
                                    .executable = wish->executable});
    return hst_record(cli, &wish->record, &subject, cli->err, &ignored);
}

int hst_cmd_inside(struct hst_cli *cli, int argc, char **argv)
{
    struct wish wish = {.record = HST_RECORD_DEFAULTS("inside"),
                        .agent = {.quiet = 1},
                        .control = {.in = STDIN_FILENO, .out = STDOUT_FILENO}};
    struct hst_trace_selection *selection = &wish.selection;
    const struct hst_option options[] = {
        {"kind", 0, "KIND", "sample, trace or lines", HST_OPTION_CHOICE, &wish.kind, kind_names},
        {"pid", 0, "N", "of the program", HST_OPTION_COUNT, &wish.pid, NULL},
        {"memory", 0, "N", "descriptor of its memory", HST_OPTION_COUNT, &wish.memory, NULL},
        {"maps", 0, "N", "descriptor of its maps", HST_OPTION_COUNT, &wish.maps, NULL},
        {"executable", 0, "FILE", "its executable", HST_OPTION_TEXT, &wish.executable, NULL},
        {"rate", 0, "RATE", HST_RECORD_RATE_HELP, HST_OPTION_RATE, &wish.record.rate_hz, NULL},
        {"no-children", 0, NULL, "as hasten attach", HST_OPTION_FLAG, &wish.record.alone, NULL},
        {"python-only", 0, NULL, "as hasten trace", HST_OPTION_FLAG, &wish.agent.trace.python_only, NULL},
        {"depth", 0, "N", "as hasten trace", HST_OPTION_COUNT, &wish.agent.trace.depth, NULL},
        {"timeline", 0, NULL, "as hasten trace", HST_OPTION_FLAG, &wish.agent.trace.timeline, NULL},
        {"only", 0, "PATTERN", "as hasten trace", HST_OPTION_LIST, &selection->texts[HST_TRACE_ONLY], NULL},
        {"skip", 0, "PATTERN", "as hasten trace", HST_OPTION_LIST, &selection->texts[HST_TRACE_SKIP], NULL},
        {"name", 0, "NAME", "a name for the run", HST_OPTION_TEXT, &wish.agent.name, NULL},
        {"store", 0, "PATH", "the store", HST_OPTION_TEXT, &wish.agent.store, NULL},
    };
    const struct hst_usage usage = {
        .command = "inside",
        .synopsis = "[options]",
        .summary = "The other end of a measurement that a program asks for by the Python package hasten; for "
                   "that package to start, not for people.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
    };
    int operands;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result != HST_PARSED)
        return result;
    struct hst_process_facts facts;
    if (wish.pid == 0 || wish.pid > INT_MAX || wish.memory > INT_MAX || wish.maps > INT_MAX ||
        hst_process_read((int)wish.pid, &facts) != HST_OK)
        return hst_message_usage(cli, "inside", NULL, "--pid: there is no such process");
    if (leave_family())
        return HST_EXIT_FAILURE;
    return measure(cli, &wish);
}
