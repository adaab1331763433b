/* Follows each thread through its chunks of events, and says what that is in stacks of the model.  A context
 * says where it is entered from and left to, so that every event tells all of the stack; where that is not
 * what the events before told, the thread is moved.  As with all else of a file, nothing is believed: an
 * event that makes no sense is passed over, and what one drain may do is limited. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "capture/agent_view.h"

#define EMPTIED_CHUNKS_MAX 1024u /* of a file; the pages of more are given back */
#define MOVES_PER_CHUNK_MAX 64   /* to places that no event tells of; more make no sense */
#define STEPS_MAX (1u << 26)     /* from stack to stack while looking for such a place, in one drain */
#define TIME_NS_MAX (UINT64_C(1) << 60)

struct full_chunk {
    uint32_t thread, number, chunk;
};

struct drain {
    struct hst_agent_view *view;
    int fd;
    enum hst_agent_drain what;
    struct hst_error *err;
    struct full_chunk *chunks; /* to be looked at, by thread and number */
    size_t count, capacity;
    uint32_t emptied; /* chunks that wait to be used again */
    uint32_t steps;
    /* of the chunk that is being taken */
    struct hst_agent_stream *stream;
    uint32_t thread; /* in the model */
    int moves, met;
};

static const struct hst_agent_events *head_of(const struct drain *drain, uint32_t chunk)
{
    return hst_agent_view_slot(drain->view, chunk * HST_AGENT_CHUNK_SLOTS);
}

/* --- what happened --- */

static enum hst_status pass(struct drain *drain, enum hst_call_event_kind kind, uint32_t stack, uint64_t lost)
{
    struct hst_agent_stream *stream = drain->stream;
    const struct hst_call_event event = {.time_ns = stream->time_ns,
                                         .lost = lost,
                                         .thread = drain->thread,
                                         .stack = stack,
                                         .kind = (uint8_t)kind};
    stream->stack = stack;
    return drain->view->maps->event(drain->view->maps->event_context, &event, drain->err);
}

static void set_time(struct drain *drain, uint64_t ticks)
{
    uint64_t ns = hst_agent_view_ns(drain->view, ticks);
    drain->stream->ticks = ticks;
    if (ns > drain->stream->time_ns && ns <= TIME_NS_MAX)
        drain->stream->time_ns = ns;
}

/* Whether the stack is the thread's own or one of its callers. */
static int is_open(struct drain *drain, uint32_t stack)
{
    const struct hst_stack *stacks = drain->view->maps->profile->stacks;
    uint32_t at = drain->stream->stack;
    for (; stacks[at].depth > stacks[stack].depth && drain->steps < STEPS_MAX; drain->steps++)
        at = stacks[at].parent;
    return at == stack;
}

/* The thread is in context, whose stack is known; calls inside it that are open have been left. */
static enum hst_status go_to(struct drain *drain, uint32_t context, uint32_t stack, int *ret_good)
{
    struct hst_agent_stream *stream = drain->stream;
    *ret_good = 1;
    stream->context = context;
    if (is_open(drain, stack)) {
        while (stream->stack != stack)
            HST_TRY(pass(drain, HST_CALL_LEAVE, drain->view->maps->profile->stacks[stream->stack].parent, 0));
        return HST_OK;
    }
    *ret_good = drain->moves++ < MOVES_PER_CHUNK_MAX;
    return *ret_good ? pass(drain, HST_CALL_MOVE, stack, 0) : HST_OK;
}

/* A context's stack + 1; 0: it has none. */
static enum hst_status find_stack(struct drain *drain, uint32_t context, uint32_t *ret_stack)
{
    *ret_stack = hst_agent_view_id(drain->view, context, HST_MARK_A_STACK);
    if (*ret_stack != 0 || drain->met)
        return HST_OK;
    drain->met = 1; /* made since the drain began */
    HST_TRY(hst_agent_view_stacks(drain->view));
    *ret_stack = hst_agent_view_id(drain->view, context, HST_MARK_A_STACK);
    return HST_OK;
}

static enum hst_status take_event(struct drain *drain, uint32_t context, int leaves)
{
    struct hst_agent_stream *stream = drain->stream;
    const struct hst_stack *stacks;
    uint32_t inside, outside;
    HST_TRY(find_stack(drain, context, &inside));
    if (inside == 0)
        return HST_OK;
    uint32_t parent = ((const struct hst_agent_context *)hst_agent_view_slot(drain->view, context))->parent;
    HST_TRY(find_stack(drain, parent, &outside));
    if (outside == 0)
        return HST_OK;
    int good = 1;
    if (stream->context != (leaves ? context : parent))
        HST_TRY(go_to(drain, leaves ? context : parent, (leaves ? inside : outside) - 1, &good));
    stacks = drain->view->maps->profile->stacks;
    stream->context = leaves ? parent : context;
    if (!good || (hst_agent_view_marks(drain->view, context) & HST_MARK_SEEN) == 0)
        return HST_OK;
    if (inside == 1 || stacks[inside - 1].parent != outside - 1 ||
        stream->stack != (leaves ? inside : outside) - 1)
        return HST_OK; /* the file was changed meanwhile */
    return leaves ? pass(drain, HST_CALL_LEAVE, outside - 1, 0) : pass(drain, HST_CALL_ENTER, inside - 1, 0);
}

/* --- chunks --- */

/* Where the thread is when the chunk begins. */
static enum hst_status begin_chunk(struct drain *drain, const struct hst_agent_events *head, int missing)
{
    struct hst_agent_stream *stream = drain->stream;
    uint32_t stack;
    int good;
    HST_TRY(find_stack(drain, head->context, &stack));
    stack = stack != 0 ? stack - 1 : 0;
    set_time(drain, head->ticks);
    stream->ticks = head->ticks;
    if (head->lost > 0 || missing) {
        stream->context = head->context;
        return pass(drain, HST_CALL_MOVE, stack, head->lost < INT64_MAX ? head->lost : 0);
    }
    return stream->context != head->context || stream->stack != stack
               ? go_to(drain, head->context, stack, &good)
               : HST_OK;
}

static uint64_t word_at(const uint64_t *words, uint32_t at)
{
    return at < HST_AGENT_CHUNK_EVENTS_MAX ? __atomic_load_n(&words[at], __ATOMIC_ACQUIRE) : 0;
}

/* Takes what there is from stream->at on; *ret_whole: nothing will follow. */
static enum hst_status take_words(struct drain *drain, const struct hst_agent_events *head, int *ret_whole)
{
    int full = __atomic_load_n(&head->full, __ATOMIC_ACQUIRE) != 0;
    int all = full || drain->what == HST_AGENT_DRAIN_LAST;
    const uint64_t *words = (const uint64_t *)(const void *)(head + 1);
    struct hst_agent_stream *stream = drain->stream;
    *ret_whole = full;
    for (uint64_t word; (word = word_at(words, stream->at)) != 0;) {
        uint64_t next = word_at(words, stream->at + 1);
        uint32_t low = (uint32_t)word;
        if (low == HST_AGENT_EVENT_TIME) {
            if (next == 0)
                break;
            set_time(drain, next);
            stream->at += 2;
            continue;
        }
        if (!all && (next == 0 || word_at(words, stream->at + 2) == 0))
            break; /* the last two may be taken back */
        if ((low >> 1) / HST_AGENT_CHUNK_SLOTS >= drain->view->chunks &&
            drain->what != HST_AGENT_DRAIN_LAST) {
            *ret_whole = 0; /* made since the file was mapped */
            break;
        }
        set_time(drain, stream->ticks + (word >> 32));
        HST_TRY(take_event(drain, low >> 1, (int)(low & 1)));
        stream->at++;
    }
    return HST_OK;
}

/* For the agent to use again, or, where many wait for that, without its pages. */
static void give_back(struct drain *drain, uint32_t chunk)
{
    static const char zeros[HST_AGENT_CHUNK_BYTES - HST_AGENT_SLOT_BYTES];
    uint32_t kind = HST_AGENT_CHUNK_EMPTIED;
    off_t offset = (off_t)chunk * HST_AGENT_CHUNK_BYTES, page = 4096;
    if (drain->emptied++ >= EMPTIED_CHUNKS_MAX &&
        fallocate(drain->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset + page,
                  HST_AGENT_CHUNK_BYTES - page) == 0)
        kind = HST_AGENT_CHUNK_GONE;
    else if (pwrite(drain->fd, zeros, sizeof zeros, offset + HST_AGENT_SLOT_BYTES) != (ssize_t)sizeof zeros)
        return;
    uint32_t taken = ++drain->view->file->events_taken;
    if (pwrite(drain->fd, &kind, sizeof kind, offset) == (ssize_t)sizeof kind)
        (void)!pwrite(drain->fd, &taken, sizeof taken, offsetof(struct hst_agent_header, events_taken));
}

/* *ret_next: the thread's next chunk may be looked at. */
static enum hst_status take_chunk(struct drain *drain, const struct full_chunk *full, int *ret_next)
{
    const struct hst_agent_events *head = head_of(drain, full->chunk);
    struct hst_agent_stream *stream = drain->stream;
    int whole, missing = full->number != stream->number;
    drain->moves = drain->met = 0;
    *ret_next = 0;
    if (missing && drain->what != HST_AGENT_DRAIN_LAST)
        return HST_OK; /* it will come */
    if (missing)
        stream->at = 0;
    if (stream->at == 0)
        HST_TRY(begin_chunk(drain, head, missing));
    stream->number = full->number;
    HST_TRY(take_words(drain, head, &whole));
    if (whole) {
        give_back(drain, full->chunk);
        stream->number++;
        stream->at = 0;
    }
    *ret_next = whole;
    return HST_OK;
}

static int by_thread_and_number(const void *a, const void *b)
{
    const struct full_chunk *x = a, *y = b;
    return x->thread != y->thread ? (x->thread > y->thread) - (x->thread < y->thread)
                                  : (x->number > y->number) - (x->number < y->number);
}

static enum hst_status find_chunks(struct drain *drain)
{
    for (uint32_t c = 1; c < drain->view->chunks; c++) {
        const struct hst_agent_events *head = head_of(drain, c);
        uint32_t kind = __atomic_load_n(&head->kind, __ATOMIC_ACQUIRE);
        drain->emptied += kind == HST_AGENT_CHUNK_EMPTIED;
        if (kind != HST_AGENT_CHUNK_EVENTS ||
            (drain->what == HST_AGENT_DRAIN_FULL && __atomic_load_n(&head->full, __ATOMIC_ACQUIRE) == 0))
            continue;
        if (!HST_RESERVE(drain->chunks, drain->capacity, drain->count + 1))
            return HST_E_NOMEM;
        drain->chunks[drain->count++] =
            (struct full_chunk){.thread = head->thread, .number = head->number, .chunk = c};
    }
    if (drain->count > 1)
        qsort(drain->chunks, drain->count, sizeof *drain->chunks, by_thread_and_number);
    return HST_OK;
}

static struct hst_agent_stream *stream_of(struct hst_agent_file *file, uint32_t thread)
{
    uint32_t found = hst_map_find(&file->stream_of, thread);
    if (found == HST_MAP_ABSENT) {
        found = (uint32_t)file->stream_count;
        if (!HST_RESERVE(file->streams, file->stream_capacity, file->stream_count + 1) ||
            !hst_map_set(&file->stream_of, thread, found))
            return NULL;
        file->streams[file->stream_count++] = (struct hst_agent_stream){.thread = thread};
    }
    return &file->streams[found];
}

/* The chunks first ... last - 1 are a thread's. */
static enum hst_status take_thread(struct drain *drain, size_t first, size_t last)
{
    uint32_t slot = drain->chunks[first].thread;
    HST_TRY(hst_agent_view_thread(drain->view, slot, &drain->thread));
    if (drain->thread == HST_ID_NONE) { /* one that is not to be kept */
        for (size_t i = first; i < last; i++)
            if (head_of(drain, drain->chunks[i].chunk)->full)
                give_back(drain, drain->chunks[i].chunk);
        return HST_OK;
    }
    drain->stream = stream_of(drain->view->file, slot);
    if (drain->stream == NULL)
        return HST_E_NOMEM;
    int next = 1;
    for (size_t i = first; i < last && next; i++)
        if (drain->chunks[i].number >= drain->stream->number)
            HST_TRY(take_chunk(drain, &drain->chunks[i], &next));
    return HST_OK;
}

static void drain_release(struct drain *drain) { hst_free(drain->chunks); }

enum hst_status hst_agent_view_drain(struct hst_agent_view *view, int fd, enum hst_agent_drain what,
                                     struct hst_error *err)
{
    HST_CLEANUP(drain_release) struct drain drain = {.view = view, .fd = fd, .what = what, .err = err};
    HST_TRY(find_chunks(&drain));
    for (size_t first = 0, last; first < drain.count; first = last) {
        for (last = first + 1; last < drain.count && drain.chunks[last].thread == drain.chunks[first].thread;)
            last++;
        HST_TRY(take_thread(&drain, first, last));
    }
    return HST_OK;
}
