/* A command line -> the variables of a command, from a table of what the command accepts; and the help text,
 * from the same table.  Understands --long, --long=x, --long x, unique beginnings of long names, -x, -x5, -x
 * 5, several flags behind one dash (-tg), and -- (what follows are operands). */
#ifndef HST_CLI_OPTIONS_H
#define HST_CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analyze/totals.h"
#include "analyze/window.h"
#include "base/status.h"
#include "cli/messages.h"

enum hst_option_kind {
    HST_OPTION_FLAG,     /* int: set to 1 */
    HST_OPTION_TEXT,     /* const char *: points into argv */
    HST_OPTION_LIST,     /* struct hst_text_list: may be given several times */
    HST_OPTION_COUNT,    /* uint64_t: a whole number */
    HST_OPTION_RATE,     /* double, Hz: 1khz, 10000, max (= 0) */
    HST_OPTION_DURATION, /* uint64_t, ns: 10 (seconds), 500ms, 2m, 1h */
    HST_OPTION_PERCENT,  /* double: 1%, 0.5 */
    HST_OPTION_CHOICE,   /* int: index in choices */
    HST_OPTION_HEADING,  /* not an option: long_name is a heading of the help text */
};

struct hst_option {
    const char *long_name; /* without dashes */
    char short_name;       /* 0 = none */
    const char *argument;  /* its name in the help text; NULL for flags */
    const char *help;      /* one line; NULL hides the option from the help text */
    enum hst_option_kind kind;
    void *target;
    const char *const *choices; /* HST_OPTION_CHOICE: ends with NULL */
};

#define HST_TEXT_LIST_MAX 32
struct hst_text_list {
    const char *texts[HST_TEXT_LIST_MAX];
    size_t count;
};

struct hst_usage {
    const char *command;  /* "run" */
    const char *synopsis; /* "[options] [--] script.py [args]": what follows the command's name */
    const char *summary;  /* one or two sentences under the synopsis */
    const struct hst_option *options;
    size_t option_count;
    const char *details; /* after the options: examples, notes; NULL = nothing */
    int stop_at_first;   /* the first operand ends the options: the rest belongs to another program */
    int operands_min, operands_max; /* operands_max < 0: any number */
};

#define HST_PARSED (-1)
/* Parses argv[1...], fills the targets and moves the operands to argv[1 ... *ret_operands].  HST_PARSED: go
 * on.  Any other value: the command is over (help was printed, or the mistake was named) and this is its exit
 * code. --help and -h are known to every command. */
int hst_options_parse(struct hst_cli *cli, const struct hst_usage *usage, int argc, char **argv,
                      int *ret_operands);
void hst_usage_print(const struct hst_usage *usage, FILE *out, const struct hst_style *style);

/* The values by themselves. HST_E_INVALID when the text is not one. */
enum hst_status hst_rate_parse(const char *text, double *ret_hz) HST_MUST_CHECK;
enum hst_status hst_duration_parse(const char *text, uint64_t *ret_ns) HST_MUST_CHECK;
enum hst_status hst_percent_parse(const char *text, double *ret_percent) HST_MUST_CHECK;
enum hst_status hst_count_parse(const char *text, uint64_t *ret_count) HST_MUST_CHECK;

/* Rows that several commands share, so that an option is called and explained the same everywhere. */
struct hst_common_options {
    const char *store;
    int json;
    uint64_t rows; /* 0 = as many as fit */
    int sort, mode;
    struct hst_text_list hide, show;
    int threads, gil;
    const char *thread, *process;
    struct hst_window window;
};

/* HST_OPTION_ROW_STORE(&common), ... inside a table of struct hst_option. */
#define HST_OPTION_ROW_STORE(common)                                                                         \
    {                                                                                                        \
        "store", 0, "PATH", "the store (default: HASTEN_STORE, else .hasten/ at the project's root)",        \
            HST_OPTION_TEXT, &(common)->store, NULL                                                          \
    }
#define HST_OPTION_ROW_JSON(common)                                                                          \
    {                                                                                                        \
        "json", 0, NULL, "print JSON instead of text", HST_OPTION_FLAG, &(common)->json, NULL                \
    }
#define HST_OPTION_ROW_ROWS(common)                                                                          \
    {                                                                                                        \
        "rows", 'n', "ROWS", "rows in each table", HST_OPTION_COUNT, &(common)->rows, NULL                   \
    }
/* Of a subcommand of heap: its usual number is in the help. */
#define HST_OPTION_ROW_HEAP_ROWS(common, usual)                                                              \
    {                                                                                                        \
        "rows", 'n', "ROWS", "rows in each table (default " usual "; 0: all)", HST_OPTION_COUNT,             \
            &(common)->rows, NULL                                                                            \
    }
#define HST_OPTION_ROW_SORT(common)                                                                          \
    {                                                                                                        \
        "sort", 0, "COLUMN", "order of rows: self (default), total, samples or name", HST_OPTION_CHOICE,     \
            &(common)->sort, hst_sort_names                                                                  \
    }
#define HST_OPTION_ROW_HIDE(common)                                                                          \
    {                                                                                                        \
        "hide", 0, "PATTERN", "frames that match (glob, re:REGEX) are left out, their time kept",            \
            HST_OPTION_LIST, &(common)->hide, NULL                                                           \
    }
#define HST_OPTION_ROW_SHOW(common)                                                                          \
    {                                                                                                        \
        "show", 0, "PATTERN", "only stacks with a function or file that matches", HST_OPTION_LIST,           \
            &(common)->show, NULL                                                                            \
    }
#define HST_OPTION_ROW_THREADS(common)                                                                       \
    {                                                                                                        \
        "threads", 't', NULL, "by thread", HST_OPTION_FLAG, &(common)->threads, NULL                         \
    }
#define HST_OPTION_ROW_GIL(common)                                                                           \
    {                                                                                                        \
        "gil", 'g', NULL, "only time with the interpreter lock held (same as --mode gil)", HST_OPTION_FLAG,  \
            &(common)->gil, NULL                                                                             \
    }

#endif
