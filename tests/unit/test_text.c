/* str objects laid out as each version has them -> UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/text.h"
#include "target/snapshot.h"

enum { OBJECT = 0x10000, FAR = 0x20000 };

struct made {
    struct hst_snapshot *snapshot;
    const struct hst_abi *abi;
    struct hst_buffer text;
};

static struct made make(unsigned minor, int free_threaded)
{
    struct made made = {.abi = hst_abi_find(minor, free_threaded)};
    assert_non_null(made.abi);
    assert_int_equal(hst_snapshot_new(&made.snapshot), HST_OK);
    hst_buffer_init(&made.text, 0);
    return made;
}
static void release(struct made *made)
{
    hst_snapshot_free(made->snapshot);
    hst_buffer_release(&made->text);
}

/* Writes a str of kind bytes a character; far: its characters are elsewhere (the form before 3.12). */
static void put(struct made *made, unsigned kind, int compact, int ascii, const void *data, uint64_t count)
{
    const struct hst_abi *abi = made->abi;
    unsigned shift = abi->free_threaded && abi->minor >= 14 ? 8 : 2;
    uint32_t state = (kind | (unsigned)compact << 3 | (unsigned)ascii << 4) << shift;
    hst_raddr at = OBJECT + (ascii ? abi->str_ascii_data : abi->str_compact_data), far = FAR;
    assert_int_equal(hst_snapshot_write(made->snapshot, OBJECT + abi->str_length, &count, 8), HST_OK);
    assert_int_equal(hst_snapshot_write(made->snapshot, OBJECT + abi->str_state, &state, 4), HST_OK);
    if (!compact)
        assert_int_equal(hst_snapshot_write(made->snapshot, at, &far, 8), HST_OK);
    assert_int_equal(hst_snapshot_write(made->snapshot, compact ? at : FAR, data, count * kind), HST_OK);
}

static void assert_text(struct made *made, size_t limit, const char *expected)
{
    hst_buffer_clear(&made->text);
    assert_int_equal(hst_text_read(&made->snapshot->memory, made->abi, OBJECT, limit, &made->text), HST_OK);
    hst_buffer_add_byte(&made->text, 0);
    assert_string_equal((char *)made->text.data, expected);
}

static void test_forms_of_every_version(void **state)
{
    (void)state;
    static const uint8_t latin[] = {'g', 0xf6, 0xdf};
    static const uint16_t two[] = {0x540d, 'x', 0x20ac};
    static const uint32_t four[] = {0x1f40d, 'y'};
    for (unsigned i = 8; i <= 18; i++) {
        struct made made = make(i <= 15 ? i : i - 3, i > 15);
        put(&made, 1, 1, 1, "plain", 5);
        assert_text(&made, 100, "plain");
        put(&made, 1, 1, 0, latin, 3);
        assert_text(&made, 100, "g\xc3\xb6\xc3\x9f");
        put(&made, 2, 1, 0, two, 3);
        assert_text(&made, 100, "\xe5\x90\x8dx\xe2\x82\xac");
        put(&made, 4, 1, 0, four, 2);
        assert_text(&made, 100, "\xf0\x9f\x90\x8dy");
        put(&made, 1, 0, 0, "far away", 8);
        assert_text(&made, 100, "far away");
        put(&made, 1, 1, 1, "", 0);
        assert_text(&made, 100, "");
        release(&made);
    }
}

static void test_long_texts_are_cut(void **state)
{
    (void)state;
    struct made made = make(13, 0);
    put(&made, 1, 1, 1, "0123456789", 10);
    assert_text(&made, 10, "0123456789");
    assert_text(&made, 4, "0123...");
    assert_text(&made, 0, "...");
    release(&made);
}

static void test_what_is_no_text(void **state)
{
    (void)state;
    struct made made = make(12, 0);
    static const uint32_t odd[] = {0xd800, 0x110000, 0xffffffff};
    put(&made, 4, 1, 0, odd, 3);
    assert_text(&made, 10, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    put(&made, 3, 1, 0, odd, 1);
    assert_int_equal(hst_text_read(&made.snapshot->memory, made.abi, OBJECT, 9, &made.text), HST_E_INVALID);
    put(&made, 1, 1, 1, "x", 1);
    uint64_t length = UINT64_MAX;
    assert_int_equal(hst_snapshot_write(made.snapshot, OBJECT + made.abi->str_length, &length, 8), HST_OK);
    assert_int_equal(hst_text_read(&made.snapshot->memory, made.abi, OBJECT, 9, &made.text), HST_E_INVALID);
    length = 1u << 20; /* past the pages that are there */
    assert_int_equal(hst_snapshot_write(made.snapshot, OBJECT + made.abi->str_length, &length, 8), HST_OK);
    assert_int_equal(hst_text_read(&made.snapshot->memory, made.abi, OBJECT, 1u << 20, &made.text),
                     HST_E_TORN);
    assert_int_equal(hst_text_read(&made.snapshot->memory, made.abi, 0x900000, 9, &made.text), HST_E_TORN);
    release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_of_every_version),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_what_is_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
