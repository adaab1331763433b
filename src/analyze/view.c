/* Which rows count, and which frames are seen.
 *
 * Wall time needs a judgement: a pool of waiting threads would drown the one that works, yet a script that
 * waits for the network must show that.  So what a thread waits for (blocked or idle) counts when the thread
 * is awake for at least a tenth of its life.  Where all threads together are awake for less than half of the
 * longest life, the rest of the story is what the main threads wait for, and counts too.  A thread that was
 * asked for by name always counts. */
#include "analyze/view.h"

#include <ctype.h>
#include <string.h>

#include "analyze/pattern.h"
#include "base/memory.h"

const char *const hst_mode_names[] = {"wall", "cpu", "gil", "gil-wait", "blocked", "gc", "idle", "all", NULL};

const char *hst_mode_description(enum hst_mode mode)
{
    static const char *const texts[] = {
        [HST_MODE_WALL] = "wall time without idle threads",
        [HST_MODE_CPU] = "time on a CPU",
        [HST_MODE_GIL] = "time with the interpreter lock held",
        [HST_MODE_GIL_WAIT] = "time waiting for the interpreter lock",
        [HST_MODE_BLOCKED] = "time blocked in system calls",
        [HST_MODE_GC] = "time in the garbage collector",
        [HST_MODE_IDLE] = "time idle",
        [HST_MODE_ALL] = "all time of all threads, idle too",
    };
    return texts[mode];
}

void hst_sum_add_row(struct hst_sum *sum, const struct hst_aggregate_row *row)
{
    sum->ns += row->weight_ns;
    sum->samples += row->samples;
    sum->ns_squared += row->weight_ns_squared;
}

void hst_sum_add(struct hst_sum *sum, const struct hst_sum *other)
{
    sum->ns += other->ns;
    sum->samples += other->samples;
    sum->ns_squared += other->ns_squared;
}

/* ".../lib/python3.11/...", ".../lib64/python3/..." and "python311.zip/...". */
static int in_standard_library(const char *file)
{
    for (const char *at = file; (at = strstr(at, "/python3")) != NULL; at++) {
        const char *after = at + strlen("/python3");
        while (isdigit((unsigned char)*after) || *after == '.' || *after == 't')
            after++;
        int in_lib = (at - file >= 4 && strncmp(at - 4, "/lib", 4) == 0) ||
                     (at - file >= 6 && strncmp(at - 6, "/lib64", 6) == 0);
        if (*after == '/' && in_lib)
            return 1;
        if (strncmp(after, "zip/", 4) == 0)
            return 1;
    }
    return 0;
}

int hst_file_is_library(const char *file)
{
    return strncmp(file, "<frozen ", 8) == 0 || strstr(file, "/site-packages/") != NULL ||
           strstr(file, "/dist-packages/") != NULL || in_standard_library(file);
}

/* What is known of all threads before a row can be judged. */
struct lives {
    uint64_t *awake_ns, *life_ns; /* by thread */
    uint8_t *waits_count;         /* by thread */
};

static void lives_release(struct lives *lives)
{
    hst_free(lives->awake_ns);
    hst_free(lives->life_ns);
    hst_free(lives->waits_count);
}

static int is_awake(const struct hst_aggregate_row *row)
{
    return row->state != HST_STATE_BLOCKED && row->state != HST_STATE_IDLE && row->state != HST_STATE_GONE;
}

static void lives_judge(struct lives *lives, const struct hst_profile *profile,
                        const struct hst_filter *filter)
{
    uint64_t awake = 0, longest = 0;
    for (size_t t = 0; t < profile->thread_count; t++) {
        awake += lives->awake_ns[t];
        longest = lives->life_ns[t] > longest ? lives->life_ns[t] : longest;
    }
    int mains_count = awake < longest / 2;
    for (size_t t = 0; t < profile->thread_count; t++) {
        const struct hst_thread *thread = &profile->threads[t];
        int is_main = thread->native_id == profile->processes[thread->process].pid;
        lives->waits_count[t] = (lives->awake_ns[t] > 0 && lives->awake_ns[t] >= lives->life_ns[t] / 10) ||
                                (is_main && mains_count) || filter->thread == t;
    }
}

static int is_asked_for(const struct hst_profile *profile, const struct hst_aggregate_row *row,
                        const struct hst_filter *filter)
{
    return row->thread < profile->thread_count && row->stack < profile->stack_count &&
           (filter->thread == HST_ID_NONE || row->thread == filter->thread) &&
           (filter->process == HST_ID_NONE || profile->threads[row->thread].process == filter->process);
}

static int lives_init(struct lives *lives, const struct hst_profile *profile,
                      const struct hst_aggregate *aggregate, const struct hst_filter *filter)
{
    lives->awake_ns = hst_alloc_zero(profile->thread_count + 1, sizeof *lives->awake_ns);
    lives->life_ns = hst_alloc_zero(profile->thread_count + 1, sizeof *lives->life_ns);
    lives->waits_count = hst_alloc_zero(profile->thread_count + 1, 1);
    if (lives->awake_ns == NULL || lives->life_ns == NULL || lives->waits_count == NULL)
        return 0;
    for (size_t i = 0; i < aggregate->count; i++) {
        const struct hst_aggregate_row *row = &aggregate->rows[i];
        if (!is_asked_for(profile, row, filter))
            continue;
        lives->life_ns[row->thread] += row->weight_ns;
        lives->awake_ns[row->thread] += is_awake(row) ? row->weight_ns : 0;
    }
    lives_judge(lives, profile, filter);
    return 1;
}

static int mode_takes(enum hst_mode mode, const struct hst_aggregate_row *row, const struct lives *lives)
{
    switch (mode) {
    case HST_MODE_WALL:
        return row->state != HST_STATE_GONE && (is_awake(row) || lives->waits_count[row->thread]);
    case HST_MODE_CPU:
        return row->state == HST_STATE_RUNNING;
    case HST_MODE_GIL:
        return (row->flags & HST_SAMPLE_HOLDS_GIL) != 0;
    case HST_MODE_GIL_WAIT:
        return row->state == HST_STATE_GIL_WAIT;
    case HST_MODE_BLOCKED:
        return row->state == HST_STATE_BLOCKED;
    case HST_MODE_GC:
        return (row->flags & HST_SAMPLE_IN_GC) != 0;
    case HST_MODE_IDLE:
        return row->state == HST_STATE_IDLE;
    case HST_MODE_ALL:
        break;
    }
    return 1;
}

static int view_take(struct hst_view *view, const struct hst_aggregate_row *row)
{
    if (!HST_RESERVE(view->rows, view->row_capacity, view->row_count + 1))
        return 0;
    view->rows[view->row_count++] = *row;
    hst_sum_add_row(&view->all, row);
    return 1;
}

static int view_choose_rows(struct hst_view *view, const struct hst_aggregate *aggregate,
                            const struct hst_filter *filter, const uint8_t *shown)
{
    struct lives lives = {0};
    int ok = lives_init(&lives, view->profile, aggregate, filter);
    for (size_t i = 0; ok && i < aggregate->count; i++) {
        const struct hst_aggregate_row *row = &aggregate->rows[i];
        if (!is_asked_for(view->profile, row, filter) || (shown != NULL && !shown[row->stack]))
            continue;
        if (mode_takes(filter->mode, row, &lives))
            ok = view_take(view, row);
        else if (!is_awake(row))
            view->left_out_ns += row->weight_ns;
    }
    lives_release(&lives);
    return ok;
}

static int view_count_threads(struct hst_view *view)
{
    HST_CLEANUP_FREE uint64_t *by_thread = hst_alloc_zero(view->profile->thread_count + 1, sizeof *by_thread);
    if (by_thread == NULL)
        return 0;
    for (size_t i = 0; i < view->row_count; i++)
        by_thread[view->rows[i].thread] += view->rows[i].weight_ns;
    uint64_t most = 1;
    for (size_t t = 0; t < view->profile->thread_count; t++)
        most = by_thread[t] > most ? by_thread[t] : most;
    for (size_t t = 0; t < view->profile->thread_count; t++)
        view->threads_active += by_thread[t] > 0 && by_thread[t] >= most / 100;
    return 1;
}

/* By stack: whether a frame of it matches. */
static uint8_t *stacks_with(const struct hst_profile *profile, const struct hst_patterns *patterns)
{
    HST_CLEANUP_FREE uint8_t *functions = hst_alloc_zero(profile->function_count + 1, 1);
    uint8_t *stacks = hst_alloc_zero(profile->stack_count + 1, 1);
    if (functions == NULL || stacks == NULL) {
        hst_free(stacks);
        return NULL;
    }
    for (uint32_t f = 0; f < profile->function_count; f++)
        functions[f] = (uint8_t)hst_patterns_match(patterns, profile, f);
    for (size_t s = 1; s < profile->stack_count; s++)
        stacks[s] = stacks[profile->stacks[s].parent] ||
                    functions[profile->locations[profile->stacks[s].location].function];
    return stacks;
}

/* Fills seen and above. With folding there are two chains outward from a stack: its own-code frames, and, for
 * stacks without any, all frames. */
static int view_link_frames(struct hst_view *view, const struct hst_patterns *hide, int fold)
{
    const struct hst_profile *profile = view->profile;
    HST_CLEANUP_FREE uint8_t *hidden = hst_alloc_zero(profile->function_count + 1, 1);
    HST_CLEANUP_FREE uint32_t *own = hst_alloc_zero(profile->stack_count + 1, sizeof *own);
    HST_CLEANUP_FREE uint32_t *any = hst_alloc_zero(profile->stack_count + 1, sizeof *any);
    if (hidden == NULL || own == NULL || any == NULL)
        return 0;
    for (uint32_t f = 0; f < profile->function_count; f++) {
        hidden[f] = (uint8_t)(hide->count > 0 && hst_patterns_match(hide, profile, f));
        view->library[f] =
            (uint8_t)hst_file_is_library(hst_profile_text(profile, profile->functions[f].file));
    }
    for (uint32_t s = 1; s < profile->stack_count; s++) {
        uint32_t parent = profile->stacks[s].parent, function = hst_view_location(view, s)->function;
        any[s] = hidden[function] ? any[parent] : s;
        own[s] = hidden[function] || view->library[function] ? own[parent] : s;
        view->seen[s] = fold && own[s] != 0 ? own[s] : any[s];
        view->above[s] = fold && !view->library[function] ? own[parent] : any[parent];
    }
    return 1;
}

enum hst_status hst_view_init(struct hst_view *view, const struct hst_profile *profile,
                              const struct hst_aggregate *aggregate, const struct hst_filter *filter,
                              struct hst_error *err)
{
    *view = (struct hst_view){.profile = profile};
    struct hst_patterns hide, show;
    HST_TRY(hst_patterns_init(&hide, filter->hide, filter->hide_count, err));
    enum hst_status status = hst_patterns_init(&show, filter->show, filter->show_count, err);
    if (status != HST_OK) {
        hst_patterns_release(&hide);
        return status;
    }
    HST_CLEANUP_FREE uint8_t *shown = show.count > 0 ? stacks_with(profile, &show) : NULL;
    view->library = hst_alloc_zero(profile->function_count + 1, 1);
    view->seen = hst_alloc_zero(profile->stack_count + 1, sizeof *view->seen);
    view->above = hst_alloc_zero(profile->stack_count + 1, sizeof *view->above);
    int ok = view->library != NULL && view->seen != NULL && view->above != NULL &&
             (show.count == 0 || shown != NULL) && view_link_frames(view, &hide, filter->fold) &&
             view_choose_rows(view, aggregate, filter, shown) && view_count_threads(view);
    hst_patterns_release(&hide);
    hst_patterns_release(&show);
    if (!ok) {
        hst_view_release(view);
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    }
    return HST_OK;
}

void hst_view_release(struct hst_view *view)
{
    hst_free(view->rows);
    hst_free(view->library);
    hst_free(view->seen);
    hst_free(view->above);
    *view = (struct hst_view){0};
}
