/* A copy that is made while the program goes on, so that it stands still only while that is copied again
 * which it wrote meanwhile: as virtual machines move from host to host. */
#ifndef HST_HEAP_PRECOPY_H
#define HST_HEAP_PRECOPY_H

#include "heap/image.h"
#include "target/written.h"

struct hst_precopy {
    struct hst_memory *source;
    struct hst_image room; /* as it was lately */
    struct hst_written written;
};

/* What it cost the program beside standing still. */
struct hst_precopy_cost {
    uint64_t faults, stolen_ns;
};

/* Copies all, and again what was written to meanwhile, until that is little or gets no less. source must
 * outlive it. On failure err may say why. */
enum hst_status hst_precopy_begin(int pid, struct hst_memory *source, struct hst_precopy *ret_precopy,
                                  struct hst_error *err) HST_MUST_CHECK;
/* The program stands still, with these mappings. Once. */
enum hst_status hst_precopy_take(struct hst_precopy *precopy, const struct hst_maps *maps,
                                 struct hst_image *ret_image) HST_MUST_CHECK;
/* The program goes on. */
void hst_precopy_end(struct hst_precopy *precopy, struct hst_precopy_cost *ret_cost);

#endif
