/* A stored run -> its report on a stream: what `show` prints, and what `run` and `attach` print at their end.
 */
#ifndef HST_CLI_SHOW_RUN_H
#define HST_CLI_SHOW_RUN_H

#include <stdio.h>

#include "analyze/window.h"
#include "report/report.h"
#include "store/run_reader.h"
#include "store/store.h"

/* A run's tables and sums in memory. */
struct hst_loaded_run {
    struct hst_run_info info;
    struct hst_profile profile;
    struct hst_aggregate aggregate;
    struct hst_lines lines;       /* of a run of lines */
    struct hst_calls calls;       /* of a traced run: then the aggregate is made of them */
    struct hst_imported imported; /* of an imported run: then there is no aggregate */
    int has_lines;
    struct hst_window window; /* what of it was read */
};
/* window: NULL, or the part of a sampled run that counts. HST_E_INVALID: the run has no times. */
enum hst_status hst_loaded_run_init(struct hst_loaded_run *run, struct hst_store *store, uint64_t number,
                                    const struct hst_window *window, struct hst_error *err) HST_MUST_CHECK;
/* The same of a file of cProfile or line_profiler, as if it had been imported; its number is 0. */
enum hst_status hst_loaded_run_from_file(struct hst_loaded_run *run, const char *path,
                                         struct hst_error *err) HST_MUST_CHECK;
/* What the reports are asked with. */
struct hst_report_source hst_loaded_run_source(const struct hst_loaded_run *run);
void hst_loaded_run_release(struct hst_loaded_run *run);

/* Prints the report of run number to out.  options: HST_REPORT_OPTIONS_DEFAULT, or NULL for the same. The
 * usual call at the end of a run: struct hst_style style = hst_style_for(stderr); hst_report_run(store,
 * number, NULL, &style, stderr, &err). */
enum hst_status hst_report_run(struct hst_store *store, uint64_t number,
                               const struct hst_report_options *options, const struct hst_style *style,
                               FILE *out, struct hst_error *err) HST_MUST_CHECK;

#endif
