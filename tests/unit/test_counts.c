/* heap/counts.c: what stands in the head of an object in each version, and what never is a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "heap/counts.h"

/* An object's head without the interpreter lock. */
struct head {
    uint64_t thread;
    uint16_t flags;
    uint8_t mutex, bits;
    uint32_t local;
    int64_t shared;
    uint64_t type;
};
enum { TRACKED = 1, DEFERRED = 64, MERGED = 3 };
#define DEFERRED_COUNT (INT64_MAX / 8)

static uint64_t with_lock(unsigned minor, uint64_t word)
{
    uint64_t object[2] = {word, 0};
    return hst_count_read(hst_abi_find(minor, 0), (const uint8_t *)object);
}

static uint64_t without(unsigned minor, struct head head)
{
    return hst_count_read(hst_abi_find(minor, 1), (const uint8_t *)&head);
}

static void test_with_lock(void **state)
{
    (void)state;
    for (unsigned minor = 8; minor <= 15; minor++) {
        assert_int_equal(with_lock(minor, 0), HST_COUNT_NONE);
        assert_int_equal(with_lock(minor, 1), 1);
        assert_int_equal(with_lock(minor, 70000), 70000);
    }
    assert_int_equal(with_lock(11, UINT64_C(0x7f0012345678)), HST_COUNT_NONE); /* an address */
    assert_int_equal(with_lock(13, UINT64_C(0x7f0012345678)), HST_COUNT_NONE);
    assert_int_equal(with_lock(11, UINT32_MAX), UINT32_MAX);
    assert_int_equal(with_lock(12, UINT32_MAX), HST_COUNT_FOREVER);
    assert_int_equal(with_lock(14, UINT64_C(0xc0000000)), HST_COUNT_FOREVER);
    assert_int_equal(with_lock(14, UINT64_C(5) << 48 | 3), 3); /* flags above it */
    assert_int_equal(with_lock(14, UINT64_C(0x7f0012345678)), HST_COUNT_NONE);
}

static void test_without_lock(void **state)
{
    (void)state;
    for (unsigned minor = 13; minor <= 15; minor++) {
        assert_int_equal(without(minor, (struct head){.thread = 4096, .local = 3}), 3);
        assert_int_equal(without(minor, (struct head){.local = 5, .shared = -(4 << 2)}), 1);
        assert_int_equal(without(minor, (struct head){.shared = 7 << 2 | MERGED, .bits = TRACKED}), 7);
        assert_int_equal(without(minor, (struct head){.local = UINT32_MAX}), HST_COUNT_FOREVER);
        assert_int_equal(without(minor, (struct head){.thread = 4096}), HST_COUNT_NONE); /* on a free list */
        assert_int_equal(without(minor, (struct head){.local = 2, .shared = -(2 << 2)}), HST_COUNT_NONE);
        assert_int_equal(without(minor, (struct head){.local = 2, .mutex = 0x7f}), HST_COUNT_NONE);
    }
}

static void test_deferred(void **state)
{
    (void)state;
    struct head head = {.bits = TRACKED | DEFERRED, .local = 4};
    assert_int_equal(without(13, head), 3);
    head.shared = DEFERRED_COUNT << 2;
    assert_int_equal(without(14, head), 4);
    head.shared = (DEFERRED_COUNT - 10) << 2; /* others' references, which the stack keeps, are not in it */
    assert_int_equal(without(15, head), 1);
    assert_true(hst_count_is_deferred(hst_abi_find(14, 1), (const uint8_t *)&head));
    assert_false(hst_count_is_deferred(hst_abi_find(14, 0), (const uint8_t *)&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_lock),
        cmocka_unit_test(test_without_lock),
        cmocka_unit_test(test_deferred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
