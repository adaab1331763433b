/* The statistics of shares. */
#include "analyze/share.h"

#include <math.h>

double hst_effective_samples(const struct hst_sum *sum)
{
    if (sum->ns_squared <= 0)
        return 0;
    return (double)sum->ns * (double)sum->ns / sum->ns_squared;
}

struct hst_share hst_share_of(uint64_t part_ns, uint64_t whole_ns, double effective)
{
    if (whole_ns == 0 || effective <= 0)
        return (struct hst_share){.share = 0, .interval = {0, 1}};
    double p = fmin((double)part_ns / (double)whole_ns, 1);
    double z2 = HST_Z95 * HST_Z95;
    double middle = (p + z2 / (2 * effective)) / (1 + z2 / effective);
    double half =
        HST_Z95 / (1 + z2 / effective) * sqrt(p * (1 - p) / effective + z2 / (4 * effective * effective));
    return (struct hst_share){.share = p, .interval = {fmax(0, middle - half), fmin(1, middle + half)}};
}

static double speedup(double share, double factor)
{
    double left = 1 - share + share / factor;
    return left * HST_SPEEDUP_MAX <= 1 ? HST_SPEEDUP_MAX : 1 / left;
}

struct hst_gain hst_gain_of(const struct hst_share *share, double factor)
{
    return (struct hst_gain){
        .speedup = speedup(share->share, factor),
        .interval = {speedup(share->interval.low, factor), speedup(share->interval.high, factor)}};
}

const char *hst_verdict_name(enum hst_verdict verdict)
{
    static const char *const names[] = {[HST_VERDICT_UNDECIDED] = "undecided",
                                        [HST_VERDICT_BETTER] = "better",
                                        [HST_VERDICT_WORSE] = "worse"};
    return names[verdict];
}

/* The spread of a share's estimate. A share of exactly 0 or 1 has none in the plain formula, which no finite
 * number of samples can justify: the Wilson interval's half width is the floor. */
static double share_variance(const struct hst_share *share, double effective)
{
    if (effective <= 0)
        return 1;
    double plain = share->share * (1 - share->share) / effective;
    double half = (share->interval.high - share->interval.low) / 2 / HST_Z95;
    return fmax(plain, half * half);
}

struct hst_change hst_change_of(const struct hst_share *before, double before_whole, double before_effective,
                                const struct hst_share *after, double after_whole, double after_effective)
{
    struct hst_change change = {.before = before->share * before_whole, .after = after->share * after_whole};
    double difference = change.after - change.before;
    double variance = share_variance(before, before_effective) * before_whole * before_whole +
                      share_variance(after, after_effective) * after_whole * after_whole;
    double half = HST_Z95 * sqrt(variance);
    change.interval = (struct hst_interval){difference - half, difference + half};
    if (change.interval.high < 0) {
        change.verdict = HST_VERDICT_BETTER;
    } else if (change.interval.low > 0) {
        change.verdict = HST_VERDICT_WORSE;
    } else {
        /* The half width shrinks with the root of the count. */
        double factor = half / fabs(difference);
        double samples = fmin(before_effective, after_effective);
        change.more_samples = fabs(difference) > 0 ? samples * (factor * factor - 1) : INFINITY;
    }
    return change;
}
