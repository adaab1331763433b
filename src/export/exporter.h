/* A run -> the file of another tool.  One exporter a format, each in its own file, and the table of them all;
 * none knows where the samples come from or which of them are wanted. */
#ifndef HST_EXPORT_EXPORTER_H
#define HST_EXPORT_EXPORTER_H

#include <stddef.h>

#include "analyze/aggregate.h"
#include "base/status.h"
#include "event/sample.h"
#include "export/output.h"
#include "model/call_sums.h"
#include "model/calls.h"
#include "model/lines.h"
#include "model/profile.h"
#include "model/run.h"

/* The same shape as hst_sample_visitor of the store, which this folder must not know. */
typedef enum hst_status hst_export_visitor(void *context, const struct hst_sample *sample);
/* Calls visit for every sample, each thread's in order of time. May be called more than once. */
typedef enum hst_status hst_export_source(void *source_context, hst_export_visitor *visit, void *context,
                                          struct hst_error *err);
/* Nonzero: the sample belongs into the export. */
typedef int hst_export_keep(void *keep_context, const struct hst_sample *sample);

struct hst_export_timeline; /* export/timeline.h */

struct hst_export {
    const struct hst_run_info *info;
    const struct hst_profile *profile; /* validated */
    const char *mode;                  /* what keep selects, in a word: "wall", "cpu" */
    hst_export_source *source;         /* not asked when there are sums */
    void *source_context;
    /* A traced run has exact sums in place of samples (of each: calls and self time) and what they were made
     * of; NULL of another. */
    const struct hst_aggregate *sums;
    const struct hst_calls *calls;
    const struct hst_imported *imported; /* an imported run has functions and edges only; NULL of another */
    const struct hst_lines *lines;       /* a run of lines has no stacks; NULL of another */
    const struct hst_export_timeline *timeline; /* a traced run may have its events too; NULL of another */
    hst_export_keep *keep;                      /* NULL: all */
    void *keep_context;
    uint64_t kept; /* out: samples of the last walk, or calls, or hits of lines */
};

typedef enum hst_status hst_export_function(struct hst_export *run, struct hst_output *output,
                                            struct hst_error *err);

/* What a run can be exported from. */
enum hst_export_content {
    HST_EXPORT_SAMPLES = 1, /* with the time of each: their order */
    HST_EXPORT_SUMS = 2,    /* stacks with their calls */
    HST_EXPORT_EDGES = 4,   /* functions and who called them */
    HST_EXPORT_LINES = 8,
    HST_EXPORT_EVENTS = 16 /* calls and returns with the time of each */
};

struct hst_exporter {
    const char *name;
    const char *extension;      /* of the default file name */
    const char *const *endings; /* file endings that mean this format; ends with NULL */
    const char *description;    /* one line */
    unsigned takes;             /* what it can be made of: enum hst_export_content */
    int is_text;                /* lines that another program may read from a pipe */
    hst_export_function *write; /* NULL: the store's own file, which the store writes (hst_store_export) */
};

extern const struct hst_exporter hst_exporters[];
extern const size_t hst_exporter_count;

/* NULL when there is none of that name. */
const struct hst_exporter *hst_exporter_find(const char *name);
/* By the file's ending, or by its beginning for callgrind.out.*; the longest ending wins. NULL: none. */
const struct hst_exporter *hst_exporter_for_file(const char *path);
/* "speedscope_123.speedscope.json"; callgrind's are callgrind.out.123, as its viewers expect. The caller's to
 * free. */
char *hst_exporter_file_name(const struct hst_exporter *exporter, uint32_t pid);

/* Whether the format can hold what the run has; asked before a file is opened. */
enum hst_status hst_exporter_check(const struct hst_exporter *exporter, const struct hst_export *run,
                                   struct hst_error *err) HST_MUST_CHECK;
/* The same of what a run holds or will hold (content), whatever is in it. number 0: it is not there yet. */
enum hst_status hst_exporter_check_content(const struct hst_exporter *exporter, unsigned content,
                                           uint64_t number, struct hst_error *err) HST_MUST_CHECK;
/* For exporters: the samples that are wanted, checked against the profile.  Of a traced run, one for each
 * sum, all at time 0, callers before what they call. */
enum hst_status hst_export_walk(struct hst_export *run, hst_export_visitor *visit, void *context,
                                struct hst_error *err) HST_MUST_CHECK;
/* The same as sums; aggregate must be initialised. */
enum hst_status hst_export_sum(struct hst_export *run, struct hst_aggregate *aggregate,
                               struct hst_error *err) HST_MUST_CHECK;
static inline enum hst_status hst_export_nomem(struct hst_error *err)
{
    return hst_error_set(err, HST_E_NOMEM, "out of memory while exporting");
}
/* Function of a stack's leaf; HST_ID_NONE for the empty stack. */
static inline uint32_t hst_export_function_of(const struct hst_profile *profile, uint32_t stack)
{
    return stack == 0 ? HST_ID_NONE : profile->locations[profile->stacks[stack].location].function;
}
/* "running", "runnable", "gil_wait", "blocked", "idle", "gone", "unknown": what every export calls a state.
 */
const char *hst_export_state_name(unsigned state);
/* Whether numbers of samples are numbers of calls, and belong to the very stack only. */
static inline int hst_export_is_exact(const struct hst_export *run)
{
    return run->sums != NULL || run->imported != NULL;
}
/* ns between two samples as asked for, or the mean when the rate was "max"; at least 1. */
uint64_t hst_export_period_ns(const struct hst_run_info *info);

hst_export_function hst_export_collapsed, hst_export_speedscope, hst_export_gecko, hst_export_pprof,
    hst_export_chrome, hst_export_callgrind, hst_export_pstats, hst_export_lprof, hst_export_jsonl;

#endif
