/* Memory of a target that was recorded earlier: pages by address behind the same interface as a live process.
 * A recorder wraps another memory and remembers every page that is read through it, so that the reading can
 * be repeated without the process.
 *
 * A file is one zstd frame; in it, numbers as in base/buffer.h (LEB128), pages of 4096 bytes:
 *
 *   8 bytes   "hstsnap1"
 *   number    length of the maps, then so many bytes: what /proc/PID/maps said
 *   number    ranges that follow, in order of address
 *   range     number: pages between the end of the range before (at first: address 0) and its start
 *             number: pages in it, at least 1
 *             1 byte: 0 = every byte of it is 0; 1 = its bytes follow, 4096 a page */
#ifndef HST_TARGET_SNAPSHOT_H
#define HST_TARGET_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/status.h"
#include "target/memory.h"

#define HST_SNAPSHOT_PAGE_BYTES 4096u

struct hst_snapshot_page {
    uint64_t number; /* address / 4096 */
    uint8_t *bytes;  /* NULL = all zero */
    uint8_t bulk;    /* so far only part of a read of very many pages: hst_snapshot_thin may empty it */
};

struct hst_snapshot {
    struct hst_memory memory; /* what readers take; HST_E_TORN for a page that was not recorded */
    struct hst_snapshot_page *pages;
    size_t page_count, page_capacity;
    struct hst_map by_number;
    char *maps;
    size_t maps_length;
};

enum hst_status hst_snapshot_new(struct hst_snapshot **ret_snapshot) HST_MUST_CHECK;
void hst_snapshot_free(struct hst_snapshot *snapshot);

/* The bytes of a file, or the file. HST_E_INVALID: not a snapshot, or a damaged one. */
enum hst_status hst_snapshot_decode(const void *data, size_t length,
                                    struct hst_snapshot **ret_snapshot) HST_MUST_CHECK;
enum hst_status hst_snapshot_load(const char *path, struct hst_snapshot **ret_snapshot,
                                  struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_snapshot_save(struct hst_snapshot *snapshot, const char *path,
                                  struct hst_error *err) HST_MUST_CHECK;

enum hst_status hst_snapshot_set_maps(struct hst_snapshot *snapshot, const char *text,
                                      size_t length) HST_MUST_CHECK;
/* Writes into the recorded memory; pages that are not there yet come to be, filled with 0. */
enum hst_status hst_snapshot_write(struct hst_snapshot *snapshot, hst_raddr address, const void *data,
                                   size_t length) HST_MUST_CHECK;
/* Writes to over from, of the same length, wherever it stands in the maps or within a page: names of the
 * machine that recorded are nobody's business. */
void hst_snapshot_replace(struct hst_snapshot *snapshot, const char *from, const char *to);
/* Empties the pages that were only scanned and do not hold text. */
void hst_snapshot_thin(struct hst_snapshot *snapshot, const char *text);

/* A memory that reads from source and puts each page it touches into snapshot, whole. Both must outlive it.
 */
enum hst_status hst_snapshot_recorder(struct hst_memory *source, struct hst_snapshot *snapshot,
                                      struct hst_memory **ret_memory) HST_MUST_CHECK;

#endif
