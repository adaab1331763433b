/* Names of the system calls of the machine hasten was compiled for. */
#ifndef HST_ANALYZE_SYSCALL_H
#define HST_ANALYZE_SYSCALL_H

/* NULL: no call has that number. */
const char *hst_syscall_name(unsigned number);
/* What a thread waits for in that call, in a word or two: "a lock", "the network or a timer"; NULL: nothing
 * to add. */
const char *hst_syscall_meaning(const char *name);

#endif
