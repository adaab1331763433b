/* A signal as a person names it. */
#ifndef HST_CLI_SIGNAL_NAME_H
#define HST_CLI_SIGNAL_NAME_H

/* "USR2", "SIGUSR2", "12" -> its number; -1: there is none, or none that can be caught. */
int hst_signal_number(const char *text);

#endif
