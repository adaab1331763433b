/* Every object in a copy of a program's memory: address, type, size.
 *
 * Small ones are the blocks of CPython's allocator whose words agree that they are objects; what a list, dict
 * or set says is its table is none, whatever its words say.  Larger ones lie in the C allocator, and static
 * ones in the data of libraries: they are found by who refers to them. */
#ifndef HST_HEAP_CENSUS_H
#define HST_HEAP_CENSUS_H

#include "heap/image.h"
#include "heap/pools.h"
#include "heap/types.h"

struct hst_object {
    hst_raddr address;
    uint32_t type;  /* index of the types */
    uint32_t bytes; /* that it takes itself: its block, or what its type says, with what stands before it */
};

struct hst_census {
    struct hst_image *image;
    const struct hst_abi *abi;
    struct hst_heap_types types;
    struct hst_object *objects; /* small ones first, in order of address */
    size_t count, capacity, small_count;
    struct hst_map large; /* address of an object that lies in no pool -> index */
    struct hst_pool_sums pools;
    uint64_t buffers, buffer_bytes; /* small blocks that are no objects */
};

/* image and abi must outlive the census. HST_E_UNSUPPORTED: a build whose allocator is another. */
enum hst_status hst_census_take(struct hst_image *image, const struct hst_abi *abi,
                                struct hst_census *ret_census) HST_MUST_CHECK;
void hst_census_release(struct hst_census *census);

#endif
