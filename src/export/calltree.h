/* Sums of samples -> the tree of stacks with its self and total times, and a walk over it that knows what is
 * entered and left.  What the formats that keep no stacks (functions and edges only) are made from: a walk
 * tells them which functions are on the path, so that recursion is counted once. Linear in the number of
 * stacks, however deep. */
#ifndef HST_EXPORT_CALLTREE_H
#define HST_EXPORT_CALLTREE_H

#include "analyze/aggregate.h"
#include "base/status.h"
#include "model/profile.h"

struct hst_calltree_node {
    uint64_t self_ns, self_samples;     /* samples: of a traced run, calls */
    uint64_t total_ns, total_samples;   /* of this stack and all that begin with it */
    uint32_t first_child, next_sibling; /* 0 = none */
};

struct hst_calltree {
    const struct hst_profile *profile;
    struct hst_calltree_node *nodes; /* by stack id; node 0: samples without a frame, and the total of all */
    size_t count;
};

enum hst_status hst_calltree_build(struct hst_calltree *tree, const struct hst_profile *profile,
                                   const struct hst_aggregate *aggregate) HST_MUST_CHECK;
void hst_calltree_release(struct hst_calltree *tree);

typedef enum hst_status hst_calltree_visitor(void *context, uint32_t stack);
/* Enters every stack that has samples below it before its children and leaves it after them; not stack 0. */
enum hst_status hst_calltree_walk(const struct hst_calltree *tree, hst_calltree_visitor *enter,
                                  hst_calltree_visitor *leave, void *context) HST_MUST_CHECK;

#endif
