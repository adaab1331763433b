/* Buckets of histograms, quantiles and windows, against plain arithmetic. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "count/moment.h"

static void test_buckets_lie_side_by_side(void **state)
{
    (void)state;
    for (int i = 0; i < HST_COUNTER_HISTOGRAM_BUCKETS; i++) {
        double begin = hst_counter_bucket_begin(i), end = hst_counter_bucket_begin(i + 1);
        assert_true(begin < end && (end - begin) / begin <= 1.0 / 64);
        assert_int_equal(hst_counter_bucket_of(begin), i);
        assert_int_equal(hst_counter_bucket_of(nextafter(end, 0)), i);
    }
    assert_true(hst_counter_bucket_begin(0) == ldexp(1, -32));
    assert_true(hst_counter_bucket_begin(HST_COUNTER_HISTOGRAM_BUCKETS) == ldexp(1, 32));
}

static void test_what_is_in_no_bucket(void **state)
{
    (void)state;
    const double low[] = {0, -0.0, -1, -INFINITY, 1e-300, 5e-324, nextafter(ldexp(1, -32), 0)};
    for (size_t i = 0; i < sizeof low / sizeof low[0]; i++)
        assert_int_equal(hst_counter_bucket_of(low[i]), -1);
    assert_int_equal(hst_counter_bucket_of(ldexp(1, 32)), -2);
    assert_int_equal(hst_counter_bucket_of(INFINITY), -2);
    assert_int_equal(hst_counter_bucket_of(NAN), -3);
    assert_int_equal(hst_counter_bucket_of(-NAN), -3);
}

static void test_quantiles(void **state)
{
    (void)state;
    struct {
        struct hst_counter_histogram histogram;
        uint64_t counts[HST_COUNTER_OCTAVES][HST_COUNTER_OCTAVE_PARTS];
    } *made = calloc(1, sizeof *made);
    struct hst_counter_histogram *histogram = &made->histogram;
    struct hst_histogram_moment moment;
    assert_non_null(made);
    hst_histogram_read(histogram, &moment);
    assert_true(isnan(hst_histogram_quantile(&moment, 0.5)));
    for (int i = 1; i <= 1000; i++) {
        int bucket = hst_counter_bucket_of(i);
        int octave = bucket / HST_COUNTER_OCTAVE_PARTS;
        made->counts[octave][bucket % HST_COUNTER_OCTAVE_PARTS]++;
        histogram->octaves |= UINT64_C(1) << octave;
        histogram->places[octave] =
            sizeof *histogram / HST_COUNTER_SLOT_BYTES + (uint64_t)octave * HST_COUNTER_OCTAVE_SLOTS;
    }
    histogram->low = 10; /* zeros */
    histogram->above = 1;
    histogram->min = 0;
    histogram->max = 1e300;
    hst_histogram_read(histogram, &moment);
    assert_int_equal(moment.count, 1011);
    assert_true(hst_histogram_quantile(&moment, 0) == 0 && hst_histogram_quantile(&moment, 1) == 1e300);
    assert_true(hst_histogram_quantile(&moment, 10.0 / 1011) == 0);
    for (int i = 1; i <= 1000; i++) {
        double found = hst_histogram_quantile(&moment, (10.0 + i) / 1011);
        assert_true(fabs(found / i - 1) <= 0.016);
    }
    free(made);
}

static void test_window_moves_on(void **state)
{
    (void)state;
    struct hst_counter_window window = {.width_ns = 1000000000};
    struct hst_window_moment moment;
    const uint64_t begin = 5000;
    for (uint64_t epoch = begin; epoch < begin + 60; epoch++)
        window.buckets[epoch % HST_COUNTER_BUCKETS] =
            (struct hst_counter_bucket){.epoch = epoch, .count = 2, .sum = 3, .min = 1, .max = 2};
    hst_window_read(&window, (begin + 60) * 1000000000, &moment);
    assert_true(moment.count == 120 && moment.sum == 180 && moment.min == 1 && moment.max == 2);
    assert_true(moment.seconds == 60);
    hst_window_read(&window, (begin + 90) * 1000000000 + 5, &moment);
    assert_int_equal(moment.count, 60);
    hst_window_read(&window, (begin + 500) * 1000000000, &moment);
    assert_true(moment.count == 0 && moment.min > moment.max);
    window.first_ns = (begin + 58) * 1000000000; /* a young one spans less */
    hst_window_read(&window, (begin + 60) * 1000000000, &moment);
    assert_true(moment.seconds == 2 && hst_window_seconds(&window) == 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buckets_lie_side_by_side),
        cmocka_unit_test(test_what_is_in_no_bucket),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_window_moves_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
