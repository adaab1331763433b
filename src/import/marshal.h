/* Python's marshal -> values.  Only what a profile of cProfile is made of, and every byte is doubted: lengths
 * before they are used, references before they are followed, depth, and the number of values.
 *
 * A value is a type byte and its content; numbers are little endian:
 *
 *   'i' int32                          'l' int32 n, |n| digits of 15 bits in 2 bytes each; n < 0: negative
 *   'g' double                         'f' 1 byte length, the number as text
 *   'z' 'Z' 1 byte length, ASCII       'a' 'A' int32 length, ASCII
 *   'u' 't' int32 length, UTF-8        (Z, A, t: interned, which means nothing here)
 *   ')' 1 byte n, n values: a tuple    '(' int32 n, n values
 *   '{' keys and values by turns, then '0'
 *   'r' int32 n: the n-th value (from 0) of those with the flag
 *
 * The flag is the bit 0x80 of the type byte; such values are numbered in the order in which they begin. */
#ifndef HST_IMPORT_MARSHAL_H
#define HST_IMPORT_MARSHAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum hst_marshal_kind {
    HST_MARSHAL_INT,
    HST_MARSHAL_FLOAT,
    HST_MARSHAL_TEXT,
    HST_MARSHAL_TUPLE,
    HST_MARSHAL_DICT,
};

struct hst_marshal_value {
    enum hst_marshal_kind kind;
    uint32_t count;  /* text: bytes; tuple: items; dict: keys and values together */
    size_t position; /* where in the file */
    union {
        int64_t number;
        double real;
        const char *text; /* in the bytes that were read, not terminated */
        uint32_t first;   /* tuple and dict: their place in items */
    };
};

struct hst_marshal {
    const char *name; /* the file, for errors */
    const uint8_t *data;
    size_t length;
    struct hst_marshal_value *values;
    size_t value_count, value_capacity;
    uint32_t *items; /* values, those of a tuple or dict behind each other */
    size_t item_count, item_capacity;
    uint32_t root;
};

/* data must live as long as the result.  HST_E_CORRUPT says at which byte and what is wrong there. */
enum hst_status hst_marshal_read(struct hst_marshal *marshal, const char *name, const uint8_t *data,
                                 size_t length, struct hst_error *err) HST_MUST_CHECK;
void hst_marshal_release(struct hst_marshal *marshal);

/* Whether a file that begins so may be a marshalled dict of a profile: empty, or with a tuple as its first
 * key. JSON begins with the same byte, and goes on in another way. */
static inline int hst_marshal_begins(const uint8_t *data, size_t length)
{
    return length > 1 && (data[0] & 0x7f) == '{' &&
           ((data[1] & 0x7f) == ')' || (data[1] & 0x7f) == '(' || data[1] == '0');
}
/* "a whole number", for messages. */
const char *hst_marshal_kind_name(enum hst_marshal_kind kind);

#endif
