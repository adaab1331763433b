/* Two runs -> the rows of their difference, loaded for text or JSON. */
#ifndef HST_REPORT_DIFF_ROWS_H
#define HST_REPORT_DIFF_ROWS_H

#include "report/report.h"

struct hst_diff_page {
    struct hst_view before, after;
    struct hst_diff diff;
};
enum hst_status hst_diff_page_init(struct hst_diff_page *page, const struct hst_report_source *before,
                                   const struct hst_report_source *after, const struct hst_filter *filter,
                                   struct hst_error *err) HST_MUST_CHECK;
void hst_diff_page_release(struct hst_diff_page *page);

#endif
