/* A file of counters -> its series, one by one. Nothing in it is believed: every offset and length is checked
 * against the file before anything is looked at. */
#ifndef HST_COUNT_COUNTER_FILE_H
#define HST_COUNT_COUNTER_FILE_H

#include "base/status.h"
#include "event/counter_map.h"

struct hst_counter_file {
    char *bytes;
    uint64_t size;
    struct hst_counter_header header; /* as it was; texts end with 0 */
};

struct hst_counter_row {
    enum hst_counter_kind kind;
    const char *name, *labels, *help, *unit; /* without ends */
    size_t name_bytes, labels_bytes, help_bytes, unit_bytes;
    const void *cell; /* aligned; changes while it is looked at */
    uint64_t cell_slot, file_slots;
};

/* The header alone. HST_E_CORRUPT: it is none. */
enum hst_status hst_counter_header_read(const char *path,
                                        struct hst_counter_header *ret_header) HST_MUST_CHECK;
/* HST_E_NOENT, HST_E_PERM, HST_E_CORRUPT, HST_E_NOMEM. */
enum hst_status hst_counter_file_open(const char *path, struct hst_counter_file *ret_file) HST_MUST_CHECK;
void hst_counter_file_close(struct hst_counter_file *file);
/* *slot: 0 to begin with. 0: there is no more, or what follows does not hold together. */
int hst_counter_file_next(const struct hst_counter_file *file, uint64_t *slot,
                          struct hst_counter_row *ret_row);

/* The counts of an octave of a histogram. NULL: its place is not in the file. */
static inline const uint64_t *hst_counter_row_octave(const struct hst_counter_row *row, uint64_t place)
{
    int64_t slot = (int64_t)row->cell_slot + hst_counter_place_slot(place);
    if (slot < (int64_t)HST_COUNTER_HEADER_SLOTS ||
        slot > (int64_t)row->file_slots - HST_COUNTER_OCTAVE_SLOTS)
        return NULL;
    return hst_counter_octave(row->cell, place);
}

#endif
