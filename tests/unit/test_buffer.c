/* Growing bytes with a limit, and the integers in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

static void test_numbers_come_back(void **state)
{
    (void)state;
    struct hst_buffer buffer;
    hst_buffer_init(&buffer, 0);
    uint64_t values[64 * 3 + 1];
    size_t count = 0;
    for (unsigned bit = 0; bit < 64; bit++)
        for (int around = -1; around <= 1; around++)
            values[count++] = (1ull << bit) + (uint64_t)around;
    values[count++] = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        hst_buffer_add_u64(&buffer, values[i]);
        hst_buffer_add_i64(&buffer, (int64_t)values[i]);
    }
    assert_int_equal(hst_buffer_status(&buffer), HST_OK);
    struct hst_cursor cursor = {.at = buffer.data, .end = buffer.data + buffer.length};
    for (size_t i = 0; i < count; i++) {
        assert_true(hst_cursor_u64(&cursor) == values[i]);
        assert_true(hst_cursor_i64(&cursor) == (int64_t)values[i]);
    }
    assert_true(!cursor.failed && cursor.at == cursor.end);
    hst_buffer_release(&buffer);
}

static void test_size_of_numbers(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        size_t bytes;
    } rows[] = {{0, 1}, {-1, 1}, {63, 1}, {-64, 1}, {64, 2}, {-65, 2}, {INT64_MAX, 10}, {INT64_MIN, 10}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hst_buffer buffer;
        hst_buffer_init(&buffer, 0);
        hst_buffer_add_i64(&buffer, rows[i].value);
        assert_int_equal(buffer.length, rows[i].bytes);
        hst_buffer_release(&buffer);
    }
}

static void test_a_limit_holds(void **state)
{
    (void)state;
    struct hst_buffer buffer;
    hst_buffer_init(&buffer, 10);
    hst_buffer_add_text(&buffer, "0123456789");
    assert_int_equal(hst_buffer_status(&buffer), HST_OK);
    hst_buffer_add_byte(&buffer, 'x');
    assert_int_equal(hst_buffer_status(&buffer), HST_E_NOMEM);
    assert_int_equal(buffer.length, 10);
    hst_buffer_add(&buffer, "", 0);
    assert_int_equal(hst_buffer_status(&buffer), HST_E_NOMEM); /* sticky */
    hst_buffer_clear(&buffer);
    hst_buffer_add_byte(&buffer, 'x');
    assert_int_equal(hst_buffer_status(&buffer), HST_OK);
    assert_int_equal(buffer.length, 1);
    hst_buffer_release(&buffer);
}

static void test_formatted_text(void **state)
{
    (void)state;
    struct hst_buffer buffer;
    hst_buffer_init(&buffer, 0);
    for (int width = 500; width < 530; width++) {
        hst_buffer_clear(&buffer);
        hst_buffer_add_fmt(&buffer, "%*d", width, 7);
        assert_int_equal(buffer.length, width);
        assert_int_equal(buffer.data[width - 1], '7');
    }
    hst_buffer_release(&buffer);
}

static void test_a_cursor_stays_inside(void **state)
{
    (void)state;
    static const uint8_t cut[] = {0x80, 0x80}, long_one[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                             0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    struct hst_cursor cursor = {.at = cut, .end = cut + sizeof cut};
    assert_true(hst_cursor_u64(&cursor) == 0 && cursor.failed);
    assert_null(hst_cursor_bytes(&cursor, 0));
    cursor = (struct hst_cursor){.at = long_one, .end = long_one + sizeof long_one};
    assert_true(hst_cursor_u64(&cursor) == 0 && cursor.failed);
    cursor = (struct hst_cursor){.at = cut, .end = cut + sizeof cut};
    assert_null(hst_cursor_bytes(&cursor, 3));
    assert_true(cursor.failed && hst_cursor_byte(&cursor) == 0);
    cursor = (struct hst_cursor){.at = cut, .end = cut + sizeof cut};
    assert_ptr_equal(hst_cursor_bytes(&cursor, 2), cut);
    assert_null(hst_cursor_bytes(&cursor, SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_come_back),     cmocka_unit_test(test_size_of_numbers),
        cmocka_unit_test(test_a_limit_holds),         cmocka_unit_test(test_formatted_text),
        cmocka_unit_test(test_a_cursor_stays_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
