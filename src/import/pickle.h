/* Python's pickle -> values, for the files of line_profiler.  Nothing is executed: an operation that does not
 * build plain data is refused, and so is every class but the two that line_profiler writes.
 *
 * A pickle is a program for a stack; each operation is a byte and its operands (little endian):
 *
 *   0x80 n   protocol (2 to 5)                0x95 u64        frame: so many bytes follow (nothing to do)
 *   'J' i32  'M' u16  'K' u8   whole number   0x8a n, n bytes whole number (two's complement)
 *   'G' double, big endian                    'X' u32 length  0x8c u8 length: text, UTF-8
 *   ')' empty tuple, 0x85 0x86 0x87 tuple of the last 1, 2, 3 values
 *   ']' empty list, '}' empty dict, '(' mark, 't' tuple, 'e' append, 'u' set: with all values since the mark
 *   'a' append the last value, 's' set the last two
 *   'q' u8 'r' u32 0x94        remember the last value: as that number, as the next
 *   'h' u8 'j' u32             the value with that number again
 *   'c' line, line             0x93 (texts from the stack): a class, by module and name
 *   0x81 an object of a class, with a tuple of arguments   'b' give it its state   '.' the end
 */
#ifndef HST_IMPORT_PICKLE_H
#define HST_IMPORT_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum hst_pickle_kind {
    HST_PICKLE_INT,
    HST_PICKLE_FLOAT,
    HST_PICKLE_TEXT,
    HST_PICKLE_TUPLE,
    HST_PICKLE_LIST,
    HST_PICKLE_DICT,
    HST_PICKLE_CLASS,
    HST_PICKLE_OBJECT,
};
#define HST_PICKLE_NONE UINT32_MAX

struct hst_pickle_value {
    enum hst_pickle_kind kind;
    uint32_t count;  /* text: bytes; tuple, list: items; dict: keys and values together */
    size_t position; /* of its operation in the file */
    union {
        int64_t number;
        double real;
        const char *text; /* in the bytes that were read, not terminated */
        struct {
            uint32_t first, last; /* items: a tuple, list and dict grow at their ends */
        };
        uint32_t state; /* of an object: a value, HST_PICKLE_NONE = it was given none */
    };
};
struct hst_pickle_item {
    uint32_t value, next; /* next item of the same container; HST_PICKLE_NONE = it was the last */
};

struct hst_pickle {
    const char *name; /* the file, for errors */
    const uint8_t *data;
    size_t length;
    struct hst_pickle_value *values;
    size_t value_count, value_capacity;
    struct hst_pickle_item *items;
    size_t item_count, item_capacity;
    uint32_t root;
};

/* data must live as long as the result.  HST_E_CORRUPT says at which byte and what is wrong there;
 * HST_E_INVALID: a class or an operation that does more than hold data.  A container may hold itself. */
enum hst_status hst_pickle_read(struct hst_pickle *pickle, const char *name, const uint8_t *data,
                                size_t length, struct hst_error *err) HST_MUST_CHECK;
void hst_pickle_release(struct hst_pickle *pickle);

/* Whether a file that begins so may be a pickle of protocol 2 to 5. */
static inline int hst_pickle_begins(const uint8_t *data, size_t length)
{
    return length > 1 && data[0] == 0x80 && data[1] >= 2 && data[1] <= 5;
}
/* "a whole number", for messages. */
const char *hst_pickle_kind_name(enum hst_pickle_kind kind);

#endif
