/* `hasten dump`: a process or a core file -> what every thread does, or did. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "capture/dump_read.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/open_store.h"
#include "cli/options.h"
#include "cli/subject.h"
#include "report/dump.h"

struct request {
    int variables, json, blocking, columns;
    const char *root;
    const char *subject; /* a process number or a file */
};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    const struct hst_option options[] = {
        {"locals", 'l', NULL, "the variables of every frame too", HST_OPTION_FLAG, &request->variables, NULL},
        {"columns", 0, NULL, "mark the part of each line that runs (3.11 and later; on a terminal always)",
         HST_OPTION_FLAG, &request->columns, NULL},
        {"blocking", 0, NULL, "hold all threads still while they are read, some milliseconds",
         HST_OPTION_FLAG, &request->blocking, NULL},
        {"root", 0, "DIR", "where the files of the program of a core file are, if not here", HST_OPTION_TEXT,
         &request->root, NULL},
        {"json", 0, NULL, "print JSON instead of text", HST_OPTION_FLAG, &request->json, NULL},
    };
    const struct hst_usage usage = {
        .command = "dump",
        .synopsis = "[options] PID|CORE",
        .summary =
            "Shows what every thread of a Python process does now, or did when it crashed: its state and its "
            "stack,\ninnermost call first, with the lines of source. The process goes on untouched.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details = "  hasten dump 4711                    a running process\n"
                   "  hasten dump -l --blocking 4711      with variables, all of one moment\n"
                   "  hasten dump core.4711               a core file (ulimit -c unlimited lets the system "
                   "write one)",
        .operands_min = 1,
        .operands_max = 1,
    };
    int operands;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        request->subject = argv[1];
    return result;
}

static int print(struct hst_cli *cli, const struct request *request, const struct hst_dump *dump)
{
    const struct hst_dump_view view = {.variables = request->variables,
                                       .columns = request->columns || isatty(fileno(cli->out))};
    if (request->json)
        return hst_cli_print_json(cli, hst_dump_json(dump, &view));
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 0);
    if (hst_dump_text(dump, &view, &cli->out_style, &text) != HST_OK) {
        hst_message(cli, NULL, "out of memory");
        return HST_EXIT_FAILURE;
    }
    return hst_cli_print_buffer(cli, &text);
}

int hst_cmd_dump(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {0};
    struct hst_error err = {0};
    struct hst_dump dump;
    int pid = 0;
    int result = parse(cli, argc, argv, &request);
    if (result == HST_PARSED)
        result = hst_subject_find(cli, "dump", request.subject, &pid);
    if (result != HST_PARSED)
        return result;
    HST_CLEANUP_FREE char *root = NULL; /* whole, since the names of a core are whole */
    if (request.root != NULL && (root = realpath(request.root, NULL)) == NULL) {
        hst_message(cli, NULL, "--root: %s: %s", request.root, strerror(errno));
        return HST_EXIT_NOT_FOUND;
    }
    const struct hst_dump_options options = {
        .variables = request.variables, .blocking = request.blocking, .root = root != NULL ? root : ""};
    if (!hst_dump_init(&dump)) {
        hst_message(cli, NULL, "out of memory");
        return HST_EXIT_FAILURE;
    }
    enum hst_status status = pid != 0 ? hst_dump_read_process(pid, &options, &dump, &err)
                                      : hst_dump_read_core(request.subject, &options, &dump, &err);
    result = status == HST_OK ? print(cli, &request, &dump) : hst_message_error(cli, &err);
    hst_dump_release(&dump);
    return result;
}
