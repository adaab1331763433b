/* Words are single letters: none can come in halves. */
#include "capture/control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum hst_control_word hst_control_take(struct hst_control *control)
{
    enum hst_control_word word = HST_CONTROL_NOTHING;
    struct pollfd ready = {.fd = control->in, .events = POLLIN};
    while (control->in >= 0 && poll(&ready, 1, 0) > 0) {
        char letter;
        ssize_t got = read(control->in, &letter, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) { /* the program closed it, or is gone: that its process ended is seen elsewhere */
            control->in = -1;
        } else if (letter == 'b') {
            control->begun = 1;
        } else if (letter == 'e' || (letter == 'f' && word == HST_CONTROL_NOTHING)) {
            word = letter == 'e' ? HST_CONTROL_END : HST_CONTROL_FLUSH;
        }
    }
    return word;
}

void hst_control_answer(const struct hst_control *control, const char *format, ...)
{
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof line - 1)
        return;
    line[length++] = '\n';
    (void)signal(SIGPIPE, SIG_IGN);
    (void)!write(control->out, line, (size_t)length);
}
