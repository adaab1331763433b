/* The copy of a thread's data stack, over chunks that grow, are left and are replaced between two copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/stack_view.h"
#include "target/snapshot.h"

enum {
    TSTATE = 0x10000,
    LOW = 0x100000,
    HIGH = 0x200000,
    LOOSE = 0x300000,
    CHUNK_BYTES = 16384,
    HEAD_BYTES = 24
};

static struct hst_snapshot *memory;
static const struct hst_abi *abi;

static void put(hst_raddr at, uint64_t value)
{
    assert_int_equal(hst_snapshot_write(memory, at, &value, sizeof value), HST_OK);
}

static void put_chunk(hst_raddr base, hst_raddr previous, uint64_t size, uint64_t used_bytes)
{
    put(base, previous);
    put(base + 8, size);
    put(base + 16, used_bytes / 8);
    for (uint64_t at = HEAD_BYTES; at < size; at += 8)
        put(base + at, base + at); /* every word says where it is */
}

static void put_top(hst_raddr chunk, hst_raddr top)
{
    put(TSTATE + abi->tstate_datastack_chunk, chunk);
    put(TSTATE + abi->tstate_datastack_chunk + 8, top);
}

static int set_up(void **state)
{
    (void)state;
    abi = hst_abi_find(13, 0);
    if (hst_snapshot_new(&memory) != HST_OK)
        return 1;
    put(TSTATE, 0);
    put_chunk(LOW, 0, CHUNK_BYTES, 0);
    put_chunk(HIGH, LOW, CHUNK_BYTES, 0);
    put_chunk(LOOSE, 0, 4096, 0);
    put_top(LOW, LOW + 1000);
    put(TSTATE + abi->tstate_frame, LOW + HEAD_BYTES);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    hst_snapshot_free(memory);
    return 0;
}

static void assert_word(struct hst_stack_view *view, hst_raddr address)
{
    const uint8_t *bytes = hst_stack_view_get(view, address, 8);
    uint64_t word;
    assert_non_null(bytes);
    memcpy(&word, bytes, sizeof word);
    assert_true(word == address);
}

static void test_one_read_for_the_known(void **state)
{
    (void)state;
    struct hst_stack_view view;
    hst_stack_view_init(&view, &memory->memory, abi, TSTATE);
    assert_int_equal(hst_stack_view_read(&view), HST_OK);
    assert_true(view.top_frame == LOW + HEAD_BYTES);
    assert_word(&view, LOOSE + 64);
    uint64_t reads = memory->memory.reads;
    assert_int_equal(hst_stack_view_read(&view), HST_OK);
    for (hst_raddr at = LOW + HEAD_BYTES; at < LOW + 1000; at += 8)
        assert_word(&view, at);
    assert_word(&view, LOOSE + 64);
    assert_int_equal(memory->memory.reads - reads, 1);
    assert_word(&view, LOW + CHUNK_BYTES - 8); /* beyond what was in use: read on */
    assert_null(hst_stack_view_get(&view, LOW + CHUNK_BYTES - 4, 8));
    assert_null(hst_stack_view_get(&view, 0x900000, 8));
    assert_null(hst_stack_view_get(&view, LOOSE + 3, 8));
    assert_null(hst_stack_view_peek(&view, 0x900000, 8));
    hst_stack_view_release(&view);
}

static void test_chunks_come_and_go(void **state)
{
    (void)state;
    struct hst_stack_view view;
    hst_stack_view_init(&view, &memory->memory, abi, TSTATE);
    for (int i = 0; i < 4; i++) {
        put(LOW + 16, (CHUNK_BYTES - 64) / 8);
        put_top(HIGH, HIGH + 512);
        assert_int_equal(hst_stack_view_read(&view), HST_OK);
        assert_int_equal(view.active, 2);
        assert_word(&view, HIGH + 500 / 8 * 8);
        assert_word(&view, LOW + CHUNK_BYTES - 128);
        put_top(LOW, LOW + 2048);
        assert_int_equal(hst_stack_view_read(&view), HST_OK);
        assert_int_equal(view.active, 1);
        assert_word(&view, LOW + 2040);
    }
    hst_stack_view_release(&view);
}

/* The lower chunk was freed and a larger one mapped at its address, fuller than the old one could be: only as
 * much is copied as there is room for. */
static void test_a_chunk_is_replaced_by_a_larger_one(void **state)
{
    (void)state;
    struct hst_stack_view view;
    hst_stack_view_init(&view, &memory->memory, abi, TSTATE);
    put_top(HIGH, HIGH + 512);
    assert_int_equal(hst_stack_view_read(&view), HST_OK);
    put_top(LOW, LOW + 64);
    assert_int_equal(hst_stack_view_read(&view), HST_OK);
    put_chunk(LOW, 0, 8 * CHUNK_BYTES, 8 * CHUNK_BYTES - 64);
    put_top(HIGH, HIGH + 512);
    assert_int_equal(hst_stack_view_read(&view), HST_OK);
    for (size_t i = 0; i < view.active; i++)
        assert_true(view.chunks[i].valid <= view.chunks[i].size &&
                    view.chunks[i].used <= view.chunks[i].size);
    assert_word(&view, HIGH + 256);
    assert_word(&view, LOW + 4096);
    hst_stack_view_release(&view);
}

static void test_chunks_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        uint64_t previous, size, used_words;
    } bad[] = {{HIGH, CHUNK_BYTES, 0}, /* its own predecessor */
               {0, 8, 0},              /* smaller than its head */
               {0, 1ull << 40, 0},     /* too large */
               {0, CHUNK_BYTES, 1ull << 30},
               {0x900000, CHUNK_BYTES, 0}, /* predecessor not mapped */
               {LOW + 4, CHUNK_BYTES, 0}};
    struct hst_stack_view view;
    hst_stack_view_init(&view, &memory->memory, abi, TSTATE);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put_top(HIGH, HIGH + 512);
        put(HIGH, bad[i].previous);
        put(HIGH + 8, bad[i].size);
        put(HIGH + 16, bad[i].used_words);
        assert_int_equal(hst_stack_view_read(&view), HST_E_TORN);
        assert_int_equal(view.active, 0);
        /* And all is well again when the memory is. */
        put(HIGH, LOW);
        put(HIGH + 8, CHUNK_BYTES);
        put(HIGH + 16, 0);
        assert_int_equal(hst_stack_view_read(&view), HST_OK);
        assert_int_equal(view.active, 2);
        assert_word(&view, HIGH + 256);
        put_top(0x800000, 0); /* so that the next one is new */
        assert_int_equal(hst_stack_view_read(&view), HST_E_TORN);
    }
    assert_true(view.buffer_capacity < 4u << 20);
    hst_stack_view_release(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_read_for_the_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_chunks_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_chunk_is_replaced_by_a_larger_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_chunks_that_cannot_be, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
