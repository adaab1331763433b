/* Writes all rows at once: what was imported does not grow. */
#include "store/sum_table.h"

#include "store/database.h"

static void bind_sum(sqlite3_stmt *s, int index, const struct hst_call_sum *sum)
{
    hst_store_bind(s, index, sum->calls);
    hst_store_bind(s, index + 1, sum->primitive);
    hst_store_bind(s, index + 2, sum->self_ns);
    hst_store_bind(s, index + 3, sum->total_ns);
}

static enum hst_status write_source(struct hst_store *store, uint64_t run,
                                    const struct hst_imported *imported, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    HST_TRY(hst_store_prepare(
        store, "INSERT OR REPLACE INTO imported(run, file, maker, edges_timed) VALUES(?1, ?2, ?3, ?4)", &s,
        err));
    hst_store_bind(s, 1, run);
    (void)sqlite3_bind_text(s, 2, imported->file, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 3, imported->maker, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(s, 4, imported->edges_timed);
    return hst_store_run(store, s, err);
}

enum hst_status hst_sum_table_write(struct hst_store *store, uint64_t run,
                                    const struct hst_imported *imported, struct hst_error *err)
{
    const struct hst_call_totals *totals = &imported->totals;
    HST_CLEANUP_STATEMENT sqlite3_stmt *function = NULL, *edge = NULL;
    HST_TRY(write_source(store, run, imported, err));
    HST_TRY(hst_store_prepare(store,
                              "INSERT OR REPLACE INTO function_sum(run, function, calls, primitive_calls,"
                              " self_ns, total_ns) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                              &function, err));
    for (size_t i = 0; i < totals->function_count; i++) {
        hst_store_bind(function, 1, run);
        hst_store_bind(function, 2, totals->functions[i].function);
        bind_sum(function, 3, &totals->functions[i].sum);
        HST_TRY(hst_store_run(store, function, err));
    }
    HST_TRY(hst_store_prepare(store,
                              "INSERT OR REPLACE INTO edge_sum(run, caller, callee, calls, primitive_calls,"
                              " self_ns, total_ns) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                              &edge, err));
    for (size_t i = 0; i < totals->edge_count; i++) {
        hst_store_bind(edge, 1, run);
        hst_store_bind(edge, 2, totals->edges[i].caller);
        hst_store_bind(edge, 3, totals->edges[i].callee);
        bind_sum(edge, 4, &totals->edges[i].sum);
        HST_TRY(hst_store_run(store, edge, err));
    }
    return HST_OK;
}
