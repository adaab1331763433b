/* Contexts, threads, forks: what happens seldom. */
#include "agent/tracer.h"

#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/functions.h"
#include "agent/greenlets.h"
#include "agent/tasks.h"
#include "base/memory.h"

enum {
    OWN_ROWS_MAX = 1024,
    SIBLINGS_MAX = 8, /* looked through in order; then the table is asked */
    SUSPENSIONS = 1 << 14,
    FORK_DEPTH_MAX = 100000,
};

int hst_tracer_phase;
uint32_t hst_tracer_generation = 1;
uint32_t hst_tracer_depth_max;
__thread struct hst_tracer hst_tracer_of_thread __attribute__((tls_model("initial-exec")));

static uint32_t thread_chunk;
static pthread_mutex_t beginning = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t at_end;
static int at_end_made;

/* Rows of ended threads, for those that begin after very many: a server with a thread for each request would
 * fill the file with trees that nobody can tell apart. */
static struct idle {
    struct hst_agent_thread *thread;
    uint32_t chunk, arena;
    struct hst_map children;
} * idle;
static size_t idle_count, idle_capacity;
static unsigned rows_made;
static int forking;
static struct {
    int is; /* what the thread does is kept from whoever reads the arena: its row has no number */
    uint64_t lost_events;
} aside;

/* --- contexts --- */

static uint32_t number_of(const struct hst_agent_context *context) { return hst_arena_number(context); }

static uint32_t own_slot(const struct hst_tracer *tracer) { return hst_arena_number(tracer->thread); }

static uint64_t hash_of(uint32_t parent, uint64_t key) { return hst_mix64(key) ^ (uint64_t)parent << 20; }

static struct hst_agent_context *add_context(struct hst_tracer *tracer, uint32_t parent, uint64_t key,
                                             uint32_t function, uint32_t flags)
{
    uint32_t slot = hst_arena_take(&tracer->chunk, HST_AGENT_CHUNK_CONTEXTS, own_slot(tracer), 1);
    if (slot == 0)
        return NULL;
    struct hst_agent_context *context = hst_arena_slot(slot);
    *context = (struct hst_agent_context){.key = key, .parent = parent, .function = function, .flags = flags};
    hst_arena_publish(tracer->chunk, slot + 1);
    return context;
}

/* Moves a child to the front of its siblings when it stands near it. */
static struct hst_agent_context *find_near(struct hst_agent_context *parent, uint64_t key)
{
    uint32_t *link = &parent->first_child;
    for (int i = 0; i < SIBLINGS_MAX && *link != 0; i++) {
        struct hst_agent_context *child = hst_arena_slot(*link);
        if (child->key == key) {
            uint32_t slot = *link;
            *link = child->next_sibling;
            child->next_sibling = parent->first_child;
            parent->first_child = slot;
            return child;
        }
        link = &child->next_sibling;
    }
    return NULL;
}

/* All siblings are in the table; those that are found there go to the front without being taken out of their
 * old place, so the list of a parent with many children is cut behind its first few. */
static struct hst_agent_context *find_far(struct hst_tracer *tracer, struct hst_agent_context *parent,
                                          uint64_t key)
{
    uint32_t number = number_of(parent);
    for (uint64_t hash = hash_of(number, key);; hash++) {
        uint32_t slot = hst_map_find(&tracer->children, hash);
        if (slot == HST_MAP_ABSENT)
            return NULL;
        struct hst_agent_context *child = hst_arena_slot(slot);
        if (child->parent == number && child->key == key)
            return child;
    }
}

static void put_first(struct hst_agent_context *parent, struct hst_agent_context *child)
{
    child->next_sibling = parent->first_child;
    parent->first_child = number_of(child);
    uint32_t at = parent->first_child;
    for (int i = 1; i < SIBLINGS_MAX && at != 0; i++)
        at = ((struct hst_agent_context *)hst_arena_slot(at))->next_sibling;
    if (at != 0)
        ((struct hst_agent_context *)hst_arena_slot(at))->next_sibling = 0;
}

static struct hst_agent_context *new_child(struct hst_tracer *tracer, struct hst_agent_context *parent,
                                           const void *key, PyObject *what, int is_c)
{
    uint32_t flags;
    uint32_t function = is_c ? hst_functions_callable(key, what, &flags) : hst_functions_code(what, &flags);
    if (function == 0)
        return NULL;
    uint32_t number = number_of(parent);
    uint64_t hash = hash_of(number, (uint64_t)(uintptr_t)key);
    while (hst_map_find(&tracer->children, hash) != HST_MAP_ABSENT)
        hash++;
    struct hst_agent_context *child = add_context(tracer, number, (uint64_t)(uintptr_t)key, function,
                                                  flags | hst_agent_depth_flags(parent->flags));
    if (child == NULL || !hst_map_set(&tracer->children, hash, number_of(child)))
        return NULL;
    return child;
}

/* A call that is too deep to be seen: its number is kept, for what tracing it costs. */
static void count_below(struct hst_tracer *tracer, struct hst_agent_context *parent, int is_c)
{
    if (parent->first_child == 0) {
        struct hst_agent_context *fresh = add_context(tracer, number_of(parent), 0, 0, 0);
        if (fresh == NULL)
            return;
        parent->first_child = number_of(fresh);
    }
    struct hst_agent_context *below = hst_arena_slot(parent->first_child);
    if (is_c)
        below->resumes++;
    else
        below->calls++;
}

struct hst_agent_context *hst_tracer_child(struct hst_tracer *tracer, struct hst_agent_context *parent,
                                           const void *key, PyObject *what, int is_c)
{
    struct hst_agent_thread *thread = tracer->thread;
    if (hst_tracer_depth_max != 0 && hst_agent_depth(parent->flags) >= hst_tracer_depth_max) {
        thread->lost_depth++;
        count_below(tracer, parent, is_c);
        return NULL;
    }
    if (thread->lost_depth != 0) { /* inside a call without a context */
        thread->lost_depth++;
        hst_arena_header()->lost_contexts++;
        return NULL;
    }
    struct hst_agent_context *child = find_near(parent, (uint64_t)(uintptr_t)key);
    if (child != NULL)
        return child;
    tracer->busy = 1;
    child = find_far(tracer, parent, (uint64_t)(uintptr_t)key);
    if (child == NULL) {
        child = new_child(tracer, parent, key, what, is_c);
        hst_greenlets_watch(tracer);
    }
    tracer->busy = 0;
    if (child == NULL) {
        thread->lost_depth++;
        hst_arena_header()->lost_contexts++;
    } else {
        put_first(parent, child);
    }
    thread->last_ticks = hst_ticks(); /* what this took is nobody's time */
    return child;
}

struct hst_agent_context *hst_tracer_between(struct hst_tracer *tracer, struct hst_agent_context *parent,
                                             uint64_t key, uint32_t function)
{
    struct hst_agent_context *child = find_near(parent, key);
    if (child == NULL)
        child = find_far(tracer, parent, key);
    if (child != NULL)
        return child;
    uint32_t number = number_of(parent),
             depth = parent->flags >> HST_AGENT_DEPTH_SHIFT << HST_AGENT_DEPTH_SHIFT;
    uint64_t hash = hash_of(number, key);
    while (hst_map_find(&tracer->children, hash) != HST_MAP_ABSENT)
        hash++;
    child = add_context(tracer, number, key, function, HST_AGENT_FUNCTION_TASK | depth);
    if (child == NULL || !hst_map_set(&tracer->children, hash, number_of(child)))
        return NULL;
    put_first(parent, child);
    return child;
}

struct hst_agent_context *hst_tracer_resync(struct hst_tracer *tracer, const void *key)
{
    struct hst_agent_thread *thread = tracer->thread;
    if (thread->lost_depth != 0) {
        thread->lost_depth--;
        return NULL;
    }
    for (uint32_t at = thread->current; at != thread->root;) {
        struct hst_agent_context *context = hst_arena_slot(at);
        at = context->parent;
        if (context->key == (uint64_t)(uintptr_t)key) {
            hst_tracer_go_out(tracer, context);
            return context;
        }
    }
    return NULL;
}

static uint32_t parent_of(uint32_t context)
{
    return ((const struct hst_agent_context *)hst_arena_slot(context))->parent;
}

static uint32_t depth_of(uint32_t context)
{
    uint32_t depth = 0;
    for (; context != 0; context = parent_of(context))
        depth++;
    return depth;
}

/* Into all contexts from below until on to to. */
static void note_path(struct hst_tracer *tracer, uint32_t below, uint32_t to)
{
    if (to == below)
        return;
    note_path(tracer, below, parent_of(to));
    hst_tracer_note(tracer, to, 0);
}

static void note_move(struct hst_tracer *tracer, uint32_t from, uint32_t to)
{
    uint32_t left = 0, entered = to, from_depth = depth_of(from), to_depth = depth_of(to);
    while (from != entered) {
        int higher = from_depth >= to_depth;
        if (to_depth >= from_depth) {
            entered = parent_of(entered);
            to_depth--;
        }
        if (higher) {
            left = from;
            from = parent_of(from);
            from_depth--;
        }
    }
    if (left != 0)
        hst_tracer_note(tracer, left, 1);
    note_path(tracer, entered, to);
}

void hst_tracer_move(struct hst_tracer *tracer, uint32_t to)
{
    struct hst_agent_thread *thread = tracer->thread;
    (void)hst_tracer_tick(thread, hst_ticks());
    if (tracer->timeline.end != NULL)
        note_move(tracer, thread->current, to);
    thread->current = to;
}

/* The innermost context that is the end of what both have in common, with *ret_codes of them. */
static uint32_t common_context(const struct hst_agent_thread *thread, PyObject *const *codes, size_t count,
                               size_t *ret_codes)
{
    size_t depth = 0, capacity = 0, used = 0;
    uint32_t *path = NULL, common = thread->root;
    for (uint32_t at = thread->current; at != thread->root && HST_RESERVE(path, capacity, depth + 1);
         at = ((const struct hst_agent_context *)hst_arena_slot(at))->parent)
        path[depth++] = at;
    for (; depth > 0; depth--) {
        const struct hst_agent_context *context = hst_arena_slot(path[depth - 1]);
        if ((context->flags & (HST_AGENT_FUNCTION_C | HST_AGENT_FUNCTION_TASK)) != 0)
            continue;
        if (used == count || context->key != (uint64_t)(uintptr_t)codes[used])
            break;
        common = path[depth - 1];
        used++;
    }
    hst_free(path);
    *ret_codes = used;
    return common;
}

void hst_tracer_stand(struct hst_tracer *tracer, PyObject *const *codes, size_t count)
{
    struct hst_agent_thread *thread = tracer->thread;
    size_t entered;
    uint32_t common = common_context(thread, codes, count, &entered), outermost = 0;
    for (uint32_t at = thread->current; at != common;
         at = ((const struct hst_agent_context *)hst_arena_slot(at))->parent)
        outermost = at;
    thread->last_ticks = hst_ticks();
    if (outermost != 0)
        hst_tracer_note(tracer, outermost, 1);
    thread->current = common;
    thread->lost_depth = 0;
    for (; entered < count; entered++)
        (void)hst_tracer_enter(tracer, codes[entered], codes[entered], 0);
}

/* --- threads --- */

/* What the thread has used since cpu_begin_ns. */
static void settle_cpu(struct hst_agent_thread *thread)
{
    uint64_t now_ns = hst_cpu_ns();
    thread->cpu_ns += now_ns - thread->cpu_begin_ns;
    thread->cpu_begin_ns = now_ns;
}

static void thread_ended(void *unused)
{
    (void)unused;
    struct hst_tracer *tracer = &hst_tracer_of_thread;
    if (tracer->thread == NULL || tracer->arena != hst_arena_serial)
        return;
    (void)hst_tracer_tick(tracer->thread, hst_ticks());
    settle_cpu(tracer->thread);
    tracer->thread->end_ticks = hst_ticks();
    tracer->thread->current = tracer->thread->root;
    tracer->thread->lost_depth = 0;
    hst_timeline_end(&tracer->timeline);
    (void)pthread_mutex_lock(&beginning);
    if (HST_RESERVE(idle, idle_capacity, idle_count + 1)) {
        idle[idle_count++] = (struct idle){tracer->thread, tracer->chunk, tracer->arena, tracer->children};
        tracer->children = (struct hst_map){0};
    }
    (void)pthread_mutex_unlock(&beginning);
    hst_map_release(&tracer->children);
    hst_map_release(&tracer->greenlets);
    tracer->thread = NULL;
    tracer->busy = 1;
    tracer->generation = 0;
}

/* Goes on in an ended thread's row, when there are very many rows already. */
static int take_idle(struct hst_tracer *tracer)
{
    static const char name[] = "(later threads)";
    struct idle taken = {0};
    (void)pthread_mutex_lock(&beginning);
    while (rows_made >= OWN_ROWS_MAX && idle_count > 0 && taken.thread == NULL) {
        taken = idle[--idle_count];
        if (taken.arena != hst_arena_serial) { /* of the parent of a fork, or of a trace that is over */
            hst_map_release(&taken.children);
            taken.thread = NULL;
        }
    }
    (void)pthread_mutex_unlock(&beginning);
    if (taken.thread == NULL)
        return 0;
    hst_map_release(&tracer->children);
    tracer->children = taken.children;
    tracer->chunk = taken.chunk;
    tracer->thread = taken.thread;
    tracer->arena = taken.arena;
    tracer->generation = hst_tracer_generation;
    memcpy(taken.thread->name, name, sizeof name);
    taken.thread->cpu_begin_ns = hst_cpu_ns();
    taken.thread->last_ticks = hst_ticks();
    taken.thread->end_ticks = 0;
    hst_timeline_begin(&tracer->timeline, taken.thread, taken.thread->root, taken.thread->last_ticks);
    return 1;
}

void hst_tracer_settle(void)
{
    struct hst_tracer *tracer = &hst_tracer_of_thread;
    if (tracer->thread == NULL || tracer->generation != hst_tracer_generation)
        return;
    (void)hst_tracer_tick(tracer->thread, hst_ticks());
    settle_cpu(tracer->thread);
}

void hst_tracer_lay_aside(struct hst_tracer *own)
{
    struct hst_tracer *tracer = &hst_tracer_of_thread;
    hst_tracer_settle();
    *own = *tracer;
    *tracer = (struct hst_tracer){0};
    aside.is = 1;
    aside.lost_events = hst_arena_header()->lost_events;
}

void hst_tracer_take_up(const struct hst_tracer *own)
{
    struct hst_tracer *tracer = &hst_tracer_of_thread;
    hst_timeline_end(&tracer->timeline);
    hst_map_release(&tracer->children);
    hst_map_release(&tracer->greenlets);
    *tracer = *own;
    aside.is = 0;
    hst_arena_header()->lost_events = aside.lost_events;
    if (tracer->thread != NULL && tracer->generation == hst_tracer_generation) {
        tracer->thread->cpu_begin_ns = hst_cpu_ns();
        tracer->thread->last_ticks = hst_ticks();
    }
}

static struct hst_agent_thread *add_thread_row(void)
{
    (void)pthread_mutex_lock(&beginning);
    if (!at_end_made)
        at_end_made = pthread_key_create(&at_end, thread_ended) == 0;
    uint32_t slot = hst_arena_take(&thread_chunk, HST_AGENT_CHUNK_THREADS, 0, 3);
    if (slot != 0)
        hst_arena_publish(thread_chunk, slot + 3);
    rows_made += slot != 0;
    (void)pthread_mutex_unlock(&beginning);
    return slot != 0 ? hst_arena_slot(slot) : NULL;
}

/* After a pause.  What the thread did since its last event up to the pause belongs to where it was; since the
 * end of the pause, to where it is. */
static void go_on(struct hst_tracer *tracer, int entering)
{
    const struct hst_agent_header *header = hst_arena_header();
    struct hst_agent_thread *thread = tracer->thread;
    int one_pause = hst_tracer_generation - tracer->generation == 2; /* one up for each begin and end */
    tracer->generation = hst_tracer_generation;
    if (one_pause && header->paused_ticks > thread->last_ticks)
        (void)hst_tracer_tick(thread, header->paused_ticks);
    hst_tracer_stand_here(tracer, entering);
    thread->last_ticks = header->resumed_ticks;
}

/* A row of the thread's own, with nothing in it. */
static int begin_row(struct hst_tracer *tracer)
{
    struct hst_agent_thread *thread = add_thread_row();
    if (thread == NULL)
        return 0;
    hst_map_clear(&tracer->children);
    tracer->chunk = 0;
    tracer->thread = thread;
    tracer->arena = hst_arena_serial;
    tracer->generation = hst_tracer_generation;
    struct hst_agent_context *root = add_context(tracer, 0, 0, 0, 0);
    if (root == NULL) {
        tracer->thread = NULL;
        return 0;
    }
    thread->root = thread->current = number_of(root);
    thread->cpu_begin_ns = hst_cpu_ns();
    (void)prctl(PR_GET_NAME, thread->name);
    thread->begin_ticks = thread->last_ticks = hst_ticks();
    tracer->timeline = (struct hst_timeline){0};
    if (!forking)
        hst_timeline_begin(&tracer->timeline, thread, thread->root, thread->last_ticks);
    if (!aside.is)
        __atomic_store_n(&thread->native_id, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    return 1;
}

struct hst_tracer *hst_tracer_begin(int entering)
{
    struct hst_tracer *tracer = &hst_tracer_of_thread;
    if (tracer->busy || hst_arena_serial == 0 || hst_tracer_phase == HST_TRACER_OFF)
        return NULL;
    if (tracer->thread != NULL && tracer->arena == hst_arena_serial) {
        go_on(tracer, entering);
        return tracer;
    }
    int shared = take_idle(tracer);
    if (!shared && !begin_row(tracer))
        return NULL;
    if (at_end_made)
        (void)pthread_setspecific(at_end, tracer);
    if (!forking) {
        if (!shared)
            hst_tracer_name(tracer);
        hst_tracer_stand_here(tracer, entering);
    }
    return tracer;
}

/* --- generators --- */

/* Where threads run at once, two may write one entry: then both write the time of this very moment. */
static struct suspension {
    const void *frame;
    uint64_t ticks;
} suspensions[SUSPENSIONS];

static struct suspension *suspension_of(const void *frame)
{
    return &suspensions[hst_mix64((uint64_t)(uintptr_t)frame >> 4) % SUSPENSIONS];
}

void hst_tracer_suspend(const void *frame, uint64_t now_ticks)
{
    struct suspension *s = suspension_of(frame);
    const void *before = __atomic_load_n(&s->frame, __ATOMIC_RELAXED);
    if (before != NULL && before != frame)
        hst_arena_header()->lost_suspensions++;
    __atomic_store_n(&s->frame, NULL, __ATOMIC_RELAXED);
    __atomic_store_n(&s->ticks, now_ticks, __ATOMIC_RELEASE);
    __atomic_store_n(&s->frame, frame, __ATOMIC_RELEASE);
}

void hst_tracer_resumed(struct hst_agent_context *context, const void *frame, uint64_t now_ticks)
{
    struct suspension *s = suspension_of(frame);
    if (__atomic_load_n(&s->frame, __ATOMIC_ACQUIRE) != frame)
        return;
    uint64_t since = __atomic_load_n(&s->ticks, __ATOMIC_RELAXED);
    context->suspended_ticks += now_ticks > since ? now_ticks - since : 0;
    __atomic_store_n(&s->frame, NULL, __ATOMIC_RELAXED);
}

/* --- forks --- */

/* An open context, from the arena that the child of a fork gives up. */
struct step {
    uint64_t key;
    uint32_t flags;
    struct hst_agent_function *function; /* a copy */
};

static struct hst_agent_function *copy_function(uint32_t slot)
{
    const struct hst_agent_function *from = hst_arena_slot(slot);
    struct hst_agent_function *copy = hst_alloc(from->slots, HST_AGENT_SLOT_BYTES);
    if (copy != NULL)
        memcpy(copy, from, (size_t)from->slots * HST_AGENT_SLOT_BYTES);
    return copy;
}

/* From the innermost outward; NULL with *ret_count 0 when there is nothing to take along. */
static struct step *open_steps(const struct hst_tracer *tracer, size_t *ret_count)
{
    struct step *steps = NULL;
    size_t count = 0, capacity = 0;
    const struct hst_agent_thread *thread = tracer->thread;
    int begun = thread != NULL && tracer->generation == hst_tracer_generation;
    for (uint32_t at = begun ? tracer->fork_context : 0;
         begun && at != thread->root && count < FORK_DEPTH_MAX;) {
        const struct hst_agent_context *context = hst_arena_slot(at);
        if (!HST_RESERVE(steps, capacity, count + 1))
            break;
        steps[count++] = (struct step){
            .key = context->key, .flags = context->flags, .function = copy_function(context->function)};
        at = context->parent;
    }
    *ret_count = count;
    return steps;
}

/* The same context in the new arena, entered. */
static int enter_again(struct hst_tracer *tracer, const struct step *step)
{
    struct hst_agent_context *parent = hst_arena_slot(tracer->thread->current);
    uint32_t number = number_of(parent);
    uint32_t function = step->function != NULL ? hst_functions_copy(step->key, step->function) : 0;
    struct hst_agent_context *child =
        function != 0 ? add_context(tracer, number, step->key, function, step->flags) : NULL;
    if (child == NULL || !hst_map_set(&tracer->children, hash_of(number, step->key), number_of(child)))
        return 0;
    put_first(parent, child);
    tracer->thread->current = number_of(child);
    return 1;
}

void hst_tracer_renew(void)
{
    hst_tracer_generation++;
    thread_chunk = 0;
    rows_made = 0;
    hst_map_clear(&hst_tracer_of_thread.greenlets); /* they stand in contexts of the arena before */
    hst_timeline_renew();
    hst_tasks_renew();
}

void hst_tracer_forking(void)
{
    struct hst_tracer *tracer = &hst_tracer_of_thread;
    if (tracer->thread == NULL || tracer->generation != hst_tracer_generation)
        return;
    tracer->fork_context = tracer->thread->current;
    tracer->fork_lost_depth = tracer->thread->lost_depth;
}

void hst_tracer_forked(void)
{
    struct hst_tracer *tracer = &hst_tracer_of_thread;
    size_t count;
    struct step *steps = open_steps(tracer, &count);
    int begun = tracer->thread != NULL;
    uint32_t lost_depth = begun ? tracer->fork_lost_depth : 0;
    (void)pthread_mutex_init(&beginning, NULL);
    tracer->busy = 0;
    hst_functions_forget();
    hst_tracer_renew();
    forking = 1;
    if (hst_arena_reopen() && begun && hst_tracer_begin(0) != NULL)
        for (size_t i = count; i > 0 && enter_again(tracer, &steps[i - 1]); i--)
            continue;
    for (size_t i = 0; i < count; i++)
        hst_free(steps[i].function);
    hst_free(steps);
    if (tracer->thread != NULL && tracer->generation == hst_tracer_generation) {
        tracer->thread->lost_depth = lost_depth;
        tracer->thread->last_ticks = hst_ticks();
        hst_timeline_begin(&tracer->timeline, tracer->thread, tracer->thread->current,
                           tracer->thread->last_ticks);
    }
    forking = 0;
}
