/* `hasten count --serve`: what programs counted, over HTTP, for Prometheus. */
#ifndef HST_CLI_COUNT_SERVE_H
#define HST_CLI_COUNT_SERVE_H

#include "cli/messages.h"
#include "count/survey.h"

/* Makes a survey of what is wanted; called from another thread, one at a time. */
typedef enum hst_status hst_count_source(const void *context, struct hst_survey *survey,
                                         struct hst_error *err);

/* where: [ADDRESS:]PORT. Serves until Ctrl-C or SIGTERM; gives an exit code. */
int hst_count_serve(struct hst_cli *cli, const char *where, hst_count_source *source, const void *context);

#endif
