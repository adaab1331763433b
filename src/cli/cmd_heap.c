/* `hasten heap`: a process or a core file -> its objects by type; or, by its first word, a question to a
 * stored snapshot (cmd_heap_types.c, ...). */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/nearest.h"
#include "capture/heap_read.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/heap_take.h"
#include "cli/subject.h"

static const struct {
    const char *name;
    hst_command_function *function;
} questions[] = {
    {"types", hst_cmd_heap_types},   {"top", hst_cmd_heap_top},       {"dominators", hst_cmd_heap_dominators},
    {"refs", hst_cmd_heap_refs},     {"show", hst_cmd_heap_show},     {"suspects", hst_cmd_heap_suspects},
    {"diff", hst_cmd_heap_diff},     {"cycles", hst_cmd_heap_cycles}, {"duplicates", hst_cmd_heap_duplicates},
    {"waste", hst_cmd_heap_waste},   {"query", hst_cmd_heap_query},   {"growth", hst_cmd_heap_growth},
    {"export", hst_cmd_heap_export}, {"import", hst_cmd_heap_import},
};

static int parse(struct hst_cli *cli, int argc, char **argv, struct hst_heap_request *request)
{
    const struct hst_option options[] = {
        {"rows", 'n', "ROWS", "types in the table (default 15; 0: all)", HST_OPTION_COUNT, &request->rows,
         NULL},
        {"limit", 0, "MB", "memory that the copy may take (default: four fifths of what is free)",
         HST_OPTION_COUNT, &request->limit_mb, NULL},
        {"fork", 0, NULL, "copy from a child of the process, which goes on meanwhile", HST_OPTION_FLAG,
         &request->fork, NULL},
        {"precopy", 0, NULL, "copy while the process goes on, then stop it for what it wrote meanwhile",
         HST_OPTION_FLAG, &request->precopy, NULL},
        {"live", 0, NULL, "copy while the process goes on: what changes meanwhile may be missing or wrong",
         HST_OPTION_FLAG, &request->live, NULL},
        {"root", 0, "DIR", "where the files of the program of a core file are, if not here", HST_OPTION_TEXT,
         &request->root, NULL},
        {"name", 0, "NAME", "a name for the run", HST_OPTION_TEXT, &request->name, NULL},
        {"await", 0, NULL, NULL, HST_OPTION_FLAG, &request->await, NULL},
        {"json", 0, NULL, "print JSON instead of text: every type", HST_OPTION_FLAG, &request->json, NULL},
        HST_OPTION_ROW_STORE(request),
    };
    const struct hst_usage usage = {
        .command = "heap",
        .synopsis = "[options] PID|CORE, heap [options] -- script.py [args], or heap QUESTION [RUN] ...",
        .summary =
            "Finds every object of a Python process and who holds it, keeps that as a run of the store, "
            "and shows what its memory\nis made of. The process stands still while its memory is copied; "
            "how long that may take is said before.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details =
            "  hasten heap 4711            a running process\n"
            "  hasten heap --precopy 4711  a large one, which stands still for some milliseconds only\n"
            "  hasten heap core.4711       a core file (ulimit -c unlimited lets the system write one)\n"
            "  hasten heap -- script.py    a program that is started, when its work is done (heap -- "
            "--help)\n\n"
            "Questions to a snapshot in the store (RUN: the last one), each with a --help of its own\n"
            "  hasten heap types           objects by type, with what would be freed with all of them\n"
            "  hasten heap top             objects by what freeing them would give, and where they hang\n"
            "  hasten heap dominators      who alone keeps what alive, as a tree\n"
            "  hasten heap refs X          who refers to an object, or how a type is reached; as a picture "
            "too\n"
            "  hasten heap show X          an object: its value, attributes, items\n"
            "  hasten heap suspects        what may be a leak; of three snapshots, what grew\n"
            "  hasten heap diff            what is new, gone and grown between two\n"
            "  hasten heap cycles          groups that keep themselves alive, and what would end that\n"
            "  hasten heap duplicates      equal objects\n"
            "  hasten heap waste           memory that could be saved\n"
            "  hasten heap query 'SQL'     objects, types, references and roots as tables\n"
            "  hasten heap export          a snapshot for other tools\n"
            "  hasten heap import FILE     a dump of another tool as a snapshot\n\n"
            "Again and again\n"
            "  hasten heap growth PID      which types grow",
        .operands_min = 1,
        .operands_max = 1,
    };
    int operands;
    request->rows = HST_HEAP_ROWS;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        request->subject = argv[1];
    return result;
}

/* A slip in a question is not a file that is missing. HST_PARSED: it is neither. */
static int ask(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_nearest nearest = {.wanted = argc > 1 ? argv[1] : ""};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(questions) && argc > 1; i++) {
        if (strcmp(argv[1], questions[i].name) == 0)
            return questions[i].function(cli, argc - 1, argv + 1);
        hst_nearest_offer(&nearest, questions[i].name);
    }
    if (nearest.best == NULL || access(argv[1], F_OK) == 0)
        return HST_PARSED;
    char hint[64];
    (void)snprintf(hint, sizeof hint, "hasten heap %s", nearest.best);
    return hst_message_usage(cli, "heap", hint, "a heap is not asked for '%s', and there is no such file",
                             argv[1]);
}

/* python/hasten/heap.py says so when all that its program does to ask about itself is done. */
static void await_end_of_input(void)
{
    char byte;
    ssize_t got;
    do
        got = read(STDIN_FILENO, &byte, sizeof byte);
    while (got > 0 || (got < 0 && errno == EINTR));
}

/* Options of hasten may stand before it. */
static int has_program(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0)
            return 1;
    return 0;
}

int hst_cmd_heap(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_heap_request request = {0};
    struct hst_error err = {0};
    struct hst_heap heap;
    int pid = 0, result = ask(cli, argc, argv);
    if (result != HST_PARSED)
        return result;
    if (has_program(argc, argv))
        return hst_cmd_heap_program(cli, argc, argv);
    result = parse(cli, argc, argv, &request);
    if (result == HST_PARSED)
        result = hst_subject_find(cli, "heap", request.subject, &pid);
    if (result == HST_PARSED)
        result = hst_heap_request_check(cli, &request);
    if (result != HST_PARSED)
        return result;
    if ((request.fork || request.live || request.precopy) && pid == 0)
        return hst_message_usage(cli, "heap", NULL, "--fork, --precopy and --live are for a running process");
    HST_CLEANUP_FREE char *root = NULL; /* whole, since the names of a core are whole */
    if (request.root != NULL && (root = realpath(request.root, NULL)) == NULL) {
        hst_message(cli, NULL, "--root: %s: %s", request.root, strerror(errno));
        return HST_EXIT_NOT_FOUND;
    }
    struct hst_heap_options options = hst_heap_request_options(cli, &request);
    options.root = root != NULL ? root : "";
    if (request.await)
        await_end_of_input();
    enum hst_status status = pid != 0 ? hst_heap_read_process(pid, &options, &heap, &err)
                                      : hst_heap_read_core(request.subject, &options, &heap, &err);
    return status == HST_OK ? hst_heap_keep_and_print(cli, &request, &heap) : hst_message_error(cli, &err);
}
