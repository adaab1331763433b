/* Adds buckets up. */
#include "count/moment.h"

#include <math.h>

double hst_window_seconds(const struct hst_counter_window *window)
{
    return round((double)window->width_ns * HST_COUNTER_BUCKETS_OF_WINDOW / 1000) / 1e6;
}

void hst_window_read(const struct hst_counter_window *window, uint64_t now_ns, struct hst_window_moment *ret)
{
    uint64_t width = window->width_ns > 0 ? window->width_ns : 1;
    uint64_t last = now_ns / width;
    uint64_t first = last > HST_COUNTER_BUCKETS_OF_WINDOW ? last - HST_COUNTER_BUCKETS_OF_WINDOW : 0;
    uint64_t begin = first * width;
    *ret = (struct hst_window_moment){.min = INFINITY, .max = -INFINITY};
    for (size_t i = 0; i < HST_COUNTER_BUCKETS; i++) {
        const struct hst_counter_bucket *bucket = &window->buckets[i];
        /* One ahead: the agent's clock is coarse, and the bucket may be begun since. */
        if (bucket->epoch < first || bucket->epoch > last + 1 || bucket->count == 0)
            continue;
        ret->count += bucket->count;
        ret->sum += bucket->sum;
        ret->min = fmin(ret->min, bucket->min);
        ret->max = fmax(ret->max, bucket->max);
    }
    if (begin < window->first_ns && window->first_ns <= now_ns)
        begin = window->first_ns;
    ret->seconds = (double)(now_ns - begin) / 1e9;
    if (ret->seconds < 1) /* a single event is no million a second */
        ret->seconds = 1;
}

void hst_histogram_read(const struct hst_counter_histogram *histogram, struct hst_histogram_moment *ret)
{
    *ret = (struct hst_histogram_moment){.low = histogram->low,
                                         .above = histogram->above,
                                         .invalid = histogram->invalid,
                                         .sum = histogram->sum,
                                         .min = histogram->min,
                                         .max = histogram->max};
    ret->count = ret->low + ret->above;
    ret->used = __atomic_load_n(&histogram->octaves, __ATOMIC_ACQUIRE);
    for (uint64_t left = ret->used; left != 0; left &= left - 1) {
        size_t i = (size_t)__builtin_ctzll(left);
        ret->octaves[i] =
            hst_counter_octave(histogram, __atomic_load_n(&histogram->places[i], __ATOMIC_RELAXED));
        for (size_t j = 0; j < HST_COUNTER_OCTAVE_PARTS; j++)
            ret->count += ret->octaves[i][j];
    }
}

/* Four digits: more of a bucket's middle mean nothing. */
static double rounded(double value)
{
    double power = 1, large = 1;
    while (value * power < 1e3)
        power *= 10;
    while (value / large >= 1e4)
        large *= 10;
    return floor(value * power / large + 0.5) / power * large;
}

double hst_histogram_quantile(const struct hst_histogram_moment *moment, double q)
{
    if (moment->count == 0)
        return NAN;
    double wanted = ceil(q * (double)moment->count);
    uint64_t rank = wanted < 1 ? 1 : wanted < (double)moment->count ? (uint64_t)wanted : moment->count;
    uint64_t seen = moment->low;
    if (rank <= seen)
        return moment->min;
    for (uint64_t left = moment->used; left != 0; left &= left - 1) {
        size_t i = (size_t)__builtin_ctzll(left);
        for (size_t j = 0; j < HST_COUNTER_OCTAVE_PARTS; j++) {
            seen += moment->octaves[i][j];
            if (rank > seen)
                continue;
            int index = (int)(i * HST_COUNTER_OCTAVE_PARTS + j);
            double middle = (hst_counter_bucket_begin(index) + hst_counter_bucket_begin(index + 1)) / 2;
            return fmin(fmax(rounded(middle), moment->min), moment->max);
        }
    }
    return moment->max;
}
