/* What programs counted -> a table, JSON, or the text that Prometheus scrapes. */
#ifndef HST_REPORT_COUNT_H
#define HST_REPORT_COUNT_H

#include "base/buffer.h"
#include "count/survey.h"
#include "report/style.h"

const char *hst_counter_kind_name(enum hst_counter_kind kind);
/* What a row is worth, as its kind means it; NaN of nothing. */
double hst_tally_value(const struct hst_tally_row *row);

/* before: an earlier survey of the same, sorted as this is, for rates; or NULL. rows: at most so many; 0:
 * all. */
enum hst_status hst_count_text(const struct hst_survey *survey, const struct hst_survey *before, size_t rows,
                               const struct hst_style *style, struct hst_buffer *out) HST_MUST_CHECK;
/* One object, on one line. */
enum hst_status hst_count_json(const struct hst_survey *survey, struct hst_buffer *out) HST_MUST_CHECK;
/* OpenMetrics 1.0, or the older text format (0.0.4) of Prometheus. */
enum hst_status hst_count_metrics(const struct hst_survey *survey, int open_metrics,
                                  struct hst_buffer *out) HST_MUST_CHECK;

#endif
