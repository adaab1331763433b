/* A run and its sums -> the text that answers a person's question, in a buffer; nothing here knows where it
 * will be shown. The same questions as JSON are in report/json.h. */
#ifndef HST_REPORT_REPORT_H
#define HST_REPORT_REPORT_H

#include "analyze/window.h"
#include "analyze/diff.h"
#include "analyze/relations.h"
#include "analyze/states.h"
#include "analyze/totals.h"
#include "analyze/tree.h"
#include "analyze/view.h"
#include "base/buffer.h"
#include "model/call_sums.h"
#include "model/calls.h"
#include "model/lines.h"
#include "model/run.h"
#include "report/style.h"

struct hst_report_source {
    const struct hst_run_info *info;
    const struct hst_profile *profile;
    const struct hst_aggregate *aggregate;
    const struct hst_calls *calls;       /* of a traced run, and how one of lines was traced; else NULL */
    const struct hst_lines *lines;       /* of a run of lines; else NULL */
    const struct hst_imported *imported; /* of an imported run; else NULL */
    struct hst_window window;            /* what of a sampled run is in the aggregate */
};
/* Whether numbers of calls are known, and which functions called which. */
static inline int hst_report_has_calls(const struct hst_report_source *source)
{
    return source->calls != NULL || source->imported != NULL;
}

enum hst_report_kind {
    HST_REPORT_SUMMARY,
    HST_REPORT_TREE,
    HST_REPORT_LINES, /* subject: a file */
    HST_REPORT_THREADS,
    HST_REPORT_RELATIONS, /* subject: a function; callers, callees or both */
};

struct hst_report_options {
    enum hst_report_kind kind;
    struct hst_filter filter;
    enum hst_sort sort;
    uint64_t rows; /* in each table; 0 = what fits a screen */
    const char *subject;
    int callers, callees;
    const char *store; /* --store as it was given, for the commands that are suggested; NULL = not given */
};
#define HST_REPORT_OPTIONS_DEFAULT                                                                           \
    ((struct hst_report_options){                                                                            \
        .filter = {.mode = HST_MODE_WALL, .thread = HST_ID_NONE, .process = HST_ID_NONE, .fold = 1}})

/* Whether the run can answer what is asked: HST_E_INVALID says why not, and what it can answer. */
enum hst_status hst_report_check(const struct hst_report_source *source,
                                 const struct hst_report_options *options,
                                 struct hst_error *err) HST_MUST_CHECK;

/* Appends the report. HST_E_NOENT with names that are near when the subject is not in the run. */
enum hst_status hst_report_text(const struct hst_report_source *source,
                                const struct hst_report_options *options, const struct hst_style *style,
                                struct hst_buffer *buffer, struct hst_error *err) HST_MUST_CHECK;

/* What changed from the first run to the second. */
enum hst_status hst_report_diff_text(const struct hst_report_source *before,
                                     const struct hst_report_source *after,
                                     const struct hst_report_options *options, const struct hst_style *style,
                                     struct hst_buffer *buffer, struct hst_error *err) HST_MUST_CHECK;

#endif
