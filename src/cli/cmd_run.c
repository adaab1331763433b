/* `hasten run`: starts a program, samples it and its Python children, and stands aside: the program's
 * streams, signals and exit code are its own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "capture/command.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/record.h"

/* A Python script that is not a program by itself gets the python3 of PATH in front, as do -m and -c. */
static int needs_python(const char *first)
{
    size_t length = strlen(first);
    if (strcmp(first, "-m") == 0 || strcmp(first, "-c") == 0)
        return 1;
    if (length > 3 && strcmp(first + length - 3, ".py") == 0)
        return 1;
    struct stat info;
    return strchr(first, '/') != NULL && stat(first, &info) == 0 &&
           (S_ISDIR(info.st_mode) || (S_ISREG(info.st_mode) && access(first, X_OK) != 0));
}

static int script_is_missing(struct hst_cli *cli, const char *first)
{
    if (first[0] == '-' || access(first, F_OK) == 0)
        return 0;
    hst_message(cli, "check the path; options of hasten come before the script", "there is no script %s: %s",
                first, strerror(errno));
    return 1;
}

/* The words joined by spaces, for the run's record. */
static char *join(char *const *words)
{
    char *all = hst_strdup("");
    for (; *words != NULL && all != NULL; words++) {
        char *longer = hst_asprintf("%s%s%s", all, all[0] != '\0' ? " " : "", *words);
        hst_free(all);
        all = longer;
    }
    return all;
}

/* Ends as the program ended: by the same signal, without a core of our own. */
static int end_like(int status, int own_result)
{
    if (status == -1)
        return own_result;
    if (WIFEXITED(status))
        return WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : own_result;
    int number = WTERMSIG(status);
    struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)fflush(NULL);
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    return 128 + number;
}

static int run(struct hst_cli *cli, const struct hst_record_options *options, char **words)
{
    struct hst_error err = {0};
    int pid, exit_status = -1;
    HST_CLEANUP_FREE char *command = join(words);
    if (command == NULL)
        return hst_message_error(cli, &(struct hst_error){.status = HST_E_NOMEM, .text = "out of memory"});
    hst_session_block_signals();
    enum hst_status status = hst_command_start(words, &pid, &err);
    if (status != HST_OK) {
        (void)hst_message_error(cli, &err);
        return status == HST_E_NOENT ? HST_EXIT_NO_PROGRAM : HST_EXIT_CANNOT_START;
    }
    int result = hst_record(cli, options, pid, 1, command, cli->err, &exit_status);
    if (exit_status == -1 && options->duration_ns == 0 && waitpid(pid, &exit_status, 0) != pid)
        exit_status = -1; /* hasten failed on the way: the program is not ended for it */
    return end_like(exit_status, result);
}

int hst_cmd_run(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_record_options o = HST_RECORD_DEFAULTS;
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
    /* -m and -c begin the program's own words: they are no options of hasten. */
    int own = 1;
    while (own < argc && strcmp(argv[own], "-m") != 0 && strcmp(argv[own], "-c") != 0)
        own++;
    int operands;
    int result = hst_options_parse(cli, &usage, own, argv, &operands);
    if (result != HST_PARSED)
        return result;
    int rest = argc - own;
    HST_CLEANUP_FREE char **words = hst_alloc_zero((size_t)operands + (size_t)rest + 2, sizeof *words);
    if (words == NULL)
        return HST_EXIT_FAILURE;
    int count = 0;
    const char *first = operands > 0 ? argv[1] : rest > 0 ? argv[own] : NULL;
    if (first == NULL)
        return hst_message_usage(cli, "run", "hasten run script.py", "nothing to run was named");
    if (o.native)
        hst_message_note(cli, NULL, "--native: not yet; Python frames only");
    static char python[] = "python3";
    if (needs_python(first)) {
        if (script_is_missing(cli, first))
            return HST_EXIT_NOT_FOUND;
        words[count++] = python;
    }
    for (int i = 0; i < operands; i++)
        words[count++] = argv[1 + i];
    for (int i = 0; i < rest; i++)
        words[count++] = argv[own + i];
    return run(cli, &o, words);
}
