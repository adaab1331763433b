/* Interned texts. */
#include "model/strings.h"

#include <string.h>

#include "base/memory.h"

int hst_strings_init(struct hst_strings *strings)
{
    *strings = (struct hst_strings){0};
    return hst_strings_add(strings, "", 0) == 0;
}

void hst_strings_release(struct hst_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        hst_free(strings->texts[i]);
    hst_free(strings->texts);
    hst_free(strings->next);
    hst_map_release(&strings->by_hash);
    *strings = (struct hst_strings){0};
}

/* A copy in which a NUL byte is spelled \0, since everything downstream holds C strings. */
static char *copy_text(const char *text, size_t length)
{
    size_t nuls = 0;
    for (size_t i = 0; i < length; i++)
        nuls += text[i] == '\0';
    char *copy = hst_alloc(length + nuls + 1, 1);
    if (copy == NULL)
        return NULL;
    char *at = copy;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\0') {
            *at++ = '\\';
            *at++ = '0';
        } else {
            *at++ = text[i];
        }
    }
    *at = '\0';
    return copy;
}

uint32_t hst_strings_add(struct hst_strings *strings, const char *text, size_t length)
{
    HST_CLEANUP_FREE char *copy = NULL;
    if (memchr(text, '\0', length) != NULL) {
        copy = copy_text(text, length);
        if (copy == NULL)
            return HST_MAP_ABSENT;
        text = copy;
        length = strlen(copy);
    }
    uint64_t hash = hst_hash_bytes(text, length, 0);
    uint32_t first = hst_map_find(&strings->by_hash, hash);
    for (uint32_t id = first; id != HST_MAP_ABSENT; id = strings->next[id])
        if (strncmp(strings->texts[id], text, length) == 0 && strings->texts[id][length] == '\0')
            return id;
    if (strings->count >= HST_MAP_ABSENT - 1 ||
        !HST_RESERVE(strings->texts, strings->capacity, strings->count + 1) ||
        !HST_RESERVE(strings->next, strings->next_capacity, strings->count + 1))
        return HST_MAP_ABSENT;
    char *kept = copy != NULL ? HST_TAKE(copy) : hst_strndup(text, length);
    if (kept == NULL)
        return HST_MAP_ABSENT;
    uint32_t id = (uint32_t)strings->count;
    if (!hst_map_set(&strings->by_hash, hash, id)) {
        hst_free(kept);
        return HST_MAP_ABSENT;
    }
    strings->texts[id] = kept;
    strings->next[id] = first;
    strings->count++;
    return id;
}

uint32_t hst_strings_add_z(struct hst_strings *strings, const char *text)
{
    return hst_strings_add(strings, text, strlen(text));
}

const char *hst_strings_get(const struct hst_strings *strings, uint32_t id)
{
    return id < strings->count ? strings->texts[id] : "";
}
