/* `hasten top`: a running process, or a program started for it, live in the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyze/pattern.h"
#include "base/clock.h"
#include "base/memory.h"
#include "capture/command.h"
#include "capture/relay.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/program.h"
#include "cli/record.h"
#include "cli/top_show.h"
#include "cli/view_options.h"
#include "target/process.h"

#define SCREEN_REFRESH_NS 300000000u
#define PAGES_REFRESH_NS 1000000000u
#define REFRESH_MIN_NS 50000000u
#define PAGE_ROWS 20
#define JSON_ROWS 100
#define TABLE_BYTES_MAX (96u << 20)
/* How long a process may take to show a Python, and a program to end when asked. */
#define PYTHON_WITHIN_NS 1000000000u
#define END_WITHIN_MS 2000

struct request {
    struct hst_common_options common;
    struct hst_session_options session;
    const char *output;
    uint64_t refresh_ns, pages, table_bytes;
    int lines, library;
    int has_pid;
    uint64_t pid;
    struct hst_program program;
};

static int is_number(const char *word) { return word[0] != '\0' && word[strspn(word, "0123456789")] == '\0'; }

/* A number is a process, and options may stand after it; anything else is a program with words of its own. */
static int parse_words(struct hst_cli *cli, struct hst_usage *usage, int argc, char **argv,
                       struct request *request)
{
    int result = hst_program_parse(cli, usage, argc, argv, "PID, or hasten top script.py", &request->program);
    struct hst_program *program = &request->program;
    if (result != HST_PARSED || !is_number(program->words[0]))
        return result;
    HST_CLEANUP_FREE char **words = hst_alloc_zero((size_t)program->count + 2, sizeof *words);
    if (words == NULL)
        return HST_EXIT_FAILURE;
    words[0] = argv[0];
    memcpy(words + 1, program->words, (size_t)program->count * sizeof *words);
    usage->stop_at_first = 0;
    usage->operands_max = 1;
    int operands;
    result = hst_options_parse(cli, usage, program->count + 1, words, &operands);
    if (result != HST_PARSED)
        return result;
    request->has_pid = 1;
    if (hst_count_parse(words[1], &request->pid) != HST_OK || request->pid == 0 || request->pid > INT_MAX)
        return hst_message_usage(cli, "top", "hasten top $(pgrep -n python)",
                                 "\"%s\" is not a process number", words[1]);
    return HST_PARSED;
}

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    struct hst_common_options *common = &request->common;
    struct hst_session_options *session = &request->session;
    const struct hst_option options[] = {
        {"What is shown", 0, NULL, NULL, HST_OPTION_HEADING, NULL, NULL},
        {"lines", 'l', NULL, "begin with lines of source (key L)", HST_OPTION_FLAG, &request->lines, NULL},
        HST_OPTION_ROW_THREADS(common),
        HST_OPTION_ROW_SORT(common),
        HST_OPTION_ROW_MODE(common),
        HST_OPTION_ROW_GIL(common),
        HST_OPTION_ROW_SHOW(common),
        HST_OPTION_ROW_HIDE(common),
        HST_OPTION_ROW_LIBRARY(&request->library),
        {"refresh", 0, "TIME", "time between two pictures: 300ms (default), with --batch 1 (second)",
         HST_OPTION_DURATION, &request->refresh_ns, NULL},
        {"Without a screen", 0, NULL, NULL, HST_OPTION_HEADING, NULL, NULL},
        {"batch", 0, "COUNT", "print so many pictures as text and end; needs no terminal", HST_OPTION_COUNT,
         &request->pages, NULL},
        {"json", 0, NULL, "as --batch (1 if not given), each picture as one line of JSON", HST_OPTION_FLAG,
         &common->json, NULL},
        HST_OPTION_ROW_ROWS(common),
        {"How it is measured", 0, NULL, NULL, HST_OPTION_HEADING, NULL, NULL},
        {"rate", 'r', "RATE", HST_RECORD_RATE_HELP, HST_OPTION_RATE, &session->rate_hz, NULL},
        {"duration", 'd', "TIME", "stop measuring after this time: 10 (seconds), 500ms, 2m",
         HST_OPTION_DURATION, &session->duration_ns, NULL},
        {"budget", 0, "PERCENT", "CPU that hasten may use: lowers the rate when it is not enough",
         HST_OPTION_PERCENT, &session->budget_percent, NULL},
        {"blocking", 0, NULL, "stop each thread by ptrace while it is read: certain, and dear to the program",
         HST_OPTION_FLAG, &session->blocking, NULL},
        {"no-children", 0, NULL, "do not follow child processes", HST_OPTION_FLAG, &session->alone, NULL},
        {"output", 'o', "FILE", "where the output of the program goes (default: nowhere)", HST_OPTION_TEXT,
         &request->output, NULL},
        {"table-bytes", 0, "BYTES", NULL, HST_OPTION_COUNT, &request->table_bytes, NULL},
    };
    struct hst_usage usage = {
        .command = "top",
        .synopsis = "[options] PID | [options] [--] script.py [args] | -m module [args] | command [args]",
        .summary = "Shows live in the terminal where the time of a Python program goes: functions, lines or "
                   "threads, now and\nsince the start. A process goes on when hasten quits; a program that "
                   "was started by hasten is ended with it.\nNothing is stored.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details = "Keys: q quit, L lines, t threads, s order, / search, p freeze, r reset, ? all keys.\n\n"
                   "  hasten top 4711\n"
                   "  hasten top -o server.log -m http.server\n"
                   "  hasten top --batch 1 4711",
        .stop_at_first = 1,
        .operands_min = 0,
        .operands_max = -1,
    };
    return parse_words(cli, &usage, argc, argv, request);
}

/* The choices that options make; patterns are looked at once, here, so that a wrong one is said at once. */
static enum hst_status choose(const struct request *request, struct hst_top_choices *ret_choices,
                              struct hst_error *err)
{
    const struct hst_common_options *common = &request->common;
    struct hst_top_choices choices = {.choice = {.sort = (enum hst_sort)common->sort}};
    HST_TRY(hst_view_options_filter(common, NULL, &choices.choice.filter, err));
    const struct hst_filter *filter = &choices.choice.filter;
    struct hst_patterns patterns;
    HST_TRY(hst_patterns_init(&patterns, filter->hide, filter->hide_count, err));
    hst_patterns_release(&patterns);
    HST_TRY(hst_patterns_init(&patterns, filter->show, filter->show_count, err));
    hst_patterns_release(&patterns);
    choices.choice.filter.fold = !request->library;
    choices.choice.view = common->threads  ? HST_TOP_THREADS
                          : request->lines ? HST_TOP_LINES
                                           : HST_TOP_FUNCTIONS;
    if (choices.choice.sort == HST_SORT_SAMPLES)
        choices.choice.sort = HST_SORT_SELF; /* the same order, but for chance */
    *ret_choices = choices;
    return HST_OK;
}

/* Where the program's output goes. */
static enum hst_status open_output(const char *path, int *ret_fd, struct hst_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return hst_error_set(err, hst_status_from_errno(errno), "cannot write %.300s: %s", path,
                             strerror(errno));
    *ret_fd = fd;
    return HST_OK;
}

/* The program's streams lead away from the screen; ours are as before when it has started. */
static enum hst_status start_apart(char *const *words, int input, int output, int *ret_pid,
                                   struct hst_error *err)
{
    int kept[3];
    for (int i = 0; i < 3; i++) {
        kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
        (void)dup2(i == 0 ? input : output, i);
    }
    enum hst_status status = hst_command_start(words, ret_pid, err);
    for (int i = 0; i < 3; i++)
        if (kept[i] >= 0) {
            (void)dup2(kept[i], i);
            (void)close(kept[i]);
        } else {
            (void)close(i);
        }
    return status;
}

/* What is started for the screen ends with it. */
static void end_program(struct hst_cli *cli, struct hst_top_show *show)
{
    int pid = show->top->pid;
    if (show->exit_status != -1 || waitpid(pid, &show->exit_status, WNOHANG) == pid)
        return;
    (void)kill(pid, SIGTERM);
    for (int waited_ms = 0; waited_ms < END_WITHIN_MS; waited_ms += 10) {
        if (waitpid(pid, &show->exit_status, WNOHANG) == pid)
            return;
        (void)usleep(10000);
    }
    hst_message_note(cli, NULL, "the program was asked to end and goes on, as process %d", pid);
}

/* Whether there is something to look at: the measurement of what is no Python gives up by itself. */
static int has_python(struct hst_top_show *show)
{
    struct hst_top_live *live = &show->top->live;
    uint64_t deadline = hst_now_ns() + PYTHON_WITHIN_NS;
    while (!show->interrupted && hst_now_ns() < deadline) {
        int news;
        hst_top_show_wait(show, 0, 20, &news);
        int done = atomic_load(&show->top->done);
        (void)pthread_mutex_lock(&live->lock);
        int is_sampled = live->publishes > 0 && live->waiting.status == HST_OK, samples = live->samples > 0;
        (void)pthread_mutex_unlock(&live->lock);
        if (is_sampled || done)
            return done ? samples : 1;
    }
    return 1;
}

static int signal_fd_open(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(ends); i++)
        (void)sigaddset(&set, ends[i]);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Measures and shows until it is over. */
static int watch(struct hst_cli *cli, const struct request *request, struct hst_top_show *show,
                 const char *directory)
{
    struct hst_error err = {0};
    struct hst_top_session *top = show->top;
    int pid = top->pid;
    uint64_t bytes = request->table_bytes != 0 ? request->table_bytes : TABLE_BYTES_MAX;
    enum hst_status status = hst_top_session_start(top, pid, directory, &request->session, bytes, &err);
    int result = -1;
    if (status == HST_OK && request->has_pid && !has_python(show)) {
        hst_top_session_stop(top);
        result = hst_record_say_nothing(cli, &top->session);
    } else if (status == HST_OK) {
        status = request->pages != 0
                     ? hst_top_show_pages(show, request->pages, request->common.json, cli, &err)
                     : hst_top_show_screen(show, cli->out_style.colour, &err);
        hst_top_session_stop(top);
        if (status == HST_OK && top->status != HST_OK) {
            status = top->status;
            err = top->error;
        }
        if (status == HST_OK && top->live.samples == 0)
            result = hst_record_say_nothing(cli, &top->session);
    }
    if (show->child)
        end_program(cli, show);
    hst_top_table_release(&show->table);
    hst_top_session_release(top);
    if (result == -1)
        result = status == HST_OK ? HST_EXIT_OK : hst_message_error(cli, &err);
    return result;
}

static int top(struct hst_cli *cli, const struct request *request, const char *command, const char *directory,
               int pid)
{
    struct hst_error err = {0};
    struct hst_top_session session = {.pid = pid, .event_fd = -1};
    struct hst_top_show show = {
        .top = &session, .child = !request->has_pid, .exit_status = -1, .signal_fd = -1};
    uint64_t rows = request->common.json ? JSON_ROWS : PAGE_ROWS;
    show.scene = (struct hst_top_scene){
        .pid = pid,
        .command = command,
        .ending = "",
        .note = "",
        .output = request->has_pid          ? NULL
                  : request->output != NULL ? request->output
                                            : "/dev/null",
        .rows_max = request->common.rows != 0 ? request->common.rows : rows,
        .style = &cli->out_style,
    };
    if (choose(request, &show.choices, &err) != HST_OK)
        return hst_message_error(cli, &err);
    show.signal_fd = signal_fd_open();
    int result = watch(cli, request, &show, directory);
    (void)close(show.signal_fd);
    return result;
}

static int top_process(struct hst_cli *cli, const struct request *request)
{
    int pid = (int)request->pid;
    struct hst_process_facts facts;
    if (hst_process_read(pid, &facts) != HST_OK || facts.state == 'Z') {
        hst_message(cli, "ps aux | grep python shows the ones that run", "there is no process %" PRIu64,
                    request->pid);
        return HST_EXIT_NOT_FOUND;
    }
    char link[64], directory[1024] = "";
    (void)snprintf(link, sizeof link, "/proc/%d/cwd", pid);
    if (readlink(link, directory, sizeof directory - 1) < 0)
        directory[0] = '\0';
    HST_CLEANUP_FREE char *command = hst_process_command(pid);
    hst_relay_block();
    return top(cli, request, command != NULL ? command : "", directory, pid);
}

static int top_program(struct hst_cli *cli, const struct request *request)
{
    struct hst_error err = {0};
    struct hst_top_choices choices;
    if (choose(request, &choices, &err) != HST_OK) /* before anything is started */
        return hst_message_error(cli, &err);
    char directory[1024];
    if (getcwd(directory, sizeof directory) == NULL)
        directory[0] = '\0';
    HST_CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    HST_CLEANUP_FD int output = -1;
    if (open_output(request->output != NULL ? request->output : "/dev/null", &output, &err) != HST_OK)
        return hst_message_error(cli, &err);
    int pid;
    hst_relay_block();
    enum hst_status status = start_apart(request->program.words, null, output, &pid, &err);
    if (status != HST_OK) {
        (void)hst_message_error(cli, &err);
        return status == HST_E_NOENT ? HST_EXIT_NO_PROGRAM : HST_EXIT_CANNOT_START;
    }
    return top(cli, request, request->program.command, directory, pid);
}

int hst_cmd_top(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {.session = {.rate_hz = 1000}};
    int result = parse(cli, argc, argv, &request);
    if (result == HST_PARSED) {
        request.session.patient = !request.has_pid;
        if (request.common.json && request.pages == 0)
            request.pages = 1;
        request.session.flush_ns = request.refresh_ns != 0 ? request.refresh_ns
                                   : request.pages != 0    ? PAGES_REFRESH_NS
                                                           : SCREEN_REFRESH_NS;
        if (request.session.flush_ns < REFRESH_MIN_NS)
            request.session.flush_ns = REFRESH_MIN_NS;
        if (request.pages == 0 && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
            hst_message(cli, "hasten top --batch 1 ..., hasten run ... or hasten attach PID",
                        "a live view needs a terminal, and this is none");
            result = HST_EXIT_USAGE;
        } else {
            result = request.has_pid ? top_process(cli, &request) : top_program(cli, &request);
        }
    }
    hst_program_release(&request.program);
    return result;
}
