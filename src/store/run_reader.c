/* Rows and blocks of a run -> profile and samples.  A row that is missing, twice there, or out of range is
 * HST_E_CORRUPT with its name: nothing from the file is used before it was looked at. */
#include "store/run_reader.h"

#include <stdio.h>
#include <string.h>

#include "store/database.h"
#include "store/row_value.h"
#include "store/run_row.h"
#include "store/sample_block.h"

enum hst_status hst_run_read_info(struct hst_store *store, uint64_t number, struct hst_run_info *ret_info,
                                  struct hst_error *err)
{
    return hst_run_row_read(store, number, ret_info, err);
}

/* Adds one row to the profile; gives the id it got, or HST_ID_NONE when memory is out. */
typedef uint32_t add_row(struct hst_profile *profile, sqlite3_stmt *statement, int *good);

static uint32_t add_string(struct hst_profile *profile, sqlite3_stmt *statement, int *good)
{
    const char *text = (const char *)sqlite3_column_text(statement, 1);
    if (text == NULL || strlen(text) != (size_t)sqlite3_column_bytes(statement, 1)) {
        *good = 0;
        return 0;
    }
    return hst_strings_add_z(&profile->strings, text);
}

static uint32_t add_function(struct hst_profile *profile, sqlite3_stmt *s, int *good)
{
    struct hst_function function = {.name = hst_row_u32(s, 1, good),
                                    .qualname = hst_row_u32(s, 2, good),
                                    .file = hst_row_u32(s, 3, good),
                                    .first_line = hst_row_u32(s, 4, good)};
    return hst_profile_function(profile, &function);
}

static uint32_t add_location(struct hst_profile *profile, sqlite3_stmt *s, int *good)
{
    struct hst_location location = {.function = hst_row_u32(s, 1, good),
                                    .line = hst_row_u32(s, 2, good),
                                    .end_line = hst_row_u32(s, 3, good),
                                    .column = (uint16_t)hst_row_take(s, 4, UINT16_MAX, good),
                                    .end_column = (uint16_t)hst_row_take(s, 5, UINT16_MAX, good),
                                    .instruction = hst_row_u32(s, 6, good)};
    return hst_profile_location(profile, &location);
}

static uint32_t add_stack(struct hst_profile *profile, sqlite3_stmt *s, int *good)
{
    uint32_t id = hst_row_u32(s, 0, good), parent = hst_row_u32(s, 1, good),
             location = hst_row_u32(s, 2, good);
    uint32_t depth = hst_row_u32(s, 3, good);
    if (id == 0) { /* the empty stack, which every profile has */
        *good &= parent == 0 && depth == 0;
        return 0;
    }
    if (!*good || parent >= profile->stack_count || location >= profile->location_count ||
        depth != profile->stacks[parent].depth + 1) {
        *good = 0;
        return 0;
    }
    return hst_profile_stack(profile, parent, location);
}

static uint32_t add_process(struct hst_profile *profile, sqlite3_stmt *s, int *good)
{
    struct hst_process process = {.pid = hst_row_u32(s, 1, good),
                                  .parent_pid = hst_row_u32(s, 2, good),
                                  .command = hst_row_u32(s, 3, good),
                                  .interpreter = hst_row_u32(s, 4, good),
                                  .executable = hst_row_u32(s, 5, good),
                                  .start_ns = hst_row_take(s, 6, INT64_MAX, good),
                                  .end_ns = hst_row_take(s, 7, INT64_MAX, good),
                                  .cpu_ns = hst_row_take(s, 8, INT64_MAX, good)};
    return hst_profile_add_process(profile, &process);
}

static uint32_t add_thread(struct hst_profile *profile, sqlite3_stmt *s, int *good)
{
    struct hst_thread thread = {.process = hst_row_u32(s, 1, good),
                                .native_id = hst_row_u32(s, 2, good),
                                .name = hst_row_u32(s, 3, good),
                                .interpreter_id = hst_row_u32(s, 4, good),
                                .start_ns = hst_row_take(s, 5, INT64_MAX, good),
                                .end_ns = hst_row_take(s, 6, INT64_MAX, good),
                                .cpu_ns = hst_row_take(s, 7, INT64_MAX, good),
                                .runnable_ns = hst_row_take(s, 8, INT64_MAX, good)};
    return hst_profile_add_thread(profile, &thread);
}

/* Ids must come as 0, 1, 2 ..., and each row must get its own id again: it does when all rows are different
 * and in their places. */
static enum hst_status read_table(struct hst_store *store, uint64_t run, const char *table, const char *sql,
                                  add_row *add, struct hst_profile *profile, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int row;
    HST_TRY(hst_store_prepare(store, sql, &statement, err));
    hst_store_bind(statement, 1, run);
    for (uint64_t expected = 0;; expected++) {
        HST_TRY(hst_store_step(store, statement, &row, err));
        if (!row)
            return HST_OK;
        int good = hst_row_take(statement, 0, HST_ID_NONE - 1, &(int){1}) == expected;
        uint32_t id = good ? add(profile, statement, &good) : 0;
        if (good && id == HST_ID_NONE)
            return hst_store_nomem(err);
        if (!good || id != expected)
            return hst_row_damaged(err, run, table, (int64_t)expected);
    }
}

static enum hst_status read_tables(struct hst_store *store, uint64_t run, struct hst_profile *profile,
                                   struct hst_error *err)
{
    static const struct {
        const char *table, *sql;
        add_row *add;
    } tables[] = {
        {"string", "SELECT id, text FROM string WHERE run = ?1 ORDER BY id", add_string},
        {"function", "SELECT id, name, qualname, file, first_line FROM function WHERE run = ?1 ORDER BY id",
         add_function},
        {"location",
         "SELECT id, function, line, end_line, column, end_column, instruction FROM location WHERE run = ?1"
         " ORDER BY id",
         add_location},
        {"stack", "SELECT id, parent, location, depth FROM stack WHERE run = ?1 ORDER BY id", add_stack},
        {"process",
         "SELECT id, pid, parent_pid, command, interpreter, executable, start_ns, end_ns, cpu_ns FROM process"
         " WHERE run = ?1 ORDER BY id",
         add_process},
        {"thread",
         "SELECT id, process, native_id, name, interpreter_id, start_ns, end_ns, cpu_ns, runnable_ns"
         " FROM thread WHERE run = ?1 ORDER BY id",
         add_thread},
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(tables); i++)
        HST_TRY(read_table(store, run, tables[i].table, tables[i].sql, tables[i].add, profile, err));
    return HST_OK;
}

enum hst_status hst_run_read_profile(struct hst_store *store, uint64_t number, struct hst_profile *profile,
                                     struct hst_error *err)
{
    struct hst_run_info info;
    /* One transaction, so that all tables are of the same moment while another process adds to them. */
    HST_TRY(hst_store_exec(store, "SAVEPOINT profile", err));
    enum hst_status status = hst_run_row_read(store, number, &info, err);
    if (status == HST_OK)
        status = read_tables(store, number, profile, err);
    (void)sqlite3_exec(store->db, "RELEASE profile", NULL, NULL, NULL);
    HST_TRY(status);
    return hst_profile_validate(profile, err);
}

/* Where the walk over the blocks is. */
struct walk {
    struct hst_store *store;
    uint64_t run;
    const struct hst_profile *profile;
    int64_t stored_stacks; /* rows in the store: more than the profile has while the run is being recorded */
    struct hst_block_decoder *decoder;
    struct thread_position {
        uint64_t last_ns;
        uint32_t next_block;
    } * threads;
    hst_sample_visitor *visit;
    void *context;
};

static enum hst_status damaged_block(struct walk *walk, uint32_t thread, uint32_t block, const char *reason,
                                     struct hst_error *err)
{
    (void)hst_error_set(err, HST_E_CORRUPT, "run %llu is damaged: block %u of thread %u: %s",
                        (unsigned long long)walk->run, block, thread, reason);
    hst_error_hint(err, "other runs in the store may be whole; `hasten rm` removes this one");
    return HST_E_CORRUPT;
}

/* Whether all stacks of the rows are in the profile: 1 = yes, 0 = they were added after it was read, -1 =
 * they are not in the store either. */
static int stacks_known(const struct walk *walk, const struct hst_block_row *rows, size_t count)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].stack > largest)
            largest = rows[i].stack;
    return largest < walk->profile->stack_count ? 1 : largest < walk->stored_stacks ? 0 : -1;
}

static enum hst_status visit_rows(struct walk *walk, uint32_t thread, const struct hst_block_row *rows,
                                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t state = (uint8_t)rows[i].kind;
        struct hst_sample sample = {
            .time_ns = rows[i].time_ns,
            .weight_ns = rows[i].weight_ns,
            .thread = thread,
            .stack = rows[i].stack,
            .state = state < HST_STATE_COUNT ? state : HST_STATE_UNKNOWN, /* one that came later */
            .flags = (uint8_t)(rows[i].kind >> 8),
            .detail = (uint16_t)(rows[i].kind >> 16),
        };
        HST_TRY(walk->visit(walk->context, &sample));
    }
    return HST_OK;
}

static enum hst_status read_block(struct walk *walk, sqlite3_stmt *s, struct hst_error *err)
{
    int good = 1;
    uint32_t thread = hst_row_u32(s, 0, &good), block = hst_row_u32(s, 1, &good);
    struct hst_block_head head = {.first_ns = hst_row_take(s, 2, INT64_MAX, &good),
                                  .last_ns = hst_row_take(s, 3, INT64_MAX, &good),
                                  .samples = hst_row_u32(s, 4, &good)};
    if (!good || sqlite3_column_type(s, 5) != SQLITE_BLOB)
        return damaged_block(walk, thread, block, "its row does not make sense", err);
    if (thread >= walk->profile->thread_count) {
        int64_t stored;
        HST_TRY(hst_store_number(walk->store, "SELECT count(*) FROM thread WHERE run = ?1", walk->run, 0,
                                 &stored, err));
        return thread < stored ? HST_OK : damaged_block(walk, thread, block, "there is no such thread", err);
    }
    struct thread_position *position = &walk->threads[thread];
    if (block != position->next_block)
        return damaged_block(walk, thread, position->next_block, "it is missing", err);
    const struct hst_block_row *rows;
    const char *reason = NULL;
    const void *data = sqlite3_column_blob(s, 5);
    size_t length = (size_t)sqlite3_column_bytes(s, 5);
    enum hst_status status =
        hst_block_decode(walk->decoder, data != NULL ? data : "", length, &head, &rows, &reason);
    if (status == HST_E_CORRUPT)
        return damaged_block(walk, thread, block, reason, err);
    if (status != HST_OK)
        return hst_store_nomem(err);
    if (head.first_ns < position->last_ns)
        return damaged_block(walk, thread, block, "it begins before the one before it ends", err);
    position->next_block++;
    position->last_ns = head.last_ns;
    int known = stacks_known(walk, rows, head.samples);
    if (known < 0)
        return damaged_block(walk, thread, block, "it names a stack that is not there", err);
    return known > 0 ? visit_rows(walk, thread, rows, head.samples) : HST_OK;
}

static enum hst_status read_blocks(struct walk *walk, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int row;
    HST_TRY(hst_store_prepare(walk->store,
                              "SELECT thread, block, first_ns, last_ns, samples, data FROM block"
                              " WHERE run = ?1 ORDER BY first_ns, thread, block",
                              &statement, err));
    hst_store_bind(statement, 1, walk->run);
    for (;;) {
        HST_TRY(hst_store_step(walk->store, statement, &row, err));
        if (!row)
            return HST_OK;
        HST_TRY(read_block(walk, statement, err));
    }
}

enum hst_status hst_run_read_samples(struct hst_store *store, uint64_t number,
                                     const struct hst_profile *profile, hst_sample_visitor *visit,
                                     void *context, struct hst_error *err)
{
    struct hst_run_info info;
    struct walk walk = {
        .store = store, .run = number, .profile = profile, .visit = visit, .context = context};
    HST_TRY(hst_store_exec(store, "SAVEPOINT samples", err));
    enum hst_status status = hst_run_row_read(store, number, &info, err);
    if (status == HST_OK)
        status = hst_store_number(store, "SELECT max(id) + 1 FROM stack WHERE run = ?1", number, 0,
                                  &walk.stored_stacks, err);
    if (status == HST_OK) {
        walk.decoder = hst_block_decoder_new();
        walk.threads = hst_alloc_zero(profile->thread_count, sizeof *walk.threads);
        status =
            walk.decoder != NULL && walk.threads != NULL ? read_blocks(&walk, err) : hst_store_nomem(err);
    }
    hst_block_decoder_free(walk.decoder);
    hst_free(walk.threads);
    (void)sqlite3_exec(store->db, "RELEASE samples", NULL, NULL, NULL);
    return status;
}

static enum hst_status read_call_rows(struct hst_store *store, uint64_t run,
                                      const struct hst_profile *profile, struct hst_calls *calls,
                                      struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    int row;
    HST_TRY(hst_store_prepare(store,
                              "SELECT thread, stack, calls, resumes, raises, raw_ns, self_ns, suspended_ns"
                              " FROM call WHERE run = ?1 ORDER BY thread, stack",
                              &s, err));
    hst_store_bind(s, 1, run);
    for (;;) {
        HST_TRY(hst_store_step(store, s, &row, err));
        if (!row)
            return HST_OK;
        int good = 1;
        const struct hst_call_row read = {.thread = hst_row_u32(s, 0, &good),
                                          .stack = hst_row_u32(s, 1, &good),
                                          .calls = hst_row_take(s, 2, INT64_MAX, &good),
                                          .resumes = hst_row_take(s, 3, INT64_MAX, &good),
                                          .raises = hst_row_take(s, 4, INT64_MAX, &good),
                                          .raw_ns = hst_row_take(s, 5, INT64_MAX, &good),
                                          .self_ns = hst_row_take(s, 6, INT64_MAX, &good),
                                          .suspended_ns = hst_row_take(s, 7, INT64_MAX, &good)};
        if (!good)
            return hst_row_damaged(err, run, "call of stack", (int64_t)read.stack);
        if (read.thread >= profile->thread_count || read.stack >= profile->stack_count)
            continue; /* added after the profile was read */
        struct hst_call_row *into = hst_calls_row(calls, read.thread, read.stack);
        if (into == NULL)
            return hst_store_nomem(err);
        *into = read;
    }
}

/* The name in the table of names that are known, which lives for ever; "" when it is none of them. */
static const char *known_name(const unsigned char *text)
{
    static const char *const names[] = {
        "sys.monitoring", "profile hook", "frame hook", "profile and frame hooks",
        "trace hook",     "tsc",          "system"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(names) && text != NULL; i++)
        if (strcmp((const char *)text, names[i]) == 0)
            return names[i];
    return "";
}

static enum hst_status read_trace_rows(struct hst_store *store, uint64_t run, struct hst_calls *calls,
                                       struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    int row;
    HST_TRY(hst_store_prepare(store,
                              "SELECT process, backend, clock, python_only, lost_contexts, lost_suspensions,"
                              " hook_taken, python_caller_ns, python_callee_ns, c_caller_ns, c_callee_ns,"
                              " line_ns, failure, lost_events FROM trace WHERE run = ?1 ORDER BY process",
                              &s, err));
    hst_store_bind(s, 1, run);
    for (;;) {
        HST_TRY(hst_store_step(store, s, &row, err));
        if (!row)
            return HST_OK;
        int good = 1;
        uint32_t process = hst_row_u32(s, 0, &good);
        struct hst_trace_info *info = good ? hst_calls_trace(calls, process) : NULL;
        if (!good)
            return hst_row_damaged(err, run, "trace of process", process);
        if (info == NULL)
            return hst_store_nomem(err);
        info->backend = known_name(sqlite3_column_text(s, 1));
        info->clock = known_name(sqlite3_column_text(s, 2));
        info->python_only = sqlite3_column_int(s, 3) != 0;
        info->lost_contexts = hst_row_take(s, 4, INT64_MAX, &good);
        info->lost_suspensions = hst_row_take(s, 5, INT64_MAX, &good);
        info->hook_taken = hst_row_take(s, 6, INT64_MAX, &good);
        for (int kind = 0; kind < HST_CALL_KIND_COUNT; kind++) {
            info->caller_cost_ns[kind] = sqlite3_column_double(s, 7 + 2 * kind);
            info->callee_cost_ns[kind] = sqlite3_column_double(s, 8 + 2 * kind);
        }
        info->line_cost_ns = sqlite3_column_double(s, 11);
        const unsigned char *failure = sqlite3_column_text(s, 12);
        (void)snprintf(info->failure, sizeof info->failure, "%s",
                       failure != NULL ? (const char *)failure : "");
        info->has_timeline = sqlite3_column_type(s, 13) != SQLITE_NULL;
        info->lost_events = info->has_timeline ? hst_row_take(s, 13, INT64_MAX, &good) : 0;
        if (!good)
            return hst_row_damaged(err, run, "trace of process", process);
    }
}

/* How many events each process has, in how many bytes. */
static enum hst_status read_timeline_sizes(struct hst_store *store, uint64_t run, struct hst_calls *calls,
                                           struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    int row;
    HST_TRY(hst_store_prepare(store,
                              "SELECT t.process, sum(l.events), sum(length(l.data)) FROM timeline l"
                              " JOIN thread t ON t.run = l.run AND t.id = l.thread WHERE l.run = ?1"
                              " GROUP BY t.process",
                              &s, err));
    hst_store_bind(s, 1, run);
    for (;;) {
        HST_TRY(hst_store_step(store, s, &row, err));
        if (!row)
            return HST_OK;
        int good = 1;
        uint32_t process = hst_row_u32(s, 0, &good);
        uint64_t events = hst_row_take(s, 1, INT64_MAX, &good), bytes = hst_row_take(s, 2, INT64_MAX, &good);
        if (!good)
            return hst_row_damaged(err, run, "timeline of process", process);
        for (size_t i = 0; i < calls->trace_count; i++)
            if (calls->traces[i].process == process) {
                calls->traces[i].events = events;
                calls->traces[i].event_bytes = bytes;
            }
    }
}

enum hst_status hst_run_read_calls(struct hst_store *store, uint64_t number,
                                   const struct hst_profile *profile, struct hst_calls *calls,
                                   struct hst_error *err)
{
    HST_TRY(hst_store_exec(store, "SAVEPOINT calls", err));
    enum hst_status status = read_call_rows(store, number, profile, calls, err);
    if (status == HST_OK)
        status = read_trace_rows(store, number, calls, err);
    if (status == HST_OK)
        status = read_timeline_sizes(store, number, calls, err);
    (void)sqlite3_exec(store->db, "RELEASE calls", NULL, NULL, NULL);
    return status;
}

enum hst_status hst_run_read_lines(struct hst_store *store, uint64_t number,
                                   const struct hst_profile *profile, struct hst_lines *lines,
                                   struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    int row;
    HST_TRY(
        hst_store_prepare(store,
                          "SELECT function, line, hits, raw_ns, self_ns, total_ns FROM line WHERE run = ?1"
                          " ORDER BY function, line",
                          &s, err));
    hst_store_bind(s, 1, number);
    for (;;) {
        HST_TRY(hst_store_step(store, s, &row, err));
        if (!row)
            return HST_OK;
        int good = 1;
        const struct hst_line_row read = {.function = hst_row_u32(s, 0, &good),
                                          .line = hst_row_u32(s, 1, &good),
                                          .hits = hst_row_take(s, 2, INT64_MAX, &good),
                                          .raw_ns = hst_row_take(s, 3, INT64_MAX, &good),
                                          .self_ns = hst_row_take(s, 4, INT64_MAX, &good),
                                          .total_ns = hst_row_take(s, 5, INT64_MAX, &good)};
        if (!good)
            return hst_row_damaged(err, number, "line of function", (int64_t)read.function);
        if (read.function >= profile->function_count)
            continue; /* added after the profile was read */
        struct hst_line_row *into = hst_lines_row(lines, read.function, read.line);
        if (into == NULL)
            return hst_store_nomem(err);
        *into = read;
    }
}

static struct hst_call_sum take_sum(sqlite3_stmt *s, int index, int *good)
{
    struct hst_call_sum sum = {.calls = hst_row_take(s, index, INT64_MAX, good),
                               .primitive = hst_row_take(s, index + 1, INT64_MAX, good),
                               .self_ns = hst_row_take(s, index + 2, INT64_MAX, good),
                               .total_ns = hst_row_take(s, index + 3, INT64_MAX, good)};
    sum.raw_self_ns = sum.self_ns;
    sum.raw_total_ns = sum.total_ns;
    return sum;
}

static enum hst_status read_function_sums(struct hst_store *store, uint64_t run,
                                          const struct hst_profile *profile, struct hst_call_totals *totals,
                                          struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    struct hst_call_sum *all = &totals->all;
    int row;
    HST_TRY(hst_store_prepare(store,
                              "SELECT function, calls, primitive_calls, self_ns, total_ns FROM function_sum"
                              " WHERE run = ?1 ORDER BY function",
                              &s, err));
    hst_store_bind(s, 1, run);
    for (;;) {
        HST_TRY(hst_store_step(store, s, &row, err));
        if (!row)
            break;
        int good = 1;
        const struct hst_call_function read = {.function = hst_row_u32(s, 0, &good),
                                               .sum = take_sum(s, 1, &good)};
        good &= read.function < profile->function_count &&
                !__builtin_add_overflow(all->calls, read.sum.calls, &all->calls) &&
                !__builtin_add_overflow(all->primitive, read.sum.primitive, &all->primitive) &&
                !__builtin_add_overflow(all->self_ns, read.sum.self_ns, &all->self_ns);
        if (!good)
            return hst_row_damaged(err, run, "sum of function", (int64_t)read.function);
        if (!HST_RESERVE(totals->functions, totals->function_capacity, totals->function_count + 1))
            return hst_store_nomem(err);
        totals->functions[totals->function_count++] = read;
    }
    all->total_ns = all->raw_total_ns = all->raw_self_ns = all->self_ns;
    return HST_OK;
}

static enum hst_status read_edge_sums(struct hst_store *store, uint64_t run,
                                      const struct hst_profile *profile, struct hst_call_totals *totals,
                                      struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    int row;
    HST_TRY(hst_store_prepare(store,
                              "SELECT caller, callee, calls, primitive_calls, self_ns, total_ns FROM edge_sum"
                              " WHERE run = ?1 ORDER BY caller, callee",
                              &s, err));
    hst_store_bind(s, 1, run);
    for (;;) {
        HST_TRY(hst_store_step(store, s, &row, err));
        if (!row)
            return HST_OK;
        int good = 1;
        const struct hst_call_edge read = {.caller = hst_row_u32(s, 0, &good),
                                           .callee = hst_row_u32(s, 1, &good),
                                           .sum = take_sum(s, 2, &good)};
        if (!good || read.caller >= profile->function_count || read.callee >= profile->function_count)
            return hst_row_damaged(err, run, "sum of calls by function", (int64_t)read.caller);
        if (!HST_RESERVE(totals->edges, totals->edge_capacity, totals->edge_count + 1))
            return hst_store_nomem(err);
        totals->edges[totals->edge_count++] = read;
    }
}

/* It is printed as it is, so that only what we wrote may come back. */
static const char *known_maker(const char *text)
{
    static const char *const makers[] = {"cProfile", "profile", "line_profiler"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(makers); i++)
        if (strcmp(text, makers[i]) == 0)
            return makers[i];
    return "another tool";
}

static enum hst_status read_source(struct hst_store *store, uint64_t run, struct hst_imported *imported,
                                   struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *s = NULL;
    int row;
    HST_TRY(
        hst_store_prepare(store, "SELECT file, maker, edges_timed FROM imported WHERE run = ?1", &s, err));
    hst_store_bind(s, 1, run);
    HST_TRY(hst_store_step(store, s, &row, err));
    const char *file = row ? (const char *)sqlite3_column_text(s, 0) : NULL;
    const char *maker = row ? (const char *)sqlite3_column_text(s, 1) : NULL;
    if (file == NULL || maker == NULL)
        return hst_row_damaged(err, run, "source", 0);
    (void)snprintf(imported->file, sizeof imported->file, "%s", file);
    (void)snprintf(imported->maker, sizeof imported->maker, "%s", known_maker(maker));
    imported->edges_timed = sqlite3_column_int(s, 2) != 0;
    return HST_OK;
}

enum hst_status hst_run_read_imported(struct hst_store *store, uint64_t number,
                                      const struct hst_profile *profile, struct hst_imported *ret_imported,
                                      struct hst_error *err)
{
    struct hst_imported imported = {0};
    HST_TRY(hst_store_exec(store, "SAVEPOINT imported", err));
    enum hst_status status = read_source(store, number, &imported, err);
    if (status == HST_OK)
        status = read_function_sums(store, number, profile, &imported.totals, err);
    if (status == HST_OK)
        status = read_edge_sums(store, number, profile, &imported.totals, err);
    (void)sqlite3_exec(store->db, "RELEASE imported", NULL, NULL, NULL);
    if (status == HST_OK)
        *ret_imported = imported;
    else
        hst_imported_release(&imported);
    return status;
}
