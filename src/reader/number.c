/* Reads int objects: a sign, a count, and digits of 30 bits, the lowest first. */
#include "reader/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "reader/type_flags.h"

enum {
    DIGIT_BITS = 30,
    DIGITS_MAX = 1 << 26, /* more cannot be an int that was made */
    DIGITS_SHOWN_MAX = 64,
    DECIMAL_GROUP = 1000000000,
};

struct number {
    uint64_t count; /* of digits */
    int negative;
};

static enum hst_status read_head(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr address,
                                 struct number *ret_number)
{
    uint64_t word;
    HST_TRY(hst_memory_read_u64(memory, address + abi->long_tag, &word));
    struct number number;
    if (abi->minor >=
        12) { /* the count above three bits, of which the lower two are the sign: 0 +, 1 zero, 2 - */
        number = (struct number){.count = word >> 3, .negative = (word & 3) == 2};
        if ((word & 3) == 1)
            number.count = 0;
    } else {
        int64_t size;
        memcpy(&size, &word, sizeof size);
        number = (struct number){.count = size < 0 ? 0 - word : word, .negative = size < 0};
    }
    if (number.count > DIGITS_MAX)
        return HST_E_TORN;
    *ret_number = number;
    return HST_OK;
}

enum hst_status hst_number_read_u64(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr address,
                                    uint64_t *ret_value)
{
    hst_raddr type;
    uint64_t flags, value = 0;
    struct number number;
    uint32_t digits[3] = {0};
    HST_TRY(hst_memory_read_u64(memory, address + abi->object_type, &type));
    HST_TRY(hst_memory_read_u64(memory, type + abi->type_flags, &flags));
    if ((flags & HST_TYPE_LONG) == 0)
        return HST_E_INVALID;
    HST_TRY(read_head(memory, abi, address, &number));
    if (number.negative || number.count > 3)
        return HST_E_INVALID;
    if (number.count > 0)
        HST_TRY(hst_memory_read(memory, address + abi->long_digits, digits, number.count * sizeof digits[0]));
    if (digits[2] >> (64 - 2 * DIGIT_BITS) != 0)
        return HST_E_INVALID;
    for (int i = 2; i >= 0; i--)
        value = value << DIGIT_BITS | (digits[i] & ((1u << DIGIT_BITS) - 1));
    *ret_value = value;
    return HST_OK;
}

/* "<int of N bits>", by the top digit. */
static enum hst_status add_bits(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr address,
                                const struct number *number, struct hst_buffer *into)
{
    uint32_t top;
    HST_TRY(hst_memory_read_u32(memory, address + abi->long_digits + (number->count - 1) * 4, &top));
    uint64_t bits = (number->count - 1) * DIGIT_BITS;
    for (; top != 0; top >>= 1)
        bits++;
    hst_buffer_add_fmt(into, "<%sint of %" PRIu64 " bits>", number->negative ? "negative " : "", bits);
    return hst_buffer_status(into);
}

enum hst_status hst_number_add(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr address,
                               unsigned max_digits, struct hst_buffer *into)
{
    struct number number;
    uint32_t digits[DIGITS_SHOWN_MAX], groups[DIGITS_SHOWN_MAX + 1];
    HST_TRY(read_head(memory, abi, address, &number));
    if (number.count > DIGITS_SHOWN_MAX ||
        (double)number.count * DIGIT_BITS * M_LN2 / M_LN10 > max_digits + 9.0)
        return add_bits(memory, abi, address, &number, into);
    if (number.count > 0)
        HST_TRY(hst_memory_read(memory, address + abi->long_digits, digits, number.count * sizeof digits[0]));
    /* Divided by 10^9 again and again: the rests are the decimal digits, nine at a time, the lowest first. */
    size_t left = (size_t)number.count, count = 0;
    while (left > 0) {
        uint64_t rest = 0;
        for (size_t i = left; i > 0; i--) {
            rest = rest << DIGIT_BITS | (digits[i - 1] & ((1u << DIGIT_BITS) - 1));
            digits[i - 1] = (uint32_t)(rest / DECIMAL_GROUP);
            rest %= DECIMAL_GROUP;
        }
        groups[count++] = (uint32_t)rest;
        while (left > 0 && digits[left - 1] == 0)
            left--;
    }
    while (count > 1 && groups[count - 1] == 0)
        count--;
    char first[16];
    int first_length = snprintf(first, sizeof first, "%" PRIu32, count > 0 ? groups[count - 1] : 0);
    if (count > 0 && (count - 1) * 9 + (size_t)first_length > max_digits)
        return add_bits(memory, abi, address, &number, into);
    hst_buffer_add_fmt(into, "%s%s", number.negative ? "-" : "", first);
    for (size_t i = count; i > 1; i--)
        hst_buffer_add_fmt(into, "%09" PRIu32, groups[i - 2]);
    return hst_buffer_status(into);
}
