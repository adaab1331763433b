/* Timelines: the block alone, its way through a store, and what the agent's own code writes as hasten reads
 * it. */
#include "store_fixture.h"

#include "agent/arena.h"
#include "agent/timeline.h"
#include "capture/agent_maps.h"
#include "store/timeline_block.h"
#include "store/timeline_reader.h"

/* --- the block --- */

struct block {
    struct hst_timeline_row rows[HST_TIMELINE_EVENTS];
    struct hst_timeline_head head;
};

static struct block one, other;

static void make_block(struct block *block, uint64_t seed, uint32_t events, uint32_t words)
{
    block->head = (struct hst_timeline_head){.base_ns = next_random(&seed) % 1000000000,
                                             .lost = next_random(&seed) % 3,
                                             .start = (uint32_t)next_random(&seed),
                                             .events = events};
    uint64_t at_ns = block->head.base_ns;
    for (uint32_t i = 0; i < events; i++) {
        uint64_t pause = next_random(&seed) % 100 == 0 ? next_random(&seed) % (UINT64_C(1) << 40) : 0;
        at_ns += next_random(&seed) % 100 + pause;
        block->rows[i] = (struct hst_timeline_row){
            .time_ns = at_ns, .entered = next_random(&seed) % 2 ? (uint32_t)(next_random(&seed) % words) : 0};
    }
}

static struct hst_buffer encode(const struct block *block)
{
    struct hst_buffer bytes;
    struct hst_timeline_encoder *encoder = hst_timeline_encoder_new();
    hst_buffer_init(&bytes, 0);
    assert_non_null(encoder);
    assert_int_equal(hst_timeline_encode(encoder, &block->head, block->rows, &bytes), HST_OK);
    hst_timeline_encoder_free(encoder);
    return bytes;
}

static enum hst_status decode(const void *data, size_t length, struct block *ret_block)
{
    struct hst_timeline_decoder *decoder = hst_timeline_decoder_new();
    const struct hst_timeline_row *rows;
    const char *reason = NULL;
    assert_non_null(decoder);
    enum hst_status status = hst_timeline_decode(decoder, data, length, &ret_block->head, &rows, &reason);
    if (status == HST_OK)
        memcpy(ret_block->rows, rows, ret_block->head.events * sizeof *rows);
    else
        assert_non_null(reason);
    hst_timeline_decoder_free(decoder);
    return status;
}

static void test_block_is_exact(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 255, 256, 257, 5000, HST_TIMELINE_EVENTS};
    static const uint32_t words[] = {1, 2, 200, 300, 100000, UINT32_MAX};
    for (size_t c = 0; c < HST_ARRAY_LENGTH(counts); c++)
        for (size_t w = 0; w < HST_ARRAY_LENGTH(words); w++) {
            make_block(&one, 17 * c + w + 1, counts[c], words[w]);
            struct hst_buffer bytes = encode(&one);
            assert_int_equal(decode(bytes.data, bytes.length, &other), HST_OK);
            assert_memory_equal(&one.head, &other.head, sizeof one.head);
            for (uint32_t i = 0; i < counts[c]; i++)
                assert_true(one.rows[i].time_ns == other.rows[i].time_ns &&
                            one.rows[i].entered == other.rows[i].entered);
            hst_buffer_release(&bytes);
        }
}

static void test_block_is_small(void **state)
{
    (void)state;
    uint64_t seed = 1, at_ns = 0;
    one.head = (struct hst_timeline_head){.events = HST_TIMELINE_EVENTS};
    for (uint32_t i = 0; i < HST_TIMELINE_EVENTS; i++) /* a loop of calls, as a fine clock sees it */
        one.rows[i] = (struct hst_timeline_row){.time_ns = at_ns += 30 + next_random(&seed) % 40,
                                                .entered = i % 2 ? 0 : 7};
    struct hst_buffer bytes = encode(&one);
    assert_true(bytes.length < HST_TIMELINE_EVENTS);
    hst_buffer_release(&bytes);
}

static void test_damaged_blocks_are_refused(void **state)
{
    (void)state;
    uint64_t seed = 99;
    make_block(&one, 5, 3000, 400);
    struct hst_buffer bytes = encode(&one);
    for (size_t length = 0; length < bytes.length; length += 1 + length / 50)
        assert_int_equal(decode(bytes.data, length, &other), HST_E_CORRUPT);
    for (int i = 0; i < 500; i++) {
        size_t at = next_random(&seed) % bytes.length;
        bytes.data[at] ^= (uint8_t)(1 + next_random(&seed) % 255);
        (void)decode(bytes.data, bytes.length, &other);
    }
    hst_buffer_release(&bytes);
}

/* --- through a store --- */

struct events {
    struct hst_call_event rows[64];
    size_t count;
};

static enum hst_status collect(void *context, const struct hst_call_event *event)
{
    struct events *events = context;
    assert_true(events->count < HST_ARRAY_LENGTH(events->rows));
    events->rows[events->count++] = *event;
    return HST_OK;
}

static void expect(const struct events *events, size_t i, int kind, uint32_t stack, uint64_t time_ns,
                   int continued)
{
    assert_true(i < events->count);
    const struct hst_call_event *event = &events->rows[i];
    if (event->kind != kind || event->stack != stack || event->time_ns != time_ns ||
        event->continued != continued)
        fail_msg("event %zu: kind %d stack %u time %llu continued %d", i, event->kind, event->stack,
                 (unsigned long long)event->time_ns, event->continued);
}

/* A thread, and stacks 1 under 0, 2 under 1, 3 under 1. */
static void make_profile(struct hst_profile *profile)
{
    assert_true(hst_profile_init(profile));
    struct hst_process process = {.pid = 7};
    assert_int_equal(hst_profile_add_process(profile, &process), 0);
    struct hst_thread thread = {.native_id = 8, .end_ns = 1000};
    assert_int_equal(hst_profile_add_thread(profile, &thread), 0);
    uint32_t locations[3];
    for (uint32_t i = 0; i < 3; i++) {
        struct hst_function function = {.first_line = i};
        struct hst_location location = {.function = hst_profile_function(profile, &function)};
        locations[i] = hst_profile_location(profile, &location);
    }
    assert_int_equal(hst_profile_stack(profile, 0, locations[0]), 1);
    assert_int_equal(hst_profile_stack(profile, 1, locations[1]), 2);
    assert_int_equal(hst_profile_stack(profile, 1, locations[2]), 3);
}

static void add(struct hst_run_writer *writer, int kind, uint32_t stack, uint64_t time_ns, uint64_t lost)
{
    const struct hst_call_event event = {
        .time_ns = time_ns, .stack = stack, .kind = (uint8_t)kind, .lost = lost};
    assert_int_equal(hst_run_writer_event(writer, &event), HST_OK);
}

static void test_store(void **state)
{
    struct hst_store *store = NULL;
    struct hst_run_writer *writer = NULL;
    struct hst_run_info info = {.kind = HST_RUN_TRACED, .exit_status = -1};
    struct hst_error err = {0};
    struct hst_profile profile;
    make_profile(&profile);
    assert_int_equal(hst_store_open(in_folder(state, "store.db"), HST_STORE_WRITE, &store, &err), HST_OK);
    assert_int_equal(hst_run_writer_new(store, &info, &writer, &err), HST_OK);
    add(writer, HST_CALL_ENTER, 1, 100, 0);
    add(writer, HST_CALL_ENTER, 2, 110, 0);
    assert_int_equal(hst_run_writer_flush(writer, &profile, &info, &err), HST_OK);
    add(writer, HST_CALL_LEAVE, 1, 120, 0);
    add(writer, HST_CALL_MOVE, 3, 300, 5); /* events were dropped: it is in another call */
    add(writer, HST_CALL_LEAVE, 1, 310, 0);
    add(writer, HST_CALL_ENTER, 2, 320, 0);
    assert_int_equal(hst_run_writer_finish(writer, &profile, &info, &err), HST_OK);
    hst_run_writer_free(writer);
    struct events events = {.count = 0};
    assert_int_equal(hst_timeline_read(store, info.number, &profile, collect, &events, &err), HST_OK);
    assert_int_equal(events.count, 8);
    expect(&events, 0, HST_CALL_ENTER, 1, 100, 0);
    expect(&events, 1, HST_CALL_ENTER, 2, 110, 0);
    expect(&events, 2, HST_CALL_LEAVE, 1, 120, 0);
    expect(&events, 3, HST_CALL_ENTER, 3, 300, 1);
    expect(&events, 4, HST_CALL_LEAVE, 1, 310, 0);
    expect(&events, 5, HST_CALL_ENTER, 2, 320, 0);
    expect(&events, 6, HST_CALL_LEAVE, 1, 1000, 0); /* the end of the thread */
    expect(&events, 7, HST_CALL_LEAVE, 0, 1000, 0);
    uint64_t count;
    assert_int_equal(hst_timeline_count(store, info.number, &count, &err), HST_OK);
    assert_int_equal(count, 5);
    hst_profile_release(&profile);
    hst_store_free(store);
}

/* --- the agent's side --- */

struct agent {
    char folder[64];
    struct hst_agent_thread *thread;
    struct hst_timeline timeline;
    uint32_t root, outer, inner; /* contexts */
    struct hst_profile profile;
    struct hst_calls calls;
    struct hst_agent_maps maps;
    struct events events;
};

static uint32_t add_function(uint32_t line)
{
    uint32_t chunk = 0, slot = hst_arena_take(&chunk, HST_AGENT_CHUNK_FUNCTIONS, 0, 1);
    *(struct hst_agent_function *)hst_arena_slot(slot) =
        (struct hst_agent_function){.slots = 1, .first_line = line, .name_bytes = 1};
    hst_arena_publish(chunk, slot + 1);
    return slot;
}

static uint32_t add_context(uint32_t *chunk, uint32_t thread, uint32_t parent, uint32_t function)
{
    uint32_t slot = hst_arena_take(chunk, HST_AGENT_CHUNK_CONTEXTS, thread, 1);
    *(struct hst_agent_context *)hst_arena_slot(slot) =
        (struct hst_agent_context){.parent = parent, .function = function, .calls = 1};
    hst_arena_publish(*chunk, slot + 1);
    return slot;
}

static enum hst_status take_event(void *context, const struct hst_call_event *event, struct hst_error *err)
{
    (void)err;
    struct agent *agent = context;
    if (agent->events.count < HST_ARRAY_LENGTH(agent->events.rows))
        agent->events.rows[agent->events.count] = *event;
    agent->events.count++;
    return HST_OK;
}

static void begin_agent(struct agent *agent, uint32_t chunks_max)
{
    *agent = (struct agent){.folder = "/dev/shm/hst-test-timeline-XXXXXX"};
    assert_non_null(mkdtemp(agent->folder));
    assert_true(hst_arena_open(agent->folder));
    hst_timeline_renew();
    hst_timeline_chunks_max = chunks_max;
    struct hst_agent_header *header = hst_arena_header();
    header->start_ns = header->start_ticks = hst_now_ns() - 1000000000;
    header->has_timeline = 1;
    header->state = HST_AGENT_TRACING;
    uint32_t threads = 0, contexts = 0, thread = hst_arena_take(&threads, HST_AGENT_CHUNK_THREADS, 0, 3);
    agent->thread = hst_arena_slot(thread);
    hst_arena_publish(threads, thread + 3);
    agent->root = agent->thread->root = agent->thread->current = add_context(&contexts, thread, 0, 0);
    agent->outer = add_context(&contexts, thread, agent->root, add_function(1));
    agent->inner = add_context(&contexts, thread, agent->outer, add_function(2));
    agent->thread->begin_ticks = agent->thread->last_ticks = header->start_ticks + 10;
    agent->thread->native_id = 5;
    assert_true(hst_profile_init(&agent->profile));
    hst_calls_init(&agent->calls);
    hst_agent_maps_init(&agent->maps, agent->folder, header->start_ns, &agent->profile, &agent->calls);
    agent->maps.event = take_event;
    agent->maps.event_context = agent;
    hst_timeline_begin(&agent->timeline, agent->thread, agent->root, agent->thread->last_ticks);
}

static void end_agent(struct agent *agent)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%ld.0.map", agent->folder, (long)getpid());
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(agent->folder), 0);
    hst_agent_maps_release(&agent->maps);
    hst_calls_release(&agent->calls);
    hst_profile_release(&agent->profile);
}

static void note(struct agent *agent, uint32_t context, int leaves, uint64_t passed)
{
    agent->thread->last_ticks += passed;
    hst_timeline_add(&agent->timeline, agent->thread, context, leaves);
}

static void drain(struct agent *agent, enum hst_agent_drain what)
{
    struct hst_error err = {0};
    assert_int_equal(hst_agent_maps_drain(&agent->maps, what, &err), HST_OK);
}

static void test_agent(void **state)
{
    (void)state;
    static struct agent agent;
    begin_agent(&agent, 100);
    note(&agent, agent.outer, 0, 10);
    note(&agent, agent.inner, 0, 10);
    drain(&agent, HST_AGENT_DRAIN_FULL); /* nothing is full */
    assert_int_equal(agent.events.count, 0);
    drain(&agent, HST_AGENT_DRAIN_ALL); /* the last two may still be taken back */
    assert_int_equal(agent.events.count, 0);
    note(&agent, agent.inner, 1, 10);
    drain(&agent, HST_AGENT_DRAIN_ALL);
    assert_int_equal(agent.events.count, 1);
    hst_timeline_undo(&agent.timeline, agent.thread, agent.inner, 1);
    note(&agent, agent.inner, 0, 10);
    hst_timeline_undo(&agent.timeline, agent.thread, agent.inner, 0);
    note(&agent, agent.inner, 0, UINT64_C(1) << 33); /* a long pause */
    note(&agent, agent.outer, 1, 10);                /* inner was left unseen */
    drain(&agent, HST_AGENT_DRAIN_LAST);
    struct hst_call_event *rows = agent.events.rows;
    assert_int_equal(agent.events.count, 4);
    static const struct {
        int kind;
        uint32_t stack;
    } expected[] = {{HST_CALL_ENTER, 1}, {HST_CALL_ENTER, 2}, {HST_CALL_LEAVE, 1}, {HST_CALL_LEAVE, 0}};
    for (size_t i = 0; i < 4; i++)
        assert_true(rows[i].kind == expected[i].kind && rows[i].stack == expected[i].stack);
    uint64_t pause = rows[1].time_ns - rows[0].time_ns;
    assert_true(pause > (UINT64_C(1) << 33) - 1000 && pause < (UINT64_C(1) << 33) + 1000);
    end_agent(&agent);
}

/* Chunks go to and fro: more events than there may be chunks for at a time. */
static void test_chunks_are_used_again(void **state)
{
    (void)state;
    static struct agent agent;
    begin_agent(&agent, 3);
    size_t noted = 0;
    for (int round = 0; round < 20; round++) {
        for (; noted < (size_t)(round + 1) * HST_AGENT_CHUNK_EVENTS_MAX; noted += 2) {
            note(&agent, agent.outer, 0, 5);
            note(&agent, agent.outer, 1, 5);
        }
        drain(&agent, HST_AGENT_DRAIN_FULL);
    }
    drain(&agent, HST_AGENT_DRAIN_LAST);
    assert_int_equal(agent.events.count, noted);
    assert_int_equal(hst_arena_header()->lost_events, 0);
    end_agent(&agent);
}

/* Nobody takes them: events are dropped and counted, and afterwards it is known where the thread is. */
static void test_dropped(void **state)
{
    (void)state;
    static struct agent agent;
    begin_agent(&agent, 2);
    size_t noted = 1;
    note(&agent, agent.outer, 0, 5);
    for (; noted < 5 * HST_AGENT_CHUNK_EVENTS_MAX; noted += 2) {
        note(&agent, agent.inner, 0, 5);
        note(&agent, agent.inner, 1, 5);
    }
    uint64_t lost = hst_arena_header()->lost_events;
    assert_int_equal(lost, noted - 2 * HST_AGENT_CHUNK_EVENTS_MAX);
    drain(&agent, HST_AGENT_DRAIN_ALL);
    assert_int_equal(agent.events.count, 2 * HST_AGENT_CHUNK_EVENTS_MAX);
    agent.events.count = 0;
    note(&agent, agent.inner, 0, 5);
    drain(&agent, HST_AGENT_DRAIN_LAST);
    assert_int_equal(agent.events.count, 2);
    assert_true(agent.events.rows[0].kind == HST_CALL_MOVE && agent.events.rows[0].lost == lost &&
                agent.events.rows[0].stack == 1);
    assert_true(agent.events.rows[1].kind == HST_CALL_ENTER && agent.events.rows[1].stack == 2);
    end_agent(&agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_is_exact),
        cmocka_unit_test(test_block_is_small),
        cmocka_unit_test(test_damaged_blocks_are_refused),
        cmocka_unit_test_setup_teardown(test_store, make_folder, remove_folder),
        cmocka_unit_test(test_agent),
        cmocka_unit_test(test_chunks_are_used_again),
        cmocka_unit_test(test_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
