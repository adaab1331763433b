/* target/residency.c: numbers and kinds of mappings, and whose stacks they are. */
#include "child_image.h"

#include <pthread.h>
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

/* Memory right above stacks: the system makes one mapping of both, if both or none may have large pages. */
static void plant(int fd)
{
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    (void)pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++) {
        size_t above = i % 3 * 40960 + 8192;
        void *memory = mmap(NULL, above, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory != MAP_FAILED && i % 2 == 0)
            (void)madvise(memory, above, MADV_NOHUGEPAGE);
        (void)pthread_attr_setstacksize(&attributes, i % 4 == 0 ? 1 << 20 : 8 << 20);
        (void)pthread_create(&threads[i], &attributes, run, &stacks[i]);
    }
    (void)pthread_barrier_wait(&barrier);
    (void)!hst_fd_write_all(fd, stacks, sizeof stacks);
}

static void check_stacks(const struct hst_residency *residency)
{
    size_t found = 0, merged = 0;
    for (size_t i = 0; i < residency->count; i++)
        if (residency->items[i].stack_end != 0) {
            const struct hst_residence *row = &residency->items[i];
            for (size_t k = 0; k < THREADS; k++)
                found += stacks[k].tid == row->tid && stacks[k].inside > row->start &&
                         stacks[k].inside + TOUCHED < row->stack_end;
            merged += row->stack_end < row->end;
            assert_true(row->resident_bytes >= TOUCHED);
        }
    assert_int_equal(found, THREADS);
    assert_true(merged > 0); /* or the test does not test what it is for */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_stacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
