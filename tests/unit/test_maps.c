/* Maps as the kernel prints them, and what it never prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/maps.h"

static const char text[] =
    "00400000-0041f000 r--p 00000000 fe:00 247702                             /usr/bin/python3.11\n"
    "0041f000-006d2000 r-xp 0001f000 fe:00 247702                             /opt/a b/python3.11 (deleted)\n"
    "01c96000-01d81000 rw-p 00000000 00:00 0                                  [heap]\n"
    "7f2ca0000000-7f2ca0021000 rw-p 00000000 00:00 0 \n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]";

static void test_fields(void **state)
{
    (void)state;
    struct hst_maps maps = {0};
    assert_int_equal(hst_maps_parse(text, strlen(text), &maps), HST_OK);
    assert_int_equal(maps.count, 5);
    assert_true(maps.items[1].start == 0x41f000 && maps.items[1].end == 0x6d2000);
    assert_true(maps.items[1].offset == 0x1f000);
    assert_int_equal(maps.items[0].flags, HST_MAP_READ);
    assert_int_equal(maps.items[1].flags, HST_MAP_READ | HST_MAP_EXEC);
    assert_int_equal(maps.items[2].flags, HST_MAP_READ | HST_MAP_WRITE);
    assert_int_equal(maps.items[4].flags, HST_MAP_EXEC);
    assert_string_equal(maps.items[1].path, "/opt/a b/python3.11 (deleted)");
    assert_string_equal(maps.items[3].path, "");
    assert_true(maps.items[4].end == 0xffffffffff601000u);
    hst_maps_release(&maps);
}

static void test_join(void **state)
{
    (void)state;
    static const char parts[] = "1000-3000 rw-p 00000000 00:00 0 \n"
                                "3000-4000 rw-p 00000000 00:00 0 \n"
                                "4000-5000 r--p 00000000 00:00 0 \n"
                                "5000-6000 rw-p 00000000 00:00 0 \n"
                                "7000-8000 rw-p 00000000 00:00 0 \n"
                                "8000-9000 rw-p 00000000 00:00 0 [heap]\n"
                                "9000-a000 rw-p 00000000 00:00 0 [heap]\n"
                                "a000-b000 rw-p 00000000 fe:00 24 /lib/a\n"
                                "b000-c000 rw-p 00001000 fe:00 24 /lib/a\n";
    struct hst_maps maps = {0};
    assert_int_equal(hst_maps_parse(parts, strlen(parts), &maps), HST_OK);
    hst_maps_join(&maps);
    assert_int_equal(maps.count, 7);
    assert_true(maps.items[0].start == 0x1000 && maps.items[0].end == 0x4000);
    assert_true(maps.items[3].start == 0x7000 && maps.items[3].end == 0x8000);
    assert_true(maps.items[4].start == 0x8000 && maps.items[4].end == 0xa000);
    assert_string_equal(maps.items[6].path, "/lib/a");
    hst_maps_release(&maps);
}

static void test_find(void **state)
{
    (void)state;
    struct hst_maps maps = {0};
    assert_int_equal(hst_maps_parse(text, strlen(text), &maps), HST_OK);
    assert_ptr_equal(hst_maps_find(&maps, 0x400000), &maps.items[0]);
    assert_ptr_equal(hst_maps_find(&maps, 0x41efff), &maps.items[0]);
    assert_ptr_equal(hst_maps_find(&maps, 0x41f000), &maps.items[1]);
    assert_ptr_equal(hst_maps_find(&maps, 0x7f2ca0020fff), &maps.items[3]);
    assert_null(hst_maps_find(&maps, 0x3fffff));
    assert_null(hst_maps_find(&maps, 0x6d2000));
    assert_null(hst_maps_find(&maps, UINT64_MAX));
    hst_maps_release(&maps);
}

static void test_what_is_no_map(void **state)
{
    (void)state;
    static const char *const bad[] = {"x\n", "1000\n", "2000-1000 r--p 0 0:0 0 \n", "1000-2000 r--p\n",
                                      "1000-2000 r--p 0 0:0 0 \nzzz\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct hst_maps maps = {0};
        assert_int_equal(hst_maps_parse(bad[i], strlen(bad[i]), &maps), HST_E_INVALID);
        assert_null(maps.items);
    }
    struct hst_maps maps = {0};
    assert_int_equal(hst_maps_parse("\n\n", 2, &maps), HST_OK);
    assert_int_equal(maps.count, 0);
}

/* This very process has a mapping for its own code and for a variable of it. */
static void test_own_process(void **state)
{
    (void)state;
    struct hst_maps maps = {0};
    assert_int_equal(hst_maps_read((int)getpid(), &maps), HST_OK);
    const struct hst_mapping *code = hst_maps_find(&maps, (uintptr_t)&test_own_process);
    const struct hst_mapping *data = hst_maps_find(&maps, (uintptr_t)&maps);
    assert_true(code != NULL && (code->flags & HST_MAP_EXEC) != 0 && strstr(code->path, "test_maps") != NULL);
    assert_true(data != NULL && (data->flags & HST_MAP_WRITE) != 0);
    hst_maps_release(&maps);
    assert_int_equal(hst_maps_read(1 << 30, &maps), HST_E_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),      cmocka_unit_test(test_join),
        cmocka_unit_test(test_find),        cmocka_unit_test(test_what_is_no_map),
        cmocka_unit_test(test_own_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
