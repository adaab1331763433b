/* A line of a dump of meliae -> the object that it describes.  It is one JSON object with these keys (meliae
 * writes them in this order; any is read), whatever else it holds is passed:
 *
 *     {"address": 1, "type": "dict", "size": 280, "name": "app", "len": 1, "value": 5, "refs": [2, 3]}
 *
 * name, len and value are there for some types alone.  A list's brackets before, behind or between the lines
 * and a comma behind each are passed as well.  Knows nothing of other lines. */
#ifndef HST_IMPORT_MELIAE_LINE_H
#define HST_IMPORT_MELIAE_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/* A text in texts; none when it is absent. */
struct hst_meliae_text {
    size_t begin, length;
    int is_there;
};

/* Used for one line after the other, so that its memory is found once. */
struct hst_meliae_line {
    uint64_t address, bytes, items;           /* items: len */
    struct hst_meliae_text type, name, value; /* UTF-8; a number as it was written */
    uint64_t *references;                     /* addresses */
    size_t reference_count, reference_capacity;
    struct hst_buffer texts;
    int has_items;
    int has_object; /* 0: nothing, or a bracket */
};

void hst_meliae_line_init(struct hst_meliae_line *line);
void hst_meliae_line_release(struct hst_meliae_line *line);
/* HST_E_INVALID: it is none; *ret_why says in a few words why, and *ret_byte where (from 1). */
enum hst_status hst_meliae_line_read(struct hst_meliae_line *line, const char *text, size_t length,
                                     const char **ret_why, size_t *ret_byte) HST_MUST_CHECK;
static inline const char *hst_meliae_text_of(const struct hst_meliae_line *line, struct hst_meliae_text text)
{
    return text.length > 0 ? (const char *)line->texts.data + text.begin : "";
}

#endif
