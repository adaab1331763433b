/* Where the measured program itself asked for the measurement (`hasten inside`), it says by letters through a
 * pipe what is to happen next, and is answered by lines through another.
 *
 * Answers, before it says anything:
 *   run NUMBER    what is measured becomes this run
 *   order TEXT    calls and lines: what the agent is told (agent/order.h)
 *   ready         samples: the process can be read
 * Letters:
 *   b             samples count from here on
 *   f             what there is so far is to be stored; the answer is: ok
 *   e             the measurement is over; the answer is: done, or empty (nothing was measured: there is no
 * run) A program that ends without a word has its run all the same. */
#ifndef HST_CAPTURE_CONTROL_H
#define HST_CAPTURE_CONTROL_H

#include "base/status.h"

enum hst_control_word {
    HST_CONTROL_NOTHING,
    HST_CONTROL_FLUSH, /* all up to now is to be in the store; answered when it is */
    HST_CONTROL_END,   /* the measurement is over */
};

struct hst_control {
    int in, out; /* descriptors; in becomes -1 when the other end is closed */
    int ready;   /* that all is ready was told */
    int begun;   /* the program said that samples count from here on */
};

/* What is in the pipe: the last word counts. Does not wait. */
enum hst_control_word hst_control_take(struct hst_control *control);
/* One line, without its end. A program that is gone or does not listen misses it. */
void hst_control_answer(const struct hst_control *control, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
