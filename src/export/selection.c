/* Remembers which sums a view took. */
#include "export/selection.h"

#include "base/memory.h"

static struct hst_sample like(const struct hst_aggregate_row *row)
{
    return (struct hst_sample){.thread = row->thread,
                               .stack = row->stack,
                               .state = row->state,
                               .flags = row->flags,
                               .detail = row->detail};
}

enum hst_status hst_selection_init(struct hst_selection *selection, const struct hst_profile *profile,
                                   const struct hst_aggregate *all, const struct hst_filter *filter,
                                   struct hst_error *err)
{
    HST_CLEANUP(hst_view_release) struct hst_view view = {0};
    hst_aggregate_init(&selection->taken);
    HST_TRY(hst_view_init(&view, profile, all, filter, err));
    for (size_t i = 0; i < view.row_count; i++) {
        struct hst_sample sample = like(&view.rows[i]);
        if (hst_aggregate_add(&selection->taken, &sample) != HST_OK) {
            hst_selection_release(selection);
            return hst_error_set(err, HST_E_NOMEM, "out of memory while choosing samples");
        }
    }
    return HST_OK;
}

void hst_selection_release(struct hst_selection *selection) { hst_aggregate_release(&selection->taken); }

int hst_selection_keep(void *context, const struct hst_sample *sample)
{
    const struct hst_selection *selection = context;
    return hst_aggregate_find(&selection->taken, sample) != NULL;
}
