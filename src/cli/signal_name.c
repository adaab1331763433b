/* By number, or by the C library's list of names. */
#include "cli/signal_name.h"

#include <signal.h>
#include <string.h>
#include <strings.h>

#include "cli/options.h"

int hst_signal_number(const char *text)
{
    uint64_t number;
    const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
    int found = -1;
    if (hst_count_parse(text, &number) == HST_OK && number > 0 && number < (uint64_t)SIGRTMAX)
        found = (int)number;
    for (int i = 1; i < SIGRTMIN && found < 0; i++)
        if (sigabbrev_np(i) != NULL && strcasecmp(sigabbrev_np(i), name) == 0)
            found = i;
    return found == SIGKILL || found == SIGSTOP ? -1 : found;
}
