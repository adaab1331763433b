/* Signals while hasten measures: those that would end hasten end the measurement instead, or, when the
 * program is hasten's own child, are handed on to it, as if hasten were not there. */
#ifndef HST_CAPTURE_RELAY_H
#define HST_CAPTURE_RELAY_H

/* Call before the program is started. */
void hst_relay_block(void);
/* A descriptor that is readable when a signal has come; -1 when there is none to be had. */
int hst_relay_open(void);
/* Takes one signal from it. child: the program's pid when it is our child, else 0. Nonzero: the measurement
 * is to end. */
int hst_relay_take(int fd, int child);
/* The same with a child, and a signal that is hasten's own and not handed on. 1: it was that one. */
int hst_relay_take_but(int fd, int child, int own);
/* Waits for the end of the child, handing signals on; gives its status as wait(2) does, -1 when that is not
 * to be had. */
int hst_relay_wait(int child);

#endif
