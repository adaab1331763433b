/* `hasten lines`: starts a program with the agent in it, and times the lines of the functions that are
 * chosen. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/totals.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "cli/agent_run.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/open_store.h"
#include "cli/options.h"
#include "cli/show_run.h"

struct choice {
    struct hst_text_list functions, modules;
    int all_mine;
    uint64_t hot;
};

/* "package.module" -> "package/module.py" and "package/module/__init__.py"; a path stays what it is. */
static void add_rule_for_module(struct hst_buffer *rules, const char *module, size_t length,
                                const char *pattern)
{
    int is_path =
        memchr(module, '/', length) != NULL || (length > 3 && memcmp(module + length - 3, ".py", 3) == 0);
    for (int package = 0; package < (is_path ? 1 : 2); package++) {
        hst_buffer_add_text(rules, "name\t");
        for (size_t i = 0; i < length; i++)
            hst_buffer_add_byte(rules, (uint8_t)(module[i] == '.' && !is_path ? '/' : module[i]));
        hst_buffer_add_fmt(rules, "%s\t%s\n", is_path ? "" : package ? "/__init__.py" : ".py", pattern);
    }
}

/* "module:function", "file.py:function", "function"; each function may be a glob. */
static void add_function_rule(struct hst_buffer *rules, const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        hst_buffer_add_fmt(rules, "name\t\t%s\n", text);
    else
        add_rule_for_module(rules, text, (size_t)(colon - text), colon[1] != '\0' ? colon + 1 : "*");
}

/* The nearest folder at or above this one with pyproject.toml or .git, else this one. */
static char *project_folder(void)
{
    char *folder = getcwd(NULL, 0);
    char *at = folder != NULL ? strdup(folder) : NULL;
    for (char *slash; at != NULL && at[0] != '\0'; *slash = '\0') {
        static const char *const marks[] = {"pyproject.toml", ".git", "setup.py"};
        for (size_t i = 0; i < HST_ARRAY_LENGTH(marks); i++) {
            HST_CLEANUP_FREE char *mark = hst_asprintf("%s/%s", at, marks[i]);
            if (mark != NULL && access(mark, F_OK) == 0) {
                free(folder);
                return at;
            }
        }
        slash = strrchr(at, '/');
        if (slash == NULL)
            break;
    }
    free(at);
    return folder;
}

/* The functions of the last sampled run that took most time themselves. */
static enum hst_status add_hot(struct hst_buffer *rules, const char *store_option, uint64_t count,
                               struct hst_error *err)
{
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    HST_CLEANUP_FREE struct hst_run_info *runs = NULL;
    struct hst_loaded_run run;
    size_t stored = 0;
    HST_TRY(hst_cli_store_open(store_option, HST_STORE_READ, &store, err));
    HST_TRY(hst_store_list(store, &runs, &stored, err));
    while (stored > 0 && runs[stored - 1].kind != HST_RUN_SAMPLED)
        stored--;
    if (stored == 0) {
        (void)hst_error_set(err, HST_E_NOENT,
                            "there is no sampled run whose hottest functions could be taken");
        hst_error_hint(err, "hasten run script.py makes one");
        return HST_E_NOENT;
    }
    HST_TRY(hst_loaded_run_init(&run, store, runs[stored - 1].number, NULL, err));
    struct hst_filter filter = HST_FILTER_ALL;
    filter.mode = HST_MODE_CPU;
    filter.fold = 1;
    struct hst_view view = {0};
    struct hst_totals totals = {0};
    enum hst_status status = hst_view_init(&view, &run.profile, &run.aggregate, &filter, err);
    if (status == HST_OK)
        status = hst_totals_init(&totals, &view);
    if (status == HST_OK)
        hst_totals_sort(&totals, &run.profile, HST_SORT_SELF);
    for (size_t i = 0; status == HST_OK && i < totals.function_count && i < count; i++) {
        const struct hst_function *function = &run.profile.functions[totals.functions[i].function];
        hst_buffer_add_fmt(rules, "exact\t%s\t%u\n", hst_profile_text(&run.profile, function->file),
                           function->first_line);
    }
    hst_totals_release(&totals);
    hst_view_release(&view);
    hst_loaded_run_release(&run);
    return status;
}

static enum hst_status write_rules(struct hst_buffer *rules, const struct choice *choice, const char *store,
                                   struct hst_error *err)
{
    for (size_t i = 0; i < choice->functions.count; i++)
        add_function_rule(rules, choice->functions.texts[i]);
    for (size_t i = 0; i < choice->modules.count; i++)
        add_rule_for_module(rules, choice->modules.texts[i], strlen(choice->modules.texts[i]), "*");
    if (choice->all_mine) {
        char *folder = project_folder();
        if (folder != NULL)
            hst_buffer_add_fmt(rules, "below\t%s\n", folder);
        free(folder);
    }
    if (choice->hot > 0)
        HST_TRY(add_hot(rules, store, choice->hot, err));
    hst_buffer_add_byte(rules, '\0');
    return hst_buffer_status(rules);
}

int hst_cmd_lines(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_agent_request request = {
        .trace = {.lines = 1},
        .nothing = "no line of a chosen function was run",
        .nothing_hint =
            "choose with -f module:function, --module, --all-mine or --hot N, or put @profile before a "
            "function"};
    struct choice choice = {0};
    const struct hst_option options[] = {
        {"function", 'f', "FUNCTION", "module:function, file.py:function or a name; may have * in it",
         HST_OPTION_LIST, &choice.functions, NULL},
        {"module", 0, "MODULE", "all functions of a module: package.module or a file", HST_OPTION_LIST,
         &choice.modules, NULL},
        {"all-mine", 0, NULL, "all functions of the project, none of libraries", HST_OPTION_FLAG,
         &choice.all_mine, NULL},
        {"hot", 0, "N", "the N functions that took most time in the last run", HST_OPTION_COUNT, &choice.hot,
         NULL},
        {"name", 0, "NAME", "a name for the run, for show and export", HST_OPTION_TEXT, &request.name, NULL},
        {"output", 'o', "FILE", "also export the run to FILE when it ends", HST_OPTION_TEXT, &request.output,
         NULL},
        {"format", 0, "FORMAT", "format of the export (default: from the file's ending)", HST_OPTION_TEXT,
         &request.format, NULL},
        {"quiet", 'q', NULL, "no report at the end", HST_OPTION_FLAG, &request.quiet, NULL},
        {"store", 0, "PATH", "the store (default: HASTEN_STORE, else .hasten/ at the project's root)",
         HST_OPTION_TEXT, &request.store, NULL},
    };
    const struct hst_usage usage = {
        .command = "lines",
        .synopsis = "[options] [--] script.py [args] | -m module [args] | -c CODE | command [args]",
        .summary = "Starts a program and times the lines of chosen functions: hits, total time and own time "
                   "of every "
                   "line. Functions with the decorator @profile are chosen too; it needs no import.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details =
            "Examples:\n  hasten lines -f parser:parse_row script.py\n  hasten run script.py && hasten lines "
            "--hot 3 script.py\n  hasten lines --all-mine -m pytest tests\n",
        .stop_at_first = 1,
        .operands_min = 0,
        .operands_max = -1,
    };
    struct hst_program program;
    struct hst_error err = {0};
    int result = hst_program_parse(cli, &usage, argc, argv, "script.py", &program);
    if (result != HST_PARSED)
        return result;
    HST_CLEANUP(hst_buffer_release) struct hst_buffer rules;
    hst_buffer_init(&rules, 0);
    enum hst_status status = write_rules(&rules, &choice, request.store, &err);
    request.trace.rules = (const char *)rules.data;
    result = status == HST_OK ? hst_agent_run(cli, &request, &program) : hst_message_error(cli, &err);
    hst_program_release(&program);
    return result;
}
