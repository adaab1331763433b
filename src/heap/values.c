/* What is not short or plain is left to the readers of strings and numbers. */
#include "heap/values.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "reader/number.h"
#include "reader/text.h"
#include "reader/type_flags.h"

enum { WORD = sizeof(uint64_t), CHARACTERS_MAX = 48, DIGITS_MAX = 40, SHORT_DIGITS = 2, DIGIT_BITS = 30 };

struct showing {
    struct hst_census *census;
    struct hst_buffer text;
    uint32_t float_type;
};

static uint64_t load(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static enum hst_status add_bytes(struct showing *showing, const uint8_t *object, uint64_t room)
{
    uint32_t data = showing->census->abi->bytes_data;
    uint64_t length = load(object + showing->census->abi->var_size);
    if (data > room || length > room - data)
        return HST_E_INVALID;
    for (uint64_t i = 0; i < length && showing->text.length < CHARACTERS_MAX; i++) {
        uint8_t byte = object[data + i];
        if (byte >= ' ' && byte < 0x7f)
            hst_buffer_add_byte(&showing->text, byte);
        else
            hst_buffer_add_fmt(&showing->text, "\\x%02x", byte);
    }
    return HST_OK;
}

/* Most numbers have one or two digits of 30 bits; there may be millions. */
static int add_short_integer(struct showing *showing, const uint8_t *object, uint64_t room)
{
    const struct hst_abi *abi = showing->census->abi;
    uint64_t size = load(object + abi->long_tag), number = 0;
    int is_negative = abi->minor >= 12 ? (size & 3) == 2 : size >> 63 != 0;
    uint64_t digits = abi->minor >= 12 ? size >> 3 : is_negative ? 0 - size : size;
    char text[24], *at = text + sizeof text;
    if (digits > SHORT_DIGITS || abi->long_digits + digits * sizeof(uint32_t) > room)
        return 0;
    for (uint64_t i = digits; i-- > 0;) {
        uint32_t digit;
        memcpy(&digit, object + abi->long_digits + i * sizeof digit, sizeof digit);
        number = number << DIGIT_BITS | digit;
    }
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    if (is_negative)
        *--at = '-';
    hst_buffer_add(&showing->text, at, (size_t)(text + sizeof text - at));
    return 1;
}

/* Twelve digits: it is to be recognised, not calculated with. */
static enum hst_status add_float(struct showing *showing, const uint8_t *object)
{
    double number;
    memcpy(&number, object + showing->census->abi->float_value, sizeof number);
    hst_buffer_add_fmt(&showing->text, "%.12g", number);
    return HST_OK;
}

/* HST_E_INVALID: it has none. */
static enum hst_status add_value(struct showing *showing, const struct hst_object *object)
{
    struct hst_census *census = showing->census;
    uint64_t flags = census->types.items[object->type].flags;
    const uint8_t *bytes = hst_image_at(census->image, object->address, object->length);
    if (bytes == NULL || object->length < census->abi->long_digits)
        return HST_E_INVALID;
    if ((flags & HST_TYPE_STR) != 0)
        return hst_text_read(&census->image->memory, census->abi, object->address, CHARACTERS_MAX,
                             &showing->text);
    if ((flags & HST_TYPE_BYTES) != 0)
        return add_bytes(showing, bytes, object->length);
    if (object->type == showing->float_type)
        return add_float(showing, bytes);
    if ((flags & HST_TYPE_LONG) == 0)
        return HST_E_INVALID;
    return add_short_integer(showing, bytes, object->length)
               ? HST_OK
               : hst_number_add(&census->image->memory, census->abi, object->address, DIGITS_MAX,
                                &showing->text);
}

static enum hst_status add_all(struct showing *showing, struct hst_heap *heap)
{
    const struct hst_census *census = showing->census;
    uint64_t wanted = HST_TYPE_STR | HST_TYPE_BYTES | HST_TYPE_LONG;
    for (size_t i = 0; i < census->count; i++) {
        const struct hst_object *object = &census->objects[i];
        if ((census->types.items[object->type].flags & wanted) == 0 && object->type != showing->float_type)
            continue;
        hst_buffer_clear(&showing->text);
        enum hst_status status = add_value(showing, object);
        HST_TRY(hst_buffer_status(&showing->text));
        if (status == HST_E_NOMEM)
            return status;
        if (status != HST_OK)
            continue;
        const char *text = showing->text.length > 0 ? (const char *)showing->text.data : "";
        if (!hst_heap_values_add(&heap->values, (uint32_t)i, text, showing->text.length))
            return HST_E_NOMEM;
    }
    return HST_OK;
}

enum hst_status hst_values_find(struct hst_census *census, struct hst_heap *heap)
{
    struct showing showing = {.census = census, .float_type = HST_MAP_ABSENT};
    for (uint32_t i = 0; i < heap->type_count; i++)
        if (strcmp(hst_heap_type_name(heap, i), "float") == 0)
            showing.float_type = i;
    hst_buffer_init(&showing.text, 0);
    enum hst_status status = add_all(&showing, heap);
    hst_buffer_release(&showing.text);
    return status;
}
