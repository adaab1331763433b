/* `hasten run`: starts a program, samples it and its Python children, and stands aside: the program's
 * streams, signals and exit code are its own. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "capture/relay.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/program.h"
#include "cli/record.h"

static int run(struct hst_cli *cli, const struct hst_record_options *options,
               const struct hst_program *program)
{
    struct hst_subject subject = {.words = program->words, .command = program->command};
    int exit_status = -1;
    hst_relay_block();
    int result = hst_record(cli, options, &subject, cli->err, &exit_status);
    if (subject.pid == 0)
        return result;
    if (exit_status == -1 && waitpid(subject.pid, &exit_status, 0) != subject.pid)
        exit_status = -1; /* hasten failed on the way: the program is not ended for it */
    return hst_program_end_like(exit_status, result);
}

int hst_cmd_run(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_record_options o = HST_RECORD_DEFAULTS("run");
    const struct hst_option options[] = {
        HST_RECORD_OPTION_ROWS(&o),
    };
    const struct hst_usage usage = {
        .command = "run",
        .synopsis = "[options] [--] script.py [args] | -m module [args] | -c CODE | command [args]",
        .summary = "Starts a program, samples it and all its Python children from outside, prints a report "
                   "on standard "
                   "error when it ends, and saves the run. The program's streams, signals and exit code are "
                   "its own.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details = "Examples:\n  hasten run script.py --its-own-flag\n  hasten run -r 10khz -o "
                   "out.speedscope.json -m "
                   "http.server\n  hasten run -- python3.9 script.py\n",
        .stop_at_first = 1,
        .operands_min = 0,
        .operands_max = -1,
    };
    struct hst_program program;
    int result = hst_program_parse(cli, &usage, argc, argv, "script.py", &program);
    if (result != HST_PARSED)
        return result;
    if (o.native)
        hst_message_note(cli, NULL, "--native: not yet; Python frames only");
    result = run(cli, &o, &program);
    hst_program_release(&program);
    return result;
}
