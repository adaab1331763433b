/* What `run` and `attach` share: their options, the session with the store as its sink, and the end: report,
 * export, what went wrong in plain words. */
#ifndef HST_CLI_RECORD_H
#define HST_CLI_RECORD_H

#include "capture/session.h"
#include "cli/messages.h"
#include "cli/options.h"

struct hst_record_options {
    const char *command; /* "run", "attach" */
    const char *store, *name, *output, *format;
    double rate_hz, budget_percent;
    uint64_t duration_ns;
    int blocking, alone, quiet, json, native;
    struct hst_common_options common;
    struct hst_control *control; /* of the program that asked to be sampled itself; NULL: none did */
};

#define HST_RECORD_DEFAULTS(name)                                                                            \
    {                                                                                                        \
        .command = (name), .rate_hz = 1000                                                                   \
    }
#define HST_RECORD_RATE_HELP "samples a second and thread: 1khz (default), 10000, max"

/* Rows of the option tables of both commands. */
#define HST_RECORD_OPTION_ROWS(o)                                                                              \
    {"rate", 'r', "RATE", HST_RECORD_RATE_HELP, HST_OPTION_RATE, &(o)->rate_hz, NULL},                         \
        {"duration",        'd', "TIME", "stop after this time: 10 (seconds), 500ms, 2m", HST_OPTION_DURATION, \
         &(o)->duration_ns, NULL},                                                                             \
        {"budget",                                                                                             \
         0,                                                                                                    \
         "PERCENT",                                                                                            \
         "CPU that hasten may use: lowers the rate when it is not enough",                                     \
         HST_OPTION_PERCENT,                                                                                   \
         &(o)->budget_percent,                                                                                 \
         NULL},                                                                                                \
        {"blocking",                                                                                           \
         0,                                                                                                    \
         NULL,                                                                                                 \
         "stop each thread by ptrace while it is read: certain, and dear to the program",                      \
         HST_OPTION_FLAG,                                                                                      \
         &(o)->blocking,                                                                                       \
         NULL},                                                                                                \
        {"no-children", 0, NULL, "do not follow child processes", HST_OPTION_FLAG, &(o)->alone, NULL},         \
        {"native", 0, NULL, "stacks of native code (not yet)", HST_OPTION_FLAG, &(o)->native, NULL},           \
        {"name",          0,          "NAME", "a name for the run, for show, diff and export",                 \
         HST_OPTION_TEXT, &(o)->name, NULL},                                                                   \
        {"output",        'o',          "FILE", "also export the run to FILE when it ends",                    \
         HST_OPTION_TEXT, &(o)->output, NULL},                                                                 \
        {"format",        'f',          "FORMAT", "format of the export (default: from the file's ending)",    \
         HST_OPTION_TEXT, &(o)->format, NULL},                                                                 \
        {"quiet", 'q', NULL, "no report at the end", HST_OPTION_FLAG, &(o)->quiet, NULL},                      \
    {                                                                                                          \
        "store", 0, "PATH", "the store (default: HASTEN_STORE, else .hasten/ at the project's root)",          \
            HST_OPTION_TEXT, &(o)->store, NULL                                                                 \
    }

/* What is sampled: a process that runs, or a program that is started as soon as there is a place for its
 * samples (making one can take the disk a while, and a short program would be over). */
struct hst_subject {
    int pid;             /* set when the program has been started; 0 = it has not */
    char *const *words;  /* the program and its arguments, ending with NULL; NULL = pid runs already */
    const char *command; /* as typed */
};

/* Samples the subject until it is over and stores the run. report: the stream for what people read at the
 * end. *ret_exit_status: of the program that was started, as wait(2) gives it, -1 = not known. Returns an
 * exit code of hasten itself; failures are said. A program is started also when the store cannot be used. */
int hst_record(struct hst_cli *cli, const struct hst_record_options *options, struct hst_subject *subject,
               FILE *report, int *ret_exit_status);
/* Writes the run as `export` does, when a format or a file was named (else NULL). Returns an exit code. */
int hst_record_export(struct hst_cli *cli, const char *store, const char *format, const char *output,
                      uint64_t number);
/* A session took no sample: why, as the process under watch last said it. Returns the exit code. */
int hst_record_say_nothing(struct hst_cli *cli, const struct hst_session *session);

#endif
