/* How sure a sampled share is, and what follows from it: intervals, what fixing a part would give the whole,
 * and whether two runs differ. Pure arithmetic; all intervals are 95 %. */
#ifndef HST_ANALYZE_SHARE_H
#define HST_ANALYZE_SHARE_H

#include <stdint.h>

#define HST_Z95 1.959963984540054

struct hst_interval {
    double low, high;
};

/* A sum over samples. */
struct hst_sum {
    uint64_t ns, samples;
    double ns_squared;
};

/* The number of equal samples that would say as much as these: (sum w)^2 / sum w^2. */
double hst_effective_samples(const struct hst_sum *sum);

/* A share of a whole that effective samples stand for, by Wilson's formula: also right near 0 and 1. */
struct hst_share {
    double share;
    struct hst_interval interval;
};
struct hst_share hst_share_of(uint64_t part_ns, uint64_t whole_ns, double effective);

/* Amdahl: the whole's speed-up (1.25 = a quarter faster) when the part gets `factor` times as fast; factor =
 * INFINITY means that it costs nothing. HST_SPEEDUP_MAX stands for "nothing would be left". */
#define HST_SPEEDUP_MAX 1000.0
struct hst_gain {
    double speedup;
    struct hst_interval interval;
};
struct hst_gain hst_gain_of(const struct hst_share *share, double factor);

enum hst_verdict { HST_VERDICT_UNDECIDED, HST_VERDICT_BETTER, HST_VERDICT_WORSE };
const char *hst_verdict_name(enum hst_verdict verdict);

/* The change of a quantity measured as share * whole in two runs; whole itself is exact. */
struct hst_change {
    double before, after;         /* share * whole */
    struct hst_interval interval; /* of after - before */
    enum hst_verdict verdict;
    double more_samples; /* undecided: how many more in each run would decide a difference of this size;
                            INFINITY: there is no difference to decide */
};
struct hst_change hst_change_of(const struct hst_share *before, double before_whole, double before_effective,
                                const struct hst_share *after, double after_whole, double after_effective);

#endif
