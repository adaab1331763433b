/* The rows of an imported run (model/call_sums.h) in the store.  Only for src/store; its reader is in
 * run_reader.h. */
#ifndef HST_STORE_SUM_TABLE_H
#define HST_STORE_SUM_TABLE_H

#include "base/status.h"
#include "model/call_sums.h"

struct hst_store;

/* Writes inside the caller's transaction. */
enum hst_status hst_sum_table_write(struct hst_store *store, uint64_t run,
                                    const struct hst_imported *imported,
                                    struct hst_error *err) HST_MUST_CHECK;

#endif
