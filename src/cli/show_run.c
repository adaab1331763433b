/* Loads a run and hands it to the report. */
#include "cli/show_run.h"

#include <errno.h>
#include <string.h>

/* Sum of squares of what was counted: so little that an interval has no width. */
#define EXACT 1e-9

/* Each context is a sum of its own: as many samples as calls, and the time of it. */
static enum hst_status read_calls(struct hst_loaded_run *run, struct hst_store *store, uint64_t number,
                                  struct hst_error *err)
{
    HST_TRY(hst_run_read_calls(store, number, &run->profile, &run->calls, err));
    for (size_t i = 0; i < run->calls.count; i++) {
        const struct hst_call_row *call = &run->calls.rows[i];
        const struct hst_aggregate_row row = {.thread = call->thread,
                                              .stack = call->stack,
                                              .state = HST_STATE_RUNNING,
                                              .samples = call->calls,
                                              .weight_ns = call->self_ns,
                                              .weight_ns_squared = EXACT};
        if (hst_aggregate_merge(&run->aggregate, &row) != HST_OK)
            return hst_error_set(err, HST_E_NOMEM, "out of memory");
    }
    return HST_OK;
}

static enum hst_status read_lines(struct hst_loaded_run *run, struct hst_store *store, uint64_t number,
                                  struct hst_error *err)
{
    HST_TRY(hst_run_read_lines(store, number, &run->profile, &run->lines, err));
    hst_lines_sort(&run->lines);
    return hst_run_read_calls(store, number, &run->profile, &run->calls, err); /* how it was traced */
}

enum hst_status hst_loaded_run_init(struct hst_loaded_run *run, struct hst_store *store, uint64_t number,
                                    struct hst_error *err)
{
    *run = (struct hst_loaded_run){0};
    hst_aggregate_init(&run->aggregate);
    hst_calls_init(&run->calls);
    hst_lines_init(&run->lines);
    if (!hst_profile_init(&run->profile))
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    enum hst_status status = hst_run_read_info(store, number, &run->info, err);
    if (status == HST_OK)
        status = hst_run_read_profile(store, number, &run->profile, err);
    if (status == HST_OK && run->info.kind == HST_RUN_TRACED)
        status = read_calls(run, store, number, err);
    else if (status == HST_OK && run->info.kind == HST_RUN_LINES)
        status = read_lines(run, store, number, err);
    else if (status == HST_OK)
        status = hst_run_read_samples(store, number, &run->profile, hst_aggregate_add, &run->aggregate, err);
    if (status != HST_OK)
        hst_loaded_run_release(run);
    return status;
}

struct hst_report_source hst_loaded_run_source(const struct hst_loaded_run *run)
{
    return (struct hst_report_source){.info = &run->info,
                                      .profile = &run->profile,
                                      .aggregate = &run->aggregate,
                                      .calls = run->info.kind == HST_RUN_SAMPLED ? NULL : &run->calls,
                                      .lines = run->info.kind == HST_RUN_LINES ? &run->lines : NULL};
}

void hst_loaded_run_release(struct hst_loaded_run *run)
{
    hst_aggregate_release(&run->aggregate);
    hst_calls_release(&run->calls);
    hst_lines_release(&run->lines);
    hst_profile_release(&run->profile);
}

enum hst_status hst_report_run(struct hst_store *store, uint64_t number,
                               const struct hst_report_options *options, const struct hst_style *style,
                               FILE *out, struct hst_error *err)
{
    struct hst_loaded_run run;
    HST_TRY(hst_loaded_run_init(&run, store, number, err));
    struct hst_report_source source = hst_loaded_run_source(&run);
    const struct hst_report_options usual = HST_REPORT_OPTIONS_DEFAULT;
    struct hst_buffer buffer;
    hst_buffer_init(&buffer, 0);
    enum hst_status status =
        hst_report_text(&source, options != NULL ? options : &usual, style, &buffer, err);
    if (status == HST_OK && fwrite(buffer.data, 1, buffer.length, out) != buffer.length)
        status = hst_error_set(err, HST_E_IO, "cannot write the report: %s", strerror(errno));
    hst_buffer_release(&buffer);
    hst_loaded_run_release(&run);
    return status;
}
