/* What `trace` and `lines` share: a program is started with the agent in it, its counts are stored while it
 * runs, and in the end there are report and export. */
#ifndef HST_CLI_AGENT_RUN_H
#define HST_CLI_AGENT_RUN_H

#include "capture/trace.h"
#include "cli/messages.h"
#include "cli/program.h"
#include "cli/trace_selection.h"

struct hst_agent_request {
    const char *store, *name, *output, *format; /* as typed; NULL = not given */
    int quiet;
    struct hst_trace_options trace;
    struct hst_trace_selection *selection; /* NULL: all calls are seen */
    const char *nothing, *nothing_hint;    /* why nothing was counted although the program was traced */
};

/* A program that runs and asked for its own measurement: what it is told of it goes to control, and there is
 * no report. Returns hasten's own exit code; failures are said. */
int hst_agent_join(struct hst_cli *cli, const struct hst_agent_request *request, int pid, const char *command,
                   struct hst_control *control);
/* Runs the program; returns the exit code of the whole. */
int hst_agent_run(struct hst_cli *cli, const struct hst_agent_request *request,
                  const struct hst_program *program);

#endif
