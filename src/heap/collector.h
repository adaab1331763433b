/* The lists of the interpreter's cyclic collector.  An object that may be part of a cycle has two words in
 * front of it, the next and the one before in such a list; a list is a circle through a head in the
 * interpreter's state.  A build without the interpreter lock has none. */
#ifndef HST_HEAP_COLLECTOR_H
#define HST_HEAP_COLLECTOR_H

#include "heap/image.h"

#define HST_COLLECTOR_HEAD_BYTES 16u

/* Modules/gcmodule.c, Python/gc.c: the lowest bits of both words are flags.  While it collects, and of the
 * objects that it has not decided about, the word for the one before holds a number of references instead. */
#define HST_COLLECTOR_FLAGS UINT64_C(3)
#define HST_COLLECTOR_DECIDES UINT64_C(2)

/* The one after that at head; 0: it is in no list. */
static inline hst_raddr hst_collector_next(const struct hst_image *image, hst_raddr head)
{
    return hst_image_word(image, head) & ~HST_COLLECTOR_FLAGS;
}
/* The one before, or a number of references. */
static inline uint64_t hst_collector_before(const struct hst_image *image, hst_raddr head)
{
    return hst_image_word(image, head + sizeof(uint64_t));
}
/* The one at next says that head is before it, or a number of references in that place. */
static inline int hst_collector_leads(const struct hst_image *image, hst_raddr head, hst_raddr next)
{
    uint64_t before = hst_collector_before(image, next);
    return (before & ~HST_COLLECTOR_FLAGS) == head || (before & HST_COLLECTOR_DECIDES) != 0;
}
/* A list goes through it, or it is in none. Of two neighbours one may be just about to be told. */
static inline int hst_collector_agrees(const struct hst_image *image, hst_raddr head)
{
    hst_raddr next = hst_collector_next(image, head);
    return next == 0 || hst_collector_leads(image, head, next) ||
           hst_collector_next(image, hst_collector_before(image, head) & ~HST_COLLECTOR_FLAGS) == head;
}

#endif
