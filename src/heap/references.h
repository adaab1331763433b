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

/* bytes: from the object on, of its block. A status that visit returns ends it. */
enum hst_status hst_references_visit(const struct hst_image *image, const struct hst_abi *abi,
                                     const struct hst_type_facts *type, hst_raddr object, uint64_t bytes,
                                     hst_reference_visitor *visit, void *context) HST_MUST_CHECK;
/* Those of a frame of the interpreter (3.11 and later), which need not lie in an object. */
enum hst_status hst_frame_references_visit(const struct hst_image *image, const struct hst_abi *abi,
                                           hst_raddr frame, hst_reference_visitor *visit,
                                           void *context) HST_MUST_CHECK;

#endif
