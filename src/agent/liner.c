/* Pages of lines, stacks of calls. */
#include "agent/liner.h"

#include <pthread.h>
#include <string.h>

#include "agent/functions.h"
#include "agent/selection.h"
#include "agent/tracer.h"
#include "base/memory.h"

enum { DEPTH_MAX = 1 << 20, PAGES_MAX = 1 << 16, PAUSES = 1 << 14, NOT_CHOSEN = 0x7fffffff };

__thread struct hst_liner hst_liner_of_thread __attribute__((tls_model("initial-exec")));
int hst_liner_on, hst_liner_scoped;

/* Which line a generator's frame stands at. */
static struct pause {
    const void *frame;
    struct hst_agent_line *line;
} pauses[PAUSES];

static struct pause *pause_of(const void *frame)
{
    return &pauses[hst_mix64((uint64_t)(uintptr_t)frame >> 4) % PAUSES];
}

/* What ended threads knew: the next that begins goes on with it, or each thread would have pages of its own.
 */
static struct hst_liner **idle;
static size_t idle_count, idle_capacity;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t at_end;
static pthread_once_t at_end_made = PTHREAD_ONCE_INIT;

static void thread_ended(void *unused)
{
    (void)unused;
    struct hst_liner *liner = &hst_liner_of_thread, *kept = hst_alloc(1, sizeof *kept);
    while (liner->depth > 0)
        hst_liner_pop(liner, 0);
    (void)pthread_mutex_lock(&lock);
    if (kept != NULL && HST_RESERVE(idle, idle_capacity, idle_count + 1)) {
        *kept = *liner;
        kept->entered = 0;
        idle[idle_count++] = kept;
        *liner = (struct hst_liner){0};
    }
    (void)pthread_mutex_unlock(&lock);
    liner->busy = 1;
}

static void make_at_end(void) { (void)pthread_key_create(&at_end, thread_ended); }

static void begin(struct hst_liner *liner)
{
    struct hst_liner *taken = NULL;
    (void)pthread_mutex_lock(&lock);
    if (idle_count > 0 && idle[idle_count - 1]->generation == hst_tracer_generation)
        taken = idle[--idle_count];
    (void)pthread_mutex_unlock(&lock);
    unsigned entered = liner->entered;
    if (taken != NULL)
        *liner = *taken;
    liner->entered = entered;
    hst_free(taken);
    liner->generation = hst_tracer_generation;
    (void)pthread_once(&at_end_made, make_at_end);
    (void)pthread_setspecific(at_end, liner);
}

static void forget(struct hst_liner *liner)
{
    for (size_t i = 0; i < liner->known_count; i++) {
        hst_free(liner->known[i]->pages);
        hst_free(liner->known[i]);
    }
    hst_free(liner->known);
    hst_free(liner->frames);
    hst_map_release(&liner->codes);
    *liner = (struct hst_liner){.entered = liner->entered};
}

struct hst_liner *hst_liner_self(void)
{
    struct hst_liner *liner = &hst_liner_of_thread;
    if (liner->busy || !hst_liner_on || hst_arena_serial == 0 || (hst_liner_scoped && liner->entered == 0))
        return NULL;
    if (liner->generation != hst_tracer_generation) {
        forget(liner);
        begin(liner);
    }
    return liner;
}

static struct hst_line_code *add_code(struct hst_liner *liner, PyObject *code)
{
    uint32_t flags;
    uint32_t function = hst_functions_code(code, &flags);
    if (function == 0 || !HST_RESERVE(liner->known, liner->known_capacity, liner->known_count + 1))
        return NULL;
    struct hst_line_code *lines = hst_alloc_zero(1, sizeof *lines);
    if (lines == NULL)
        return NULL;
    lines->code = code;
    lines->function = function;
    lines->first_line = ((const struct hst_agent_function *)hst_arena_slot(function))->first_line;
    lines->generator = (flags & HST_AGENT_FUNCTION_GENERATOR) != 0;
    liner->known[liner->known_count] = lines;
    return lines;
}

struct hst_line_code *hst_liner_code(struct hst_liner *liner, PyObject *code)
{
    uint64_t key = (uint64_t)(uintptr_t)code;
    uint32_t found = hst_map_find(&liner->codes, key);
    if (found != HST_MAP_ABSENT && found != NOT_CHOSEN)
        return liner->known[found];
    if (found == NOT_CHOSEN && liner->selection_version == hst_selection_version)
        return NULL;
    if (liner->selection_version != hst_selection_version) { /* those not chosen are to be asked again */
        hst_map_clear(&liner->codes);
        for (size_t i = 0; i < liner->known_count; i++)
            (void)hst_map_set(&liner->codes, (uint64_t)(uintptr_t)liner->known[i]->code, (uint32_t)i);
        liner->selection_version = hst_selection_version;
        found = hst_map_find(&liner->codes, key);
        if (found != HST_MAP_ABSENT)
            return liner->known[found];
    }
    liner->busy = 1;
    struct hst_line_code *lines = hst_selection_has(code) ? add_code(liner, code) : NULL;
    if (lines == NULL) {
        (void)hst_map_set(&liner->codes, key, NOT_CHOSEN);
    } else if (hst_map_set(&liner->codes, key, (uint32_t)liner->known_count)) {
        liner->known_count++;
    } else {
        hst_free(lines);
        lines = NULL;
    }
    liner->busy = 0;
    return lines;
}

/* Rows of lines: a chunk's page is a head and so many cells. */
static struct hst_agent_line *add_page(struct hst_liner *liner, const struct hst_line_code *lines,
                                       uint32_t page)
{
    enum { SLOTS = 1 + HST_AGENT_PAGE_LINES * sizeof(struct hst_agent_line) / HST_AGENT_SLOT_BYTES };
    uint32_t slot = hst_arena_take(&liner->chunk, HST_AGENT_CHUNK_LINES, 0, SLOTS);
    if (slot == 0)
        return NULL;
    struct hst_agent_line_page *head = hst_arena_slot(slot);
    head->function = lines->function;
    head->first_line = lines->first_line + page * HST_AGENT_PAGE_LINES;
    hst_arena_publish(liner->chunk, slot + SLOTS);
    return hst_arena_slot(slot + 1);
}

static int reserve_pages(struct hst_line_code *lines, uint32_t page)
{
    if (page < lines->page_count)
        return 1;
    if (page >= PAGES_MAX)
        return 0;
    struct hst_agent_line **pages = hst_realloc(lines->pages, page + 1, sizeof(struct hst_agent_line *));
    if (pages == NULL)
        return 0;
    for (uint32_t i = lines->page_count; i <= page; i++)
        pages[i] = NULL;
    lines->pages = pages;
    lines->page_count = page + 1;
    return 1;
}

struct hst_agent_line *hst_liner_line(struct hst_liner *liner, struct hst_line_code *lines, uint32_t line)
{
    uint32_t index = line - lines->first_line, page = index / HST_AGENT_PAGE_LINES;
    if (line < lines->first_line || !reserve_pages(lines, page))
        return &liner->nowhere;
    if (lines->pages[page] == NULL)
        lines->pages[page] = add_page(liner, lines, page);
    if (lines->pages[page] == NULL) {
        hst_arena_header()->lost_contexts++;
        return &liner->nowhere;
    }
    return &lines->pages[page][index % HST_AGENT_PAGE_LINES];
}

int hst_liner_push(struct hst_liner *liner, struct hst_line_code *lines, const void *frame, int resumed)
{
    struct hst_line_frame *top = hst_liner_top(liner);
    uint64_t now = hst_ticks();
    if (top != NULL)
        hst_liner_tick(liner, top, now);
    if (liner->depth >= DEPTH_MAX || !HST_RESERVE(liner->frames, liner->capacity, liner->depth + 1))
        return 0;
    top = &liner->frames[liner->depth++];
    *top = (struct hst_line_frame){.lines = lines, .frame = frame};
    struct hst_agent_line *line = &liner->nowhere;
    if (resumed && frame != NULL) {
        struct pause *pause = pause_of(frame);
        if (pause->frame == frame)
            line = pause->line;
        pause->frame = NULL;
    }
    liner->last_ticks = now;
    hst_liner_open(top, line, now);
    return 1;
}

void hst_liner_pop(struct hst_liner *liner, int yields)
{
    struct hst_line_frame *top = hst_liner_top(liner);
    uint64_t now = hst_ticks();
    if (top == NULL)
        return;
    hst_liner_tick(liner, top, now);
    hst_liner_close(top, now);
    if (yields && top->frame != NULL && top->line != &liner->nowhere)
        *pause_of(top->frame) = (struct pause){.frame = top->frame, .line = top->line};
    liner->depth--;
}

struct hst_line_frame *hst_liner_find(struct hst_liner *liner, PyObject *code, const void *frame)
{
    for (size_t i = liner->depth; i > 0; i--) {
        if (liner->frames[i - 1].lines->code != code)
            continue;
        while (liner->depth > i)
            hst_liner_pop(liner, 0);
        return hst_liner_top(liner);
    }
    struct hst_line_code *lines = hst_liner_code(liner, code);
    return lines != NULL && hst_liner_push(liner, lines, frame, 0) ? hst_liner_top(liner) : NULL;
}

void hst_liner_discard(void)
{
    struct hst_liner *liner = &hst_liner_of_thread;
    for (size_t i = 0; i < liner->known_count; i++)
        for (uint32_t page = 0; page < liner->known[i]->page_count; page++)
            if (liner->known[i]->pages[page] != NULL)
                ((struct hst_agent_line_page *)(void *)liner->known[i]->pages[page] - 1)->function = 0;
    uint32_t generation = liner->generation;
    forget(liner);
    liner->generation = generation;
}

int hst_liner_enter(void) { return hst_liner_of_thread.entered++ == 0; }

int hst_liner_leave(void)
{
    struct hst_liner *liner = &hst_liner_of_thread;
    if (liner->entered == 0 || --liner->entered > 0)
        return 0;
    while (hst_liner_on && liner->generation == hst_tracer_generation && liner->depth > 0)
        hst_liner_pop(liner, 0); /* of calls that go on */
    return 1;
}

void hst_liner_forked(void)
{
    /* hst_liner_self sees that the arena is another, and begins anew; calls under way are not taken along. */
    memset(pauses, 0, sizeof pauses);
    (void)pthread_mutex_init(&lock, NULL);
}
