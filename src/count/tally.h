/* Series of many processes -> one row for each service, name, labels and kind, with all that they say added
 * up. */
#ifndef HST_COUNT_TALLY_H
#define HST_COUNT_TALLY_H

#include "base/map.h"
#include "base/status.h"
#include "count/counter_file.h"
#include "count/moment.h"

struct hst_tally_row {
    enum hst_counter_kind kind;
    char *service, *name, *labels, *help, *unit; /* end with 0; labels: key, 0, value, 0 ... and an end */
    size_t name_bytes, labels_bytes;
    uint32_t processes; /* that live and have it */
    /* COUNTER, TOTAL, GAUGE: value = whole + part. A gauge is the living processes' alone. */
    int64_t whole;
    double part;
    /* With a window: what is in it now, of the living; the rates of processes add up. */
    struct hst_window_moment now;
    uint64_t width_ns; /* of a bucket */
    double rate, window_s;
    uint64_t count; /* with a window: since the start, dead processes' too */
    double sum;
    struct hst_histogram_moment *histogram; /* HISTOGRAM, with octaves of its own; NULL of others */
};

struct hst_tally {
    struct hst_tally_row *rows;
    size_t count, capacity;
    struct hst_map index;
    size_t next; /* the row behind the one found last: processes of one program make theirs in one order */
};

void hst_tally_init(struct hst_tally *tally);
void hst_tally_release(struct hst_tally *tally);
/* lives: whether its windows and gauges mean something. */
enum hst_status hst_tally_add(struct hst_tally *tally, const char *service, const struct hst_counter_row *row,
                              int lives, uint64_t now_ns) HST_MUST_CHECK;
enum hst_status hst_tally_add_file(struct hst_tally *tally, const struct hst_counter_file *file, int lives,
                                   uint64_t now_ns) HST_MUST_CHECK;
/* By service, name, labels. */
void hst_tally_sort(struct hst_tally *tally);

#endif
