/* Memory of C code -> the library whose variables lead to it, by looking at every word: from the variables
 * on, through what they lead to.  What two libraries lead to is nobody's. */
#ifndef HST_HEAP_NATIVE_H
#define HST_HEAP_NATIVE_H

#include "heap/chunks.h"
#include "heap/pools.h"
#include "target/residency.h"

#define HST_NATIVE_MANY UINT32_MAX
#define HST_NATIVE_PYTHON (UINT32_MAX - 1)

/* Anonymous memory that no allocator is known for. */
struct hst_extent {
    hst_raddr start, end;
    uint32_t residence; /* index of the mapping that it lies in */
    uint32_t owner;     /* out: as of a chunk, or HST_NATIVE_PYTHON: a Python object leads to it */
};

struct hst_native_input {
    struct hst_image *image;
    const struct hst_abi *abi;
    const struct hst_residency *residency;
    const uint32_t *names; /* of each residence, not 0: DATA of the same name is one library's */
    const struct hst_chunks *chunks;
    const uint64_t
        *python_chunks; /* a bit for each that belongs to Python objects: these lead nowhere; or NULL */
    const struct hst_extent *extents;
    size_t extent_count;
};

/* The system makes one mapping of neighbours: an extent is cut where somebody knows the start of a page of
 * it. */
struct hst_native_owners {
    uint32_t *chunks; /* of each: a name, 0 for nobody, or HST_NATIVE_MANY */
    struct hst_extent *pieces;
    size_t piece_count, piece_capacity;
};

/* Of very much memory only part is looked at. */
enum hst_status hst_native_find(const struct hst_native_input *input,
                                struct hst_native_owners *ret_owners) HST_MUST_CHECK;
void hst_native_owners_release(struct hst_native_owners *owners);

static inline int hst_is_python_chunk(const uint64_t *python_chunks, size_t index)
{
    return python_chunks != NULL && (python_chunks[index / 64] >> index % 64 & 1) != 0;
}

#endif
