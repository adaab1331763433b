/* Walks argv once, in order, against the command's table. */
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/exit_codes.h"
#include "base/nearest.h"

struct parse {
    struct hst_cli *cli;
    const struct hst_usage *usage;
    int argc, at; /* argv[at] is next */
    char **argv;
};

#define HELP_WANTED (-2)

static int takes_value(const struct hst_option *option) { return option->kind != HST_OPTION_FLAG; }

static int is_option(const struct hst_option *option) { return option->kind != HST_OPTION_HEADING; }

static int bad_value(const struct parse *parse, const struct hst_option *option, const char *value)
{
    static const char *const wanted[] = {
        [HST_OPTION_COUNT] = "a whole number, such as 20",
        [HST_OPTION_RATE] = "a rate, such as 1khz, 10000 or max",
        [HST_OPTION_DURATION] = "a duration, such as 10 (seconds), 500ms or 2m",
        [HST_OPTION_PERCENT] = "a percentage up to 100, such as 1%",
    };
    char hint[256] = "";
    if (option->kind == HST_OPTION_CHOICE) {
        struct hst_nearest nearest = {.wanted = value};
        size_t length = 0;
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            hst_nearest_offer(&nearest, option->choices[i]);
            if (length < sizeof hint)
                length += (size_t)snprintf(hint + length, sizeof hint - length, "%s%s",
                                           i > 0 ? ", " : "one of ", option->choices[i]);
        }
        if (nearest.best != NULL)
            (void)snprintf(hint, sizeof hint, "--%s %s", option->long_name, nearest.best);
    } else if (option->kind == HST_OPTION_LIST) {
        (void)snprintf(hint, sizeof hint, "at most %d of these", HST_TEXT_LIST_MAX);
    } else {
        (void)snprintf(hint, sizeof hint, "%s", wanted[option->kind]);
    }
    return hst_message_usage(parse->cli, parse->usage->command, hint, "--%s does not take '%s'",
                             option->long_name, value);
}

static enum hst_status choose(const struct hst_option *option, const char *value)
{
    for (int i = 0; option->choices[i] != NULL; i++)
        if (strcmp(option->choices[i], value) == 0) {
            *(int *)option->target = i;
            return HST_OK;
        }
    return HST_E_INVALID;
}

static enum hst_status list_add(struct hst_text_list *list, const char *value)
{
    if (list->count == HST_TEXT_LIST_MAX)
        return HST_E_INVALID;
    list->texts[list->count++] = value;
    return HST_OK;
}

static int assign(const struct parse *parse, const struct hst_option *option, const char *value)
{
    enum hst_status status = HST_OK;
    switch (option->kind) {
    case HST_OPTION_FLAG:
        *(int *)option->target = 1;
        break;
    case HST_OPTION_TEXT:
        *(const char **)option->target = value;
        break;
    case HST_OPTION_LIST:
        status = list_add(option->target, value);
        break;
    case HST_OPTION_COUNT:
        status = hst_count_parse(value, option->target);
        break;
    case HST_OPTION_RATE:
        status = hst_rate_parse(value, option->target);
        break;
    case HST_OPTION_DURATION:
        status = hst_duration_parse(value, option->target);
        break;
    case HST_OPTION_PERCENT:
        status = hst_percent_parse(value, option->target);
        break;
    case HST_OPTION_CHOICE:
        status = choose(option, value);
        break;
    case HST_OPTION_HEADING:
        break;
    }
    return status == HST_OK ? HST_PARSED : bad_value(parse, option, value);
}

/* The value that stands in the next argument. */
static int assign_next(struct parse *parse, const struct hst_option *option)
{
    if (parse->at >= parse->argc)
        return hst_message_usage(parse->cli, parse->usage->command, NULL, "--%s needs %s", option->long_name,
                                 option->argument != NULL ? option->argument : "a value");
    return assign(parse, option, parse->argv[parse->at++]);
}

static int unknown_long(const struct parse *parse, const char *name, size_t length)
{
    char wanted[64], hint[80] = "";
    (void)snprintf(wanted, sizeof wanted, "%.*s", (int)(length < 63 ? length : 63), name);
    struct hst_nearest nearest = {.wanted = wanted};
    hst_nearest_offer(&nearest, "help");
    for (size_t i = 0; i < parse->usage->option_count; i++)
        if (is_option(&parse->usage->options[i]))
            hst_nearest_offer(&nearest, parse->usage->options[i].long_name);
    if (nearest.best != NULL)
        (void)snprintf(hint, sizeof hint, "--%s", nearest.best);
    return hst_message_usage(parse->cli, parse->usage->command, hint, "hasten %s has no option --%s",
                             parse->usage->command, wanted);
}

/* The option of that name, or the only one that begins so; NULL with *ret_matches = 0 or more than one. */
static const struct hst_option *long_find(const struct hst_usage *usage, const char *name, size_t length,
                                          const struct hst_option **ret_other, int *ret_matches)
{
    const struct hst_option *found = NULL;
    *ret_matches = 0;
    for (size_t i = 0; i < usage->option_count; i++) {
        const struct hst_option *option = &usage->options[i];
        if (!is_option(option) || strncmp(option->long_name, name, length) != 0)
            continue;
        if (option->long_name[length] == '\0') {
            *ret_matches = 1;
            return option;
        }
        if (found != NULL)
            *ret_other = option;
        else
            found = option;
        ++*ret_matches;
    }
    return *ret_matches == 1 ? found : (*ret_matches > 1 ? found : NULL);
}

static int parse_long(struct parse *parse, const char *name)
{
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct hst_option *other = NULL;
    int matches;
    const struct hst_option *option = long_find(parse->usage, name, length, &other, &matches);
    if (matches == 0 && length > 0 && strncmp("help", name, length) == 0)
        return HELP_WANTED;
    if (matches == 0 || length == 0)
        return unknown_long(parse, name, length);
    if (matches > 1) {
        char hint[160];
        (void)snprintf(hint, sizeof hint, "--%s or --%s", option->long_name, other->long_name);
        return hst_message_usage(parse->cli, parse->usage->command, hint, "--%.*s could be several options",
                                 (int)length, name);
    }
    if (!takes_value(option)) {
        if (equals != NULL)
            return hst_message_usage(parse->cli, parse->usage->command, NULL, "--%s takes no value",
                                     option->long_name);
        return assign(parse, option, NULL);
    }
    return equals != NULL ? assign(parse, option, equals + 1) : assign_next(parse, option);
}

/* One argument such as -t, -tg, -n5, -tn5. */
static int parse_shorts(struct parse *parse, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        const struct hst_option *option = NULL;
        for (size_t i = 0; i < parse->usage->option_count && option == NULL; i++)
            if (is_option(&parse->usage->options[i]) && parse->usage->options[i].short_name == *letters)
                option = &parse->usage->options[i];
        if (option == NULL && *letters == 'h')
            return HELP_WANTED;
        if (option == NULL)
            return hst_message_usage(parse->cli, parse->usage->command, NULL, "hasten %s has no option -%c",
                                     parse->usage->command, *letters);
        if (takes_value(option)) {
            const char *value = letters[1] == '=' ? letters + 2 : letters + 1;
            return letters[1] != '\0' ? assign(parse, option, value) : assign_next(parse, option);
        }
        int result = assign(parse, option, NULL);
        if (result != HST_PARSED)
            return result;
    }
    return HST_PARSED;
}

static int check_operands(const struct parse *parse, int count)
{
    const struct hst_usage *usage = parse->usage;
    char hint[256];
    (void)snprintf(hint, sizeof hint, "hasten %s %s", usage->command, usage->synopsis);
    if (count < usage->operands_min)
        return hst_message_usage(parse->cli, usage->command, hint, "hasten %s needs %s", usage->command,
                                 count == 0 ? "something to work on" : "one more argument");
    if (usage->operands_max >= 0 && count > usage->operands_max)
        return hst_message_usage(parse->cli, usage->command, hint,
                                 "hasten %s does not know what to do with '%s'", usage->command,
                                 parse->argv[1 + usage->operands_max]);
    return HST_PARSED;
}

int hst_options_parse(struct hst_cli *cli, const struct hst_usage *usage, int argc, char **argv,
                      int *ret_operands)
{
    struct parse parse = {.cli = cli, .usage = usage, .argc = argc, .argv = argv, .at = 1};
    int operands = 0, only_operands = 0;
    while (parse.at < argc) {
        char *text = argv[parse.at++];
        int result = HST_PARSED;
        if (only_operands || text[0] != '-' || text[1] == '\0') {
            argv[1 + operands++] = text; /* never ahead of at: each operand was one argument */
            only_operands |= usage->stop_at_first;
        } else if (strcmp(text, "--") == 0) {
            only_operands = 1;
        } else {
            result = text[1] == '-' ? parse_long(&parse, text + 2) : parse_shorts(&parse, text + 1);
        }
        if (result == HELP_WANTED) {
            hst_usage_print(usage, cli->out, &cli->out_style);
            return HST_EXIT_OK;
        }
        if (result != HST_PARSED)
            return result;
    }
    int result = check_operands(&parse, operands);
    if (result != HST_PARSED)
        return result;
    if (operands + 1 < argc)
        argv[operands + 1] = NULL; /* what follows the operands is of no use to anyone */
    *ret_operands = operands;
    return HST_PARSED;
}

static void print_option(const struct hst_option *option, FILE *out, const struct hst_style *style)
{
    char left[80];
    (void)snprintf(left, sizeof left, "%c%c%s --%s%s%s", option->short_name ? '-' : ' ',
                   option->short_name ? option->short_name : ' ', option->short_name ? "," : " ",
                   option->long_name, option->argument != NULL ? " " : "",
                   option->argument != NULL ? option->argument : "");
    (void)fprintf(out, "  %s%s%s", hst_ink(style, HST_INK_BOLD), left, hst_ink(style, HST_INK_RESET));
    int column = 2 + (int)strlen(left);
    if (column > 26) {
        (void)fputc('\n', out);
        column = 0;
    }
    (void)fprintf(out, "%*s%s\n", 28 - column, "", option->help);
}

void hst_usage_print(const struct hst_usage *usage, FILE *out, const struct hst_style *style)
{
    const char *bold = hst_ink(style, HST_INK_BOLD), *reset = hst_ink(style, HST_INK_RESET);
    (void)fprintf(out, "%shasten %s%s %s\n\n%s\n", bold, usage->command, reset, usage->synopsis,
                  usage->summary);
    if (usage->option_count > 0 && is_option(&usage->options[0]))
        (void)fprintf(out, "\n%sOptions%s\n", bold, reset);
    for (size_t i = 0; i < usage->option_count; i++) {
        const struct hst_option *option = &usage->options[i];
        if (!is_option(option))
            (void)fprintf(out, "\n%s%s%s\n", bold, option->long_name, reset);
        else if (option->help != NULL)
            print_option(option, out, style);
    }
    static const struct hst_option help = {"help", 'h', NULL, "this text", HST_OPTION_FLAG, NULL, NULL};
    print_option(&help, out, style);
    if (usage->details != NULL)
        (void)fprintf(out, "\n%s\n", usage->details);
}
