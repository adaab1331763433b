/* `hasten heap -- script.py`: starts a program, and looks at its heap when its work is done. */
#include "base/memory.h"
#include "capture/heap_child.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/heap_run.h"
#include "cli/heap_take.h"
#include "cli/program.h"
#include "cli/signal_name.h"

struct looks {
    struct hst_cli *cli;
    const struct hst_heap_request *request;
    uint64_t last; /* run of the store */
};

static enum hst_status keep(void *context, const struct hst_heap *heap, struct hst_error *err)
{
    struct looks *looks = context;
    const char *name = looks->last == 0 ? looks->request->name : NULL; /* a name is one run's */
    return hst_heap_run_keep(looks->request->store, name, heap, &looks->last, err);
}

static int conclude(struct hst_cli *cli, const struct hst_heap_request *request, const struct looks *looks)
{
    if (looks->last != 0)
        return hst_heap_print_stored(cli, request, looks->last);
    hst_message(cli,
                "hasten heap PID looks at a program that runs; of one that is ended so, a core file tells: "
                "ulimit -c unlimited",
                "no snapshot: the program ended without its Python coming to an end (os._exit, a signal), or "
                "is no Python of 3.8 or later");
    return HST_EXIT_OK; /* the program's own code counts */
}

static int run(struct hst_cli *cli, const struct hst_heap_request *request, int signal,
               const struct hst_program *program)
{
    struct hst_error err = {0};
    struct looks looks = {cli, request, 0};
    const struct hst_heap_options options = hst_heap_request_options(cli, request);
    struct hst_heap_child child = {.options = &options, .signal = signal, .taken = keep, .context = &looks};
    enum hst_status status = hst_heap_child_run(&child, program->words, &err);
    if (status != HST_OK && child.exit_status == -1) {
        (void)hst_message_error(cli, &err);
        return status == HST_E_NOENT ? HST_EXIT_NO_PROGRAM : HST_EXIT_CANNOT_START;
    }
    int result = status != HST_OK ? hst_message_error(cli, &err) : conclude(cli, request, &looks);
    return hst_program_end_like(child.exit_status, result);
}

int hst_cmd_heap_program(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_heap_request request = {.rows = HST_HEAP_ROWS};
    const char *signal = NULL;
    const struct hst_option options[] = {
        {"rows", 'n', "ROWS", "types in the table (default 15; 0: all)", HST_OPTION_COUNT, &request.rows,
         NULL},
        {"limit", 0, "MB", "memory that the copy may take (default: four fifths of what is free)",
         HST_OPTION_COUNT, &request.limit_mb, NULL},
        {"signal", 0, "SIGNAL", "a signal to hasten, such as USR1, that asks for a snapshot while it runs",
         HST_OPTION_TEXT, &signal, NULL},
        {"name", 0, "NAME", "a name for the run", HST_OPTION_TEXT, &request.name, NULL},
        {"json", 0, NULL, "print JSON instead of text: every type", HST_OPTION_FLAG, &request.json, NULL},
        HST_OPTION_ROW_STORE(&request),
    };
    const struct hst_usage usage = {
        .command = "heap",
        .synopsis = "[options] -- script.py [args] | -m module [args] | -c CODE | command [args]",
        .summary =
            "Starts a Python program and takes a snapshot of its heap when its work is done, before its "
            "interpreter takes\neverything apart; the report about it follows the program's end. The "
            "program's streams, signals and exit code are its own.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .stop_at_first = 1,
        .operands_min = 0,
        .operands_max = -1,
    };
    struct hst_program program;
    int result = hst_program_parse(cli, &usage, argc, argv, "-- script.py", &program);
    if (result != HST_PARSED)
        return result;
    int number = signal != NULL ? hst_signal_number(signal) : 0;
    result = hst_heap_request_check(cli, &request);
    if (result == HST_PARSED && number < 0)
        result = hst_message_usage(cli, "heap", "a signal that can be caught, such as USR1, USR2 or HUP",
                                   "--signal: there is no signal '%s'", signal);
    if (result == HST_PARSED)
        result = run(cli, &request, number, &program);
    hst_program_release(&program);
    return result;
}
