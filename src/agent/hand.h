/* Functions of the agent put where the program's own Python finds or calls them.  What cannot be put there is
 * left out; no exception stays set. method lives for ever. */
#ifndef HST_AGENT_HAND_H
#define HST_AGENT_HAND_H

#include "agent/python.h"

/* Under its name among the builtins. */
void hst_hand_to_builtins(struct hst_py_method *method);
/* Called at a signal, by the interpreter's own handlers: in the main thread between two instructions. */
void hst_hand_to_signal(struct hst_py_method *method, int number);
/* Called when the interpreter ends, after all that the program itself has asked for (atexit). */
void hst_hand_to_exit(struct hst_py_method *method);

#endif
