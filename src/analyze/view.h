/* An aggregate and a filter -> the part of a run that a question is about: which rows count, and which frames
 * of their stacks are seen. Every other question of this folder is asked of a view, so that a filter means
 * the same everywhere. */
#ifndef HST_ANALYZE_VIEW_H
#define HST_ANALYZE_VIEW_H

#include "analyze/aggregate.h"
#include "analyze/share.h"
#include "base/status.h"
#include "model/profile.h"

enum hst_mode {
    HST_MODE_WALL, /* all time but that of threads with nothing to do (see view.c) */
    HST_MODE_CPU,
    HST_MODE_GIL, /* the interpreter lock was held */
    HST_MODE_GIL_WAIT,
    HST_MODE_BLOCKED, /* in system calls that wait, not yet idle */
    HST_MODE_GC,
    HST_MODE_IDLE,
    HST_MODE_ALL,
};
extern const char *const hst_mode_names[]; /* by enum hst_mode; ends with NULL */
/* "wall time without idle threads": what the time of a mode is, for a heading. */
const char *hst_mode_description(enum hst_mode mode);

struct hst_filter {
    enum hst_mode mode;
    uint32_t thread, process; /* indices in the profile; HST_ID_NONE = all */
    const char *const
        *hide; /* patterns (pattern.h): frames that are not seen; their time is their caller's */
    size_t hide_count;
    const char *const *show; /* only stacks with such a frame */
    size_t show_count;
    int fold; /* library frames called from the program's own code are not seen either */
};
#define HST_FILTER_ALL                                                                                       \
    (struct hst_filter) { .thread = HST_ID_NONE, .process = HST_ID_NONE }

struct hst_view {
    const struct hst_profile *profile;
    struct hst_aggregate_row *rows; /* those that pass */
    size_t row_count, row_capacity;
    struct hst_sum all;      /* of rows */
    uint64_t left_out_ns;    /* blocked and idle time that passed everything but the mode */
    uint32_t threads_active; /* threads with at least 1 % of the time of the one that has most */
    uint8_t *library;        /* by function: 1 = not the program's own code */
    uint32_t *seen;          /* by stack: itself or the nearest ancestor that is seen; 0 = none */
    uint32_t *above;         /* by stack that is seen: the next one outward that is seen; 0 = none */
};

enum hst_status hst_view_init(struct hst_view *view, const struct hst_profile *profile,
                              const struct hst_aggregate *aggregate, const struct hst_filter *filter,
                              struct hst_error *err) HST_MUST_CHECK;
void hst_view_release(struct hst_view *view);

/* site-packages, dist-packages, the standard library, <frozen ...>. */
int hst_file_is_library(const char *file);

static inline const struct hst_location *hst_view_location(const struct hst_view *view, uint32_t stack)
{
    return &view->profile->locations[view->profile->stacks[stack].location];
}
static inline struct hst_share hst_view_share(const struct hst_view *view, uint64_t ns)
{
    return hst_share_of(ns, view->all.ns, hst_effective_samples(&view->all));
}
void hst_sum_add_row(struct hst_sum *sum, const struct hst_aggregate_row *row);
void hst_sum_add(struct hst_sum *sum, const struct hst_sum *other);

#endif
