/* A growable run of bytes with a largest size, and the variable-length integers written into it (LEB128:
 * seven bits a byte, low ones first, the top bit says that more follow; signed values are zigzag coded
 * first). */
#ifndef HST_BASE_BUFFER_H
#define HST_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct hst_buffer {
    uint8_t *data;
    size_t length, capacity;
    size_t limit; /* never grows past this many bytes; 0 = no limit */
    int failed;   /* an append did not fit: sticky, so that a writer may check once at the end */
};

void hst_buffer_init(struct hst_buffer *buffer, size_t limit);
void hst_buffer_release(struct hst_buffer *buffer);
void hst_buffer_clear(struct hst_buffer *buffer);

void hst_buffer_add(struct hst_buffer *buffer, const void *data, size_t length);
void hst_buffer_add_byte(struct hst_buffer *buffer, uint8_t byte);
void hst_buffer_add_text(struct hst_buffer *buffer, const char *text);
void hst_buffer_add_fmt(struct hst_buffer *buffer, const char *fmt, ...) HST_PRINTF(2, 3);
void hst_buffer_add_u64(struct hst_buffer *buffer, uint64_t value); /* LEB128 */
void hst_buffer_add_i64(struct hst_buffer *buffer, int64_t value);  /* zigzag, then LEB128 */
/* HST_E_NOMEM if an append failed since the last clear. */
enum hst_status hst_buffer_status(const struct hst_buffer *buffer) HST_MUST_CHECK;

/* Reads what the functions above wrote.  Nothing is read past end; a value that does not fit fails the
 * cursor, and every later read gives 0. */
struct hst_cursor {
    const uint8_t *at, *end;
    int failed;
};
uint64_t hst_cursor_u64(struct hst_cursor *cursor);
int64_t hst_cursor_i64(struct hst_cursor *cursor);
uint8_t hst_cursor_byte(struct hst_cursor *cursor);
/* length bytes in place, or NULL. */
const uint8_t *hst_cursor_bytes(struct hst_cursor *cursor, size_t length);

#endif
