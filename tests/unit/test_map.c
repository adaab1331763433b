/* The table of 64-bit keys, against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"

enum { KEYS = 20000 };

static uint64_t key_of(uint32_t i)
{
    return i % 3 == 0 ? i : i % 3 == 1 ? (uint64_t)i << 32 : hst_mix64(i) | 1ull << 63;
}

static void test_set_and_find(void **state)
{
    (void)state;
    struct hst_map map;
    hst_map_init(&map);
    assert_int_equal(hst_map_find(&map, 0), HST_MAP_ABSENT);
    for (uint32_t i = 0; i < KEYS; i++)
        assert_true(hst_map_set(&map, key_of(i), i));
    assert_int_equal(map.count, KEYS);
    assert_true(map.count * 5 <= map.capacity * 3);
    for (uint32_t i = 0; i < KEYS; i++)
        assert_int_equal(hst_map_find(&map, key_of(i)), i);
    assert_int_equal(hst_map_find(&map, UINT64_MAX), HST_MAP_ABSENT);
    hst_map_release(&map);
    assert_int_equal(hst_map_find(&map, key_of(1)), HST_MAP_ABSENT);
}

static void test_replace_and_clear(void **state)
{
    (void)state;
    struct hst_map map;
    hst_map_init(&map);
    for (uint32_t i = 0; i < 100; i++)
        assert_true(hst_map_set(&map, 0, i) && hst_map_set(&map, UINT64_MAX, i + 1));
    assert_int_equal(map.count, 2);
    assert_int_equal(hst_map_find(&map, 0), 99);
    assert_int_equal(hst_map_find(&map, UINT64_MAX), 100);
    hst_map_clear(&map);
    assert_int_equal(map.count, 0);
    assert_int_equal(hst_map_find(&map, 0), HST_MAP_ABSENT);
    assert_true(hst_map_set(&map, 0, 7));
    assert_int_equal(hst_map_find(&map, 0), 7);
    hst_map_release(&map);
}

static void test_hash_of_bytes(void **state)
{
    (void)state;
    static const char text[] = "0123456789abcdefghi";
    for (size_t length = 0; length < sizeof text; length++) {
        assert_true(hst_hash_bytes(text, length, 1) == hst_hash_bytes(text, length, 1));
        assert_true(hst_hash_bytes(text, length, 1) != hst_hash_bytes(text, length, 2));
        for (size_t other = 0; other < length; other++)
            assert_true(hst_hash_bytes(text, length, 1) != hst_hash_bytes(text, other, 1));
    }
    assert_true(hst_hash_bytes("a", 1, 0) != hst_hash_bytes("a\0", 2, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_find),
        cmocka_unit_test(test_replace_and_clear),
        cmocka_unit_test(test_hash_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
