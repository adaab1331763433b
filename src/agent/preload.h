/* What the agent is told by the interpreter and the system as long as the process lives. */
#ifndef HST_AGENT_PRELOAD_H
#define HST_AGENT_PRELOAD_H

/* Adds the audit hook and the handlers of fork, once. 0: the interpreter has no audit hooks, or refused one.
 */
int hst_preload_listen(void);

#endif
