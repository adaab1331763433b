/* A process that is looked at once, from outside: who it is, and the Python in it. */
#ifndef HST_CAPTURE_SUBJECT_H
#define HST_CAPTURE_SUBJECT_H

#include "base/status.h"
#include "reader/runtime.h"
#include "target/memory.h"

struct hst_subject {
    int pid;
    char *command;
    char *root; /* where its files are, as seen from here */
    uint64_t start_wall_ns;
    int stopped; /* by a signal or a debugger */
    struct hst_memory *memory;
    struct hst_runtime runtime;
};

/* A Python that is just starting is given a moment. On failure err says what was found and what to try. */
enum hst_status hst_subject_open(int pid, struct hst_subject *ret_subject,
                                 struct hst_error *err) HST_MUST_CHECK;
void hst_subject_release(struct hst_subject *subject);
/* What a later failure means to a person, with the process's name in front; returns the status to go by. */
enum hst_status hst_subject_explain(const struct hst_subject *subject, enum hst_status status,
                                    struct hst_error *err);

#endif
