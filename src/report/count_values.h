/* What the outputs of counters share. */
#ifndef HST_REPORT_COUNT_VALUES_H
#define HST_REPORT_COUNT_VALUES_H

#include "report/count.h"

struct hst_quantile {
    const char *name; /* p50 */
    const char *text; /* 0.5 */
    double q;
};
#define HST_QUANTILES 4
extern const struct hst_quantile hst_quantiles[HST_QUANTILES];

/* A label of a row: *at is 0 to begin with. 0: there is no more. */
int hst_tally_label_next(const struct hst_tally_row *row, size_t *at, const char **ret_key,
                         const char **ret_value);
/* Appends text in quotes' reach: \ " and line breaks escaped, other control characters and what is not UTF-8
 * replaced; so it is good for JSON and for metrics. */
void hst_count_text_add(struct hst_buffer *out, const char *text);
/* A whole number. */
void hst_count_whole_add(struct hst_buffer *out, int64_t value);
/* A number as short as it can be to be read back as it is; NaN as "NaN". */
void hst_count_number_add(struct hst_buffer *out, double value);

#endif
