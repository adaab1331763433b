/* Owns the texts of its rows. */
#include "model/heap_summary.h"

#include "base/memory.h"

void hst_heap_summary_release(struct hst_heap_summary *summary)
{
    for (size_t i = 0; i < summary->count; i++)
        hst_free(summary->rows[i].type);
    hst_free(summary->rows);
    hst_free(summary->command);
    *summary = (struct hst_heap_summary){0};
}
