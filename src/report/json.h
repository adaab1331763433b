/* The same questions as report.h, as JSON. Times are in nanoseconds, shares from 0 to 1, intervals are 95 %.
 */
#ifndef HST_REPORT_JSON_H
#define HST_REPORT_JSON_H

#include <jansson.h>

#include "report/report.h"

/* {"run": ..., "mode": ..., and the tables of options->kind}; new, the caller's to json_decref. */
enum hst_status hst_report_json(const struct hst_report_source *source,
                                const struct hst_report_options *options, json_t **ret_json,
                                struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_report_diff_json(const struct hst_report_source *before,
                                     const struct hst_report_source *after,
                                     const struct hst_report_options *options, json_t **ret_json,
                                     struct hst_error *err) HST_MUST_CHECK;
/* The same of a traced run: exact counts, all edges. */
enum hst_status hst_calls_json(const struct hst_report_source *source,
                               const struct hst_report_options *options, json_t **ret_json,
                               struct hst_error *err) HST_MUST_CHECK;
/* A run of lines: every line of every chosen function. */
enum hst_status hst_line_hits_json(const struct hst_report_source *source, json_t **ret_json,
                                   struct hst_error *err) HST_MUST_CHECK;
/* Where an imported run is from. */
json_t *hst_imported_json(const struct hst_imported *imported);
/* What a run is, as in `runs --json`. NULL: out of memory. */
json_t *hst_run_info_json(const struct hst_run_info *info);
/* A text of any bytes: what is not UTF-8 becomes U+FFFD. */
json_t *hst_json_text(const char *text);

#endif
