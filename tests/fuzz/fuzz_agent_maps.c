/* Files of agents, as a program that is out of its mind may leave them or change them while they are read: a
 * good file, spoiled, read, spoiled again, and read as after the program's end.
 *
 * input   records of 9 bytes: 1 byte what to do, 1 byte chunk, 1 byte slot, 1 byte where in it, 1 byte
 * unused, 4 bytes value */
#include "fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/agent_maps.h"
#include "event/agent_map.h"

enum {
    CHUNKS = 8, /* header, threads, functions, contexts, contexts, events, events, events */
    THREAD = 1,
    FUNCTION = 2,
    CONTEXT = 3,
    EVENTS = 5,
    DEPTH = 12, /* contexts in a row, of as many functions */
    EVENTS_MAX = 4000000,
    RECORD = 9,
};

static char folder[64], path[96];
static char *base; /* of the file, as the program has it mapped */

static void *slot(uint32_t number) { return base + (size_t)number * HST_AGENT_SLOT_BYTES; }

static void make_functions(void)
{
    struct hst_agent_chunk *chunk = slot(FUNCTION * HST_AGENT_CHUNK_SLOTS);
    chunk->kind = HST_AGENT_CHUNK_FUNCTIONS;
    chunk->used = 1 + 2 * DEPTH;
    for (uint32_t i = 0; i < DEPTH; i++) {
        struct hst_agent_function *row = slot(FUNCTION * HST_AGENT_CHUNK_SLOTS + 1 + 2 * i);
        *row = (struct hst_agent_function){
            .slots = 2, .first_line = i, .name_bytes = 4, .qualname_bytes = 6, .file_bytes = 7};
        char *text = (char *)(row + 1);
        memcpy(text, "name a.name file.py", 19);
        text[0] = (char)('a' + i);
    }
}

static uint32_t context_of(uint32_t depth) { return CONTEXT * HST_AGENT_CHUNK_SLOTS + 1 + depth; }

static void make_contexts(void)
{
    for (uint32_t c = CONTEXT; c < EVENTS; c++) {
        struct hst_agent_chunk *chunk = slot(c * HST_AGENT_CHUNK_SLOTS);
        chunk->kind = HST_AGENT_CHUNK_CONTEXTS;
        chunk->thread = THREAD * HST_AGENT_CHUNK_SLOTS + 1;
        chunk->used = 1 + DEPTH;
    }
    for (uint32_t i = 0; i < DEPTH; i++) {
        struct hst_agent_context *context = slot(context_of(i));
        *context = (struct hst_agent_context){
            .parent = i > 0 ? context_of(i - 1) : 0,
            .function = i > 0 ? FUNCTION * HST_AGENT_CHUNK_SLOTS + 1 + 2 * i : 0,
            .calls = 5,
            .self_ticks = 1000,
        };
        struct hst_agent_context *other = slot(context_of(i) + HST_AGENT_CHUNK_SLOTS);
        *other = *context;
        other->parent = context_of(i);
        other->function = FUNCTION * HST_AGENT_CHUNK_SLOTS + 1 + 2 * i;
    }
}

static void make_events(void)
{
    for (uint32_t c = EVENTS; c < CHUNKS; c++) {
        struct hst_agent_events *head = slot(c * HST_AGENT_CHUNK_SLOTS);
        *head = (struct hst_agent_events){.kind = HST_AGENT_CHUNK_EVENTS,
                                          .thread = THREAD * HST_AGENT_CHUNK_SLOTS + 1,
                                          .number = c - EVENTS,
                                          .context = context_of(0),
                                          .ticks = 2000 + c,
                                          .full = c + 1 < CHUNKS};
        uint64_t *words = (uint64_t *)(void *)(head + 1);
        for (uint32_t i = 1; i < DEPTH; i++)
            *words++ = UINT64_C(100) << 32 | hst_agent_event_word(context_of(i), 0);
        for (uint32_t i = DEPTH - 1; i > 0; i--)
            *words++ = UINT64_C(100) << 32 | hst_agent_event_word(context_of(i), 1);
    }
}

static void make_file(void)
{
    memset(base, 0, (size_t)CHUNKS * HST_AGENT_CHUNK_BYTES);
    struct hst_agent_header *header = slot(0);
    header->chunk.kind = HST_AGENT_CHUNK_HEADER;
    memcpy(header->magic, HST_AGENT_MAGIC, sizeof header->magic);
    header->pid = 1;
    header->backend = HST_AGENT_BACKEND_PROFILE;
    header->state = HST_AGENT_TRACING;
    header->start_ticks = header->start_ns = 1000;
    header->has_timeline = 1;
    header->cost_ticks[0][0] = header->cost_ticks[0][1] = 20;
    header->slowing = 0.5;
    struct hst_agent_chunk *chunk = slot(THREAD * HST_AGENT_CHUNK_SLOTS);
    chunk->kind = HST_AGENT_CHUNK_THREADS;
    chunk->used = 1 + 2 * 3;
    for (uint32_t i = 0; i < 2; i++)
        *(struct hst_agent_thread *)slot(THREAD * HST_AGENT_CHUNK_SLOTS + 1 + 3 * i) =
            (struct hst_agent_thread){.native_id = 1 + i, .begin_ticks = 1500, .name = "t"};
    make_functions();
    make_contexts();
    make_events();
}

/* One record: a number somewhere is another one, or a slot is like another. */
static void spoil(struct fuzz_input *input)
{
    unsigned what = (unsigned)fuzz_number(input, 1), chunk = (unsigned)fuzz_number(input, 1) % CHUNKS;
    unsigned in_chunk = (unsigned)fuzz_number(input, 1), field = (unsigned)fuzz_number(input, 1);
    (void)fuzz_number(input, 1);
    uint32_t value = (uint32_t)fuzz_number(input, 4);
    uint32_t number = chunk * HST_AGENT_CHUNK_SLOTS + in_chunk;
    char *at = (char *)slot(number) + field % HST_AGENT_SLOT_BYTES / 4 * 4;
    switch (what % 5) {
    case 0:
        memcpy(at, &value, sizeof value);
        break;
    case 1:
        memset(at, (int)value, 8);
        break;
    case 2: {
        uint32_t old;
        memcpy(&old, at, sizeof old);
        old += (uint32_t)(int8_t)value;
        memcpy(at, &old, sizeof old);
        break;
    }
    case 3:
        memmove(slot(number), slot(value % (CHUNKS * HST_AGENT_CHUNK_SLOTS - 1)), HST_AGENT_SLOT_BYTES);
        break;
    default: /* a whole chunk of numbers that climb */
        for (uint32_t i = 0; i < HST_AGENT_CHUNK_SLOTS / 2; i++)
            memcpy((char *)slot(chunk * HST_AGENT_CHUNK_SLOTS + i + 1) + field % HST_AGENT_SLOT_BYTES / 4 * 4,
                   &(uint32_t){value + i * (what / 5)}, 4);
    }
}

struct seen {
    const struct hst_profile *profile;
    uint32_t stacks[64]; /* by thread */
    uint64_t times[64];
    uint64_t events;
};

static enum hst_status take_event(void *context, const struct hst_call_event *event, struct hst_error *err)
{
    (void)err;
    struct seen *seen = context;
    FUZZ_REQUIRE(event->thread < seen->profile->thread_count && event->stack < seen->profile->stack_count);
    FUZZ_REQUIRE(++seen->events < EVENTS_MAX);
    uint32_t *stack = &seen->stacks[event->thread % 64];
    FUZZ_REQUIRE(event->time_ns >= seen->times[event->thread % 64]);
    seen->times[event->thread % 64] = event->time_ns;
    if (event->kind == HST_CALL_ENTER)
        FUZZ_REQUIRE(event->stack != 0 && seen->profile->stacks[event->stack].parent == *stack);
    else if (event->kind == HST_CALL_LEAVE)
        FUZZ_REQUIRE(*stack != 0 && seen->profile->stacks[*stack].parent == event->stack);
    *stack = event->stack;
    return HST_OK;
}

/* Some functions are hidden, some begin, some end. */
static unsigned judge(void *context, uint32_t function)
{
    (void)context;
    return function % 3 == 0 ? HST_AGENT_HIDDEN : function % 5 == 0 ? HST_AGENT_ENDS : HST_AGENT_BEGINS;
}

static void remove_all(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    (void)snprintf(folder, sizeof folder, "/dev/shm/hst-fuzz-maps-%d", getpid());
    (void)snprintf(path, sizeof path, "%s/1.0" HST_AGENT_FILE_ENDING, folder);
    FUZZ_REQUIRE(mkdir(folder, 0700) == 0);
    (void)atexit(remove_all);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FUZZ_REQUIRE(fd >= 0 && ftruncate(fd, (off_t)CHUNKS * HST_AGENT_CHUNK_BYTES) == 0);
    base = mmap(NULL, (size_t)CHUNKS * HST_AGENT_CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    FUZZ_REQUIRE(base != MAP_FAILED);
    (void)close(fd);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = data, .left = size};
    size_t records = size / RECORD;
    struct hst_profile profile;
    struct hst_calls calls;
    struct hst_agent_maps maps;
    struct hst_error err = {0};
    FUZZ_REQUIRE(hst_profile_init(&profile));
    hst_calls_init(&calls);
    struct seen seen = {.profile = &profile};
    hst_agent_maps_init(&maps, folder, 0, &profile, &calls);
    maps.event = take_event;
    maps.event_context = &seen;
    maps.judge = records % 2 != 0 ? judge : NULL;
    maps.only_inside = records % 4 == 3;
    make_file();
    for (size_t i = 0; i < records / 2; i++)
        spoil(&input);
    FUZZ_REQUIRE(hst_agent_maps_drain(&maps, HST_AGENT_DRAIN_FULL, &err) == HST_OK);
    FUZZ_REQUIRE(hst_agent_maps_drain(&maps, HST_AGENT_DRAIN_ALL, &err) == HST_OK);
    FUZZ_REQUIRE(hst_agent_maps_read(&maps) == HST_OK);
    for (size_t i = records / 2; i < records; i++)
        spoil(&input);
    FUZZ_REQUIRE(hst_agent_maps_drain(&maps, HST_AGENT_DRAIN_LAST, &err) == HST_OK);
    FUZZ_REQUIRE(hst_agent_maps_read(&maps) == HST_OK);
    FUZZ_REQUIRE(hst_profile_validate(&profile, &err) == HST_OK);
    for (size_t i = 0; i < calls.count; i++)
        FUZZ_REQUIRE(calls.rows[i].thread < profile.thread_count &&
                     calls.rows[i].stack < profile.stack_count);
    if (records == 0) /* a good file: all of it is there */
        FUZZ_REQUIRE(seen.events == 3 * 2 * (DEPTH - 1) && calls.count == 2 * DEPTH - 1);
    hst_agent_maps_release(&maps);
    hst_calls_release(&calls);
    hst_profile_release(&profile);
    return 0;
}
