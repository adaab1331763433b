/* What the subcommands of `hasten heap` share: a stored snapshot in memory, and an answer on standard output.
 */
#ifndef HST_CLI_HEAP_RUN_H
#define HST_CLI_HEAP_RUN_H

#include "analyze/heap_view.h"
#include "cli/messages.h"
#include "cli/options.h"
#include "report/heap_pages.h"

struct hst_heap_run {
    struct hst_heap heap;
    struct hst_heap_view view;
    uint64_t number; /* 0: nothing was opened */
};

/* run: a number, a name, last or last~1, which count snapshots alone; NULL: the last snapshot. HST_PARSED, or
 * the mistake was named and this is the exit code. */
int hst_heap_run_open(struct hst_cli *cli, const char *store, const char *run, struct hst_heap_run *ret_run);
/* Adds a heap to the store as a run; name: NULL: none. */
enum hst_status hst_heap_run_keep(const char *store, const char *name, const struct hst_heap *heap,
                                  uint64_t *ret_number, struct hst_error *err) HST_MUST_CHECK;
void hst_heap_run_close(struct hst_heap_run *run);
/* Whether the text names a run of the store, of whatever kind. */
int hst_heap_run_is_one(const char *store, const char *text);

/* An answer that is being written, as text or JSON. */
struct hst_heap_answer {
    struct hst_cli *cli;
    int json;
    struct hst_heap_page page;
    struct hst_buffer text;
};
void hst_heap_answer_begin(struct hst_heap_answer *answer, struct hst_cli *cli, int json,
                           struct hst_heap_run *run, uint64_t rows);
/* Prints the JSON where that was asked for (NULL: out of memory), else what was written, and gives the exit
 * code. */
int hst_heap_answer_end(struct hst_heap_answer *answer, enum hst_status status, json_t *json);
int hst_heap_no_memory(struct hst_cli *cli);

#endif
