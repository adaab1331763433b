/* Files of dead processes -> their service's file of totals, so that what they counted stays and files do not
 * pile up. Whatever interrupts it, nothing is counted twice and nothing is lost. */
#ifndef HST_COUNT_FOLD_H
#define HST_COUNT_FOLD_H

#include "count/owner.h"

/* wait: for another who is at it; else that one will do. */
void hst_counter_fold(const char *folder, int wait);
/* Shuts folders out; a descriptor to close, or -1: no lock is to be had, go on without. */
int hst_counter_lock(const char *folder, int exclusive, int wait);
/* Whether the owner's values are in the totals already, although its file is there. */
int hst_counter_is_folded(const struct hst_counter_header *totals, const struct hst_counter_owner *owner);
/* Path of the service's totals. */
void hst_counter_totals_path(const char *folder, const char *service, char *into, size_t size);

#endif
