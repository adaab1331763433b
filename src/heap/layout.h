/* Where in its objects a type keeps references: which of the interpreter's own structures they begin with,
 * and which words beside those may be references. */
#ifndef HST_HEAP_LAYOUT_H
#define HST_HEAP_LAYOUT_H

#include <stdint.h>

/* The structure that an object begins with, as far as its references are found by more than a look at words.
 */
enum hst_shape {
    HST_SHAPE_PLAIN, /* words */
    HST_SHAPE_LEAF,  /* no references: numbers, texts */
    HST_SHAPE_LIST,
    HST_SHAPE_TUPLE,
    HST_SHAPE_DICT,
    HST_SHAPE_SET,
    HST_SHAPE_DEQUE,
    HST_SHAPE_WEAK, /* refers to one object without keeping it */
    HST_SHAPE_FRAME,
    HST_SHAPE_GENERATOR,
    HST_SHAPE_TYPE,
};

enum { HST_LAYOUT_SKIPPED = 3 };

struct hst_layout {
    enum hst_shape shape;
    int is_managed;                       /* attributes are kept before the object: 3.11 and later */
    int is_linked;                        /* a list in C holds each of them once, beside what is seen */
    int owns_nothing;                     /* its words name memory that others own */
    int buffers_are_opaque;               /* what it owns beside its words holds no references that count */
    int has_copies;                       /* of its bytecode, one a thread: free-threaded 3.14 and later */
    int has_items;                        /* the words behind the fixed part are looked at as well */
    uint32_t fields, fields_end;          /* offsets of the words that are looked at */
    uint32_t own_words;                   /* offset of the words that are not of the shape's structure */
    uint32_t skipped[HST_LAYOUT_SKIPPED]; /* offsets of words that hold what does not count; 0: none */
    int32_t dict_from_end; /* offset of __dict__ from the end of an object with items; 0: none */
};

#endif
