/* The only place that speaks to people besides the reports: what happened, then what to try, on standard
 * error. */
#ifndef HST_CLI_MESSAGES_H
#define HST_CLI_MESSAGES_H

#include <stdio.h>

#include "base/status.h"
#include "report/style.h"

/* What every command is handed: where it may write, and how a text may look there. */
struct hst_cli {
    FILE *out, *err;
    struct hst_style out_style, err_style;
};

/* Width, colour and character set for a stream: a terminal's own, or 100 plain columns; NO_COLOR and
 * CLICOLOR_FORCE are honoured. */
struct hst_style hst_style_for(FILE *stream);

/* `hasten: what happened` and, unless hint is NULL or empty, `  try: hint`. */
void hst_message(struct hst_cli *cli, const char *hint, const char *fmt, ...) HST_PRINTF(3, 4);
/* As hst_message, for something that does not end the command: `hasten: note: ...`. */
void hst_message_note(struct hst_cli *cli, const char *hint, const char *fmt, ...) HST_PRINTF(3, 4);
/* Says what err holds and gives the exit code for it: `return hst_message_error(cli, &err);` */
int hst_message_error(struct hst_cli *cli, const struct hst_error *err);
/* A command line that cannot be understood: the sentence, the hint or else `hasten help COMMAND`; gives
 * HST_EXIT_USAGE. */
int hst_message_usage(struct hst_cli *cli, const char *command, const char *hint, const char *fmt, ...)
    HST_PRINTF(4, 5);

#endif
