/* The columns of a heap (model/heap.h) <-> compressed blocks of some hundred thousand rows.  Bytes:
 * docs/format.md, "The columns of a heap".  A row is kept as the difference to what it probably is, which is
 * known from rows before it, whatever their block.  Knows nothing of SQLite. */
#ifndef HST_STORE_HEAP_COLUMN_H
#define HST_STORE_HEAP_COLUMN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "model/heap.h"

#define HST_HEAP_BLOCK_FORMAT 1
#define HST_HEAP_BLOCK_ROWS 262144u /* at most, for writers and readers: part of the format */

/* In an order in which each needs only those before it. */
enum hst_heap_column {
    HST_COLUMN_ADDRESS,
    HST_COLUMN_TYPE,
    HST_COLUMN_BYTES,
    HST_COLUMN_END, /* of an object's references: first[i + 1] */
    HST_COLUMN_TARGET,
    HST_COLUMN_PLACE,
    HST_COLUMN_VALUE_OBJECT,
    HST_COLUMN_VALUE_END,
    HST_COLUMN_VALUE_TEXT, /* a row is a byte */
    HST_COLUMN_ROOT_OBJECT,
    HST_COLUMN_ROOT_KIND,
    HST_COLUMN_ROOT_NUMBER,
    HST_COLUMN_ROOT_NAME,
    HST_COLUMN_COUNT,
};
extern const char *const hst_heap_column_names[HST_COLUMN_COUNT];

struct hst_heap_sizes {
    uint64_t objects, references, places /* 0: there are none */, values, value_bytes, roots;
};
struct hst_heap_sizes hst_heap_sizes_of(const struct hst_heap *heap);
uint64_t hst_heap_column_rows(const struct hst_heap_sizes *sizes, enum hst_heap_column column);

/* One column at a time.  All arrays of the heap must have the room that sizes says. */
struct hst_heap_coder;
struct hst_heap_coder *hst_heap_coder_new(struct hst_heap *heap, const struct hst_heap_sizes *sizes);
void hst_heap_coder_free(struct hst_heap_coder *coder);
void hst_heap_coder_begin(struct hst_heap_coder *coder, enum hst_heap_column column);
/* Rows of the column that were not coded yet. */
uint64_t hst_heap_coder_left(const struct hst_heap_coder *coder);

/* Appends the blob of the next rows to out. HST_E_INVALID: a heap does not look like that; HST_E_NOMEM. */
enum hst_status hst_heap_encode(struct hst_heap_coder *coder, struct hst_buffer *out, uint64_t *ret_rows,
                                const char **ret_reason) HST_MUST_CHECK;
/* The next rows, so many, into the heap; they were looked at. HST_E_CORRUPT with the reason; HST_E_NOMEM. */
enum hst_status hst_heap_decode(struct hst_heap_coder *coder, uint64_t rows, const void *data, size_t length,
                                const char **ret_reason) HST_MUST_CHECK;

#endif
