/* Walks chunks, checks every number, and adds up. */
#include "capture/agent_maps.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/ticks.h"
#include "capture/agent_view.h"
#include "event/agent_map.h"
#include "target/process.h"

#define NS_MAX ((double)(UINT64_C(1) << 60)) /* 36 years */
#define UNUSED_CHUNKS_MAX 64u                /* after so many there is none in use */
#define SLOWING_MAX 10
#define FILE_BYTES_MAX (UINT64_C(64) << 30)

void hst_agent_maps_init(struct hst_agent_maps *maps, const char *folder, uint64_t start_ns,
                         struct hst_profile *profile, struct hst_calls *calls)
{
    *maps =
        (struct hst_agent_maps){.folder = folder, .start_ns = start_ns, .profile = profile, .calls = calls};
}

void hst_agent_maps_release(struct hst_agent_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        struct hst_agent_file *file = &maps->files[i];
        for (size_t page = 0; page < file->page_count; page++)
            hst_free(file->pages[page]);
        hst_free(file->pages);
        hst_free(file->streams);
        hst_map_release(&file->stream_of);
        hst_free(file->name);
    }
    hst_free(maps->files);
    maps->files = NULL;
    maps->count = maps->capacity = 0;
}

/* --- slots --- */

struct hst_agent_chunk hst_agent_view_chunk(const struct hst_agent_view *view, uint32_t chunk)
{
    const struct hst_agent_chunk *head = hst_agent_view_slot(view, chunk * HST_AGENT_CHUNK_SLOTS);
    struct hst_agent_chunk copy = {.kind = __atomic_load_n(&head->kind, __ATOMIC_ACQUIRE),
                                   .thread = head->thread,
                                   .used = __atomic_load_n(&head->used, __ATOMIC_ACQUIRE)};
    if (copy.used > HST_AGENT_CHUNK_SLOTS)
        copy.used = HST_AGENT_CHUNK_SLOTS;
    return copy;
}

/* Whether slots from slot on are in use in a chunk of that kind. */
static int is_a(const struct hst_agent_view *view, uint32_t slot, uint32_t slots,
                enum hst_agent_chunk_kind kind)
{
    uint32_t at = slot % HST_AGENT_CHUNK_SLOTS;
    if (at == 0 || slot / HST_AGENT_CHUNK_SLOTS >= view->chunks)
        return 0;
    struct hst_agent_chunk chunk = hst_agent_view_chunk(view, slot / HST_AGENT_CHUNK_SLOTS);
    return chunk.kind == (uint32_t)kind && at + slots <= chunk.used;
}

/* What is known of the slot's chunk, which there is; NULL: no memory. */
static struct hst_agent_page *page_of(const struct hst_agent_view *view, uint32_t slot)
{
    struct hst_agent_page **page = &view->file->pages[slot / HST_AGENT_CHUNK_SLOTS];
    if (*page == NULL)
        *page = hst_alloc_zero(1, sizeof **page);
    return *page;
}

static void keep_id(struct hst_agent_page *page, uint32_t slot, uint32_t id, unsigned marks)
{
    page->ids[slot % HST_AGENT_CHUNK_SLOTS] = id + 1;
    page->marks[slot % HST_AGENT_CHUNK_SLOTS] = (uint8_t)marks;
}

/* --- rows --- */

/* What a file says may be any number. */
static uint64_t whole_ns(double ns) { return ns > 0 ? ns < NS_MAX ? (uint64_t)ns : (uint64_t)NS_MAX : 0; }

static uint64_t ns_of(const struct hst_agent_view *view, double ticks)
{
    return whole_ns(ticks * view->ns_per_tick);
}

uint64_t hst_agent_view_ns(const struct hst_agent_view *view, uint64_t ticks)
{
    double since = ((double)ticks - (double)view->header->start_ticks) * view->ns_per_tick;
    double ns = (double)view->header->start_ns - (double)view->maps->start_ns + since;
    return whole_ns(ns);
}

static uint32_t text_id(struct hst_agent_view *view, const char *text, size_t most)
{
    return hst_strings_add(&view->maps->profile->strings, text, strnlen(text, most));
}

static enum hst_status add_process(struct hst_agent_view *view)
{
    const struct hst_agent_header *header = view->header;
    struct hst_process row = {.pid = header->pid,
                              .parent_pid = header->parent_pid,
                              .command = text_id(view, header->command, sizeof header->command),
                              .interpreter = text_id(view, header->interpreter, sizeof header->interpreter),
                              .executable = text_id(view, header->executable, sizeof header->executable),
                              .start_ns = hst_agent_view_ns(view, header->start_ticks)};
    row.end_ns = row.start_ns;
    if (row.command == HST_ID_NONE || row.interpreter == HST_ID_NONE || row.executable == HST_ID_NONE)
        return HST_E_NOMEM;
    view->file->process = hst_profile_add_process(view->maps->profile, &row);
    return view->file->process != HST_ID_NONE ? HST_OK : HST_E_NOMEM;
}

static enum hst_status update_trace(struct hst_agent_view *view)
{
    static const char *const backends[HST_AGENT_BACKEND_COUNT] = {
        [HST_AGENT_BACKEND_NONE] = "",
        [HST_AGENT_BACKEND_MONITORING] = "sys.monitoring",
        [HST_AGENT_BACKEND_PROFILE] = "profile hook",
        [HST_AGENT_BACKEND_FRAMES] = "frame hook",
        [HST_AGENT_BACKEND_LINE_MONITORING] = "sys.monitoring",
        [HST_AGENT_BACKEND_LINE_TRACE] = "trace hook",
        [HST_AGENT_BACKEND_BOTH_HOOKS] = "profile and frame hooks"};
    const struct hst_agent_header *header = view->header;
    struct hst_trace_info *info = hst_calls_trace(view->maps->calls, view->file->process);
    if (info == NULL)
        return HST_E_NOMEM;
    info->backend = header->backend < HST_AGENT_BACKEND_COUNT ? backends[header->backend] : "";
    info->clock = header->clock == HST_AGENT_CLOCK_TSC ? "tsc" : "system";
    info->python_only = header->python_only != 0;
    info->lost_contexts = header->lost_contexts;
    info->lost_suspensions = header->lost_suspensions;
    info->hook_taken = header->hook_taken;
    info->has_timeline = header->has_timeline != 0;
    info->lost_events = header->lost_events;
    memcpy(info->failure, header->failure, sizeof info->failure - 1);
    info->line_cost_ns = header->line_cost_ticks * view->ns_per_tick;
    for (int kind = 0; kind < HST_CALL_KIND_COUNT; kind++) {
        info->caller_cost_ns[kind] = header->cost_ticks[kind][HST_AGENT_CALLER] * view->ns_per_tick;
        info->callee_cost_ns[kind] = header->cost_ticks[kind][HST_AGENT_CALLEE] * view->ns_per_tick;
    }
    return HST_OK;
}

/* The model's location of a function's row, + 1; 0: the row makes no sense. */
static enum hst_status find_location(struct hst_agent_view *view, uint32_t slot, uint32_t *ret_location)
{
    *ret_location = 0;
    if (!is_a(view, slot, 1, HST_AGENT_CHUNK_FUNCTIONS))
        return HST_OK;
    struct hst_agent_page *page = page_of(view, slot);
    if (page == NULL)
        return HST_E_NOMEM;
    if (page->ids[slot % HST_AGENT_CHUNK_SLOTS] != 0) {
        *ret_location = hst_agent_view_id(view, slot, HST_MARK_A_LOCATION);
        return HST_OK;
    }
    const char *text = (const char *)hst_agent_view_slot(view, slot) + sizeof(struct hst_agent_function);
    struct hst_agent_function copy, *row = &copy; /* the file may change while it is looked at */
    memcpy(row, hst_agent_view_slot(view, slot), sizeof copy);
    size_t bytes = sizeof *row + row->name_bytes + row->qualname_bytes + row->file_bytes;
    if (row->slots > HST_AGENT_CHUNK_SLOTS || !is_a(view, slot, row->slots, HST_AGENT_CHUNK_FUNCTIONS) ||
        bytes > (uint64_t)row->slots * HST_AGENT_SLOT_BYTES)
        return HST_OK;
    struct hst_strings *strings = &view->maps->profile->strings;
    struct hst_function function = {
        .name = hst_strings_add(strings, text, row->name_bytes),
        .qualname = hst_strings_add(strings, text + row->name_bytes, row->qualname_bytes),
        .file = hst_strings_add(strings, text + row->name_bytes + row->qualname_bytes, row->file_bytes),
        .first_line = row->first_line};
    if (function.name == HST_ID_NONE || function.qualname == HST_ID_NONE || function.file == HST_ID_NONE)
        return HST_E_NOMEM;
    struct hst_location location = {.function = hst_profile_function(view->maps->profile, &function),
                                    .line = row->first_line};
    if (location.function == HST_ID_NONE)
        return HST_E_NOMEM;
    uint32_t id = hst_profile_location(view->maps->profile, &location);
    if (id == HST_ID_NONE)
        return HST_E_NOMEM;
    keep_id(page, slot, id, HST_MARK_A_LOCATION);
    *ret_location = id + 1;
    return HST_OK;
}

/* What a thread has used so far; of one that runs the system knows more than the agent has written down. */
static void add_cpu(const struct hst_agent_view *view, const struct hst_agent_thread *from,
                    struct hst_thread *row)
{
    struct hst_thread_files files;
    struct hst_thread_times times;
    uint64_t used_ns = from->cpu_ns;
    if (from->end_ticks == 0 && view->header->state == HST_AGENT_TRACING &&
        hst_thread_files_open((int)view->header->pid, (int)from->native_id, &files) == HST_OK) {
        if (hst_thread_times_read(&files, &times) == HST_OK && times.run_ns > from->cpu_begin_ns)
            used_ns += times.run_ns - from->cpu_begin_ns;
        hst_thread_files_close(&files);
    }
    row->cpu_ns = used_ns > row->cpu_ns ? used_ns : row->cpu_ns; /* one that is gone keeps what was seen */
}

/* The model's thread of a row that is in use; HST_ID_NONE: of none. */
enum hst_status hst_agent_view_thread(struct hst_agent_view *view, uint32_t slot, uint32_t *ret_thread)
{
    *ret_thread = HST_ID_NONE;
    if (!is_a(view, slot, 3, HST_AGENT_CHUNK_THREADS))
        return HST_OK;
    const struct hst_agent_thread *from = hst_agent_view_slot(view, slot);
    uint32_t native_id = __atomic_load_n(&from->native_id, __ATOMIC_ACQUIRE);
    if (native_id == 0)
        return HST_OK;
    struct hst_agent_page *page = page_of(view, slot);
    if (page == NULL)
        return HST_E_NOMEM;
    if (page->ids[slot % HST_AGENT_CHUNK_SLOTS] == 0) {
        struct hst_thread row = {.process = view->file->process,
                                 .native_id = native_id,
                                 .interpreter_id = from->interpreter_id,
                                 .start_ns = hst_agent_view_ns(view, from->begin_ticks)};
        row.name = native_id == view->header->pid
                       ? hst_strings_add_z(&view->maps->profile->strings, "MainThread")
                       : text_id(view, from->name, sizeof from->name);
        uint32_t id = row.name != HST_ID_NONE ? hst_profile_add_thread(view->maps->profile, &row) : row.name;
        if (id == HST_ID_NONE)
            return HST_E_NOMEM;
        keep_id(page, slot, id, HST_MARK_A_THREAD);
    }
    if (hst_agent_view_id(view, slot, HST_MARK_A_THREAD) == 0)
        return HST_OK;
    *ret_thread = page->ids[slot % HST_AGENT_CHUNK_SLOTS] - 1;
    struct hst_thread *row = &view->maps->profile->threads[*ret_thread];
    uint64_t end = from->end_ticks != 0 ? from->end_ticks : view->end_ticks;
    row->end_ns = hst_agent_view_ns(view, end);
    add_cpu(view, from, row);
    return HST_OK;
}

/* What a context is that calls location's function. */
static uint8_t judge(const struct hst_agent_view *view, uint8_t caller, uint32_t location)
{
    const struct hst_agent_maps *maps = view->maps;
    unsigned judged = maps->judge != NULL
                          ? maps->judge(maps->judge_context, maps->profile->locations[location].function)
                          : 0;
    uint8_t seen = caller & (HST_MARK_INSIDE | HST_MARK_BEYOND);
    if ((judged & HST_AGENT_BEGINS) != 0)
        seen |= HST_MARK_INSIDE;
    if (seen == HST_MARK_INSIDE && (judged & HST_AGENT_HIDDEN) == 0)
        seen |= HST_MARK_SEEN;
    return (judged & HST_AGENT_ENDS) != 0 ? seen | HST_MARK_BEYOND : seen;
}

/* Gives a context its stack; its parent was met before it.  One that makes no sense gets none. */
static enum hst_status find_stack(struct hst_agent_view *view, struct hst_agent_page *page, uint32_t slot)
{
    const struct hst_agent_context *context = hst_agent_view_slot(view, slot);
    uint32_t location, parent = context->parent;
    if (page->ids[slot % HST_AGENT_CHUNK_SLOTS] != 0)
        return HST_OK;
    if (parent == 0) { /* the root: no Python runs */
        keep_id(page, slot, 0, HST_MARK_A_STACK | (view->maps->only_inside ? 0 : HST_MARK_INSIDE));
        return HST_OK;
    }
    uint32_t caller = parent < slot ? hst_agent_view_id(view, parent, HST_MARK_A_STACK) : 0;
    if (caller == 0)
        return HST_OK;
    HST_TRY(find_location(view, context->function, &location));
    if (location == 0)
        return HST_OK;
    uint32_t stack = caller - 1;
    uint8_t marks = judge(view, hst_agent_view_marks(view, parent), location - 1);
    if ((marks & HST_MARK_SEEN) != 0)
        stack = hst_profile_stack(view->maps->profile, stack, location - 1);
    if (stack == HST_ID_NONE)
        return HST_E_NOMEM;
    keep_id(page, slot, stack, HST_MARK_A_STACK | marks);
    return HST_OK;
}

enum hst_status hst_agent_view_stacks(struct hst_agent_view *view)
{
    for (uint32_t c = 0; c < view->chunks; c++) {
        struct hst_agent_chunk chunk = hst_agent_view_chunk(view, c);
        uint32_t thread = HST_ID_NONE;
        if (chunk.kind == HST_AGENT_CHUNK_CONTEXTS)
            HST_TRY(hst_agent_view_thread(view, chunk.thread, &thread));
        if (thread == HST_ID_NONE)
            continue;
        struct hst_agent_page *page = page_of(view, c * HST_AGENT_CHUNK_SLOTS);
        if (page == NULL)
            return HST_E_NOMEM;
        for (page->met = page->met > 0 ? page->met : 1; page->met < chunk.used; page->met++)
            HST_TRY(find_stack(view, page, c * HST_AGENT_CHUNK_SLOTS + page->met));
    }
    return HST_OK;
}

/* --- sums --- */

static int kind_of(const struct hst_agent_context *context)
{
    if ((context->flags & HST_AGENT_FUNCTION_C) == 0)
        return (context->flags & HST_AGENT_QUIET_CONTEXT) != 0 ? HST_AGENT_QUIET : HST_AGENT_PYTHON;
    return (context->flags & HST_AGENT_FUNCTION_METHOD) != 0 ? HST_AGENT_C_METHOD : HST_AGENT_C;
}

static int is_task(const struct hst_agent_context *context)
{
    return (context->flags & HST_AGENT_FUNCTION_TASK) != 0;
}

static double entries_of(const struct hst_agent_context *context)
{
    return (double)context->calls + (double)context->resumes;
}

/* What the thread has spent in the context in which it is since its last event. */
static uint64_t open_ticks(const struct hst_agent_view *view, uint32_t slot, uint32_t thread)
{
    const struct hst_agent_thread *row = hst_agent_view_slot(view, thread);
    const struct hst_agent_header *header = view->header;
    uint64_t last = row->last_ticks, end = view->end_ticks;
    if (header->state == HST_AGENT_PAUSED)
        end = header->paused_ticks;
    else if (header->resumed_ticks > last)
        last = header->resumed_ticks;
    return row->current == slot && row->end_ticks == 0 && end > last ? end - last : 0;
}

static enum hst_status add_context(struct hst_agent_view *view, uint32_t slot, uint32_t thread_slot,
                                   uint32_t thread)
{
    const struct hst_agent_context *context = hst_agent_view_slot(view, slot);
    uint32_t stack = hst_agent_view_id(view, slot, HST_MARK_A_STACK);
    if (stack <= 1)
        return HST_OK;
    const struct hst_agent_page *page = view->file->pages[slot / HST_AGENT_CHUNK_SLOTS];
    double raw = (double)context->self_ticks + (double)open_ticks(view, slot, thread_slot);
    if (raw == 0 && entries_of(context) == 0 && context->raises == 0)
        return HST_OK; /* of a generator that was closed before it began */
    struct hst_call_row *row = hst_calls_row(view->maps->calls, thread, stack - 1);
    if (row == NULL)
        return HST_E_NOMEM;
    double entries = is_task(context) ? 0 : entries_of(context); /* that were told of */
    double cost = entries * view->header->cost_ticks[kind_of(context)][HST_AGENT_CALLEE] +
                  page->callee_cost[slot % HST_AGENT_CHUNK_SLOTS];
    row->raw_ns += ns_of(view, raw);
    /* The costs hold no slowing: a call's own instructions are slowed as those between calls are. */
    double slowed = kind_of(context) == HST_AGENT_PYTHON ? 1 + view->header->slowing : 1;
    row->self_ns += ns_of(view, (raw - cost) / slowed);
    if ((hst_agent_view_marks(view, slot) & HST_MARK_SEEN) == 0)
        return HST_OK;
    row->calls += context->calls;
    row->resumes += context->resumes;
    row->raises += context->raises;
    row->suspended_ns += ns_of(view, (double)context->suspended_ticks);
    return HST_OK;
}

typedef enum hst_status context_visitor(struct hst_agent_view *view, uint32_t slot, uint32_t thread_slot,
                                        uint32_t thread);

static enum hst_status add_child_cost(struct hst_agent_view *view, uint32_t slot, uint32_t thread_slot,
                                      uint32_t thread)
{
    (void)thread_slot, (void)thread;
    const struct hst_agent_context *context = hst_agent_view_slot(view, slot);
    const double(*cost)[HST_AGENT_COST_COUNT] = view->header->cost_ticks;
    uint32_t parent = context->parent;
    if (parent == 0 || parent >= slot || is_task(context))
        return HST_OK;
    const struct hst_agent_context *outer = hst_agent_view_slot(view, parent);
    if (is_task(outer) && outer->parent != 0 && outer->parent < parent)
        parent = outer->parent; /* who called it */
    struct hst_agent_page *page = view->file->pages[parent / HST_AGENT_CHUNK_SLOTS];
    if (page == NULL)
        return HST_OK;
    double *into = &page->callee_cost[parent % HST_AGENT_CHUNK_SLOTS];
    if (context->function == 0) /* calls that were too deep: all of their cost is measured there */
        for (int side = 0; side < HST_AGENT_COST_COUNT; side++)
            *into += (double)context->calls * cost[HST_AGENT_PYTHON][side] +
                     (double)context->resumes * cost[HST_AGENT_C][side];
    else
        *into += entries_of(context) * cost[kind_of(context)][HST_AGENT_CALLER];
    return HST_OK;
}

static enum hst_status visit_contexts(struct hst_agent_view *view, context_visitor *visit)
{
    for (uint32_t c = 0; c < view->chunks; c++) {
        struct hst_agent_chunk chunk = hst_agent_view_chunk(view, c);
        uint32_t thread;
        if (chunk.kind != HST_AGENT_CHUNK_CONTEXTS)
            continue;
        HST_TRY(hst_agent_view_thread(view, chunk.thread, &thread));
        for (uint32_t i = 1; i < chunk.used && thread != HST_ID_NONE; i++)
            HST_TRY(visit(view, c * HST_AGENT_CHUNK_SLOTS + i, chunk.thread, thread));
    }
    return HST_OK;
}

/* A page of lines as one thread met them; those of all threads are added up. */
static enum hst_status add_page(struct hst_agent_view *view, uint32_t slot)
{
    const struct hst_agent_line_page *page = hst_agent_view_slot(view, slot);
    const struct hst_agent_line *lines = (const struct hst_agent_line *)(const void *)(page + 1);
    uint32_t location;
    HST_TRY(find_location(view, page->function, &location));
    if (location == 0)
        return HST_OK;
    uint32_t function = view->maps->profile->locations[location - 1].function;
    for (uint32_t i = 0; i < HST_AGENT_PAGE_LINES; i++) {
        const struct hst_agent_line *line = &lines[i];
        if (line->hits == 0)
            continue;
        struct hst_line_row *row = hst_lines_row(view->maps->lines, function, page->first_line + i);
        if (row == NULL)
            return HST_E_NOMEM;
        double raw = (double)line->self_ticks, cost = (double)line->hits * view->header->line_cost_ticks;
        double total = (double)line->total_ticks;
        if (line->open_ticks != 0 && view->end_ticks > line->open_ticks)
            total += (double)(view->end_ticks - line->open_ticks);
        row->hits += line->hits;
        row->raw_ns += ns_of(view, raw);
        row->self_ns += ns_of(view, raw - cost);
        row->total_ns += ns_of(view, total - cost);
    }
    return HST_OK;
}

static enum hst_status add_lines(struct hst_agent_view *view)
{
    enum { SLOTS = 1 + HST_AGENT_PAGE_LINES * sizeof(struct hst_agent_line) / HST_AGENT_SLOT_BYTES };
    for (uint32_t c = 0; c < view->chunks && view->maps->lines != NULL; c++) {
        struct hst_agent_chunk chunk = hst_agent_view_chunk(view, c);
        if (chunk.kind != HST_AGENT_CHUNK_LINES)
            continue;
        for (uint32_t i = 1; i + SLOTS <= chunk.used; i += SLOTS)
            HST_TRY(add_page(view, c * HST_AGENT_CHUNK_SLOTS + i));
    }
    return HST_OK;
}

static int header_is_good(const struct hst_agent_header *header)
{
    int good = memcmp(header->magic, HST_AGENT_MAGIC, sizeof header->magic) == 0;
    for (int kind = 0; kind < HST_AGENT_KIND_COUNT; kind++)
        for (int side = 0; side < HST_AGENT_COST_COUNT; side++)
            good = good && header->cost_ticks[kind][side] >= 0 && header->cost_ticks[kind][side] < 1e6;
    good = good && header->slowing >= 0 && header->slowing < SLOWING_MAX;
    return good && header->start_ticks != 0 && header->line_cost_ticks >= 0 && header->line_cost_ticks < 1e6;
}

/* The last sign of life of a process that left no other. */
static uint64_t last_event(const struct hst_agent_view *view)
{
    uint64_t last = view->header->start_ticks;
    for (uint32_t c = 0; c < view->chunks; c++) {
        struct hst_agent_chunk chunk = hst_agent_view_chunk(view, c);
        if (chunk.kind != HST_AGENT_CHUNK_THREADS)
            continue;
        for (uint32_t i = 1; i + 3 <= chunk.used; i += 3) {
            const struct hst_agent_thread *thread = hst_agent_view_slot(view, c * HST_AGENT_CHUNK_SLOTS + i);
            last = thread->last_ticks > last ? thread->last_ticks : last;
        }
    }
    return last;
}

/* One moment by both clocks: of a few attempts the shortest, since anything may come between. */
static void read_both_clocks(uint64_t *ret_ns, uint64_t *ret_ticks)
{
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < 5; i++) {
        uint64_t before = hst_ticks(), ns = hst_now_ns(), after = hst_ticks();
        if (after - before < shortest) {
            shortest = after - before;
            *ret_ns = ns;
            *ret_ticks = before + shortest / 2;
        }
    }
}

/* How long a tick is, from the moment at the agent's start and this one. */
static void set_clock(struct hst_agent_view *view)
{
    const struct hst_agent_header *header = view->header;
    uint64_t now_ns = hst_now_ns(), now_ticks = now_ns;
    if (header->clock == HST_AGENT_CLOCK_TSC)
        read_both_clocks(&now_ns, &now_ticks);
    view->ns_per_tick = 1;
    if (now_ticks > header->start_ticks && now_ns > header->start_ns)
        view->ns_per_tick = (double)(now_ns - header->start_ns) / (double)(now_ticks - header->start_ticks);
    view->end_ticks = now_ticks;
    if (header->state == HST_AGENT_ENDED)
        view->end_ticks = header->end_ticks;
    else if (header->pid == view->maps->target && view->maps->target_end_ns != 0)
        view->end_ticks =
            now_ticks - (uint64_t)((double)(now_ns - view->maps->target_end_ns) / view->ns_per_tick);
    else if (kill((pid_t)header->pid, 0) != 0)
        view->end_ticks = last_event(view); /* killed, some time ago */
}

/* Up to which chunk there is anything.  What lies beyond is not looked at: in memory that is a file, looking
 * takes the pages that are not there yet. */
static uint32_t chunks_in_use(const struct hst_agent_view *view, uint32_t chunks)
{
    uint32_t used = 1;
    for (uint32_t c = 1; c < chunks && c < used + UNUSED_CHUNKS_MAX; c++)
        if (hst_agent_view_chunk(view, c).kind != HST_AGENT_CHUNK_NONE)
            used = c + 1;
    return used;
}

/* What every reading begins with; *ret_good is 0 when there is nothing to be read yet. */
static enum hst_status begin_view(struct hst_agent_view *view, uint32_t chunks, int *ret_good)
{
    struct hst_agent_file *file = view->file;
    *ret_good = header_is_good(view->header);
    if (!*ret_good)
        return HST_OK; /* not begun */
    view->chunks = chunks_in_use(view, chunks);
    set_clock(view);
    if (!HST_RESERVE(file->pages, file->page_capacity, view->chunks))
        return HST_E_NOMEM;
    for (; file->page_count < view->chunks; file->page_count++)
        file->pages[file->page_count] = NULL;
    if (file->process == HST_ID_NONE)
        HST_TRY(add_process(view));
    view->maps->profile->processes[file->process].end_ns = hst_agent_view_ns(view, view->end_ticks);
    return hst_agent_view_stacks(view);
}

static enum hst_status read_sums(struct hst_agent_view *view)
{
    HST_TRY(update_trace(view));
    for (uint32_t c = 0; c < view->chunks; c++)
        if (view->file->pages[c] != NULL)
            memset(view->file->pages[c]->callee_cost, 0, sizeof view->file->pages[c]->callee_cost);
    HST_TRY(add_lines(view));
    HST_TRY(visit_contexts(view, add_child_cost));
    return visit_contexts(view, add_context);
}

/* What is done with a file. */
struct reading {
    int sums;
    int events; /* enum hst_agent_drain; -1: none */
    struct hst_error *err;
};

static enum hst_status read_view(struct hst_agent_view *view, uint32_t chunks, int fd,
                                 const struct reading *reading)
{
    int good;
    HST_TRY(begin_view(view, chunks, &good));
    if (good && reading->sums)
        HST_TRY(read_sums(view));
    if (good && reading->events >= 0 && view->header->has_timeline)
        HST_TRY(hst_agent_view_drain(view, fd, (enum hst_agent_drain)reading->events, reading->err));
    return HST_OK;
}

static enum hst_status read_file(struct hst_agent_maps *maps, struct hst_agent_file *file,
                                 const struct reading *reading)
{
    HST_CLEANUP_FREE char *path = hst_asprintf("%s/%s", maps->folder, file->name);
    if (path == NULL)
        return HST_E_NOMEM;
    HST_CLEANUP_FD int fd = open(path, (reading->events >= 0 ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0 || info.st_size < (off_t)HST_AGENT_CHUNK_BYTES ||
        (uint64_t)info.st_size > FILE_BYTES_MAX)
        return HST_OK;
    size_t length = (size_t)info.st_size;
    char *base = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return HST_OK;
    struct hst_agent_view view = {.maps = maps,
                                  .file = file,
                                  .base = base,
                                  .header = (const struct hst_agent_header *)(const void *)base};
    enum hst_status status = read_view(&view, (uint32_t)(length / HST_AGENT_CHUNK_BYTES), fd, reading);
    (void)munmap(base, length);
    return status;
}

static enum hst_status add_file(struct hst_agent_maps *maps, const char *name)
{
    size_t length = strlen(name), ending = strlen(HST_AGENT_FILE_ENDING);
    if (length <= ending || strcmp(name + length - ending, HST_AGENT_FILE_ENDING) != 0)
        return HST_OK;
    for (size_t i = 0; i < maps->count; i++)
        if (strcmp(maps->files[i].name, name) == 0)
            return HST_OK;
    if (!HST_RESERVE(maps->files, maps->capacity, maps->count + 1))
        return HST_E_NOMEM;
    struct hst_agent_file *file = &maps->files[maps->count];
    *file = (struct hst_agent_file){.name = hst_strdup(name), .process = HST_ID_NONE};
    maps->count += file->name != NULL;
    return file->name != NULL ? HST_OK : HST_E_NOMEM;
}

static enum hst_status find_files(struct hst_agent_maps *maps)
{
    HST_CLEANUP_DIR DIR *folder = opendir(maps->folder);
    if (folder == NULL)
        return HST_E_GONE;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        HST_TRY(add_file(maps, entry->d_name));
    return HST_OK;
}

enum hst_status hst_agent_maps_read(struct hst_agent_maps *maps)
{
    HST_TRY(find_files(maps));
    struct hst_calls *calls = maps->calls;
    for (size_t i = 0; i < calls->count; i++) /* the sums are made anew each time */
        calls->rows[i] =
            (struct hst_call_row){.thread = calls->rows[i].thread, .stack = calls->rows[i].stack};
    for (size_t i = 0; maps->lines != NULL && i < maps->lines->count; i++)
        maps->lines->rows[i] = (struct hst_line_row){.function = maps->lines->rows[i].function,
                                                     .line = maps->lines->rows[i].line};
    for (size_t i = 0; i < maps->count; i++)
        HST_TRY(read_file(maps, &maps->files[i], &(struct reading){.sums = 1, .events = -1}));
    return HST_OK;
}

enum hst_status hst_agent_maps_drain(struct hst_agent_maps *maps, enum hst_agent_drain what,
                                     struct hst_error *err)
{
    HST_TRY(find_files(maps));
    for (size_t i = 0; i < maps->count; i++)
        HST_TRY(read_file(maps, &maps->files[i], &(struct reading){.events = (int)what, .err = err}));
    return HST_OK;
}
