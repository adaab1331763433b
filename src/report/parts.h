/* What the reports share: the line about the run, warnings, and looking up what a person named. */
#ifndef HST_REPORT_PARTS_H
#define HST_REPORT_PARTS_H

#include "analyze/call_totals.h"
#include "report/cell.h"
#include "report/report.h"

/* Everything one report needs at hand. */
struct hst_page {
    const struct hst_report_source *source;
    const struct hst_report_options *options;
    const struct hst_style *style;
    struct hst_buffer *out;
    struct hst_view view;
};

/* "run 7  12.3 s wall ..." and the command below it, then what a reader must know before believing a number.
 */
void hst_page_header(struct hst_page *page);
void hst_page_title(struct hst_page *page, const char *title);
/* "hasten show 7 [--store X] ..." for a person to copy; text comes after it. */
void hst_page_command(struct hst_page *page, const char *verb, const char *arguments, const char *meaning);
const char *hst_page_ink(const struct hst_page *page, enum hst_ink ink);
uint64_t hst_page_rows(const struct hst_page *page, uint64_t usual);
/* "escape_time  mandelbrot.py:12" in at most width columns. */
void hst_page_function(struct hst_page *page, uint32_t function, size_t width);
struct hst_cell hst_page_file(const struct hst_page *page, uint32_t file);

/* Whether threads did things at the same time: then speeding up one of them may leave the whole as slow as it
 * was, and Amdahl's law gives only the most that could be gained. */
int hst_threads_overlap(const struct hst_view *view, const struct hst_run_info *info);

/* Marks in ret_wanted (by function) those that the subject names: exactly, else as a pattern. */
enum hst_status hst_subject_functions(const struct hst_profile *profile, const char *subject,
                                      uint8_t *ret_wanted, struct hst_error *err) HST_MUST_CHECK;
/* The string of the file that the subject names: a whole path, or the end of one. */
enum hst_status hst_subject_file(const struct hst_profile *profile, const char *subject, uint32_t *ret_file,
                                 struct hst_error *err) HST_MUST_CHECK;

/* One file each. */
enum hst_status hst_page_summary(struct hst_page *page, struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_page_tree(struct hst_page *page, struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_page_lines(struct hst_page *page, struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_page_threads(struct hst_page *page, struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_page_relations(struct hst_page *page, struct hst_error *err) HST_MUST_CHECK;
/* Of a run of lines. */
enum hst_status hst_page_line_hits(struct hst_page *page, struct hst_error *err) HST_MUST_CHECK;
/* Of a traced run. */
enum hst_status hst_page_calls(struct hst_page *page, struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_page_call_relations(struct hst_page *page, struct hst_error *err) HST_MUST_CHECK;
/* Its sums, in the order that the options ask for. */
enum hst_status hst_page_call_totals(const struct hst_report_source *source,
                                     const struct hst_report_options *options,
                                     struct hst_call_totals *totals) HST_MUST_CHECK;
/* Part of the summary: rows of states. */
enum hst_status hst_page_states(struct hst_page *page, const struct hst_states *states) HST_MUST_CHECK;

#endif
