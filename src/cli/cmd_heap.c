/* `hasten heap`: a process or a core file -> its objects by type; or, by its first word, a question to a
 * stored snapshot (cmd_heap_types.c, ...). */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "capture/heap_read.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/heap_run.h"
#include "cli/open_store.h"
#include "cli/options.h"
#include "cli/subject.h"
#include "report/cell.h"
#include "report/heap_pages.h"
#include "store/heap_writer.h"

enum { ROWS = 15, HOLDERS = 5 };

static const struct {
    const char *name;
    hst_command_function *function;
} questions[] = {
    {"types", hst_cmd_heap_types}, {"top", hst_cmd_heap_top},       {"dominators", hst_cmd_heap_dominators},
    {"refs", hst_cmd_heap_refs},   {"show", hst_cmd_heap_show},     {"suspects", hst_cmd_heap_suspects},
    {"diff", hst_cmd_heap_diff},   {"cycles", hst_cmd_heap_cycles}, {"duplicates", hst_cmd_heap_duplicates},
    {"waste", hst_cmd_heap_waste}, {"query", hst_cmd_heap_query},
};

struct request {
    int json, fork;
    uint64_t rows, limit_mb;
    const char *root, *store, *name;
    const char *subject; /* a process number or a file */
};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    const struct hst_option options[] = {
        {"rows", 'n', "ROWS", "types in the table (default 15; 0: all)", HST_OPTION_COUNT, &request->rows,
         NULL},
        {"limit", 0, "MB", "memory that the copy may take (default: four fifths of what is free)",
         HST_OPTION_COUNT, &request->limit_mb, NULL},
        {"fork", 0, NULL, "copy from a child of the process, which goes on meanwhile", HST_OPTION_FLAG,
         &request->fork, NULL},
        {"root", 0, "DIR", "where the files of the program of a core file are, if not here", HST_OPTION_TEXT,
         &request->root, NULL},
        {"name", 0, "NAME", "a name for the run", HST_OPTION_TEXT, &request->name, NULL},
        {"json", 0, NULL, "print JSON instead of text: every type", HST_OPTION_FLAG, &request->json, NULL},
        HST_OPTION_ROW_STORE(request),
    };
    const struct hst_usage usage = {
        .command = "heap",
        .synopsis = "[options] PID|CORE, or heap QUESTION [RUN] ...",
        .summary =
            "Finds every object of a Python process and who holds it, keeps that as a run of the store, "
            "and shows what its memory\nis made of. The process stands still while its memory is copied; "
            "how long that may take is said before.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details =
            "  hasten heap 4711            a running process\n"
            "  hasten heap --fork 4711     a large one, which stands still for some milliseconds only\n"
            "  hasten heap core.4711       a core file (ulimit -c unlimited lets the system write one)\n\n"
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
            "  hasten heap query 'SQL'     objects, types, references and roots as tables",
        .operands_min = 1,
        .operands_max = 1,
    };
    int operands;
    request->rows = ROWS;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        request->subject = argv[1];
    return result;
}

static void announce(void *context, uint64_t bytes, uint64_t pause_ns)
{
    struct hst_cli *cli = context;
    hst_message_note(cli, NULL, "it stands still while %s are copied, for up to about %s",
                     hst_cell_bytes(bytes).text, hst_cell_duration(pause_ns).text);
}

static void announce_fork(void *context, uint64_t bytes, uint64_t pause_ns)
{
    struct hst_cli *cli = context;
    hst_message_note(cli, NULL, "it stands still for up to about %s; %s are copied while it goes on",
                     hst_cell_duration(pause_ns).text, hst_cell_bytes(bytes).text);
}

static void fill_info(struct hst_run_info *info, const struct request *request, const struct hst_heap *heap)
{
    *info = (struct hst_run_info){.start_wall_ns = hst_wall_ns(),
                                  .duration_ns = heap->pause_ns,
                                  .exit_status = -1,
                                  .cost.slowdown_percent = -1};
    (void)snprintf(info->command, sizeof info->command, "%s", heap->command != NULL ? heap->command : "");
    (void)snprintf(info->hasten_version, sizeof info->hasten_version, "%s", HST_VERSION);
    (void)snprintf(info->name, sizeof info->name, "%s", request->name != NULL ? request->name : "");
    if (getcwd(info->directory, sizeof info->directory) == NULL)
        info->directory[0] = '\0';
}

static enum hst_status keep(const struct request *request, const struct hst_heap *heap, uint64_t *ret_number,
                            struct hst_error *err)
{
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    struct hst_run_info info;
    fill_info(&info, request, heap);
    HST_TRY(hst_cli_store_open(request->store, HST_STORE_WRITE, &store, err));
    HST_TRY(hst_heap_write(store, &info, heap, err));
    *ret_number = info.number;
    return HST_OK;
}

static int print(struct hst_cli *cli, const struct request *request, struct hst_heap_run *run)
{
    struct hst_heap_answer answer;
    struct hst_heap_overview overview;
    hst_heap_answer_begin(&answer, cli, request->json, run, request->rows);
    enum hst_status status = hst_heap_overview_init(&overview, &run->view, HOLDERS);
    if (status != HST_OK)
        return hst_heap_answer_end(&answer, status, NULL);
    json_t *json = NULL;
    if (request->json) {
        answer.page.rows = 0;
        json = hst_heap_overview_json(&answer.page, &overview);
        if (json != NULL && json_object_set_new(json, "run", json_integer((json_int_t)run->number)) != 0) {
            json_decref(json);
            json = NULL;
        }
    } else {
        status = hst_heap_overview_text(&answer.page, &overview);
        hst_buffer_add_fmt(&answer.text,
                           "\nkept as run %llu: hasten heap top, heap suspects, ... (hasten help heap)\n",
                           (unsigned long long)run->number);
    }
    int result = hst_heap_answer_end(&answer, status, json);
    hst_heap_overview_release(&overview);
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

static enum hst_status take(struct hst_cli *cli, const struct request *request, int pid, const char *root,
                            struct hst_heap *ret_heap, struct hst_error *err)
{
    const struct hst_heap_options options = {.bytes_max = request->limit_mb * 1000000,
                                             .root = root != NULL ? root : "",
                                             .fork = request->fork,
                                             .announce = request->fork ? announce_fork : announce,
                                             .context = cli};
    return pid != 0 ? hst_heap_read_process(pid, &options, ret_heap, err)
                    : hst_heap_read_core(request->subject, &options, ret_heap, err);
}

int hst_cmd_heap(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {0};
    struct hst_error err = {0};
    struct hst_heap_run run = {0};
    int pid = 0, result = ask(cli, argc, argv);
    if (result != HST_PARSED)
        return result;
    result = parse(cli, argc, argv, &request);
    if (result == HST_PARSED)
        result = hst_subject_find(cli, "heap", request.subject, &pid);
    if (result != HST_PARSED)
        return result;
    if (request.limit_mb > UINT64_MAX / 1000000)
        return hst_message_usage(cli, "heap", NULL, "--limit: more than there is");
    if (request.fork && pid == 0)
        return hst_message_usage(cli, "heap", NULL, "--fork is for a running process");
    HST_CLEANUP_FREE char *root = NULL; /* whole, since the names of a core are whole */
    if (request.root != NULL && (root = realpath(request.root, NULL)) == NULL) {
        hst_message(cli, NULL, "--root: %s: %s", request.root, strerror(errno));
        return HST_EXIT_NOT_FOUND;
    }
    if (take(cli, &request, pid, root, &run.heap, &err) != HST_OK)
        return hst_message_error(cli, &err);
    if (keep(&request, &run.heap, &run.number, &err) != HST_OK ||
        hst_heap_view_init(&run.view, &run.heap, &err) != HST_OK) {
        hst_heap_release(&run.heap);
        return hst_message_error(cli, &err);
    }
    result = print(cli, &request, &run);
    hst_heap_run_close(&run);
    return result;
}
