/* The less usual ways into a cell, and the length of a tick. */
#include "agent/cells.h"

#include <math.h>
#include <sched.h>

#include "agent/arena.h"

double hst_seconds_per_tick = 1e-9;

void hst_histogram_rare(struct hst_counter_histogram *histogram, double value, int bucket)
{
    if (bucket == -3) {
        hst_cell_add_u64(&histogram->invalid, 1);
        return;
    }
    if (bucket >= 0) {
        uint64_t *count = hst_counters_bucket(histogram, bucket);
        if (count == NULL)
            return;
        hst_cell_add_u64(count, 1);
    } else {
        hst_cell_add_u64(bucket == -1 ? &histogram->low : &histogram->above, 1);
    }
    hst_cell_add_double(&histogram->sum, value);
    hst_cell_extreme(&histogram->min, value, 1);
    hst_cell_extreme(&histogram->max, value, 0);
}

static void lock(struct hst_counter_window *window)
{
    if (!hst_api.free_threaded)
        return;
    while (__atomic_exchange_n(&window->lock, 1, __ATOMIC_ACQUIRE) != 0)
        (void)sched_yield();
}
static void unlock(struct hst_counter_window *window)
{
    if (hst_api.free_threaded)
        __atomic_store_n(&window->lock, 0, __ATOMIC_RELEASE);
}

/* The bucket of now, emptied when it was last used for an earlier time. */
static struct hst_counter_bucket *bucket_now(struct hst_counter_window *window)
{
    uint64_t epoch = hst_clock_read_ns(CLOCK_MONOTONIC_COARSE) / window->width_ns;
    struct hst_counter_bucket *bucket = &window->buckets[epoch % HST_COUNTER_BUCKETS];
    if (bucket->epoch != epoch) {
        bucket->count = 0;
        bucket->sum = 0;
        bucket->min = INFINITY;
        bucket->max = -INFINITY;
        __atomic_store_n(&bucket->epoch, epoch, __ATOMIC_RELEASE);
    }
    return bucket;
}

void hst_window_observe(struct hst_counter_window *window, double value)
{
    lock(window);
    struct hst_counter_bucket *bucket = bucket_now(window);
    bucket->count++;
    bucket->sum += value;
    bucket->min = value < bucket->min ? value : bucket->min;
    bucket->max = value > bucket->max ? value : bucket->max;
    window->count++;
    window->sum += value;
    unlock(window);
}

void hst_window_tick(struct hst_counter_window *window, uint64_t count)
{
    lock(window);
    bucket_now(window)->count += count;
    window->count += count;
    unlock(window);
}

/* Both clocks at one moment: the pair that was read fastest. */
static void read_both(uint64_t *ret_ticks, uint64_t *ret_ns)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 5; i++) {
        uint64_t before = hst_ticks(), now = hst_now_ns(), after = hst_ticks();
        if (after - before >= best)
            continue;
        best = after - before;
        *ret_ticks = before + best / 2;
        *ret_ns = now;
    }
}

enum { CALIBRATE_NS = 2000000 }; /* which makes the error less than 0.01 % */

void hst_ticks_calibrate(void)
{
    static uint64_t first_ticks, first_ns;
    uint64_t ticks, ns;
    if (first_ns == 0) {
        if (hst_arena_base == NULL) /* else the tracer has decided which clock it is */
            hst_ticks_init();
        read_both(&first_ticks, &first_ns);
        return;
    }
    if (!hst_ticks_are_tsc)
        return;
    do
        read_both(&ticks, &ns);
    while (ns - first_ns < CALIBRATE_NS);
    hst_seconds_per_tick = (double)(ns - first_ns) / 1e9 / (double)(ticks - first_ticks);
}
