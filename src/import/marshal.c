/* One pass over the bytes; a container's items wait on a stack until it is complete. */
#include "import/marshal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define FLAG 0x80
#define DEPTH_MAX 8         /* a profile has 4 */
#define TUPLE_MAX 8         /* ... and 5 items at most */
#define TEXT_MAX (1u << 20) /* bytes of a path or name */
#define VALUES_MAX (1u << 24)
#define NONE UINT32_MAX

struct reader {
    struct hst_marshal *marshal;
    struct hst_error *err;
    size_t at;
    uint32_t *pending; /* items of containers that are not complete */
    size_t pending_count, pending_capacity;
    uint32_t *refs; /* by number: the value, NONE while it is not complete */
    size_t ref_count, ref_capacity;
};

const char *hst_marshal_kind_name(enum hst_marshal_kind kind)
{
    static const char *const names[] = {[HST_MARSHAL_INT] = "a whole number",
                                        [HST_MARSHAL_FLOAT] = "a number",
                                        [HST_MARSHAL_TEXT] = "a text",
                                        [HST_MARSHAL_TUPLE] = "a tuple",
                                        [HST_MARSHAL_DICT] = "a dict"};
    return names[kind];
}

HST_PRINTF(3, 4) static enum hst_status damaged(struct reader *reader, size_t at, const char *fmt, ...)
{
    char what[160];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    (void)hst_error_set(reader->err, HST_E_CORRUPT,
                        "%.200s is damaged, or no profile of cProfile: byte %zu: %s", reader->marshal->name,
                        at, what);
    hst_error_hint(reader->err, "make it anew: python -m cProfile -o FILE script.py");
    return HST_E_CORRUPT;
}

static enum hst_status no_memory(struct reader *reader)
{
    return hst_error_set(reader->err, HST_E_NOMEM, "out of memory while reading %.200s",
                         reader->marshal->name);
}

static enum hst_status take(struct reader *reader, size_t length, const uint8_t **ret_bytes)
{
    if (length > reader->marshal->length - reader->at) {
        (void)damaged(reader, reader->marshal->length, "it ends in the middle of a value");
        return HST_E_CORRUPT;
    }
    *ret_bytes = reader->marshal->data + reader->at;
    reader->at += length;
    return HST_OK;
}

static enum hst_status take_int32(struct reader *reader, int32_t *ret_number)
{
    const uint8_t *bytes = NULL;
    HST_TRY(take(reader, 4, &bytes));
    *ret_number = (int32_t)((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                            (uint32_t)bytes[3] << 24);
    return HST_OK;
}

/* A length or number of items: one byte, or an int32 that may not be negative. */
static enum hst_status take_length(struct reader *reader, int is_short, uint32_t max, uint32_t *ret_length)
{
    size_t at = reader->at;
    int32_t length = 0;
    if (is_short) {
        const uint8_t *byte = NULL;
        HST_TRY(take(reader, 1, &byte));
        length = *byte;
    } else {
        HST_TRY(take_int32(reader, &length));
    }
    if (length < 0 || (uint32_t)length > max)
        return damaged(reader, at, "a length of %ld, where %lu is the most", (long)length,
                       (unsigned long)max);
    *ret_length = (uint32_t)length;
    return HST_OK;
}

static enum hst_status read_long(struct reader *reader, struct hst_marshal_value *value)
{
    int32_t digits = 0;
    uint64_t magnitude = 0;
    HST_TRY(take_int32(reader, &digits));
    int negative = digits < 0;
    uint32_t count = negative ? 0u - (uint32_t)digits : (uint32_t)digits;
    if (count == 0 || count > 5) /* 63 bits in digits of 15 */
        return damaged(reader, value->position, "a whole number that is none, or too large");
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *bytes = NULL;
        HST_TRY(take(reader, 2, &bytes));
        uint64_t digit = (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8;
        if (digit > 0x7fff || (i == count - 1 && digit == 0) || (i == 4 && digit > 7))
            return damaged(reader, value->position, "a whole number that is none, or too large");
        magnitude |= digit << (15 * i);
    }
    value->number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return HST_OK;
}

static enum hst_status read_double(struct reader *reader, struct hst_marshal_value *value)
{
    const uint8_t *bytes = NULL;
    uint64_t bits = 0;
    HST_TRY(take(reader, 8, &bytes));
    for (unsigned i = 0; i < 8; i++)
        bits |= (uint64_t)bytes[i] << 8 * i;
    memcpy(&value->real, &bits, sizeof value->real);
    if (!isfinite(value->real))
        return damaged(reader, value->position, "a number that is not finite");
    return HST_OK;
}

static enum hst_status read_text_double(struct reader *reader, struct hst_marshal_value *value)
{
    uint32_t length = 0;
    const uint8_t *bytes = NULL;
    char text[64], *end;
    HST_TRY(take_length(reader, 1, sizeof text - 1, &length));
    HST_TRY(take(reader, length, &bytes));
    memcpy(text, bytes, length);
    text[length] = '\0';
    value->real = strtod(text, &end);
    if (length == 0 || strlen(text) != length || text[strspn(text, "0123456789.+-eE")] != '\0' ||
        *end != '\0' || !isfinite(value->real))
        return damaged(reader, value->position, "a number that is none");
    return HST_OK;
}

static enum hst_status read_text(struct reader *reader, int is_short, int is_ascii,
                                 struct hst_marshal_value *value)
{
    const uint8_t *bytes = NULL;
    HST_TRY(take_length(reader, is_short, TEXT_MAX, &value->count));
    HST_TRY(take(reader, value->count, &bytes));
    for (uint32_t i = 0; is_ascii && i < value->count; i++)
        if (bytes[i] > 0x7f)
            return damaged(reader, value->position, "an ASCII text with other bytes in it");
    value->text = (const char *)bytes;
    return HST_OK;
}

static enum hst_status read_value(struct reader *reader, unsigned depth, uint32_t *ret_value);

static enum hst_status read_item(struct reader *reader, unsigned depth)
{
    uint32_t item = 0;
    HST_TRY(read_value(reader, depth + 1, &item));
    if (!HST_RESERVE(reader->pending, reader->pending_capacity, reader->pending_count + 1))
        return no_memory(reader);
    reader->pending[reader->pending_count++] = item;
    return HST_OK;
}

/* The items after mark leave the stack and stand behind each other. */
static enum hst_status close(struct reader *reader, size_t mark, struct hst_marshal_value *value)
{
    struct hst_marshal *marshal = reader->marshal;
    size_t count = reader->pending_count - mark;
    if (marshal->item_count + count > VALUES_MAX)
        return damaged(reader, value->position, "more values than any profile has");
    if (!HST_RESERVE(marshal->items, marshal->item_capacity, marshal->item_count + count + 1))
        return no_memory(reader);
    if (count > 0)
        memcpy(marshal->items + marshal->item_count, reader->pending + mark, count * sizeof *marshal->items);
    value->first = (uint32_t)marshal->item_count;
    value->count = (uint32_t)count;
    marshal->item_count += count;
    reader->pending_count = mark;
    return HST_OK;
}

static enum hst_status read_tuple(struct reader *reader, unsigned depth, int is_short,
                                  struct hst_marshal_value *value)
{
    size_t mark = reader->pending_count;
    uint32_t count = 0;
    HST_TRY(take_length(reader, is_short, TUPLE_MAX, &count));
    for (uint32_t i = 0; i < count; i++)
        HST_TRY(read_item(reader, depth));
    return close(reader, mark, value);
}

static enum hst_status read_dict(struct reader *reader, unsigned depth, struct hst_marshal_value *value)
{
    size_t mark = reader->pending_count;
    for (;;) {
        const uint8_t *type = NULL;
        HST_TRY(take(reader, 1, &type));
        if (*type == '0')
            return close(reader, mark, value);
        reader->at--;
        HST_TRY(read_item(reader, depth));
        HST_TRY(read_item(reader, depth));
    }
}

static enum hst_status read_content(struct reader *reader, unsigned depth, uint8_t type,
                                    struct hst_marshal_value *value)
{
    int32_t number = 0;
    switch (type) {
    case 'i':
        HST_TRY(take_int32(reader, &number));
        value->number = number;
        return HST_OK;
    case 'l':
        return read_long(reader, value);
    case 'g':
        value->kind = HST_MARSHAL_FLOAT;
        return read_double(reader, value);
    case 'f':
        value->kind = HST_MARSHAL_FLOAT;
        return read_text_double(reader, value);
    case 'z':
    case 'Z':
    case 'a':
    case 'A':
    case 'u':
    case 't':
        value->kind = HST_MARSHAL_TEXT;
        return read_text(reader, type == 'z' || type == 'Z', type != 'u' && type != 't', value);
    case ')':
    case '(':
        value->kind = HST_MARSHAL_TUPLE;
        return read_tuple(reader, depth, type == ')', value);
    case '{':
        value->kind = HST_MARSHAL_DICT;
        return read_dict(reader, depth, value);
    case 'c':
        return damaged(reader, value->position,
                       "a code object, which the module profile writes, but not cProfile");
    default:
        return damaged(reader, value->position, "a value of type 0x%02x, which a profile does not have",
                       type);
    }
}

static enum hst_status read_reference(struct reader *reader, uint32_t *ret_value)
{
    size_t at = reader->at - 1;
    int32_t number = 0;
    HST_TRY(take_int32(reader, &number));
    if (number < 0 || (size_t)number >= reader->ref_count || reader->refs[number] == NONE)
        return damaged(reader, at, "a reference to value %ld, which is not there yet", (long)number);
    *ret_value = reader->refs[number];
    return HST_OK;
}

static enum hst_status read_value(struct reader *reader, unsigned depth, uint32_t *ret_value)
{
    struct hst_marshal *marshal = reader->marshal;
    struct hst_marshal_value value = {.position = reader->at};
    const uint8_t *type = NULL;
    size_t ref = SIZE_MAX;
    HST_TRY(take(reader, 1, &type));
    if (depth > DEPTH_MAX)
        return damaged(reader, value.position, "values inside each other, deeper than a profile has them");
    if (*type == 'r')
        return read_reference(reader, ret_value);
    if (*type & FLAG) {
        if (!HST_RESERVE(reader->refs, reader->ref_capacity, reader->ref_count + 1))
            return no_memory(reader);
        ref = reader->ref_count++;
        reader->refs[ref] = NONE;
    }
    HST_TRY(read_content(reader, depth, *type & (FLAG - 1), &value));
    if (marshal->value_count >= VALUES_MAX)
        return damaged(reader, value.position, "more values than any profile has");
    if (!HST_RESERVE(marshal->values, marshal->value_capacity, marshal->value_count + 1))
        return no_memory(reader);
    marshal->values[marshal->value_count] = value;
    *ret_value = (uint32_t)marshal->value_count++;
    if (ref != SIZE_MAX)
        reader->refs[ref] = *ret_value;
    return HST_OK;
}

enum hst_status hst_marshal_read(struct hst_marshal *marshal, const char *name, const uint8_t *data,
                                 size_t length, struct hst_error *err)
{
    *marshal = (struct hst_marshal){.name = name, .data = data, .length = length};
    struct reader reader = {.marshal = marshal, .err = err};
    enum hst_status status = read_value(&reader, 0, &marshal->root);
    if (status == HST_OK && reader.at != length)
        status = damaged(&reader, reader.at, "the profile ends here, and the file goes on");
    hst_free(reader.pending);
    hst_free(reader.refs);
    if (status != HST_OK)
        hst_marshal_release(marshal);
    return status;
}

void hst_marshal_release(struct hst_marshal *marshal)
{
    hst_free(marshal->values);
    hst_free(marshal->items);
    *marshal = (struct hst_marshal){0};
}
