/* Sentences for people, coloured only where that is wanted. */
#include "cli/messages.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/exit_codes.h"
#include "report/cell.h"

static int env_is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

static int terminal_width(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return HST_STYLE_WIDTH_DEFAULT;
    return size.ws_col;
}

struct hst_style hst_style_for(FILE *stream)
{
    int fd = fileno(stream);
    int terminal = fd >= 0 && isatty(fd);
    const char *force = getenv("CLICOLOR_FORCE");
    const char *term = getenv("TERM");
    struct hst_style style = {.width = terminal ? terminal_width(fd) : HST_STYLE_WIDTH_DEFAULT,
                              .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
    if (force != NULL && force[0] != '\0' && strcmp(force, "0") != 0)
        style.colour = 1;
    else if (!env_is_set("NO_COLOR"))
        style.colour = terminal && term != NULL && strcmp(term, "dumb") != 0;
    return style;
}

#define SENTENCE_BYTES 2048

/* Names in a sentence may come from a measured program: nothing in them may move the cursor. */
static void print_clean(FILE *out, const char *text, const struct hst_style *style)
{
    struct hst_buffer clean;
    hst_buffer_init(&clean, 0);
    hst_text_add(&clean, text, SENTENCE_BYTES, HST_CUT_END, 0, style);
    (void)fwrite(clean.data, 1, clean.length, out);
    hst_buffer_release(&clean);
}

static void say(struct hst_cli *cli, const char *kind, enum hst_ink ink, const char *hint, const char *fmt,
                va_list args)
{
    const struct hst_style *style = &cli->err_style;
    char sentence[SENTENCE_BYTES];
    (void)vsnprintf(sentence, sizeof sentence, fmt, args);
    (void)fflush(cli->out); /* what was printed before must not come after */
    (void)fprintf(cli->err, "%shasten:%s %s", hst_ink(style, ink), hst_ink(style, HST_INK_RESET), kind);
    print_clean(cli->err, sentence, style);
    if (hint != NULL && hint[0] != '\0') {
        (void)fprintf(cli->err, "\n  %stry:%s ", hst_ink(style, HST_INK_BOLD), hst_ink(style, HST_INK_RESET));
        print_clean(cli->err, hint, style);
    }
    (void)fputc('\n', cli->err);
}

void hst_message(struct hst_cli *cli, const char *hint, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(cli, "", HST_INK_RED, hint, fmt, args);
    va_end(args);
}

void hst_message_note(struct hst_cli *cli, const char *hint, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(cli, "note: ", HST_INK_YELLOW, hint, fmt, args);
    va_end(args);
}

int hst_message_error(struct hst_cli *cli, const struct hst_error *err)
{
    const char *text = err->text[0] != '\0' ? err->text : hst_status_name(err->status);
    hst_message(cli, err->hint, "%s", text);
    return (int)hst_exit_from_status(err->status);
}

int hst_message_usage(struct hst_cli *cli, const char *command, const char *hint, const char *fmt, ...)
{
    char usual[128];
    (void)snprintf(usual, sizeof usual, "hasten help%s%s", command != NULL ? " " : "",
                   command != NULL ? command : "");
    va_list args;
    va_start(args, fmt);
    say(cli, "", HST_INK_RED, hint != NULL && hint[0] != '\0' ? hint : usual, fmt, args);
    va_end(args);
    return HST_EXIT_USAGE;
}

enum hst_exit hst_exit_from_status(enum hst_status status)
{
    switch (status) {
    case HST_OK:
        return HST_EXIT_OK;
    case HST_E_INVALID:
        return HST_EXIT_USAGE;
    case HST_E_GONE:
    case HST_E_NOENT:
        return HST_EXIT_NOT_FOUND;
    case HST_E_PERM:
        return HST_EXIT_NOT_PERMITTED;
    case HST_E_UNSUPPORTED:
        return HST_EXIT_UNSUPPORTED;
    case HST_E_BUSY:
    case HST_E_CORRUPT:
    case HST_E_READONLY:
    case HST_E_NEWER:
        return HST_EXIT_STORE;
    default:
        return HST_EXIT_FAILURE;
    }
}
