/* The clocks: monotonic for intervals, wall for dates, CPU for what hasten itself costs.  All in nanoseconds.
 */
#ifndef HST_BASE_CLOCK_H
#define HST_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t hst_clock_read_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
static inline uint64_t hst_now_ns(void) { return hst_clock_read_ns(CLOCK_MONOTONIC); }
static inline uint64_t hst_wall_ns(void) { return hst_clock_read_ns(CLOCK_REALTIME); }
static inline uint64_t hst_cpu_ns(void) { return hst_clock_read_ns(CLOCK_THREAD_CPUTIME_ID); }

#endif
