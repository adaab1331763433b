/* `hasten heap growth`: a snapshot every some seconds -> the types that grew since the one before. Of each
 * snapshot only the counts stay. */
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/heap_run.h"
#include "cli/heap_take.h"
#include "cli/open_store.h"
#include "cli/subject.h"
#include "report/heap_growth_out.h"
#include "target/process.h"

enum { ROWS = 20, EVERY_S = 10 };

struct request {
    struct hst_heap_request heap;
    uint64_t every_ns, rounds;
    int keep, pid;
};

/* What stays from round to round. */
struct growth {
    const struct request *request;
    struct hst_cli *cli;
    struct hst_heap_counts before;
    uint64_t begin_ns, taken_ns, round; /* of the first snapshot, the last; its number */
    int signals, process; /* descriptors: a signal to end, the end of the process (-1: not to be had) */
};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    const struct hst_option options[] = {
        {"every", 0, "TIME", "from snapshot to snapshot (default 10s)", HST_OPTION_DURATION,
         &request->every_ns, NULL},
        {"rounds", 0, "COUNT", "end after so many (default: at Ctrl-C, or when the process ends)",
         HST_OPTION_COUNT, &request->rounds, NULL},
        {"fork", 0, NULL, "copy from a child of the process, which goes on meanwhile", HST_OPTION_FLAG,
         &request->heap.fork, NULL},
        {"precopy", 0, NULL, "copy while the process goes on, then stop it for what it wrote meanwhile",
         HST_OPTION_FLAG, &request->heap.precopy, NULL},
        {"live", 0, NULL, "copy while the process goes on: what changes meanwhile may be missing or wrong",
         HST_OPTION_FLAG, &request->heap.live, NULL},
        {"keep", 0, NULL, "keep every snapshot as a run", HST_OPTION_FLAG, &request->keep, NULL},
        HST_OPTION_ROW_HEAP_ROWS(&request->heap, "20"),
        {"json", 0, NULL, "print JSON instead of text: a line for each round, with every type that grew",
         HST_OPTION_FLAG, &request->heap.json, NULL},
        HST_OPTION_ROW_STORE(&request->heap),
    };
    const struct hst_usage usage = {
        .command = "heap growth",
        .synopsis = "PID [options]",
        .summary =
            "Takes a snapshot of a process again and again, and shows the types that grew since the one "
            "before: in number, or\nin bytes. The process stands still while its memory is copied. Nothing "
            "is "
            "kept unless --keep says so.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details = "  hasten heap growth 4711 --every 1m\n"
                   "  hasten heap growth 4711 --every 30s --rounds 2 --keep\n"
                   "  hasten heap suspects last~2 last~1 last     what holds that which grew",
        .operands_min = 1,
        .operands_max = 1,
    };
    int operands;
    *request = (struct request){.heap.rows = ROWS, .every_ns = EVERY_S * UINT64_C(1000000000)};
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        result = hst_heap_request_check(cli, &request->heap);
    if (result == HST_PARSED)
        result = hst_subject_find(cli, "heap growth", argv[1], &request->pid);
    if (result == HST_PARSED && request->pid == 0)
        result = hst_message_usage(cli, "heap growth", NULL, "%s is not the number of a process", argv[1]);
    return result;
}

static int print(struct growth *growth, const struct hst_heap_round *round)
{
    struct hst_cli *cli = growth->cli;
    int result = HST_EXIT_OK;
    if (growth->request->heap.json) {
        json_t *json = hst_heap_round_json(round);
        if (json == NULL || json_dumpf(json, cli->out, JSON_COMPACT) != 0 || fputc('\n', cli->out) == EOF)
            result = hst_heap_no_memory(cli);
        json_decref(json);
    } else {
        HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
        hst_buffer_init(&text, 0);
        result = hst_heap_round_text(round, &cli->out_style, &text) == HST_OK
                     ? hst_cli_print_buffer(cli, &text)
                     : hst_heap_no_memory(cli);
    }
    return result == HST_EXIT_OK && fflush(cli->out) != 0 ? HST_EXIT_FAILURE : result;
}

/* Shows the round, and lets its counts be those before the next. round has what the snapshot said. */
static int compare(struct growth *growth, struct hst_heap_round *round, struct hst_heap_counts *now)
{
    HST_CLEANUP_FREE struct hst_heap_grown *rows = NULL;
    const uint64_t most = growth->request->heap.rows;
    int result = HST_EXIT_OK;
    round->all = now->all;
    round->objects = (int64_t)(now->all.objects - growth->before.all.objects);
    round->bytes = (int64_t)(now->all.bytes - growth->before.all.bytes);
    if (growth->round > 0) {
        if (hst_heap_counts_grown(&growth->before, now, &rows, &round->count) != HST_OK)
            return hst_heap_no_memory(growth->cli);
        round->rows = rows;
        round->shown = most == 0 || most > round->count ? round->count : (size_t)most;
        result = print(growth, round);
        hst_heap_counts_release(&growth->before);
    }
    growth->before = *now;
    *now = (struct hst_heap_counts){0};
    return result;
}

/* HST_PARSED: go on. */
static int look(struct growth *growth)
{
    const struct request *request = growth->request;
    struct hst_heap_options options = hst_heap_request_options(growth->cli, &request->heap);
    struct hst_error err = {0};
    struct hst_heap heap;
    struct hst_heap_counts now = {0};
    growth->taken_ns = hst_now_ns();
    if (growth->round == 0)
        growth->begin_ns = growth->taken_ns;
    else
        options.announce = NULL; /* it was told */
    if (hst_heap_read_process(request->pid, &options, &heap, &err) != HST_OK)
        return hst_message_error(growth->cli, &err);
    struct hst_heap_round round = {.number = growth->round,
                                   .elapsed_ns = growth->taken_ns - growth->begin_ns,
                                   .pause_ns = heap.pause_ns};
    enum hst_status status = HST_OK;
    if (request->keep)
        status = hst_heap_run_keep(request->heap.store, request->heap.name, &heap, &round.run, &err);
    if (status == HST_OK && (status = hst_heap_counts_init(&now, &heap)) != HST_OK)
        (void)hst_error_set(&err, status, "out of memory");
    hst_heap_release(&heap);
    int result = status == HST_OK ? compare(growth, &round, &now) : hst_message_error(growth->cli, &err);
    hst_heap_counts_release(&now);
    return result == HST_EXIT_OK ? HST_PARSED : result;
}

/* HST_PARSED: it is time for the next; else there is none, and this is the exit code. */
static int wait_next(const struct growth *growth)
{
    const uint64_t due_ns = growth->taken_ns + growth->request->every_ns;
    struct pollfd fds[] = {{.fd = growth->signals, .events = POLLIN},
                           {.fd = growth->process, .events = POLLIN}};
    int ready;
    do {
        uint64_t now_ns = hst_now_ns(), left_ns = now_ns < due_ns ? due_ns - now_ns : 0;
        struct timespec left = {.tv_sec = (time_t)(left_ns / 1000000000u),
                                .tv_nsec = (long)(left_ns % 1000000000u)};
        ready = ppoll(fds, HST_ARRAY_LENGTH(fds), &left, NULL);
    } while (ready < 0);
    if (fds[0].revents != 0)
        return HST_EXIT_OK;
    if (fds[1].revents == 0)
        return HST_PARSED;
    hst_message_note(growth->cli, NULL, "process %d has ended", growth->request->pid);
    return HST_EXIT_OK;
}

static int watch(struct growth *growth)
{
    const uint64_t rounds = growth->request->rounds;
    int result = look(growth);
    while (result == HST_PARSED) {
        if (rounds > 0 && growth->round == rounds)
            return HST_EXIT_OK;
        if ((result = wait_next(growth)) != HST_PARSED)
            break;
        growth->round++;
        result = look(growth);
    }
    return result;
}

int hst_cmd_heap_growth(struct hst_cli *cli, int argc, char **argv)
{
    struct request request;
    sigset_t ends;
    int result = parse(cli, argc, argv, &request);
    if (result != HST_PARSED)
        return result;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL); /* a round is finished first */
    HST_CLEANUP_FD int signals = signalfd(-1, &ends, SFD_CLOEXEC);
    HST_CLEANUP_FD int process = hst_process_handle(request.pid);
    struct growth growth = {.request = &request, .cli = cli, .signals = signals, .process = process};
    result = watch(&growth);
    hst_heap_counts_release(&growth.before);
    return result;
}
