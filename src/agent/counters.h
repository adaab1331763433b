/* Counters of the program -> the file that `hasten count` reads (event/counter_map.h).  Series are made once,
 * under a lock; their cells are then changed in place by cells.h.  A child of fork gets a file of its own, at
 * the same addresses, with all series and every value 0. */
#ifndef HST_AGENT_COUNTERS_H
#define HST_AGENT_COUNTERS_H

#include "event/counter_map.h"

struct hst_counter_texts {
    const char *name, *labels, *help, *unit;
    size_t name_bytes, labels_bytes, help_bytes, unit_bytes;
};

/* The series' cell in memory, or NULL: there is no more room.  The first call makes the file; window_ns only
 * for kinds with a window. */
void *hst_counters_add(enum hst_counter_kind kind, const struct hst_counter_texts *texts, uint64_t window_ns);
/* Once after the first call of add: why values are kept in this process only, or NULL. */
const char *hst_counters_trouble(void);
/* What the file is known as, from now on or from when it is made; up to HST_COUNTER_SERVICE_BYTES - 1 bytes.
 */
void hst_counters_set_service(const char *service);
/* In a child of fork that goes on to run Python, before it does. One that calls exec needs no file. */
void hst_counters_forked(void);
/* Path of the file; "" without one. */
const char *hst_counters_path(void);
/* The count of a bucket that nothing was in so far. NULL: there is no memory for its octave; the value counts
 * as lost. */
uint64_t *hst_counters_bucket(struct hst_counter_histogram *histogram, int bucket);
/* A cell as it was when it was made. */
void hst_counter_cell_init(enum hst_counter_kind kind, void *cell, uint64_t window_ns);

#endif
