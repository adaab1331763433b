/* What may be a leak: of one snapshot, what holds a large part of it; of two or three of the same program,
 * what grew from each to the next. */
#ifndef HST_ANALYZE_HEAP_SUSPECTS_H
#define HST_ANALYZE_HEAP_SUSPECTS_H

#include "analyze/heap_view.h"

enum { HST_HEAP_SUSPECT_RUNS = 3 };

enum hst_suspect_reason {
    HST_SUSPECT_HOLDS,   /* one object, with much of the heap below it */
    HST_SUSPECT_TYPE,    /* many objects of a type together */
    HST_SUSPECT_GROWS,   /* what an object holds grew in every interval */
    HST_SUSPECT_NATIVE,  /* objects to which nothing but C code refers grew in every interval */
    HST_SUSPECT_GARBAGE, /* cycles that nothing reaches grew in every interval */
};

struct hst_heap_suspect {
    enum hst_suspect_reason reason;
    uint32_t type;           /* of what accumulates, in the last heap */
    uint32_t holder;         /* where it does, an object of the last heap; HST_HEAP_NONE: no single one */
    uint32_t example;        /* one of what accumulates; HST_HEAP_NONE: the holder itself grew */
    uint64_t bytes, objects; /* below the holder now */
    int64_t growth_bytes, growth_objects; /* since the first heap; 0 with one heap */
};

/* Views of one to three heaps of one program, oldest first. *ret_rows is the caller's to hst_free, strongest
 * first: by bytes that it holds, or by which it grew. */
enum hst_status hst_heap_suspects_find(struct hst_heap_view *const *views, size_t count,
                                       struct hst_heap_suspect **ret_rows, size_t *ret_count) HST_MUST_CHECK;
const char *hst_suspect_reason_name(enum hst_suspect_reason reason);

#endif
