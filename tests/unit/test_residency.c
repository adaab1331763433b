/* target/residency.c: numbers and kinds of mappings, and whose stacks they are. */
#include "child_image.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/memory.h"
#include "target/process.h"
#include "target/residency.h"

static const char text[] =
    "00400000-0041f000 r-xp 00000000 fe:00 247702                             /opt/lib one.so\n"
    "Size:                124 kB\nRss:                 100 kB\nPss:                  50 kB\nAnonymous:       "
    "      "
    "  8 kB\nSwap:                  0 kB\nVmFlags: rd ex mr mw me\n"
    "0041f000-00421000 rw-p 0001f000 fe:00 247702                             /opt/lib one.so (deleted)\n"
    "Rss:                   8 kB\nAnonymous:             4 kB\n"
    "00421000-00431000 rw-p 00000000 00:00 0 \n"
    "Rss:                  12 kB\nAnonymous:            12 kB\nSwap:                 20 kB\nSwapPss:        "
    "1 kB\n"
    "01c96000-01d81000 rw-p 00000000 00:00 0                                  [heap]\n"
    "Rss:                 999999999999999999999999 kB\n"
    "7f2ca0000000-7f2ca0021000 rw-s 00000000 00:01 77                         /dev/shm/x\n"
    "Rss:                   4 kB\n"
    "7f2cb0000000-7f2cb0021000 rw-s 00000000 fe:00 77                         /home/file\n"
    "7f2cc0000000-7f2cc0021000 rw-p 00000000 00:00 0                          [anon: glibc: malloc arena]\n"
    "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n"
    "7ffd10000000-7ffd10001000 r-xp 00000000 00:00 0                          [vdso]";

static void test_fields(void **state)
{
    (void)state;
    static const enum hst_residence_kind kinds[] = {
        HST_RESIDENCE_FILE,      HST_RESIDENCE_DATA,   HST_RESIDENCE_DATA,
        HST_RESIDENCE_HEAP,      HST_RESIDENCE_SHARED, HST_RESIDENCE_FILE,
        HST_RESIDENCE_ANONYMOUS, HST_RESIDENCE_STACK,  HST_RESIDENCE_SYSTEM};
    struct hst_residency residency = {0};
    assert_int_equal(hst_residency_parse(text, strlen(text), &residency), HST_OK);
    assert_int_equal(residency.count, HST_ARRAY_LENGTH(kinds));
    for (size_t i = 0; i < residency.count; i++)
        assert_int_equal(residency.items[i].kind, kinds[i]);
    assert_int_equal(residency.items[0].resident_bytes, 100 << 10);
    assert_int_equal(residency.items[0].own_bytes, 8 << 10);
    assert_int_equal(residency.items[2].swapped_bytes, 20 << 10);
    assert_string_equal(residency.items[2].path, "/opt/lib one.so (deleted)"); /* what is behind is its own */
    assert_int_equal(residency.items[3].resident_bytes, 0x01d81000 - 0x01c96000);
    assert_int_equal(residency.resident_bytes, (100 + 8 + 12 + 4) * 1024 + 0x01d81000 - 0x01c96000);
    assert_true(residency.is_measured);
    size_t length;
    const char *name = hst_residence_name(&residency.items[1], &length);
    assert_memory_equal(name, "lib one.so", length);
    assert_int_equal(length, strlen("lib one.so"));
    hst_residency_release(&residency);
}

static void test_what_is_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "\n", "Rss: 4 kB\n", "1000-2000 r--p\nRss: 4 kB\n",
                                      "2000-1000 r--p 0 0:0 0 \n"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(bad); i++) {
        struct hst_residency residency = {0};
        assert_int_equal(hst_residency_parse(bad[i], strlen(bad[i]), &residency), HST_E_INVALID);
        assert_null(residency.items);
    }
    struct hst_residency residency = {0};
    assert_int_equal(hst_residency_read(1 << 30, &residency), HST_E_GONE);
}

enum { THREADS = 20, TOUCHED = 300 << 10 };
struct stack {
    uint64_t inside;
    int tid;
};
static struct stack stacks[THREADS];
static pthread_barrier_t barrier;

static void *run(void *context)
{
    struct stack *stack = context;
    char local[TOUCHED];
    memset(local, 1, sizeof local);
    __asm__ volatile("" : : "r"(local) : "memory");
    *stack = (struct stack){(uintptr_t)local, (int)syscall(SYS_gettid)};
    (void)pthread_barrier_wait(&barrier);
    for (;;)
        (void)pause();
    return NULL;
}

static void plant(int fd)
{
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    (void)pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_attr_setstacksize(&attributes, i % 4 == 0 ? 1 << 20 : 8 << 20);
        (void)pthread_create(&threads[i], &attributes, run, &stacks[i]);
    }
    (void)pthread_barrier_wait(&barrier);
    (void)!hst_fd_write_all(fd, stacks, sizeof stacks);
}

static void check_stacks(const struct hst_residency *residency)
{
    size_t found = 0;
    for (size_t i = 0; i < residency->count; i++)
        if (residency->items[i].stack_end != 0) {
            const struct hst_residence *row = &residency->items[i];
            for (size_t k = 0; k < THREADS; k++)
                found += stacks[k].tid == row->tid && stacks[k].inside > row->start &&
                         stacks[k].inside + TOUCHED < row->stack_end;
            assert_true(row->resident_bytes >= TOUCHED);
        }
    assert_int_equal(found, THREADS);
}

static void test_stacks(void **state)
{
    (void)state;
    struct child_image child;
    struct hst_residency residency = {0};
    int *tids;
    size_t count, others = 0;
    child_image_take(&child, plant, stacks, sizeof stacks);
    assert_int_equal(hst_residency_read(child.pid, &residency), HST_OK);
    assert_int_equal(hst_process_threads(child.pid, &tids, &count), HST_OK);
    hst_residency_find_stacks(&residency, &child.image.memory, tids, count);
    check_stacks(&residency);
    hst_residency_find_stacks(&residency, child.memory, tids, count); /* and in the process itself */
    check_stacks(&residency);
    for (size_t i = 0; i < residency.count; i++)
        others += residency.items[i].stack_end != 0;
    assert_int_equal(others, THREADS);
    hst_free(tids);
    hst_residency_release(&residency);
    child_image_release(&child);
}

/* Stacks of the same size with other memory right behind, which the system made one mapping of. */
enum { FAKE_STACK = 1 << 20, FAKE_BEHIND = 200 << 10, FAKE_AT = FAKE_STACK - 2304 };
#define FAKE_START UINT64_C(0x7f0000002000)
#define FAKE_STEP UINT64_C(0x0ffff000) /* some begin where an arena of malloc might */

static enum hst_status read_fake(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hst_raddr start = FAKE_START + (pieces[i].address - FAKE_START) / FAKE_STEP * FAKE_STEP;
        const uint64_t words[] = {start + FAKE_AT, 1, start + FAKE_AT};
        memset(pieces[i].into, 0, pieces[i].length);
        for (size_t k = 0; k < HST_ARRAY_LENGTH(words); k++) {
            hst_raddr at = start + FAKE_AT + k * sizeof *words - pieces[i].address;
            if (at < pieces[i].length)
                memcpy((uint8_t *)pieces[i].into + at, &words[k], sizeof *words);
        }
        memory->bytes += pieces[i].length;
    }
    return HST_OK;
}

static void test_stacks_in_larger_mappings(void **state)
{
    (void)state;
    enum { COUNT = 9 };
    struct hst_mapping mappings[2 * COUNT];
    struct hst_residency residency = {0};
    struct hst_memory memory = {.read = read_fake};
    char none[] = "";
    for (size_t i = 0; i < COUNT; i++) {
        hst_raddr start = FAKE_START + i * FAKE_STEP, end = start + FAKE_STACK + FAKE_BEHIND * (i % 3);
        mappings[2 * i] = (struct hst_mapping){start - 4096, start, 0, 0, none};
        mappings[2 * i + 1] = (struct hst_mapping){start, end, 0, HST_MAP_READ | HST_MAP_WRITE, none};
    }
    const struct hst_maps maps = {.items = mappings, .count = HST_ARRAY_LENGTH(mappings)};
    assert_int_equal(hst_residency_from_maps(&maps, &residency), HST_OK);
    hst_residency_find_stacks(&residency, &memory, NULL, 0);
    for (size_t i = 0; i < residency.count; i++)
        assert_true(residency.items[i].stack_end == (i % 2 == 1 ? residency.items[i].start + FAKE_STACK : 0));
    assert_true(memory.bytes < (uint64_t)4
                                   << 20); /* one was searched for, which taught where the others are */
    hst_residency_release(&residency);
}

static char variable[5 << 20]; /* .bss */

/* Variables end where the headers say, also if other memory came to lie right behind. */
static void test_data(void **state)
{
    (void)state;
    struct hst_residency residency = {0};
    struct hst_memory *memory;
    hst_raddr at = (uintptr_t)variable + sizeof variable - 1;
    size_t found = 0;
    variable[0] = 1;
    assert_int_equal(hst_residency_read((int)getpid(), &residency), HST_OK);
    assert_int_equal(hst_memory_live((int)getpid(), &memory), HST_OK);
    for (size_t i = 0; i < residency.count; i++) {
        struct hst_residence *row = &residency.items[i];
        if (row->kind == HST_RESIDENCE_DATA && at >= row->start && at < row->end) {
            hst_raddr end = row->end;
            row->end += 1 << 20;
            hst_residency_find_data(&residency, memory);
            assert_true(row->data_end == end);
            found++;
        }
        assert_true(row->kind != HST_RESIDENCE_DATA || row->data_end <= row->end);
    }
    assert_int_equal(found, 1);
    hst_memory_free(memory);
    hst_residency_release(&residency);
}

/* A file of data that may be written to has no variables. */
static void test_file_of_data(void **state)
{
    (void)state;
    struct hst_residency residency = {0};
    struct hst_memory *memory;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), 8192), 0);
    char *mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file), 0);
    assert_true(mapped != MAP_FAILED);
    mapped[0] = 1;
    assert_int_equal(hst_residency_read((int)getpid(), &residency), HST_OK);
    assert_int_equal(hst_memory_live((int)getpid(), &memory), HST_OK);
    for (int looked = 0; looked < 2; looked++) {
        size_t found = 0;
        for (size_t i = 0; i < residency.count; i++)
            if (residency.items[i].start == (uintptr_t)mapped) {
                assert_int_equal(residency.items[i].kind, looked ? HST_RESIDENCE_FILE : HST_RESIDENCE_DATA);
                assert_int_equal(residency.items[i].own_bytes, 4096);
                found++;
            }
        assert_int_equal(found, 1);
        hst_residency_find_data(&residency, memory);
    }
    (void)munmap(mapped, 8192);
    (void)fclose(file);
    hst_memory_free(memory);
    hst_residency_release(&residency);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields), cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_stacks), cmocka_unit_test(test_stacks_in_larger_mappings),
        cmocka_unit_test(test_data),   cmocka_unit_test(test_file_of_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
