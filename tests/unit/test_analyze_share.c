/* Intervals and gains against numbers worked out elsewhere, and the interval's promise against chance itself.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/share.h"

static void assert_near(double found, double expected, double tolerance)
{
    if (fabs(found - expected) > tolerance)
        fail_msg("%.6f is not %.6f", found, expected);
}

static void test_wilson(void **state)
{
    (void)state;
    struct hst_share share = hst_share_of(10, 100, 100);
    assert_near(share.share, 0.1, 1e-12);
    assert_near(share.interval.low, 0.05523, 1e-5);
    assert_near(share.interval.high, 0.17437, 1e-5);
    share = hst_share_of(0, 50, 50);
    assert_near(share.interval.low, 0, 1e-12);
    assert_near(share.interval.high, 0.07135, 1e-5);
    share = hst_share_of(0, 0, 0);
    assert_near(share.interval.high, 1, 0);
}

static void test_effective_samples(void **state)
{
    (void)state;
    struct hst_sum equal = {.ns = 500, .samples = 50, .ns_squared = 50 * 100.0};
    assert_near(hst_effective_samples(&equal), 50, 1e-9);
    /* One sample of weight 100 beside 100 of weight 1 is worth about four. */
    struct hst_sum lopsided = {.ns = 200, .samples = 101, .ns_squared = 100.0 * 100.0 + 100};
    assert_near(hst_effective_samples(&lopsided), 40000.0 / 10100.0, 1e-9);
    struct hst_sum none = {0};
    assert_near(hst_effective_samples(&none), 0, 0);
}

static void test_amdahl(void **state)
{
    (void)state;
    struct hst_share share = {.share = 0.4, .interval = {0.3, 0.5}};
    struct hst_gain twice = hst_gain_of(&share, 2), free = hst_gain_of(&share, INFINITY);
    assert_near(twice.speedup, 1.25, 1e-12);
    assert_near(free.speedup, 1 / 0.6, 1e-12);
    assert_near(free.interval.low, 1 / 0.7, 1e-12);
    assert_near(free.interval.high, 2, 1e-12);
    share.share = share.interval.high = 1;
    assert_near(hst_gain_of(&share, INFINITY).speedup, HST_SPEEDUP_MAX, 0);
    assert_near(hst_gain_of(&share, 2).speedup, 2, 1e-12);
}

static uint64_t random_state = 88172645463325252u;
static double random_share(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

/* 2,000 runs of 400 samples with weights that differ up to fourfold: the true share is inside 95 times in
 * 100. */
static void test_intervals_keep_their_promise(void **state)
{
    (void)state;
    static const double shares[] = {0.02, 0.1, 0.37, 0.8};
    for (size_t s = 0; s < sizeof shares / sizeof shares[0]; s++) {
        int inside = 0;
        for (int run = 0; run < 2000; run++) {
            struct hst_sum all = {0};
            uint64_t part = 0;
            for (int i = 0; i < 400; i++) {
                uint64_t weight = 1000 + (uint64_t)(3000 * random_share());
                all.ns += weight;
                all.ns_squared += (double)weight * (double)weight;
                part += random_share() < shares[s] ? weight : 0;
            }
            struct hst_share share = hst_share_of(part, all.ns, hst_effective_samples(&all));
            inside += share.interval.low <= shares[s] && shares[s] <= share.interval.high;
        }
        if (inside < 1870 || inside > 1960)
            fail_msg("share %.2f: inside %d times in 2000", shares[s], inside);
    }
}

/* Two runs of the same program: "better" or "worse" is said about 5 times in 100, no more. */
static void test_equal_runs_are_seldom_told_apart(void **state)
{
    (void)state;
    int decided = 0;
    for (int run = 0; run < 2000; run++) {
        uint64_t hits[2] = {0, 0};
        for (int i = 0; i < 2 * 300; i++)
            hits[i % 2] += random_share() < 0.2;
        struct hst_share before = hst_share_of(hits[0], 300, 300), after = hst_share_of(hits[1], 300, 300);
        decided += hst_change_of(&before, 1, 300, &after, 1, 300).verdict != HST_VERDICT_UNDECIDED;
    }
    assert_in_range(decided, 40, 140);
}

static void test_equal_shares_need_no_number(void **state)
{
    (void)state;
    struct hst_share share = hst_share_of(50, 100, 100);
    struct hst_change change = hst_change_of(&share, 1, 100, &share, 1, 100);
    assert_int_equal(change.verdict, HST_VERDICT_UNDECIDED);
    assert_true(isinf(change.more_samples));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wilson),
        cmocka_unit_test(test_effective_samples),
        cmocka_unit_test(test_amdahl),
        cmocka_unit_test(test_intervals_keep_their_promise),
        cmocka_unit_test(test_equal_runs_are_seldom_told_apart),
        cmocka_unit_test(test_equal_shares_need_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
