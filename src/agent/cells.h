/* One event -> a cell of the file of counters.  Under the interpreter lock no two threads of an interpreter
 * are here at a time, and cells are one interpreter's own: plain additions lose nothing.  Without that lock
 * they are atomic. */
#ifndef HST_AGENT_CELLS_H
#define HST_AGENT_CELLS_H

#include "agent/api.h"
#include "agent/counters.h"
#include "base/clock.h"
#include "base/ticks.h"

extern double hst_seconds_per_tick;

static inline void hst_cell_add_u64(uint64_t *cell, uint64_t amount)
{
    if (__builtin_expect(hst_api.free_threaded, 0))
        __atomic_fetch_add(cell, amount, __ATOMIC_RELAXED);
    else
        __atomic_store_n(cell, *cell + amount, __ATOMIC_RELAXED);
}
static inline void hst_cell_store_double(double *cell, double value)
{
    __atomic_store(cell, &value, __ATOMIC_RELAXED);
}
static inline void hst_cell_add_double(double *cell, double amount)
{
    double old = *cell, sum = old + amount;
    if (__builtin_expect(!hst_api.free_threaded, 1)) {
        hst_cell_store_double(cell, sum);
        return;
    }
    while (!__atomic_compare_exchange(cell, &old, &sum, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        sum = old + amount;
}
/* down: the smaller of both stays, else the larger. */
static inline void hst_cell_extreme(double *cell, double value, int down)
{
    double old = *cell;
    while (__builtin_expect(down ? value < old : value > old, 0))
        if (!hst_api.free_threaded)
            hst_cell_store_double(cell, old = value);
        else if (__atomic_compare_exchange(cell, &old, &value, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            break;
}

/* The histogram's cases that are not the usual one. */
void hst_histogram_rare(struct hst_counter_histogram *histogram, double value, int bucket);

static inline void hst_histogram_observe(struct hst_counter_histogram *histogram, double value)
{
    int bucket = hst_counter_bucket_of(value);
    uint64_t place = bucket >= 0 ? histogram->places[(unsigned)bucket / HST_COUNTER_OCTAVE_PARTS] : 0;
    if (__builtin_expect((place & hst_counter_place_bit(bucket)) == 0, 0)) {
        hst_histogram_rare(histogram, value, bucket);
        return;
    }
    hst_cell_add_u64(&hst_counter_octave(histogram, place)[(unsigned)bucket % HST_COUNTER_OCTAVE_PARTS], 1);
    hst_cell_add_double(&histogram->sum, value);
    hst_cell_extreme(&histogram->min, value, 1);
    hst_cell_extreme(&histogram->max, value, 0);
}

void hst_window_observe(struct hst_counter_window *window, double value);
/* Of one that only counts. */
void hst_window_tick(struct hst_counter_window *window, uint64_t count);
/* Learns how long a tick of the clock is; better the later it is asked. */
void hst_ticks_calibrate(void);

#endif
