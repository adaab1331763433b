/* A measurement in a thread of its own that fills a live view, for as long as it is wanted and in bounded
 * memory: when its tables are full it begins anew. */
#ifndef HST_CLI_TOP_SESSION_H
#define HST_CLI_TOP_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include "capture/session.h"
#include "report/top_live.h"

struct hst_top_session {
    struct hst_top_live live;
    int pid;
    uint64_t table_bytes_max;
    int event_fd; /* readable after each publish and at the end */
    /* Of the thread; for others once done is set. */
    struct hst_session_options options;
    struct hst_session session;
    struct hst_profile profile;
    struct hst_run_info info;
    struct hst_top_batch batch;
    uint64_t first_ns;
    int full;
    enum hst_status status;
    enum hst_session_end end;
    struct hst_error error;
    pthread_t thread;
    int started;
    atomic_int stop, done;
};

/* directory: of the program, so that its files can be shown by short names. Signals must be blocked already
 * (hst_relay_block). */
enum hst_status hst_top_session_start(struct hst_top_session *top, int pid, const char *directory,
                                      const struct hst_session_options *options, uint64_t table_bytes_max,
                                      struct hst_error *err) HST_MUST_CHECK;
/* Ends the measurement, if it has not ended, and waits for it. */
void hst_top_session_stop(struct hst_top_session *top);
void hst_top_session_release(struct hst_top_session *top);

#endif
