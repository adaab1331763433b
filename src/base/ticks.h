/* The clock of the tracer: the CPU's time stamp counter where it runs evenly and the kernel itself trusts it,
 * else the system's.  hasten turns ticks into ns from one moment that both clocks took at the start and one
 * at the end. */
#ifndef HST_AGENT_TICKS_H
#define HST_AGENT_TICKS_H

#include <stdint.h>

#include "base/clock.h"

extern int hst_ticks_are_tsc;

/* Decides once which clock it is. */
void hst_ticks_init(void);

static inline uint64_t hst_ticks(void)
{
#ifdef __x86_64__
    if (__builtin_expect(hst_ticks_are_tsc, 1)) {
        uint32_t low, high;
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        return (uint64_t)high << 32 | low;
    }
#endif
    return hst_now_ns();
}

#endif
