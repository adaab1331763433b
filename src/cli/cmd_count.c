/* `hasten count`: what programs counted with hasten.counters, read from their files; the programs notice
 * nothing. */
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/count_serve.h"
#include "cli/exit_codes.h"
#include "cli/open_store.h"
#include "cli/options.h"
#include "count/fold.h"
#include "report/count.h"
#include "target/process.h"

struct request {
    int json, watch;
    uint64_t interval_ns, rows, pictures;
    const char *serve;
    struct hst_survey_wish wish;
    char folders[64][512];
    size_t folder_count;
};

enum { RATE_NS = 250000000 }; /* between two readings of a table */

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    request->interval_ns = 1000000000;
    const struct hst_option options[] = {
        {"watch", 'w', NULL, "show them again and again, with rates, until Ctrl-C", HST_OPTION_FLAG,
         &request->watch, NULL},
        {"interval", 0, "TIME", "time between two pictures of --watch: 1 (second, default), 500ms",
         HST_OPTION_DURATION, &request->interval_ns, NULL},
        {"batch", 0, "COUNT", "as --watch, and end after so many pictures", HST_OPTION_COUNT,
         &request->pictures, NULL},
        {"serve", 0, "PLACE", "serve them to Prometheus at [ADDRESS:]PORT (127.0.0.1 if there is no address)",
         HST_OPTION_TEXT, &request->serve, NULL},
        {"json", 0, NULL, "print JSON instead of text, a line for each picture", HST_OPTION_FLAG,
         &request->json, NULL},
        {"rows", 'n', "ROWS", "at most so many series in the table", HST_OPTION_COUNT, &request->rows, NULL},
    };
    const struct hst_usage usage = {
        .command = "count",
        .synopsis = "[options] [PID | SERVICE]",
        .summary =
            "Shows what running programs count with hasten.counters: of one process, of a service (all its\n"
            "processes added up, and those that have ended), or of all of yours.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details = "  hasten count                        all services of yours\n"
                   "  hasten count --watch web            one service, every second\n"
                   "  hasten count --json 4711            one process\n"
                   "  hasten count --serve 9109           for Prometheus: http://127.0.0.1:9109/metrics",
        .operands_min = 0,
        .operands_max = 1,
    };
    int operands;
    uint64_t pid;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result != HST_PARSED || operands == 0)
        return result;
    if (hst_count_parse(argv[1], &pid) != HST_OK)
        request->wish.service = argv[1];
    else if (pid == 0 || pid > INT_MAX)
        return hst_message_usage(cli, "count", NULL, "\"%s\" is not a process number", argv[1]);
    else
        request->wish.pid = (uint32_t)pid;
    return HST_PARSED;
}

static void add_folder(struct request *request, const char *folder)
{
    if (request->folder_count < HST_ARRAY_LENGTH(request->folders))
        (void)snprintf(request->folders[request->folder_count++], sizeof request->folders[0], "%s", folder);
}

/* Root sees everybody's: folders that are really of the user that their names tell. */
static void add_all_folders(struct request *request)
{
    glob_t found = {0};
    if (glob(HST_COUNTER_FOLDER "*", 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (hst_survey_is_of(found.gl_pathv[i],
                                 (uid_t)strtoul(found.gl_pathv[i] + strlen(HST_COUNTER_FOLDER), NULL, 10)))
                add_folder(request, found.gl_pathv[i]);
    globfree(&found);
}

/* Where to look. */
static void find_folders(struct request *request)
{
    char path[512], process[32];
    struct stat info;
    const char *named = getenv(HST_COUNTER_VARIABLE);
    request->folder_count = 0;
    (void)snprintf(process, sizeof process, "/proc/%" PRIu32, request->wish.pid);
    if (named != NULL && named[0] != '\0') {
        add_folder(request, named);
    } else if (geteuid() == 0) {
        add_all_folders(request);
    } else {
        uid_t user = request->wish.pid != 0 && stat(process, &info) == 0 ? info.st_uid : geteuid();
        hst_survey_folder_of(user, path, sizeof path);
        if (hst_survey_is_of(path, user))
            add_folder(request, path);
    }
}

/* Folders come and go while one watches. */
static enum hst_status look(const void *context, struct hst_survey *survey, struct hst_error *err)
{
    struct request request = *(const struct request *)context;
    find_folders(&request);
    for (size_t i = 0; i < request.folder_count; i++) {
        struct stat info;
        if (request.wish.pid == 0 && stat(request.folders[i], &info) == 0 && info.st_uid == geteuid())
            hst_counter_fold(request.folders[i], 0);
        enum hst_status status = hst_survey_add(survey, request.folders[i], &request.wish, err);
        if (status != HST_OK && status != HST_E_NOENT)
            return status;
    }
    hst_tally_sort(&survey->tally);
    return HST_OK;
}

static int say_nothing(struct hst_cli *cli, const struct request *request)
{
    struct hst_process_facts facts;
    if (request->wish.pid != 0 && hst_process_read((int)request->wish.pid, &facts) != HST_OK) {
        hst_message(cli, "hasten count shows all that count", "there is no process %" PRIu32,
                    request->wish.pid);
        return HST_EXIT_NOT_FOUND;
    }
    if (request->wish.pid != 0)
        hst_message(cli, "import hasten; hasten.counters.counter(\"name\").inc() in the program",
                    "process %" PRIu32 " counts nothing", request->wish.pid);
    else if (request->wish.service != NULL)
        hst_message(cli, "hasten count shows all services", "no service '%s' counts anything",
                    request->wish.service);
    if (request->wish.pid != 0 || request->wish.service != NULL)
        return HST_EXIT_NOT_FOUND;
    (void)fprintf(cli->out, "No program of yours counts anything: import hasten; "
                            "hasten.counters.counter(\"name\").inc() does.\n");
    return HST_EXIT_OK;
}

static int print(struct hst_cli *cli, const struct request *request, const struct hst_survey *survey,
                 const struct hst_survey *before, int redraw)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 0);
    if (redraw)
        hst_buffer_add_text(&text, "\033[H\033[2J");
    enum hst_status status = request->json
                                 ? hst_count_json(survey, &text)
                                 : hst_count_text(survey, before, request->rows, &cli->out_style, &text);
    if (status != HST_OK) {
        hst_message(cli, NULL, "out of memory");
        return HST_EXIT_FAILURE;
    }
    int result = hst_cli_print_buffer(cli, &text);
    (void)fflush(cli->out);
    return result;
}

static void wait_ns(uint64_t ns)
{
    struct timespec rest = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
    (void)nanosleep(&rest, NULL);
}

/* Until Ctrl-C, which ends the program as it does any other, or until the pictures are enough. */
static int watch(struct hst_cli *cli, const struct request *request)
{
    struct hst_survey surveys[2];
    struct hst_error err = {0};
    int result = HST_EXIT_OK, have_before = 0;
    int redraw = !request->json && isatty(fileno(cli->out));
    for (uint64_t i = 0; result == HST_EXIT_OK; i++) {
        struct hst_survey *now = &surveys[i % 2], *before = have_before ? &surveys[(i + 1) % 2] : NULL;
        hst_survey_init(now);
        result = look(request, now, &err) == HST_OK ? HST_EXIT_OK : hst_message_error(cli, &err);
        if (result == HST_EXIT_OK)
            result = print(cli, request, now, before, redraw);
        if (before != NULL)
            hst_survey_release(before);
        have_before = 1;
        if (result != HST_EXIT_OK || (request->pictures != 0 && i + 1 >= request->pictures)) {
            hst_survey_release(now);
            break;
        }
        wait_ns(request->interval_ns);
    }
    return result;
}

/* A table wants rates, and so two readings; JSON has what is read once. */
static int show(struct hst_cli *cli, const struct request *request)
{
    struct hst_survey before, now;
    struct hst_error err = {0};
    hst_survey_init(&before);
    hst_survey_init(&now);
    enum hst_status status = look(request, &before, &err);
    int result = HST_EXIT_OK, single = request->json;
    if (status == HST_OK && before.process_count == 0 && before.tally.count == 0 && !request->json) {
        result = say_nothing(cli, request);
    } else if (status == HST_OK && single) {
        int wanted = request->wish.pid != 0 || request->wish.service != NULL;
        result = wanted && before.process_count == 0 && before.tally.count == 0
                     ? say_nothing(cli, request)
                     : print(cli, request, &before, NULL, 0);
    } else if (status == HST_OK) {
        wait_ns(RATE_NS);
        hst_survey_release(&now);
        hst_survey_init(&now);
        status = look(request, &now, &err);
        if (status == HST_OK)
            result = print(cli, request, &now, &before, 0);
    }
    if (status != HST_OK)
        result = hst_message_error(cli, &err);
    hst_survey_release(&before);
    hst_survey_release(&now);
    return result;
}

int hst_cmd_count(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {0};
    int result = parse(cli, argc, argv, &request);
    if (result != HST_PARSED)
        return result;
    if (request.interval_ns < 10000000)
        return hst_message_usage(cli, "count", NULL, "--interval is at least 10ms");
    if (request.serve != NULL)
        return hst_count_serve(cli, request.serve, look, &request);
    if (request.watch || request.pictures != 0)
        return watch(cli, &request);
    return show(cli, &request);
}
