/* The word a person probably meant. */
#ifndef HST_BASE_NEAREST_H
#define HST_BASE_NEAREST_H

#include <stddef.h>

/* A search over candidates offered one by one: start from {.wanted = text}, offer each, then read best (NULL:
 * none is near enough to be worth naming). */
struct hst_nearest {
    const char *wanted;
    const char *best;
    size_t best_distance;
};
void hst_nearest_offer(struct hst_nearest *nearest, const char *candidate);

#endif
