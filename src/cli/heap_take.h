/* What all ways to a snapshot share: how it is asked for, where it is kept, and the page that it ends with.
 */
#ifndef HST_CLI_HEAP_TAKE_H
#define HST_CLI_HEAP_TAKE_H

#include "capture/heap_read.h"
#include "cli/messages.h"
#include "cli/options.h"

#define HST_HEAP_ROWS 15u

struct hst_heap_request {
    int json, fork, live, precopy;
    int await; /* for the end of standard input, before the process is looked at */
    uint64_t rows, limit_mb;
    const char *root, *store, *name;
    const char *subject; /* a process number or a file */
};

/* HST_PARSED, or the mistake was named and this is the exit code. */
int hst_heap_request_check(struct hst_cli *cli, const struct hst_heap_request *request);
/* What is to be told before a process stands still is told on standard error. */
struct hst_heap_options hst_heap_request_options(struct hst_cli *cli, const struct hst_heap_request *request);
/* Makes the heap a run of the store, and writes the page about it on standard output; takes the heap. The
 * exit code. */
int hst_heap_keep_and_print(struct hst_cli *cli, const struct hst_heap_request *request,
                            struct hst_heap *heap);
/* The page about a stored snapshot. */
int hst_heap_print_stored(struct hst_cli *cli, const struct hst_heap_request *request, uint64_t number);

#endif
