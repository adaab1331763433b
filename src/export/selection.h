/* A filter, as the reports have it -> which single samples belong into an export. The reports judge sums
 * (whether idle time counts depends on the whole thread), so a selection is the set of the sums that a view
 * took. */
#ifndef HST_EXPORT_SELECTION_H
#define HST_EXPORT_SELECTION_H

#include "analyze/aggregate.h"
#include "analyze/view.h"
#include "base/status.h"

struct hst_selection {
    struct hst_aggregate taken; /* its index answers whether a sample's sum was taken */
};

enum hst_status hst_selection_init(struct hst_selection *selection, const struct hst_profile *profile,
                                   const struct hst_aggregate *all, const struct hst_filter *filter,
                                   struct hst_error *err) HST_MUST_CHECK;
void hst_selection_release(struct hst_selection *selection);
/* An hst_export_keep; context is the selection. */
int hst_selection_keep(void *selection, const struct hst_sample *sample);

#endif
