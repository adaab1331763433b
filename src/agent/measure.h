/* Begin, pauses and end of what the agent measures in its process: one thing at a time.  Preloaded, it begins
 * before the program does (preload.c); as a module, when the program asks (module_methods.c).  All with the
 * interpreter's lock held. */
#ifndef HST_AGENT_MEASURE_H
#define HST_AGENT_MEASURE_H

#include "agent/order.h"
#include "agent/python.h"

enum hst_measure_state { HST_MEASURE_OFF, HST_MEASURE_ON, HST_MEASURE_PAUSED };
enum hst_measure_state hst_measure_state(void);
/* Whether it is lines that are measured, and what of the order holds. */
const struct hst_agent_order *hst_measure_order(void);

/* Whether it was begun before the program was. */
int hst_measure_early(void);

/* As ordered. early: nothing of the program runs yet, else all its threads are armed. 0: it could not, and
 * *ret_why says why for people; so does the arena's header, when there is one. */
int hst_measure_begin(const struct hst_agent_order *order, int early, const char **ret_why);
/* What was measured is in the file; hst_measure_begin may be called again. */
void hst_measure_end(void);
/* Between the two nothing is measured, and nothing costs. 0: not now. */
int hst_measure_pause(void);
int hst_measure_resume(void);

/* From here up to as many leaves, lines that are measured in scopes count (order.scoped). 0: they would, but
 * another tool has the hook. */
int hst_measure_enter(void);
void hst_measure_leave(void);

/* The interpreter's audit hook, while anything is measured. */
void hst_measure_audit(const char *event, PyObject *arguments);
/* Around a fork. */
void hst_measure_forking(void);
void hst_measure_forked(void);
/* The process ends. */
void hst_measure_exit(void);

#endif
