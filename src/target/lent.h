/* What a process has handed over of itself, for where it may not be looked at from outside (ptrace_scope,
 * seccomp, no capability in a container): descriptors of its own /proc/self/mem and /proc/self/maps, which
 * stay good in the hands of whoever has them. */
#ifndef HST_TARGET_LENT_H
#define HST_TARGET_LENT_H

struct hst_lent {
    int pid;          /* 0: nobody has lent anything */
    int memory, maps; /* descriptors; -1: it could not open that */
    const char *executable;
};

/* At most one process does. executable is not copied. */
void hst_lent_set(const struct hst_lent *lent);
/* NULL: that process has lent nothing. */
const struct hst_lent *hst_lent_of(int pid);

#endif
