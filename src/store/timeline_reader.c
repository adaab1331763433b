/* Follows each thread's stack through its blocks.  A block that is missing, or an event that cannot be where
 * it is, is HST_E_CORRUPT: nothing from the file is used before it was looked at. */
#include "store/timeline_reader.h"

#include "base/memory.h"
#include "store/database.h"
#include "store/timeline_block.h"

struct lane {
    uint64_t last_ns;
    uint32_t stack, next_block;
    int cut; /* what comes later names stacks that were added after the profile was read */
};

struct walk {
    struct hst_store *store;
    uint64_t run;
    const struct hst_profile *profile;
    int64_t stored_stacks, stored_threads; /* more than the profile has while the run is being recorded */
    struct hst_timeline_decoder *decoder;
    struct lane *lanes;
    uint32_t *path; /* stacks to be entered, innermost first */
    size_t path_capacity;
    hst_call_event_visitor *visit;
    void *context;
};

static void walk_release(struct walk *walk)
{
    hst_timeline_decoder_free(walk->decoder);
    hst_free(walk->lanes);
    hst_free(walk->path);
}

static enum hst_status damaged(const struct walk *walk, uint32_t thread, uint32_t block, const char *reason,
                               struct hst_error *err)
{
    (void)hst_error_set(err, HST_E_CORRUPT, "run %llu is damaged: block %u of the timeline of thread %u: %s",
                        (unsigned long long)walk->run, block, thread, reason);
    hst_error_hint(err, "other runs in the store may be whole; `hasten rm` removes this one");
    return HST_E_CORRUPT;
}

static enum hst_status pass(struct walk *walk, uint32_t thread, enum hst_call_event_kind kind, uint32_t stack,
                            uint64_t time_ns, int continued)
{
    const struct hst_call_event event = {.time_ns = time_ns,
                                         .thread = thread,
                                         .stack = stack,
                                         .kind = (uint8_t)kind,
                                         .continued = (uint8_t)continued};
    walk->lanes[thread].stack = stack;
    walk->lanes[thread].last_ns = time_ns;
    return walk->visit(walk->context, &event);
}

/* Leaves and enters what lies between where the thread was and to. */
static enum hst_status move(struct walk *walk, uint32_t thread, uint32_t to, uint64_t time_ns)
{
    const struct hst_stack *stacks = walk->profile->stacks;
    size_t count = 0;
    while (walk->lanes[thread].stack != to) {
        uint32_t at = walk->lanes[thread].stack;
        if (stacks[to].depth >= stacks[at].depth && to != 0) {
            if (!HST_RESERVE(walk->path, walk->path_capacity, count + 1))
                return HST_E_NOMEM;
            walk->path[count++] = to;
            to = stacks[to].parent;
        }
        if (stacks[at].depth > stacks[to].depth || (at != to && stacks[at].depth == stacks[to].depth))
            HST_TRY(pass(walk, thread, HST_CALL_LEAVE, stacks[at].parent, time_ns, 0));
    }
    while (count-- > 0)
        HST_TRY(pass(walk, thread, HST_CALL_ENTER, walk->path[count], time_ns, 1));
    return HST_OK;
}

/* A stack of the file: 1 = it is in the profile, 0 = added after that was read, -1 = there is none. */
static int is_known(const struct walk *walk, uint32_t stack)
{
    return stack < walk->profile->stack_count ? 1 : stack < walk->stored_stacks ? 0 : -1;
}

static enum hst_status visit_block(struct walk *walk, uint32_t thread, uint32_t block,
                                   const struct hst_timeline_head *head, const struct hst_timeline_row *rows,
                                   struct hst_error *err)
{
    static const char no_stack[] = "it names a stack that is not there";
    const struct hst_stack *stacks = walk->profile->stacks;
    struct lane *lane = &walk->lanes[thread];
    int known = is_known(walk, head->start);
    if (known > 0)
        HST_TRY(move(walk, thread, head->start, head->base_ns));
    for (size_t i = 0; known > 0 && i < head->events; i++) {
        uint32_t entered = rows[i].entered, at = lane->stack;
        known = is_known(walk, entered);
        if (known <= 0)
            break;
        if (entered != 0 ? stacks[entered].parent != at : at == 0)
            return damaged(walk, thread, block, "an event does not follow the one before it", err);
        HST_TRY(pass(walk, thread, entered != 0 ? HST_CALL_ENTER : HST_CALL_LEAVE,
                     entered != 0 ? entered : stacks[at].parent, rows[i].time_ns, 0));
    }
    if (known < 0)
        return damaged(walk, thread, block, no_stack, err);
    lane->cut = known == 0;
    return HST_OK;
}

static enum hst_status read_block(struct walk *walk, sqlite3_stmt *s, struct hst_error *err)
{
    int64_t thread_number = sqlite3_column_int64(s, 0), block_number = sqlite3_column_int64(s, 1);
    if (thread_number < 0 || thread_number >= walk->stored_threads || block_number < 0 ||
        block_number > UINT32_MAX || sqlite3_column_type(s, 5) != SQLITE_BLOB)
        return damaged(walk, (uint32_t)thread_number, (uint32_t)block_number, "its row does not make sense",
                       err);
    uint32_t thread = (uint32_t)thread_number, block = (uint32_t)block_number;
    if (thread >= walk->profile->thread_count || walk->lanes[thread].cut)
        return HST_OK; /* added after the profile was read */
    struct lane *lane = &walk->lanes[thread];
    if (block != lane->next_block)
        return damaged(walk, thread, lane->next_block, "it is missing", err);
    struct hst_timeline_head head;
    const struct hst_timeline_row *rows;
    const char *reason = NULL;
    const void *data = sqlite3_column_blob(s, 5);
    enum hst_status status = hst_timeline_decode(walk->decoder, data != NULL ? data : "",
                                                 (size_t)sqlite3_column_bytes(s, 5), &head, &rows, &reason);
    if (status == HST_E_CORRUPT)
        return damaged(walk, thread, block, reason, err);
    if (status != HST_OK)
        return hst_store_nomem(err);
    if (head.base_ns < lane->last_ns || (int64_t)head.events != sqlite3_column_int64(s, 4) ||
        (int64_t)rows[0].time_ns != sqlite3_column_int64(s, 2) ||
        (int64_t)rows[head.events - 1].time_ns != sqlite3_column_int64(s, 3))
        return damaged(walk, thread, block, "its times are not those of its row", err);
    lane->next_block++;
    return visit_block(walk, thread, block, &head, rows, err);
}

static enum hst_status read_blocks(struct walk *walk, struct hst_error *err)
{
    HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int row;
    HST_TRY(hst_store_prepare(walk->store,
                              "SELECT thread, block, first_ns, last_ns, events, data FROM timeline"
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

/* Calls that were never left end with their thread. */
static enum hst_status end_all(struct walk *walk)
{
    for (uint32_t i = 0; i < walk->profile->thread_count; i++) {
        uint64_t end_ns = walk->profile->threads[i].end_ns, last_ns = walk->lanes[i].last_ns;
        HST_TRY(move(walk, i, 0, end_ns > last_ns ? end_ns : last_ns));
    }
    return HST_OK;
}

static enum hst_status count_rows(struct walk *walk, struct hst_error *err)
{
    HST_TRY(hst_store_number(walk->store, "SELECT count(*) FROM stack WHERE run = ?1", walk->run, 0,
                             &walk->stored_stacks, err));
    return hst_store_number(walk->store, "SELECT count(*) FROM thread WHERE run = ?1", walk->run, 0,
                            &walk->stored_threads, err);
}

enum hst_status hst_timeline_read(struct hst_store *store, uint64_t run, const struct hst_profile *profile,
                                  hst_call_event_visitor *visit, void *context, struct hst_error *err)
{
    HST_CLEANUP(walk_release)
    struct walk walk = {.store = store, .run = run, .profile = profile, .visit = visit, .context = context};
    walk.decoder = hst_timeline_decoder_new();
    walk.lanes = hst_alloc_zero(profile->thread_count + 1, sizeof *walk.lanes);
    if (walk.decoder == NULL || walk.lanes == NULL)
        return hst_store_nomem(err);
    HST_TRY(hst_store_exec(store, "SAVEPOINT timeline", err));
    enum hst_status status = count_rows(&walk, err);
    if (status == HST_OK)
        status = read_blocks(&walk, err);
    (void)sqlite3_exec(store->db, "RELEASE timeline", NULL, NULL, NULL);
    HST_TRY(status);
    return end_all(&walk);
}

enum hst_status hst_timeline_count(struct hst_store *store, uint64_t run, uint64_t *ret_events,
                                   struct hst_error *err)
{
    int64_t events;
    HST_TRY(hst_store_number(store, "SELECT coalesce(sum(events), 0) FROM timeline WHERE run = ?1", run, 0,
                             &events, err));
    *ret_events = events > 0 ? (uint64_t)events : 0;
    return HST_OK;
}
