/* Memory built from a version's table, for layouts of which there is no recording: builds without the
 * interpreter lock, whose threads may run copies of the bytecode of their own. One thread, three functions
 * and a generator between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "replay.h"
#include "target/snapshot.h"

enum {
    RUNTIME = 0x100000,
    INTERPRETER = 0x200000,
    THREAD = 0x300000,
    SECOND_THREAD = 0x310000,
    CHUNK = 0x400000,
    CHUNK_BYTES = 16384,
    ENTRY = 0x480000,
    GENERATOR = 0x500000,
    OBJECTS = 0x600000, /* code objects and texts, OBJECT_BYTES apart */
    OBJECT_BYTES = 1024,
    CODE_TYPE = 0x700000,
    COPIES = 0x710000, /* of bytecode */
};

struct world {
    struct hst_snapshot *snapshot;
    const struct hst_abi *abi;
    struct hst_runtime runtime;
    hst_raddr next_object, next_frame, previous, chunk_used;
};

static void put(struct world *world, hst_raddr at, const void *data, size_t length)
{
    assert_int_equal(hst_snapshot_write(world->snapshot, at, data, length), HST_OK);
}
static void put_u64(struct world *world, hst_raddr at, uint64_t value) { put(world, at, &value, 8); }
static void put_u32(struct world *world, hst_raddr at, uint32_t value) { put(world, at, &value, 4); }

static hst_raddr new_object(struct world *world)
{
    hst_raddr at = world->next_object;
    world->next_object += OBJECT_BYTES;
    return at;
}

static hst_raddr add_text(struct world *world, const char *text)
{
    hst_raddr at = new_object(world);
    const struct hst_abi *abi = world->abi;
    unsigned shift = abi->free_threaded && abi->minor >= 14 ? 8 : 2;
    put_u64(world, at + abi->str_length, strlen(text));
    put_u32(world, at + abi->str_state, (1u | 1u << 3 | 1u << 4) << shift);
    put(world, at + abi->str_ascii_data, text, strlen(text));
    return at;
}

/* A code object of 8 code units, the nth on line first_line + n. */
static hst_raddr add_code(struct world *world, const char *name, uint32_t first_line)
{
    const struct hst_abi *abi = world->abi;
    uint8_t table[16];
    for (size_t i = 0; i < sizeof table; i += 2) { /* one unit, lines on: 0 first, then 1 each */
        table[i] = 0x80 | 13 << 3;
        table[i + 1] = i == 0 ? 0 : 2;
    }
    hst_raddr bytes = new_object(world), qualname = add_text(world, name), code = new_object(world);
    put_u64(world, bytes + abi->var_size, sizeof table);
    put(world, bytes + abi->bytes_data, table, sizeof table);
    put_u64(world, code + abi->object_type, CODE_TYPE);
    put_u64(world, code + abi->var_size, 8);
    put_u64(world, code + abi->code_filename, add_text(world, "/made/up.py"));
    put_u64(world, code + abi->code_name, qualname);
    put_u64(world, code + abi->code_qualname, qualname);
    put_u64(world, code + abi->code_linetable, bytes);
    put_u32(world, code + abi->code_first_line, first_line);
    put_u32(world, code + abi->code_nlocalsplus, 1);
    put_u32(world, code + abi->code_stacksize, 3);
    put_u32(world, code + abi->code_framesize, abi->frame_size / 8 + 4);
    return code;
}

/* A frame at address, the callee of the one made before; unit: number of its instruction; copy: which copy of
 * the bytecode it runs, 0 = the code object's own. */
static void add_frame(struct world *world, hst_raddr address, hst_raddr code, hst_raddr function,
                      uint64_t unit, uint8_t owner, int32_t copy)
{
    const struct hst_abi *abi = world->abi;
    hst_raddr bytecode = copy > 0 ? (hst_raddr)COPIES + (uint64_t)copy * 4096 : code + abi->code_bytecode;
    put_u64(world, address + abi->frame_previous, world->previous);
    put_u64(world, address + abi->frame_code, abi->minor >= 14 ? code | 1 : code);
    put_u64(world, address + abi->frame_function, function);
    put_u64(world, address + abi->frame_instruction, bytecode + unit * 2);
    put(world, address + abi->frame_owner, &owner, 1);
    if (abi->frame_tlbc_index != 0)
        put_u32(world, address + abi->frame_tlbc_index, (uint32_t)copy);
    hst_raddr stack = address + abi->frame_localsplus + 8; /* above the one local variable */
    if (abi->minor >= 14)
        put_u64(world, address + abi->frame_stack_top, stack);
    else
        put_u32(world, address + abi->frame_stack_top, 1);
    world->previous = address;
}

/* On the data stack, called by the frame before: that one's value stack still holds the function. */
static void push_frame(struct world *world, hst_raddr code, uint64_t unit, int32_t copy)
{
    const struct hst_abi *abi = world->abi;
    hst_raddr function = new_object(world), at = world->next_frame;
    put_u64(world, function, 1);
    if (world->previous != 0)
        put_u64(world, world->previous + abi->frame_localsplus + 8, function);
    add_frame(world, at, code, function, unit, 0, copy);
    world->next_frame += abi->frame_size + 4 * 8;
}

static void add_thread(struct world *world, hst_raddr thread, hst_raddr next, uint64_t number)
{
    const struct hst_abi *abi = world->abi;
    put_u64(world, thread + abi->tstate_size, 0); /* the pages of all of it are there */
    put_u64(world, thread + abi->tstate_interp, INTERPRETER);
    put_u64(world, thread + abi->tstate_next, next);
    put_u64(world, thread + abi->tstate_thread_id, 0x7f0000000000 + number);
    put_u64(world, thread + abi->tstate_native_thread_id, number);
}

static void build(struct world *world, unsigned minor, int free_threaded)
{
    *world = (struct world){
        .abi = hst_abi_find(minor, free_threaded), .next_object = OBJECTS, .next_frame = CHUNK + 24};
    const struct hst_abi *abi = world->abi;
    assert_non_null(abi);
    assert_int_equal(hst_snapshot_new(&world->snapshot), HST_OK);
    world->runtime = (struct hst_runtime){
        .memory = &world->snapshot->memory, .abi = *abi, .address = RUNTIME, .code_type = CODE_TYPE};
    put_u64(world, RUNTIME + abi->runtime_interpreters_head, INTERPRETER);
    put_u64(world, INTERPRETER + abi->interp_next, 0);
    put_u64(world, INTERPRETER + abi->interp_id, 0);
    put_u64(world, INTERPRETER + abi->interp_threads_head, SECOND_THREAD);
    put_u32(world, INTERPRETER + abi->interp_gc_collecting, 1);
    add_thread(world, SECOND_THREAD, THREAD, 78);
    add_thread(world, THREAD, 0, 77);
    /* Below the outermost frame is one of the interpreter's own, to which 3.15 keeps a pointer. */
    add_frame(world, ENTRY, CODE_TYPE, 0, 0, 3, 0);
    if (abi->tstate_base_frame != 0) {
        put_u64(world, THREAD + abi->tstate_base_frame, ENTRY);
        put_u64(world, SECOND_THREAD + abi->tstate_base_frame, ENTRY);
    }
    hst_raddr module = add_code(world, "<module>", 1), work = add_code(world, "Some.work", 20),
              items = add_code(world, "Some.items", 40), leaf = add_code(world, "leaf", 60);
    push_frame(world, module, 2, 0);
    /* Two copies of work's bytecode; the thread runs the second. */
    if (abi->code_tlbc != 0) {
        put_u64(world, work + abi->code_tlbc, COPIES);
        put_u64(world, COPIES, 3);
        put_u64(world, COPIES + 8, work + abi->code_bytecode);
        put_u64(world, COPIES + 16, COPIES + 4096);
        put_u64(world, COPIES + 24, COPIES + 8192);
    }
    push_frame(world, work, 5, abi->code_tlbc != 0 ? 2 : 0);
    put_u64(world, world->previous + abi->frame_localsplus, GENERATOR); /* just below its stack's top */
    add_frame(world, GENERATOR + abi->gen_frame, items, 0, 1, 1, 0);
    push_frame(world, leaf, 7, 0);
    put_u64(world, THREAD + abi->tstate_frame, world->previous);
    put_u64(world, THREAD + abi->tstate_datastack_chunk, CHUNK);
    put_u64(world, THREAD + abi->tstate_datastack_chunk + 8, world->next_frame);
    put_u64(world, CHUNK, 0);
    put_u64(world, CHUNK + 8, CHUNK_BYTES);
    put_u64(world, CHUNK + 16, 0);
    put_u64(world, CHUNK + CHUNK_BYTES - 8, 0);
    put_u64(world, SECOND_THREAD + abi->tstate_frame, abi->tstate_base_frame != 0 ? (hst_raddr)ENTRY : 0);
}

static const char expected[] = "thread\n"
                               "thread\n"
                               "  <module> /made/up.py:3-3:-1--1\n"
                               "  Some.work /made/up.py:25-25:-1--1\n"
                               "  Some.items /made/up.py:41-41:-1--1\n"
                               "  leaf /made/up.py:67-67:-1--1\n";

static void check_version(unsigned minor, int free_threaded)
{
    struct world world;
    struct replay replay;
    struct hst_buffer text;
    build(&world, minor, free_threaded);
    hst_buffer_init(&text, 0);
    assert_int_equal(replay_start(&world.snapshot->memory, &world.runtime, &replay), HST_OK);
    assert_int_equal(replay.thread_count, 2);
    assert_true(replay.threads[0].native_id == 78 && replay.threads[1].native_id == 77);
    for (uint64_t now = 1; now < 4; now++) {
        hst_buffer_clear(&text);
        enum hst_status status = replay_stacks(&replay, now * 1000000000, &text);
        if (status != HST_OK || strcmp((char *)text.data, expected) != 0)
            fail_msg("3.%u%s: %s\n%s", minor, free_threaded ? "t" : "", hst_status_name(status),
                     (char *)text.data);
        assert_int_equal(replay.frames.stats.torn, 0);
    }
    hst_buffer_release(&text);
    replay_close(&replay);
    hst_snapshot_free(world.snapshot);
}

static void test_free_threaded(void **state)
{
    (void)state;
    for (unsigned minor = 13; minor <= 15; minor++)
        check_version(minor, 1);
}

/* The same memory with the lock, so that what differs above is the layout alone. */
static void test_with_the_lock(void **state)
{
    (void)state;
    for (unsigned minor = 13; minor <= 15; minor++)
        check_version(minor, 0);
}

static void test_no_lock_is_no_holder(void **state)
{
    (void)state;
    for (unsigned minor = 13; minor <= 15; minor++) {
        struct world world;
        struct hst_gil gil = {.holder = 1};
        build(&world, minor, 1);
        assert_int_equal(hst_runtime_gil(&world.runtime, INTERPRETER, &gil), HST_OK);
        assert_true(gil.address == 0 && gil.holder == 0);
        assert_int_equal(gil.collecting, 1);
        hst_snapshot_free(world.snapshot);
    }
}

/* A thread that says it runs a copy which the code object does not have: no stack beyond the frame below it.
 */
static void test_copy_that_is_not_there(void **state)
{
    (void)state;
    struct world world;
    struct replay replay;
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    build(&world, 14, 1);
    put_u64(&world, COPIES + 24, 0x12345678);
    assert_int_equal(replay_start(&world.snapshot->memory, &world.runtime, &replay), HST_OK);
    enum hst_status status = replay_stacks(&replay, 1, &text);
    assert_true(replay.frames.stats.torn > 0);
    if (status == HST_OK)
        assert_null(strstr((char *)text.data, "Some.work"));
    hst_buffer_release(&text);
    replay_close(&replay);
    hst_snapshot_free(world.snapshot);
}

/* Lists of threads, interpreters and chunks that go round end. */
static void test_circles_end(void **state)
{
    (void)state;
    struct world world;
    struct hst_tstate *threads = NULL;
    size_t count = 0;
    build(&world, 13, 0);
    put_u64(&world, THREAD + world.abi->tstate_next, SECOND_THREAD);
    assert_int_equal(hst_runtime_threads(&world.runtime, &threads, &count), HST_E_TORN);
    put_u64(&world, THREAD + world.abi->tstate_next, 0);
    put_u64(&world, CHUNK, CHUNK);
    struct replay replay;
    assert_int_equal(replay_start(&world.snapshot->memory, &world.runtime, &replay), HST_OK);
    uint32_t stack;
    assert_int_equal(hst_walk_read(&replay.frames, replay.walks[1], 1, 2, &stack), HST_E_TORN);
    assert_true(world.snapshot->memory.reads < 10000000);
    replay_close(&replay);
    put_u64(&world, CHUNK, 0);
    put_u64(&world, world.previous + world.abi->frame_previous,
            world.previous); /* a frame that called itself */
    assert_int_equal(replay_start(&world.snapshot->memory, &world.runtime, &replay), HST_OK);
    assert_int_equal(hst_walk_read(&replay.frames, replay.walks[1], 1, 2, &stack), HST_E_TORN);
    replay_close(&replay);
    hst_snapshot_free(world.snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_threaded),        cmocka_unit_test(test_with_the_lock),
        cmocka_unit_test(test_no_lock_is_no_holder), cmocka_unit_test(test_copy_that_is_not_there),
        cmocka_unit_test(test_circles_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
