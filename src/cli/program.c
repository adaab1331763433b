/* Options first, then the program: where it begins, and whether it needs python3 in front. */
#include "cli/program.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/exit_codes.h"

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

/* The words joined by spaces, for people. */
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

void hst_program_release(struct hst_program *program)
{
    hst_free(program->words);
    hst_free(program->command);
    *program = (struct hst_program){0};
}

static int out_of_memory(struct hst_cli *cli)
{
    return hst_message_error(cli, &(struct hst_error){.status = HST_E_NOMEM, .text = "out of memory"});
}

/* argv[1 ... operands] and argv[own ... argc - 1], with python3 in front where that is needed. */
static int take_words(struct hst_cli *cli, char **argv, int operands, int own, int argc,
                      struct hst_program *program)
{
    static char python[] = "python3";
    program->count = operands + argc - own;
    program->words = hst_alloc_zero((size_t)program->count + 2, sizeof *program->words);
    if (program->words == NULL)
        return out_of_memory(cli);
    int count = 0;
    const char *first = operands > 0 ? argv[1] : argv[own];
    if (needs_python(first)) {
        if (script_is_missing(cli, first))
            return HST_EXIT_NOT_FOUND;
        program->words[count++] = python;
    }
    for (int i = 0; i < operands; i++)
        program->words[count++] = argv[1 + i];
    for (int i = own; i < argc; i++)
        program->words[count++] = argv[i];
    program->command = join(program->words);
    return program->command != NULL ? HST_PARSED : out_of_memory(cli);
}

int hst_program_parse(struct hst_cli *cli, const struct hst_usage *usage, int argc, char **argv,
                      const char *example, struct hst_program *ret_program)
{
    /* -m and -c begin the program's own words: they are no options of hasten. */
    int own = 1;
    while (own < argc && strcmp(argv[own], "-m") != 0 && strcmp(argv[own], "-c") != 0)
        own++;
    int operands;
    int result = hst_options_parse(cli, usage, own, argv, &operands);
    if (result != HST_PARSED)
        return result;
    if (operands == 0 && own == argc) {
        char hint[128];
        (void)snprintf(hint, sizeof hint, "hasten %s %s", usage->command, example);
        return hst_message_usage(cli, usage->command, hint, "nothing to run was named");
    }
    struct hst_program program = {0};
    result = take_words(cli, argv, operands, own, argc, &program);
    if (result == HST_PARSED)
        *ret_program = program;
    else
        hst_program_release(&program);
    return result;
}

int hst_program_end_like(int status, int own_result)
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
