/* Bytes that grow, and the integers in them. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

void hst_buffer_init(struct hst_buffer *buffer, size_t limit)
{
    *buffer = (struct hst_buffer){.limit = limit};
}

void hst_buffer_release(struct hst_buffer *buffer)
{
    hst_free(buffer->data);
    *buffer = (struct hst_buffer){.limit = buffer->limit};
}

void hst_buffer_clear(struct hst_buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = 0;
}

/* Room for more bytes at the end, or NULL. */
static uint8_t *extend(struct hst_buffer *buffer, size_t more)
{
    size_t needed = buffer->length + more;
    if (buffer->failed || needed < more || (buffer->limit != 0 && needed > buffer->limit) ||
        !HST_RESERVE(buffer->data, buffer->capacity, needed)) {
        buffer->failed = 1;
        return NULL;
    }
    uint8_t *at = buffer->data + buffer->length;
    buffer->length = needed;
    return at;
}

void hst_buffer_add(struct hst_buffer *buffer, const void *data, size_t length)
{
    if (length == 0)
        return;
    uint8_t *at = extend(buffer, length);
    if (at != NULL)
        memcpy(at, data, length);
}

void hst_buffer_add_byte(struct hst_buffer *buffer, uint8_t byte) { hst_buffer_add(buffer, &byte, 1); }

void hst_buffer_add_text(struct hst_buffer *buffer, const char *text)
{
    hst_buffer_add(buffer, text, strlen(text));
}

void hst_buffer_add_fmt(struct hst_buffer *buffer, const char *fmt, ...)
{
    char small[512];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    if (length < 0) {
        buffer->failed = 1;
    } else if ((size_t)length < sizeof small) {
        hst_buffer_add(buffer, small, (size_t)length);
    } else {
        uint8_t *at = extend(buffer, (size_t)length + 1);
        if (at != NULL) {
            va_start(args, fmt);
            (void)vsnprintf((char *)at, (size_t)length + 1, fmt, args);
            va_end(args);
            buffer->length--; /* the terminator is not part of the bytes */
        }
    }
}

void hst_buffer_add_u64(struct hst_buffer *buffer, uint64_t value)
{
    uint8_t bytes[10];
    size_t count = 0;
    while (value >= 0x80) {
        bytes[count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[count++] = (uint8_t)value;
    hst_buffer_add(buffer, bytes, count);
}

void hst_buffer_add_i64(struct hst_buffer *buffer, int64_t value)
{
    hst_buffer_add_u64(buffer, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

enum hst_status hst_buffer_status(const struct hst_buffer *buffer)
{
    return buffer->failed ? HST_E_NOMEM : HST_OK;
}

uint64_t hst_cursor_u64(struct hst_cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end && !cursor->failed; shift += 7) {
        uint8_t byte = *cursor->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    cursor->failed = 1;
    return 0;
}

int64_t hst_cursor_i64(struct hst_cursor *cursor)
{
    uint64_t value = hst_cursor_u64(cursor);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

uint8_t hst_cursor_byte(struct hst_cursor *cursor)
{
    const uint8_t *byte = hst_cursor_bytes(cursor, 1);
    return byte != NULL ? *byte : 0;
}

const uint8_t *hst_cursor_bytes(struct hst_cursor *cursor, size_t length)
{
    if (cursor->failed || (size_t)(cursor->end - cursor->at) < length) {
        cursor->failed = 1;
        return NULL;
    }
    const uint8_t *at = cursor->at;
    cursor->at += length;
    return at;
}
