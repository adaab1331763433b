/* The layout tables, and the offsets that targets of 3.13, 3.14 and 3.15 carry (taken from the corpus of the
 * fuzzer): what they say is what the tables say, and what cannot be right is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "pyabi/abi.h"

static struct hst_buffer carried(unsigned minor)
{
    char path[1024];
    struct hst_buffer bytes;
    (void)snprintf(path, sizeof path, "%s/../fuzz/corpus/debug_offsets/seed-cpython-3.%u", HST_TEST_DATA,
                   minor);
    hst_buffer_init(&bytes, 0);
    assert_int_equal(hst_file_read(path, &bytes), HST_OK);
    assert_int_equal(bytes.length, 1 + HST_DEBUG_OFFSETS_BYTES);
    memmove(bytes.data, bytes.data + 1, --bytes.length);
    return bytes;
}

static const char *const names[] = {
#define NAME(name) #name,
    HST_ABI_FIELDS(NAME)
#undef NAME
};
static uint32_t member(const struct hst_abi *abi, size_t index)
{
    uint32_t value;
    memcpy(&value, (const char *)abi + offsetof(struct hst_abi, runtime_size) + index * 4, 4);
    return value;
}

static void test_every_version_has_a_table(void **state)
{
    (void)state;
    for (unsigned minor = 0; minor < 40; minor++) {
        const struct hst_abi *abi = hst_abi_find(minor, 0), *free_threaded = hst_abi_find(minor, 1);
        assert_int_equal(abi != NULL, minor >= HST_ABI_OLDEST_MINOR && minor <= HST_ABI_NEWEST_MINOR);
        assert_int_equal(free_threaded != NULL, minor >= 13 && minor <= HST_ABI_NEWEST_MINOR);
        for (int i = 0; abi != NULL && i < 2; i++, abi = free_threaded) {
            assert_true(abi->minor == minor && abi->free_threaded == i);
            assert_true(abi->frame_localsplus <= HST_ABI_HEAD_BYTES_MAX &&
                        abi->code_size <= HST_ABI_HEAD_BYTES_MAX);
            assert_int_equal(abi->tstate_native_thread_id != 0, minor >= 11);
            assert_int_equal(abi->tstate_cframe != 0, minor == 11 || minor == 12);
            assert_int_equal(abi->code_tlbc != 0, i == 1 && minor >= 14);
        }
    }
}

/* From another build of the same version the sizes of the big structures differ, the fields the reader uses
 * do not. */
static void test_carried_offsets_agree_with_the_table(void **state)
{
    (void)state;
    for (unsigned minor = 13; minor <= 15; minor++) {
        struct hst_buffer bytes = carried(minor);
        struct hst_abi abi;
        struct hst_error err;
        if (hst_abi_from_debug_offsets(bytes.data, bytes.length, &abi, &err) != HST_OK)
            fail_msg("3.%u: %s", minor, err.text);
        for (size_t i = 0; i < HST_ARRAY_LENGTH(names); i++) {
            uint32_t table = member(hst_abi_find(minor, 0), i);
            int compared = strncmp(names[i], "runtime_", 8) != 0 && strncmp(names[i], "interp_", 7) != 0 &&
                           strncmp(names[i], "gil_", 4) != 0 && strstr(names[i], "_size") == NULL;
            if (compared && member(&abi, i) != table)
                fail_msg("3.%u: %s is %u, the table says %u", minor, names[i], member(&abi, i), table);
        }
        hst_buffer_release(&bytes);
    }
}

static void test_free_threaded_and_newer(void **state)
{
    (void)state;
    struct hst_buffer bytes = carried(15);
    struct hst_abi abi;
    struct hst_error err;
    bytes.data[10] = 16; /* 3.16, with the table of 3.15 */
    assert_int_equal(hst_abi_from_debug_offsets(bytes.data, bytes.length, &abi, &err), HST_OK);
    assert_int_equal(abi.minor, 16);
    bytes.data[16] = 1;
    assert_int_equal(hst_abi_from_debug_offsets(bytes.data, bytes.length, &abi, &err), HST_OK);
    assert_int_equal(abi.free_threaded, 1);
    hst_buffer_release(&bytes);
}

static void test_what_cannot_be_right(void **state)
{
    (void)state;
    struct hst_abi abi;
    struct hst_error err;
    struct hst_buffer bytes = carried(14);
    assert_int_equal(hst_abi_from_debug_offsets((const uint8_t *)"", 0, &abi, &err), HST_E_UNSUPPORTED);
    assert_int_equal(hst_abi_from_debug_offsets(bytes.data, 100, &abi, &err), HST_E_INVALID);
    assert_non_null(strstr(err.text, "bytes"));
    static const struct {
        size_t at;
        uint64_t value;
    } bad[] = {
        {8, 0x030c0000},        /* version 3.12 has no such table */
        {8, 0x040f0000},        /* CPython 4 */
        {16, 2},                /* neither with nor without the lock */
        {24, 0},                /* _PyRuntime of no bytes */
        {24 + 2 * 8, 1u << 30}, /* interpreters_head far behind it */
        {24 + 2 * 8, UINT64_MAX},
        {24 + 25 * 8, 60000}, /* the data stack's field far from the frame's */
        {24 + 29 * 8, 5000},  /* a frame's previous outside of the frame */
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(bad); i++) {
        uint64_t good;
        memcpy(&good, bytes.data + bad[i].at, 8);
        memcpy(bytes.data + bad[i].at, &bad[i].value, 8);
        err.text[0] = '\0';
        enum hst_status status = hst_abi_from_debug_offsets(bytes.data, bytes.length, &abi, &err);
        if (status != HST_E_INVALID || err.text[0] == '\0')
            fail_msg("%zu: %s, '%s'", i, hst_status_name(status), err.text);
        memcpy(bytes.data + bad[i].at, &good, 8);
    }
    assert_int_equal(hst_abi_from_debug_offsets(bytes.data, bytes.length, &abi, &err), HST_OK);
    hst_buffer_release(&bytes);
}

/* A pointer that overlaps the end of its structure by one byte would be read from beyond a buffer. */
static void test_every_member_fits_with_its_width(void **state)
{
    (void)state;
    for (unsigned minor = 13; minor <= 15; minor++) {
        struct hst_buffer bytes = carried(minor);
        for (size_t at = 24; at + 8 <= bytes.length; at += 8)
            for (uint64_t value = 56; value < 600; value += 1) {
                uint64_t good;
                struct hst_abi abi;
                memcpy(&good, bytes.data + at, 8);
                memcpy(bytes.data + at, &value, 8);
                if (hst_abi_from_debug_offsets(bytes.data, bytes.length, &abi, NULL) == HST_OK) {
                    assert_true(abi.frame_previous + 8 <= abi.frame_localsplus);
                    assert_true(abi.frame_instruction + 8 <= abi.frame_localsplus);
                    assert_true(abi.frame_owner + 1 <= abi.frame_localsplus);
                    assert_true(abi.code_linetable + 8 <= abi.code_bytecode && abi.code_bytecode <= 512);
                    assert_true(abi.code_first_line + 4 <= abi.code_bytecode);
                    assert_true(abi.code_stacksize + 4ull <= abi.code_bytecode);
                    assert_true(abi.object_type + 8 <= abi.code_bytecode);
                }
                memcpy(bytes.data + at, &good, 8);
            }
        hst_buffer_release(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_version_has_a_table),
        cmocka_unit_test(test_carried_offsets_agree_with_the_table),
        cmocka_unit_test(test_free_threaded_and_newer),
        cmocka_unit_test(test_what_cannot_be_right),
        cmocka_unit_test(test_every_member_fits_with_its_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
