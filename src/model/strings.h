/* Every text of a profile once, named by a 32-bit id; id 0 is the empty text. The table only grows. */
#ifndef HST_MODEL_STRINGS_H
#define HST_MODEL_STRINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct hst_strings {
    char **texts; /* owned, terminated; any bytes but NUL */
    size_t count, capacity;
    struct hst_map by_hash; /* hash -> first id; next chains collisions */
    uint32_t *next;
    size_t next_capacity;
};

int hst_strings_init(struct hst_strings *strings);
void hst_strings_release(struct hst_strings *strings);
/* The id of the text, added when new; HST_MAP_ABSENT when memory is out. A NUL inside is stored as "\0"
 * spelled out. */
uint32_t hst_strings_add(struct hst_strings *strings, const char *text, size_t length);
uint32_t hst_strings_add_z(struct hst_strings *strings, const char *text);
/* Never NULL; "" for an id that does not exist. */
const char *hst_strings_get(const struct hst_strings *strings, uint32_t id);

#endif
