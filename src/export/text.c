/* Decodes, cleans and composes the texts of exports. */
#include "export/text.h"

#include <string.h>

#include "base/memory.h"

uint32_t hst_text_next(const char **at)
{
    const unsigned char *s = (const unsigned char *)*at;
    unsigned first = s[0], length;
    uint32_t point, smallest;
    *at += 1;
    if (first < 0x80)
        return first;
    if (first >= 0xc2 && first < 0xe0) {
        length = 2, point = first & 0x1f, smallest = 0x80;
    } else if (first >= 0xe0 && first < 0xf0) {
        length = 3, point = first & 0x0f, smallest = 0x800;
    } else if (first >= 0xf0 && first < 0xf5) {
        length = 4, point = first & 0x07, smallest = 0x10000;
    } else {
        return HST_TEXT_REPLACEMENT;
    }
    for (unsigned i = 1; i < length;
         i++) { /* the terminating NUL is no continuation byte, so this stays inside */
        if ((s[i] & 0xc0) != 0x80)
            return HST_TEXT_REPLACEMENT;
        point = point << 6 | (s[i] & 0x3f);
    }
    if (point < smallest || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return HST_TEXT_REPLACEMENT;
    *at += length - 1;
    return point;
}

void hst_text_clean(struct hst_buffer *buffer, const char *text, const char *forbidden, char replacement)
{
    const char *at = text;
    while (*at != '\0') {
        const char *start = at;
        uint32_t point = hst_text_next(&at);
        if (point < 0x20 || point == 0x7f)
            hst_buffer_add_byte(buffer, ' ');
        else if (point < 0x80 && strchr(forbidden, (int)point) != NULL)
            hst_buffer_add_byte(buffer, (uint8_t)replacement);
        else if (point == HST_TEXT_REPLACEMENT)
            hst_buffer_add_text(buffer, HST_TEXT_REPLACEMENT_UTF8);
        else
            hst_buffer_add(buffer, start, (size_t)(at - start));
    }
}

int hst_text_is_native(const struct hst_profile *profile, uint32_t function)
{
    return strcmp(hst_profile_text(profile, profile->functions[function].file), HST_TEXT_NATIVE_FILE) == 0;
}

const char *hst_text_file(const struct hst_profile *profile, uint32_t function, const char *directory)
{
    const char *file = hst_profile_text(profile, profile->functions[function].file);
    size_t length = strlen(directory);
    if (length > 1 && strncmp(file, directory, length) == 0 && file[length] == '/' &&
        file[length + 1] != '\0')
        return file + length + 1;
    return file;
}

void hst_text_label(struct hst_buffer *buffer, const struct hst_profile *profile, uint32_t function,
                    const char *directory, const char *forbidden, char replacement)
{
    if (function == HST_ID_NONE) {
        hst_buffer_add_text(buffer, HST_TEXT_NO_FRAME);
        return;
    }
    const struct hst_function *row = &profile->functions[function];
    hst_text_clean(buffer, hst_profile_text(profile, row->qualname), forbidden, replacement);
    if (hst_text_is_native(profile, function))
        return;
    hst_buffer_add_text(buffer, " (");
    hst_text_clean(buffer, hst_text_file(profile, function, directory), forbidden, replacement);
    hst_buffer_add_fmt(buffer, ":%u)", row->first_line);
}

void hst_text_thread(struct hst_buffer *buffer, const struct hst_profile *profile, uint32_t thread)
{
    const struct hst_thread *row = &profile->threads[thread];
    const char *name = hst_profile_text(profile, row->name);
    hst_buffer_add_text(buffer, name[0] != '\0' ? name : "thread");
    hst_buffer_add_fmt(buffer, " (pid %u, thread %u)", profile->processes[row->process].pid, row->native_id);
}
