/* Edit distance where a swap of neighbours counts as one slip. */
#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX 40

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static size_t distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > WORD_MAX || b_length > WORD_MAX)
        return SIZE_MAX;
    size_t rows[3][WORD_MAX + 1]; /* row i lives in rows[i % 3] */
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void hst_nearest_offer(struct hst_nearest *nearest, const char *candidate)
{
    size_t wanted_length = strlen(nearest->wanted);
    if (wanted_length == 0)
        return;
    /* A beginning counts as one slip: who types "att" means attach. */
    size_t slips = wanted_length >= 2 && strncmp(candidate, nearest->wanted, wanted_length) == 0
                       ? 1
                       : distance(nearest->wanted, candidate);
    size_t allowed = wanted_length < 4 ? 1 : wanted_length < 8 ? 2 : 3;
    if (slips <= allowed && (nearest->best == NULL || slips < nearest->best_distance)) {
        nearest->best = candidate;
        nearest->best_distance = slips;
    }
}
