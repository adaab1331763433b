/* The program stands still when it has done its work and its interpreter is about to take everything apart,
 * so that hasten can look at its memory as it is then. */
#ifndef HST_AGENT_AT_EXIT_H
#define HST_AGENT_AT_EXIT_H

/* To be called when the interpreter is about to run the program. watcher: the process that looks, and lets
 * the program go on (SIGCONT); only its own child stops. */
void hst_at_exit_stop_for(int watcher);

#endif
