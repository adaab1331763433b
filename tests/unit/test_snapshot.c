/* Snapshots: what is recorded comes back, from memory and from a file, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/memory.h"
#include "target/snapshot.h"

/* Saves and loads. */
static struct hst_snapshot *there_and_back(struct hst_snapshot *snapshot)
{
    char path[] = "/tmp/hst-test-snapshot-XXXXXX";
    struct hst_snapshot *back;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(hst_snapshot_save(snapshot, path, NULL), HST_OK);
    assert_int_equal(hst_snapshot_load(path, &back, NULL), HST_OK);
    (void)unlink(path);
    return back;
}

static void test_pages_and_ranges(void **state)
{
    (void)state;
    struct hst_snapshot *snapshot, *back;
    uint8_t bytes[10000], got[10000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
    assert_int_equal(hst_snapshot_new(&snapshot), HST_OK);
    /* Not in order of address, over ends of pages, and at the highest page. */
    assert_int_equal(hst_snapshot_write(snapshot, 0x7fff00000ff0, bytes, sizeof bytes), HST_OK);
    assert_int_equal(hst_snapshot_write(snapshot, 0x1000, bytes, 16), HST_OK);
    assert_int_equal(hst_snapshot_write(snapshot, UINT64_MAX - 31, bytes, 31), HST_OK);
    assert_int_equal(hst_snapshot_write(snapshot, UINT64_MAX - 3, bytes, 8), HST_E_INVALID);
    assert_int_equal(hst_snapshot_set_maps(snapshot, "1000-2000 /a\n", 13), HST_OK);
    back = there_and_back(snapshot);
    assert_string_equal(back->maps, "1000-2000 /a\n");
    assert_int_equal(back->page_count, snapshot->page_count);
    assert_int_equal(hst_memory_read(&back->memory, 0x7fff00000ff0, got, sizeof got), HST_OK);
    assert_memory_equal(got, bytes, sizeof got);
    assert_int_equal(hst_memory_read(&back->memory, UINT64_MAX - 31, got, 31), HST_OK);
    assert_memory_equal(got, bytes, 31);
    assert_int_equal(hst_memory_read(&back->memory, 0x1ff8, got, 8), HST_OK);
    assert_memory_equal(got, "\0\0\0\0\0\0\0\0", 8);
    assert_int_equal(hst_memory_read(&back->memory, 0x1ff9, got, 8), HST_E_TORN);
    assert_int_equal(hst_memory_read(&back->memory, UINT64_MAX - 3, got, 8), HST_E_TORN);
    assert_int_equal(back->memory.bytes, 10000 + 31 + 8);
    hst_snapshot_free(snapshot);
    hst_snapshot_free(back);
}

static void test_recorder_keeps_whole_pages(void **state)
{
    (void)state;
    struct hst_snapshot *source, *record;
    struct hst_memory *recorder;
    uint64_t value = 0x1122334455667788, got = 0;
    assert_int_equal(hst_snapshot_new(&source), HST_OK);
    assert_int_equal(hst_snapshot_new(&record), HST_OK);
    assert_int_equal(hst_snapshot_write(source, 0x5100, &value, 8), HST_OK);
    assert_int_equal(hst_snapshot_write(source, 0x5200, &value, 8), HST_OK);
    assert_int_equal(hst_snapshot_recorder(&source->memory, record, &recorder), HST_OK);
    assert_int_equal(hst_memory_read_u64(recorder, 0x5100, &got), HST_OK);
    assert_true(got == value);
    assert_int_equal(hst_memory_read_u64(recorder, 0x9000, &got), HST_E_TORN);
    got = 0;
    assert_int_equal(hst_memory_read_u64(&record->memory, 0x5200, &got), HST_OK);
    assert_true(got == value);
    assert_int_equal(record->page_count, 1);
    /* A second look goes to the record: the source may have moved on. */
    uint64_t other = 5;
    assert_int_equal(hst_snapshot_write(source, 0x5100, &other, 8), HST_OK);
    assert_int_equal(hst_memory_read_u64(recorder, 0x5100, &got), HST_OK);
    assert_true(got == value);
    hst_memory_free(recorder);
    hst_snapshot_free(source);
    hst_snapshot_free(record);
}

/* Of a long scan only the pages that hold the text, or that were read by themselves too, keep their bytes. */
static void test_thin_and_replace(void **state)
{
    (void)state;
    enum { BYTES = 64 * 4096 };
    struct hst_snapshot *source, *record;
    struct hst_memory *recorder;
    uint8_t *bytes = malloc(BYTES);
    assert_non_null(bytes);
    memset(bytes, 'x', BYTES);
    memcpy(bytes + 5 * 4096 + 100, "3.9.18 of /home/me/py", 21);
    assert_int_equal(hst_snapshot_new(&source), HST_OK);
    assert_int_equal(hst_snapshot_new(&record), HST_OK);
    assert_int_equal(hst_snapshot_write(source, 0, bytes, BYTES), HST_OK);
    assert_int_equal(hst_snapshot_recorder(&source->memory, record, &recorder), HST_OK);
    assert_int_equal(hst_memory_read(recorder, 0, bytes, BYTES), HST_OK);
    assert_int_equal(hst_memory_read(recorder, 9 * 4096, bytes, 1), HST_OK);
    hst_snapshot_thin(record, "3.9.18");
    hst_snapshot_replace(record, "/home/me", "/opt/xxx");
    hst_snapshot_replace(record, "/opt", "/o"); /* another length: nothing is done */
    for (uint64_t page = 0; page < 64; page++) {
        assert_int_equal(hst_memory_read(&record->memory, page * 4096, bytes, 4096), HST_OK);
        assert_int_equal(bytes[0], page == 5 || page == 9 ? 'x' : 0);
        if (page == 5)
            assert_memory_equal(bytes + 100, "3.9.18 of /opt/xxx/py", 21);
    }
    hst_memory_free(recorder);
    hst_snapshot_free(source);
    hst_snapshot_free(record);
    free(bytes);
}

static void test_what_is_no_snapshot(void **state)
{
    (void)state;
    struct hst_snapshot *snapshot = NULL;
    struct hst_error err;
    assert_int_equal(hst_snapshot_decode("", 0, &snapshot), HST_E_INVALID);
    assert_int_equal(hst_snapshot_decode("hstsnap1", 8, &snapshot), HST_E_INVALID);
    assert_int_equal(hst_snapshot_load("/proc/self/maps", &snapshot, &err), HST_E_INVALID);
    assert_non_null(strstr(err.text, "/proc/self/maps"));
    assert_int_equal(hst_snapshot_load("/nowhere", &snapshot, &err), HST_E_NOENT);
    assert_null(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_and_ranges),
        cmocka_unit_test(test_recorder_keeps_whole_pages),
        cmocka_unit_test(test_thin_and_replace),
        cmocka_unit_test(test_what_is_no_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
