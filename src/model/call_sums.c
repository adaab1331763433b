/* Gives back the rows. */
#include "model/call_sums.h"

#include "base/memory.h"

void hst_call_totals_release(struct hst_call_totals *totals)
{
    hst_free(totals->functions);
    hst_free(totals->edges);
    *totals = (struct hst_call_totals){0};
}

void hst_imported_release(struct hst_imported *imported) { hst_call_totals_release(&imported->totals); }
