/* A program that is started here, and looked at when its work is done, and when a signal asks. */
#ifndef HST_CAPTURE_HEAP_CHILD_H
#define HST_CAPTURE_HEAP_CHILD_H

#include "capture/heap_read.h"

struct hst_heap_child {
    const struct hst_heap_options *options;
    int signal; /* to hasten, that asks for a snapshot while the program runs; 0: none does */
    /* A snapshot was taken; it stays the child's. The program stands still until this returns when it is at
     * its end. */
    enum hst_status (*taken)(void *context, const struct hst_heap *heap, struct hst_error *err);
    void *context;
    int snapshots;   /* that were taken */
    int exit_status; /* as wait(2) gives it; -1: it was not started */
};

/* Runs the program to its end. words end with NULL. HST_E_NOENT, HST_E_PERM: it could not be started. A
 * snapshot that fails ends nothing: its error is the result when the program has ended. */
enum hst_status hst_heap_child_run(struct hst_heap_child *child, char *const *words,
                                   struct hst_error *err) HST_MUST_CHECK;

#endif
