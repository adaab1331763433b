/* One row of the table run <-> struct hst_run_info.  Only for src/store and its tests. */
#ifndef HST_STORE_RUN_ROW_H
#define HST_STORE_RUN_ROW_H

#include <sqlite3.h>
#include <stddef.h>

#include "base/status.h"
#include "model/run.h"

struct hst_store;

/* Adds a row with this process as its writer, and sets info->number and info->status. HST_E_INVALID: the name
 * is taken, or cannot be one. */
enum hst_status hst_run_row_add(struct hst_store *store, struct hst_run_info *info,
                                struct hst_error *err) HST_MUST_CHECK;
/* Brings the row up to info, all but number, name, kind and status. HST_E_GONE: there is no such row. */
enum hst_status hst_run_row_update(struct hst_store *store, uint64_t number, const struct hst_run_info *info,
                                   struct hst_error *err) HST_MUST_CHECK;
/* The run has ended: sets its status, and it has no writer any more. */
enum hst_status hst_run_row_finish(struct hst_store *store, uint64_t number, enum hst_run_status run_status,
                                   struct hst_error *err) HST_MUST_CHECK;
/* A run that says it is being recorded, and whose writer is gone, reads as interrupted. */
enum hst_status hst_run_row_read(struct hst_store *store, uint64_t number, struct hst_run_info *ret_info,
                                 struct hst_error *err) HST_MUST_CHECK;
/* All rows, oldest first; the array is the caller's to hst_free. */
enum hst_status hst_run_row_list(struct hst_store *store, struct hst_run_info **ret_runs, size_t *ret_count,
                                 struct hst_error *err) HST_MUST_CHECK;

#endif
