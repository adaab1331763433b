/* Inserts the new rows of a profile's tables, and those processes and threads whose values changed. */
#include "store/table_writer.h"

#include <string.h>

#include "store/database.h"

static const char *const insert_sql[HST_TABLE_COUNT] = {
    [HST_TABLE_STRING] = "INSERT INTO string(run, id, text) VALUES(?1, ?2, ?3)",
    [HST_TABLE_FUNCTION] =
        "INSERT INTO function(run, id, name, qualname, file, first_line) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [HST_TABLE_LOCATION] = "INSERT INTO location(run, id, function, line, end_line, column, end_column,"
                           " instruction) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [HST_TABLE_STACK] = "INSERT INTO stack(run, id, parent, location, depth) VALUES(?1, ?2, ?3, ?4, ?5)",
};
static const char put_process_sql[] =
    "INSERT OR REPLACE INTO process(run, id, pid, parent_pid, command, interpreter, executable, start_ns,"
    " end_ns, cpu_ns) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
static const char put_thread_sql[] =
    "INSERT OR REPLACE INTO thread(run, id, process, native_id, name, interpreter_id, start_ns, end_ns,"
    " cpu_ns, runnable_ns) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

enum hst_status hst_table_writer_init(struct hst_table_writer *tables, struct hst_store *store,
                                      struct hst_error *err)
{
    *tables = (struct hst_table_writer){0};
    for (size_t i = 0; i < HST_TABLE_COUNT; i++)
        HST_TRY(hst_store_prepare(store, insert_sql[i], &tables->insert[i], err));
    HST_TRY(hst_store_prepare(store, put_process_sql, &tables->put_process, err));
    return hst_store_prepare(store, put_thread_sql, &tables->put_thread, err);
}

void hst_table_writer_release(struct hst_table_writer *tables)
{
    for (size_t i = 0; i < HST_TABLE_COUNT; i++)
        (void)sqlite3_finalize(tables->insert[i]);
    (void)sqlite3_finalize(tables->put_process);
    (void)sqlite3_finalize(tables->put_thread);
    hst_free(tables->processes);
    hst_free(tables->threads);
    *tables = (struct hst_table_writer){0};
}

static void bind_all(sqlite3_stmt *statement, const uint64_t *values, int count)
{
    for (int i = 0; i < count; i++)
        hst_store_bind(statement, i + 3, values[i]);
}
#define BIND_ALL(statement, ...)                                                                             \
    bind_all((statement), (const uint64_t[]){__VA_ARGS__},                                                   \
             (int)HST_ARRAY_LENGTH(((const uint64_t[]){__VA_ARGS__})))

static void bind_row(sqlite3_stmt *statement, enum hst_table table, const struct hst_profile *profile,
                     size_t i)
{
    if (table == HST_TABLE_STRING) {
        (void)sqlite3_bind_text64(statement, 3, profile->strings.texts[i], strlen(profile->strings.texts[i]),
                                  SQLITE_STATIC, SQLITE_UTF8);
    } else if (table == HST_TABLE_FUNCTION) {
        const struct hst_function *f = &profile->functions[i];
        BIND_ALL(statement, f->name, f->qualname, f->file, f->first_line);
    } else if (table == HST_TABLE_LOCATION) {
        const struct hst_location *l = &profile->locations[i];
        BIND_ALL(statement, l->function, l->line, l->end_line, l->column, l->end_column, l->instruction);
    } else {
        const struct hst_stack *s = &profile->stacks[i];
        BIND_ALL(statement, s->parent, i == 0 ? 0 : s->location, s->depth);
    }
}

static enum hst_status write_new_rows(struct hst_table_writer *tables, struct hst_store *store, uint64_t run,
                                      const struct hst_profile *profile, struct hst_error *err)
{
    const size_t counts[HST_TABLE_COUNT] = {
        [HST_TABLE_STRING] = profile->strings.count,
        [HST_TABLE_FUNCTION] = profile->function_count,
        [HST_TABLE_LOCATION] = profile->location_count,
        [HST_TABLE_STACK] = profile->stack_count,
    };
    for (size_t table = 0; table < HST_TABLE_COUNT; table++) {
        sqlite3_stmt *statement = tables->insert[table];
        for (size_t i = tables->written[table]; i < counts[table]; i++) {
            hst_store_bind(statement, 1, run);
            hst_store_bind(statement, 2, i);
            bind_row(statement, (enum hst_table)table, profile, i);
            HST_TRY(hst_store_run(store, statement, err));
        }
        tables->pending[table] = counts[table];
    }
    return HST_OK;
}

static int same_process(const struct hst_process *a, const struct hst_process *b)
{
    return a->pid == b->pid && a->parent_pid == b->parent_pid && a->command == b->command &&
           a->interpreter == b->interpreter && a->executable == b->executable && a->start_ns == b->start_ns &&
           a->end_ns == b->end_ns && a->cpu_ns == b->cpu_ns;
}

static int same_thread(const struct hst_thread *a, const struct hst_thread *b)
{
    return a->process == b->process && a->native_id == b->native_id && a->name == b->name &&
           a->interpreter_id == b->interpreter_id && a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
           a->cpu_ns == b->cpu_ns && a->runnable_ns == b->runnable_ns;
}

enum hst_status hst_table_writer_write(struct hst_table_writer *tables, struct hst_store *store, uint64_t run,
                                       const struct hst_profile *profile, struct hst_error *err)
{
    if (!HST_RESERVE(tables->processes, tables->process_capacity, profile->process_count) ||
        !HST_RESERVE(tables->threads, tables->thread_capacity, profile->thread_count))
        return hst_store_nomem(err);
    HST_TRY(write_new_rows(tables, store, run, profile, err));
    for (size_t i = 0; i < profile->process_count; i++) {
        const struct hst_process *p = &profile->processes[i];
        if (i < tables->process_count && same_process(p, &tables->processes[i]))
            continue;
        hst_store_bind(tables->put_process, 1, run);
        hst_store_bind(tables->put_process, 2, i);
        BIND_ALL(tables->put_process, p->pid, p->parent_pid, p->command, p->interpreter, p->executable,
                 p->start_ns, p->end_ns, p->cpu_ns);
        HST_TRY(hst_store_run(store, tables->put_process, err));
    }
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hst_thread *t = &profile->threads[i];
        if (i < tables->thread_count && same_thread(t, &tables->threads[i]))
            continue;
        hst_store_bind(tables->put_thread, 1, run);
        hst_store_bind(tables->put_thread, 2, i);
        BIND_ALL(tables->put_thread, t->process, t->native_id, t->name, t->interpreter_id, t->start_ns,
                 t->end_ns, t->cpu_ns, t->runnable_ns);
        HST_TRY(hst_store_run(store, tables->put_thread, err));
    }
    return HST_OK;
}

void hst_table_writer_keep(struct hst_table_writer *tables, const struct hst_profile *profile)
{
    memcpy(tables->written, tables->pending, sizeof tables->written);
    if (profile->process_count > 0)
        memcpy(tables->processes, profile->processes, profile->process_count * sizeof *tables->processes);
    tables->process_count = profile->process_count;
    if (profile->thread_count > 0)
        memcpy(tables->threads, profile->threads, profile->thread_count * sizeof *tables->threads);
    tables->thread_count = profile->thread_count;
}
