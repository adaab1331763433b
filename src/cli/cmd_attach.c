/* `hasten attach`: samples a process that already runs, and leaves it as it was. */
#include <inttypes.h>
#include <limits.h>

#include "base/memory.h"
#include "capture/relay.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/record.h"
#include "target/process.h"

int hst_cmd_attach(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_record_options o = HST_RECORD_DEFAULTS("attach");
    const struct hst_option options[] = {
        HST_RECORD_OPTION_ROWS(&o),
    };
    const struct hst_usage usage = {
        .command = "attach",
        .synopsis = "[options] PID",
        .summary =
            "Samples a running process and its children until it ends, the time (-d) is up, or Ctrl-C; the "
            "process itself goes on untouched. Prints a report and saves the run.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details = "Example:\n  hasten attach -d 10 4711\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    int operands, exit_status;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result != HST_PARSED)
        return result;
    uint64_t pid;
    if (hst_count_parse(argv[1], &pid) != HST_OK || pid == 0 || pid > INT_MAX)
        return hst_message_usage(cli, "attach", "hasten attach $(pgrep -n python)",
                                 "\"%s\" is not a process number", argv[1]);
    struct hst_process_facts facts;
    if (hst_process_read((int)pid, &facts) != HST_OK || facts.state == 'Z') {
        hst_message(cli, "ps aux | grep python shows the ones that run", "there is no process %" PRIu64, pid);
        return HST_EXIT_NOT_FOUND;
    }
    if (o.native)
        hst_message_note(cli, NULL, "--native: not yet; Python frames only");
    HST_CLEANUP_FREE char *command = hst_process_command((int)pid);
    hst_relay_block();
    struct hst_subject subject = {.pid = (int)pid, .command = command != NULL ? command : ""};
    return hst_record(cli, &o, &subject, cli->out, &exit_status);
}
