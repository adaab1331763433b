/* Keeps a copy of the sampler's tables and the sums of what it saw. Rows of a profile are only ever added, so
 * that a copy is brought up to date by its new rows; a text never moves, so that its address is enough. */
#include "report/top_live.h"

#include <string.h>

#include "base/memory.h"

int hst_top_live_init(struct hst_top_live *live)
{
    *live = (struct hst_top_live){0};
    return pthread_mutex_init(&live->lock, NULL) == 0;
}

static void drop_slots(struct hst_top_live *live)
{
    for (size_t i = 0; i < HST_TOP_SLOTS; i++)
        hst_aggregate_release(&live->slots[i].sums);
    live->first_slot = live->slot_count = 0;
}

static void drop_tables(struct hst_top_live *live)
{
    hst_free(live->profile.strings.texts);
    live->profile.strings = (struct hst_strings){0};
    hst_profile_release(&live->profile);
    hst_aggregate_release(&live->since);
    drop_slots(live);
    hst_free(live->seen);
    live->seen = NULL;
    live->seen_count = live->seen_capacity = 0;
}

void hst_top_live_release(struct hst_top_live *live)
{
    drop_tables(live);
    (void)pthread_mutex_destroy(&live->lock);
}

void hst_top_live_renew(struct hst_top_live *live)
{
    (void)pthread_mutex_lock(&live->lock);
    drop_tables(live);
    live->base_ns = live->since_ns = live->now_ns;
    live->info.duration_ns = live->info.cpu_ns = 0;
    live->info.cost = (struct hst_run_cost){0};
    live->renewals++;
    (void)pthread_mutex_unlock(&live->lock);
}

void hst_top_live_reset(struct hst_top_live *live)
{
    hst_aggregate_release(&live->since);
    drop_slots(live);
    live->since_ns = live->now_ns;
}

/* About how much the tables take, those of the sampler with them. */
static uint64_t table_bytes(const struct hst_top_live *live, const struct hst_profile *profile)
{
    /* Rows are there twice, and a map has about two slots for each of its entries. */
    const uint64_t entry = 2 * sizeof(struct hst_map_slot), text = 64;
    return profile->strings.count * (text + entry) +
           profile->function_count * (2 * sizeof(struct hst_function) + entry) +
           profile->location_count * (2 * sizeof(struct hst_location) + entry) +
           profile->stack_count * (2 * sizeof(struct hst_stack) + entry) +
           profile->thread_count * 2 * (sizeof(struct hst_thread) + sizeof(struct hst_top_seen)) +
           profile->process_count * 2 * sizeof(struct hst_process) +
           live->since.count * (sizeof(struct hst_aggregate_row) + entry);
}

void hst_top_batch_release(struct hst_top_batch *batch)
{
    hst_aggregate_release(&batch->sums);
    hst_free(batch->seen);
    *batch = (struct hst_top_batch){0};
}

static int grow_seen(struct hst_top_seen **seen, size_t *count, size_t *capacity, size_t needed)
{
    if (needed <= *count)
        return 1;
    if (!HST_RESERVE(*seen, *capacity, needed))
        return 0;
    memset(*seen + *count, 0, (needed - *count) * sizeof **seen);
    *count = needed;
    return 1;
}

enum hst_status hst_top_batch_add(struct hst_top_batch *batch, const struct hst_sample *sample)
{
    if (!grow_seen(&batch->seen, &batch->seen_count, &batch->seen_capacity, (size_t)sample->thread + 1))
        return HST_E_NOMEM;
    batch->seen[sample->thread] = (struct hst_top_seen){.time_ns = sample->time_ns + 1, /* 0 = never */
                                                        .stack = sample->stack,
                                                        .state = sample->state,
                                                        .flags = sample->flags,
                                                        .detail = sample->detail};
    return hst_aggregate_add(&batch->sums, sample);
}

/* Makes rows the same as those of the sampler from row `from` on. */
#define COPY_ROWS(to, of, rows, row_count, row_capacity, from)                                               \
    do {                                                                                                     \
        size_t known_ = (from), count_ = (of)->row_count;                                                    \
        if (count_ > known_) {                                                                               \
            if (!HST_RESERVE((to)->rows, (to)->row_capacity, count_))                                        \
                return HST_E_NOMEM;                                                                          \
            memcpy((to)->rows + known_, (of)->rows + known_, (count_ - known_) * sizeof *(to)->rows);        \
            (to)->row_count = count_;                                                                        \
        }                                                                                                    \
    } while (0)

static enum hst_status copy_tables(struct hst_profile *to, const struct hst_profile *of)
{
    COPY_ROWS(&to->strings, &of->strings, texts, count, capacity, to->strings.count);
    COPY_ROWS(to, of, functions, function_count, function_capacity, to->function_count);
    COPY_ROWS(to, of, locations, location_count, location_capacity, to->location_count);
    COPY_ROWS(to, of, stacks, stack_count, stack_capacity, to->stack_count);
    COPY_ROWS(to, of, processes, process_count, process_capacity, (size_t)0); /* these change as they live */
    COPY_ROWS(to, of, threads, thread_count, thread_capacity, (size_t)0);
    return HST_OK;
}

static enum hst_status copy_seen(struct hst_top_live *live, const struct hst_top_batch *batch)
{
    if (!grow_seen(&live->seen, &live->seen_count, &live->seen_capacity, batch->seen_count))
        return HST_E_NOMEM;
    for (size_t t = 0; t < batch->seen_count; t++)
        if (batch->seen[t].time_ns != 0) {
            live->seen[t] = batch->seen[t];
            live->seen[t].time_ns += live->base_ns;
        }
    return HST_OK;
}

/* The batch becomes the newest slot; slots that are no longer "now" go. */
static void push_slot(struct hst_top_live *live, struct hst_top_batch *batch, const struct hst_run_info *info)
{
    while (live->slot_count == HST_TOP_SLOTS ||
           (live->slot_count > 0 &&
            hst_top_live_slot(live, 0)->end_ns + HST_TOP_NOW_NS <= live->base_ns + info->duration_ns)) {
        hst_aggregate_release(&live->slots[live->first_slot].sums);
        live->first_slot = (live->first_slot + 1) % HST_TOP_SLOTS;
        live->slot_count--;
    }
    struct hst_top_slot *slot = &live->slots[(live->first_slot + live->slot_count++) % HST_TOP_SLOTS];
    const struct hst_run_info *before = &live->info;
    *slot = (struct hst_top_slot){.begin_ns = live->now_ns,
                                  .end_ns = live->base_ns + info->duration_ns,
                                  .samples = info->cost.samples - before->cost.samples,
                                  .sums = batch->sums};
    /* Counts that processes take with them when they end may go back. */
    if (info->cpu_ns > before->cpu_ns)
        slot->cpu_ns = info->cpu_ns - before->cpu_ns;
    if (info->cost.dropped > before->cost.dropped)
        slot->dropped = info->cost.dropped - before->cost.dropped;
    live->samples += slot->samples;
    hst_aggregate_init(&batch->sums);
}

static enum hst_status take(struct hst_top_live *live, struct hst_top_batch *batch,
                            const struct hst_profile *profile, const struct hst_run_info *info)
{
    HST_TRY(copy_tables(&live->profile, profile));
    HST_TRY(copy_seen(live, batch));
    for (size_t i = 0; i < batch->sums.count; i++)
        HST_TRY(hst_aggregate_merge(&live->since, &batch->sums.rows[i]));
    if (batch->seen_count > 0)
        memset(batch->seen, 0, batch->seen_count * sizeof *batch->seen);
    push_slot(live, batch, info);
    return HST_OK;
}

enum hst_status hst_top_live_publish(struct hst_top_live *live, struct hst_top_batch *batch,
                                     const struct hst_profile *profile, const struct hst_run_info *info,
                                     size_t threads, const struct hst_error *waiting, int wait)
{
    if ((wait ? pthread_mutex_lock(&live->lock) : pthread_mutex_trylock(&live->lock)) != 0)
        return HST_E_BUSY;
    enum hst_status status = take(live, batch, profile, info);
    if (status == HST_OK) {
        live->info = *info;
        live->now_ns = live->base_ns + info->duration_ns;
        live->threads = threads;
        live->waiting = *waiting;
        live->publishes++;
        batch->table_bytes = table_bytes(live, profile);
    }
    (void)pthread_mutex_unlock(&live->lock);
    return status;
}
