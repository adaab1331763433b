/* Groups of objects that keep each other alive, alike ones counted together: which types, how many bytes,
 * garbage or not, and the reference whose weakening ends it. */
#ifndef HST_ANALYZE_HEAP_CYCLES_H
#define HST_ANALYZE_HEAP_CYCLES_H

#include "analyze/heap_view.h"

#define HST_HEAP_CYCLE_TYPES 8
#define HST_HEAP_CYCLE_EDGES 8

struct hst_heap_cycle_row {
    uint32_t types[HST_HEAP_CYCLE_TYPES]; /* in order of their names; the first of type_count */
    size_t type_count;
    uint64_t groups, objects, bytes;
    int garbage;      /* not reached from the roots: the collector has not come yet */
    uint32_t example; /* an object of the largest group */
    uint32_t breaker; /* an edge of the example's group without which it has no cycle; HST_HEAP_NONE */
    uint32_t
        edges[HST_HEAP_CYCLE_EDGES]; /* the shortest cycle through the example, the first of edge_count */
    size_t edge_count;
    uint32_t component;
};

struct hst_heap_cycles {
    struct hst_heap_cycle_row *rows; /* garbage first, then by bytes */
    size_t count;
    uint64_t groups, objects, bytes, garbage_groups, garbage_bytes;
    uint64_t class_groups, class_bytes; /* classes with what they define; they are in no row */
};

/* detailed: of so many rows breaker and edges are looked for. */
enum hst_status hst_heap_cycles_init(struct hst_heap_cycles *cycles, struct hst_heap_view *view,
                                     size_t detailed) HST_MUST_CHECK;
void hst_heap_cycles_release(struct hst_heap_cycles *cycles);

#endif
