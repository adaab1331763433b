/* Writes call rows that changed. */
#include "store/call_table.h"

#include <string.h>

#include "store/database.h"

static const char put_call_sql[] =
    "INSERT OR REPLACE INTO call(run, thread, stack, calls, resumes, raises, raw_ns, self_ns, suspended_ns)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
static const char put_line_sql[] = "INSERT OR REPLACE INTO line(run, function, line, hits, raw_ns, self_ns,"
                                   " total_ns) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
static const char put_trace_sql[] =
    "INSERT OR REPLACE INTO trace(run, process, backend, clock, python_only, lost_contexts, lost_suspensions,"
    " hook_taken, python_caller_ns, python_callee_ns, c_caller_ns, c_callee_ns, line_ns, failure, "
    "lost_events)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

enum hst_status hst_call_writer_init(struct hst_call_writer *writer, struct hst_store *store,
                                     struct hst_error *err)
{
    *writer = (struct hst_call_writer){0};
    HST_TRY(hst_store_prepare(store, put_call_sql, &writer->put_call, err));
    HST_TRY(hst_store_prepare(store, put_line_sql, &writer->put_line, err));
    return hst_store_prepare(store, put_trace_sql, &writer->put_trace, err);
}

void hst_call_writer_release(struct hst_call_writer *writer)
{
    (void)sqlite3_finalize(writer->put_call);
    (void)sqlite3_finalize(writer->put_trace);
    (void)sqlite3_finalize(writer->put_line);
    hst_free(writer->written);
    *writer = (struct hst_call_writer){0};
}

static int same_row(const struct hst_call_row *a, const struct hst_call_row *b)
{
    return a->calls == b->calls && a->resumes == b->resumes && a->raises == b->raises &&
           a->raw_ns == b->raw_ns && a->self_ns == b->self_ns && a->suspended_ns == b->suspended_ns;
}

static void bind_numbers(sqlite3_stmt *statement, const uint64_t *values, int count)
{
    for (int i = 0; i < count; i++)
        hst_store_bind(statement, i + 1, values[i]);
}

static enum hst_status write_trace(struct hst_call_writer *writer, struct hst_store *store, uint64_t run,
                                   const struct hst_trace_info *info, struct hst_error *err)
{
    sqlite3_stmt *s = writer->put_trace;
    const double costs[] = {info->caller_cost_ns[HST_CALL_PYTHON], info->callee_cost_ns[HST_CALL_PYTHON],
                            info->caller_cost_ns[HST_CALL_C], info->callee_cost_ns[HST_CALL_C],
                            info->line_cost_ns};
    bind_numbers(s, (const uint64_t[]){run, info->process}, 2);
    (void)sqlite3_bind_text(s, 3, info->backend, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 4, info->clock, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(s, 5, info->python_only);
    hst_store_bind(s, 6, info->lost_contexts);
    hst_store_bind(s, 7, info->lost_suspensions);
    hst_store_bind(s, 8, info->hook_taken);
    for (int i = 0; i < (int)HST_ARRAY_LENGTH(costs); i++)
        (void)sqlite3_bind_double(s, 9 + i, costs[i]);
    (void)sqlite3_bind_text(s, 14, info->failure, -1, SQLITE_STATIC);
    if (info->has_timeline)
        hst_store_bind(s, 15, info->lost_events);
    else
        (void)sqlite3_bind_null(s, 15);
    return hst_store_run(store, s, err);
}

enum hst_status hst_call_writer_lines(struct hst_call_writer *writer, struct hst_store *store, uint64_t run,
                                      const struct hst_lines *lines, struct hst_error *err)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct hst_line_row *row = &lines->rows[i];
        bind_numbers(writer->put_line,
                     (const uint64_t[]){run, row->function, row->line, row->hits, row->raw_ns, row->self_ns,
                                        row->total_ns},
                     7);
        HST_TRY(hst_store_run(store, writer->put_line, err));
    }
    return HST_OK;
}

enum hst_status hst_call_writer_write(struct hst_call_writer *writer, struct hst_store *store, uint64_t run,
                                      const struct hst_calls *calls, struct hst_error *err)
{
    if (!HST_RESERVE(writer->written, writer->capacity, calls->count))
        return hst_store_nomem(err);
    for (size_t i = 0; i < calls->count; i++) {
        const struct hst_call_row *row = &calls->rows[i];
        if (i < writer->count && same_row(row, &writer->written[i]))
            continue;
        bind_numbers(writer->put_call,
                     (const uint64_t[]){run, row->thread, row->stack, row->calls, row->resumes, row->raises,
                                        row->raw_ns, row->self_ns, row->suspended_ns},
                     9);
        HST_TRY(hst_store_run(store, writer->put_call, err));
    }
    for (size_t i = 0; i < calls->trace_count; i++)
        HST_TRY(write_trace(writer, store, run, &calls->traces[i], err));
    return HST_OK;
}

void hst_call_writer_keep(struct hst_call_writer *writer, const struct hst_calls *calls)
{
    if (calls->count > 0)
        memcpy(writer->written, calls->rows, calls->count * sizeof *writer->written);
    writer->count = calls->count;
}
