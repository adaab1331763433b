/* A column of a row as a number that was looked at, and the words for a row that makes no sense.  Only for
 * src/store. */
#ifndef HST_STORE_ROW_VALUE_H
#define HST_STORE_ROW_VALUE_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/status.h"

static inline enum hst_status hst_row_damaged(struct hst_error *err, uint64_t run, const char *table,
                                              int64_t row)
{
    (void)hst_error_set(err, HST_E_CORRUPT, "run %llu is damaged: %s %lld is missing or does not make sense",
                        (unsigned long long)run, table, (long long)row);
    hst_error_hint(err, "other runs in the store may be whole; `hasten rm` removes this one");
    return HST_E_CORRUPT;
}

/* Column index of the row as a number of 0 .. max; clears good when it is none. */
static inline uint64_t hst_row_take(sqlite3_stmt *statement, int index, uint64_t max, int *good)
{
    int64_t value = sqlite3_column_int64(statement, index);
    if (sqlite3_column_type(statement, index) != SQLITE_INTEGER || value < 0 || (uint64_t)value > max) {
        *good = 0;
        return 0;
    }
    return (uint64_t)value;
}
static inline uint32_t hst_row_u32(sqlite3_stmt *statement, int index, int *good)
{
    return (uint32_t)hst_row_take(statement, index, UINT32_MAX, good);
}

#endif
