/* The front door: the table of commands, and the way from the command line to one of them. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/messages.h"
#include "base/nearest.h"

struct command {
    const char *name;
    const char *group;
    const char *summary;
    hst_command_function *function;
};

static hst_command_function cmd_help;

/* In the order of `hasten help`: rows of one group stand together. */
static const struct command commands[] = {
    {"run", "measure", "start a program and sample it", hst_cmd_run},
    {"trace", "measure", "start a program and count every call in it", hst_cmd_trace},
    {"lines", "measure", "start a program and time the lines of chosen functions", hst_cmd_lines},
    {"attach", "measure", "sample a running process", hst_cmd_attach},
    {"top", "measure", "the same, live in the terminal", hst_cmd_top},
    {"dump", "measure", "what every thread does now, or did when it crashed", hst_cmd_dump},
    {"heap", "measure", "every object of a process, who holds it, and what may be a leak", hst_cmd_heap},
    {"count", "measure", "what programs count with hasten.counters", hst_cmd_count},
    {"show", "understand", "the report of a run", hst_cmd_show},
    {"diff", "understand", "what changed between two runs", hst_cmd_diff},
    {"export", "understand", "a run in another tool's format", hst_cmd_export},
    {"import", "keep", "a file of cProfile or line_profiler as a run", hst_cmd_import},
    {"runs", "keep", "the runs in the store", hst_cmd_runs},
    {"rm", "keep", "remove runs", hst_cmd_rm},
    {"help", "help", "this list, or all about one command", cmd_help},
    {"inside", NULL, NULL, hst_cmd_inside}, /* not for people: in no list */
};

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < HST_ARRAY_LENGTH(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* before: what stands between `hasten` and the name, "" or "help ". */
static int unknown_command(struct hst_cli *cli, const char *before, const char *name)
{
    struct hst_nearest nearest = {.wanted = name};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(commands) && commands[i].group != NULL; i++)
        hst_nearest_offer(&nearest, commands[i].name);
    char hint[64] = "hasten help";
    if (nearest.best != NULL)
        (void)snprintf(hint, sizeof hint, "hasten %s%s", before, nearest.best);
    else if (strchr(name, '.') != NULL || strchr(name, '/') != NULL) /* a script, most likely */
        (void)snprintf(hint, sizeof hint, "hasten run %.50s", name);
    return hst_message_usage(cli, NULL, hint, "there is no command '%s'", name);
}

static void print_overview(FILE *out, const struct hst_style *style)
{
    const char *bold = hst_ink(style, HST_INK_BOLD), *reset = hst_ink(style, HST_INK_RESET);
    (void)fprintf(out, "%shasten%s %s: where the time of a Python program goes, and what to do about it\n\n",
                  bold, reset, HST_VERSION);
    (void)fprintf(out, "  hasten COMMAND [options] ...\n  hasten run script.py       is a good start\n");
    const char *group = "";
    for (size_t i = 0; i < HST_ARRAY_LENGTH(commands) && commands[i].group != NULL; i++) {
        if (strcmp(group, commands[i].group) != 0)
            (void)fprintf(out, "\n%s%s%s\n", bold, group = commands[i].group, reset);
        (void)fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    }
    (void)fprintf(out, "\n`hasten help COMMAND` tells all about one.\n");
}

static int cmd_help(struct hst_cli *cli, int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        print_overview(cli->out, &cli->out_style);
        return HST_EXIT_OK;
    }
    const struct command *command = command_find(argv[1]);
    if (command == NULL)
        return unknown_command(cli, "help ", argv[1]);
    if (command->function == cmd_help) {
        print_overview(cli->out, &cli->out_style);
        return HST_EXIT_OK;
    }
    char name[32], help[] = "--help";
    (void)snprintf(name, sizeof name, "%s", command->name);
    if (argc > 2 && argv[2][0] != '-') /* a command of its own below it */
        return command->function(cli, 3, (char *[]){name, argv[2], help, NULL});
    return command->function(cli, 2, (char *[]){name, help, NULL});
}

/* Output that could not be written (a full disk behind a pipe) must not look like success. */
static int finish(struct hst_cli *cli, int code)
{
    if ((fflush(cli->out) != 0 || ferror(cli->out)) && code == HST_EXIT_OK) {
        hst_message(cli, NULL, "cannot write the output");
        return HST_EXIT_FAILURE;
    }
    return code;
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_CTYPE, ""); /* for the character set only: numbers stay as they are written in code */
    struct hst_cli cli = {.out = stdout, .err = stderr};
    cli.out_style = hst_style_for(stdout);
    cli.err_style = hst_style_for(stderr);
    if (argc < 2) {
        print_overview(cli.err, &cli.err_style);
        return HST_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        (void)printf("hasten %s\n", HST_VERSION);
        return finish(&cli, HST_EXIT_OK);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (name[0] == '-')
        return hst_message_usage(&cli, NULL, "hasten help", "the first word is a command; '%s' is not one",
                                 name);
    const struct command *command = command_find(name);
    if (command == NULL)
        return unknown_command(&cli, "", name);
    return finish(&cli, command->function(&cli, argc - 1, argv + 1));
}
