/* The two ways to look at a measurement that goes on: a screen with keys, or pages printed one after another.
 */
#ifndef HST_CLI_TOP_SHOW_H
#define HST_CLI_TOP_SHOW_H

#include "cli/messages.h"
#include "cli/top_keys.h"
#include "cli/top_session.h"
#include "report/top_text.h"

struct hst_top_show {
    struct hst_top_session *top;
    struct hst_top_choices choices;
    struct hst_top_scene scene;
    struct hst_top_table table;
    int signal_fd; /* signals that end hasten */
    int child;     /* the program was started by us: its end is told */
    int exit_status;
    char ending[160];
    int interrupted; /* by a signal or a key, before the measurement was over */
};

/* Each returns when it is over, with HST_OK, or with what went wrong on the side of the view. The program may
 * still run. */
enum hst_status hst_top_show_screen(struct hst_top_show *show, int colour,
                                    struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_top_show_pages(struct hst_top_show *show, uint64_t pages, int json, struct hst_cli *cli,
                                   struct hst_error *err) HST_MUST_CHECK;

/* Shared by both. Fetches what is new and makes the table of it. */
enum hst_status hst_top_show_refresh(struct hst_top_show *show, struct hst_error *err) HST_MUST_CHECK;
/* Waits for keys (when keys), news or signals, at most so long; 1: something came; the flags say what.
 * *ret_news: the measurement has published. A signal sets show->interrupted. */
void hst_top_show_wait(struct hst_top_show *show, int keys, int timeout_ms, int *ret_news);
/* The measurement is over: in show->ending, how the program ended. */
void hst_top_show_end(struct hst_top_show *show);

#endif
