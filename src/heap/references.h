/* An object of a copy -> every reference that it holds and counts, and where in it each stands.  The
 * interpreter's own structures are read by their layouts; of all other objects every word is looked at.  Weak
 * and borrowed references are left out. */
#ifndef HST_HEAP_REFERENCES_H
#define HST_HEAP_REFERENCES_H

#include "heap/image.h"
#include "heap/types.h"
#include "model/heap.h"

/* target: what stands there; it may be anything but 0. */
typedef enum hst_status hst_reference_visitor(void *context, hst_raddr target, hst_place place);

/* One look at many objects. */
struct hst_look {
    const struct hst_image *image;
    const struct hst_abi *abi;
    hst_reference_visitor *visit;
    void *context;
    uint64_t words_left; /* that may still be looked at */
};
/* In a sound program a word belongs to one structure, and is met a second time only where instances share
 * their class's keys: with four times what was copied nothing is left out.  In a torn one a size may be any
 * number, thousands of lists may name one table, and chains may lead back: what would look at more than is
 * left is passed over. */
static inline uint64_t hst_look_words(const struct hst_image *image)
{
    return image->bytes / sizeof(uint64_t) * 4;
}
/* 0: so many are not left. */
static inline int hst_look_allows(struct hst_look *look, uint64_t words)
{
    if (words > look->words_left)
        return 0;
    look->words_left -= words;
    return 1;
}

/* bytes: from the object on, of its block. A status that visit returns ends it. */
enum hst_status hst_references_visit(struct hst_look *look, const struct hst_type_facts *type,
                                     hst_raddr object, uint64_t bytes) HST_MUST_CHECK;
/* Those of a frame of the interpreter (3.11 and later), which need not lie in an object. */
enum hst_status hst_frame_references_visit(struct hst_look *look, hst_raddr frame) HST_MUST_CHECK;

#endif
