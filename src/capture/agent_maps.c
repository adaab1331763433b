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
#include "event/agent_map.h"
#include "target/process.h"

#define FILE_BYTES_MAX (UINT64_C(64) << 30)

struct hst_agent_file {
    char *name;
    uint32_t process; /* in the profile; HST_ID_NONE: not yet */
    /* By slot: function or stack or thread, + 1; 0 = not met.  Of a context that is not seen it is the stack
     * of the nearest caller that is. */
    uint32_t *ids;
    uint8_t *marks; /* by slot: enum mark */
    size_t slots, slot_capacity, mark_capacity;
};

enum mark {
    SEEN = 1,   /* a context with a row of its own */
    INSIDE = 2, /* of a function that begins what is seen, or there is none needed */
    BEYOND = 4, /* what is called there is not seen */
    /* What the slot's id is of: a slot that becomes another thing makes no sense. */
    A_STACK = 8,
    A_THREAD = 16,
    A_LOCATION = 32,
    A_KIND = A_STACK | A_THREAD | A_LOCATION,
};

/* A file as it is in memory for one reading. */
struct view {
    struct hst_agent_maps *maps;
    struct hst_agent_file *file;
    const char *base;
    uint32_t chunks;
    const struct hst_agent_header *header;
    double ns_per_tick;
    uint64_t end_ticks; /* up to which open calls are counted */
    double *child_cost; /* by slot: ticks that tracing a context's callees added to its own time */
};

void hst_agent_maps_init(struct hst_agent_maps *maps, const char *folder, uint64_t start_ns,
                         struct hst_profile *profile, struct hst_calls *calls)
{
    *maps =
        (struct hst_agent_maps){.folder = folder, .start_ns = start_ns, .profile = profile, .calls = calls};
}

void hst_agent_maps_release(struct hst_agent_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        hst_free(maps->files[i].name);
        hst_free(maps->files[i].ids);
        hst_free(maps->files[i].marks);
    }
    hst_free(maps->files);
    maps->files = NULL;
    maps->count = maps->capacity = 0;
}

/* --- slots --- */

static const void *slot_of(const struct view *view, uint32_t slot)
{
    return view->base + (uint64_t)slot * HST_AGENT_SLOT_BYTES;
}

static struct hst_agent_chunk chunk_of(const struct view *view, uint32_t chunk)
{
    const struct hst_agent_chunk *head = slot_of(view, chunk * HST_AGENT_CHUNK_SLOTS);
    struct hst_agent_chunk copy = {.kind = __atomic_load_n(&head->kind, __ATOMIC_ACQUIRE),
                                   .thread = head->thread,
                                   .used = __atomic_load_n(&head->used, __ATOMIC_ACQUIRE)};
    if (copy.used > HST_AGENT_CHUNK_SLOTS)
        copy.used = HST_AGENT_CHUNK_SLOTS;
    return copy;
}

/* Whether slots from slot on are in use in a chunk of that kind. */
static int is_a(const struct view *view, uint32_t slot, uint32_t slots, enum hst_agent_chunk_kind kind)
{
    uint32_t at = slot % HST_AGENT_CHUNK_SLOTS;
    if (at == 0 || slot / HST_AGENT_CHUNK_SLOTS >= view->chunks)
        return 0;
    struct hst_agent_chunk chunk = chunk_of(view, slot / HST_AGENT_CHUNK_SLOTS);
    return chunk.kind == (uint32_t)kind && at + slots <= chunk.used;
}

/* The slot's id, + 1, if it is one of that kind; else 0. */
static uint32_t id_of(const struct view *view, uint32_t slot, uint8_t kind)
{
    return (view->file->marks[slot] & A_KIND) == kind ? view->file->ids[slot] : 0;
}

/* --- rows --- */

static uint64_t run_ns(const struct view *view, uint64_t ticks)
{
    double since = ((double)ticks - (double)view->header->start_ticks) * view->ns_per_tick;
    double ns = (double)view->header->start_ns - (double)view->maps->start_ns + since;
    return ns > 0 ? (uint64_t)ns : 0;
}

static uint32_t text_id(struct view *view, const char *text, size_t most)
{
    return hst_strings_add(&view->maps->profile->strings, text, strnlen(text, most));
}

static enum hst_status add_process(struct view *view)
{
    const struct hst_agent_header *header = view->header;
    struct hst_process row = {.pid = header->pid,
                              .parent_pid = header->parent_pid,
                              .command = text_id(view, header->command, sizeof header->command),
                              .interpreter = text_id(view, header->interpreter, sizeof header->interpreter),
                              .executable = text_id(view, header->executable, sizeof header->executable),
                              .start_ns = run_ns(view, header->start_ticks)};
    row.end_ns = row.start_ns;
    if (row.command == HST_ID_NONE || row.interpreter == HST_ID_NONE || row.executable == HST_ID_NONE)
        return HST_E_NOMEM;
    view->file->process = hst_profile_add_process(view->maps->profile, &row);
    return view->file->process != HST_ID_NONE ? HST_OK : HST_E_NOMEM;
}

static enum hst_status update_trace(struct view *view)
{
    static const char *const backends[HST_AGENT_BACKEND_COUNT] = {
        [HST_AGENT_BACKEND_NONE] = "",
        [HST_AGENT_BACKEND_MONITORING] = "sys.monitoring",
        [HST_AGENT_BACKEND_PROFILE] = "profile hook",
        [HST_AGENT_BACKEND_FRAMES] = "frame hook",
        [HST_AGENT_BACKEND_LINE_MONITORING] = "sys.monitoring",
        [HST_AGENT_BACKEND_LINE_TRACE] = "trace hook"};
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
    memcpy(info->failure, header->failure, sizeof info->failure - 1);
    info->line_cost_ns = header->line_cost_ticks * view->ns_per_tick;
    for (int kind = 0; kind < HST_CALL_KIND_COUNT; kind++) {
        info->caller_cost_ns[kind] = header->cost_ticks[kind][HST_AGENT_CALLER] * view->ns_per_tick;
        info->callee_cost_ns[kind] = header->cost_ticks[kind][HST_AGENT_CALLEE] * view->ns_per_tick;
    }
    return HST_OK;
}

/* The model's location of a function's row, + 1; 0: the row makes no sense. */
static enum hst_status find_location(struct view *view, uint32_t slot, uint32_t *ret_location)
{
    *ret_location = 0;
    if (!is_a(view, slot, 1, HST_AGENT_CHUNK_FUNCTIONS))
        return HST_OK;
    if (view->file->ids[slot] != 0) {
        *ret_location = id_of(view, slot, A_LOCATION);
        return HST_OK;
    }
    const char *text = (const char *)slot_of(view, slot) + sizeof(struct hst_agent_function);
    struct hst_agent_function copy, *row = &copy; /* the file may change while it is looked at */
    memcpy(row, slot_of(view, slot), sizeof copy);
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
    view->file->marks[slot] = A_LOCATION;
    *ret_location = view->file->ids[slot] = id + 1;
    return HST_OK;
}

/* The model's thread of a row that is in use; HST_ID_NONE: of none. */
static enum hst_status find_thread(struct view *view, uint32_t slot, uint32_t *ret_thread)
{
    *ret_thread = HST_ID_NONE;
    if (!is_a(view, slot, 3, HST_AGENT_CHUNK_THREADS))
        return HST_OK;
    const struct hst_agent_thread *from = slot_of(view, slot);
    uint32_t native_id = __atomic_load_n(&from->native_id, __ATOMIC_ACQUIRE);
    if (native_id == 0)
        return HST_OK;
    if (view->file->ids[slot] == 0) {
        struct hst_thread row = {.process = view->file->process,
                                 .native_id = native_id,
                                 .interpreter_id = from->interpreter_id,
                                 .start_ns = run_ns(view, from->begin_ticks)};
        row.name = native_id == view->header->pid
                       ? hst_strings_add_z(&view->maps->profile->strings, "MainThread")
                       : text_id(view, from->name, sizeof from->name);
        uint32_t id = row.name != HST_ID_NONE ? hst_profile_add_thread(view->maps->profile, &row) : row.name;
        if (id == HST_ID_NONE)
            return HST_E_NOMEM;
        view->file->ids[slot] = id + 1;
        view->file->marks[slot] = A_THREAD;
    }
    if (id_of(view, slot, A_THREAD) == 0)
        return HST_OK;
    *ret_thread = view->file->ids[slot] - 1;
    struct hst_thread *row = &view->maps->profile->threads[*ret_thread];
    uint64_t end = from->end_ticks != 0 ? from->end_ticks : view->end_ticks;
    row->end_ns = run_ns(view, end);
    row->cpu_ns = from->cpu_ns;
    return HST_OK;
}

/* What a context is that calls location's function. */
static uint8_t judge(const struct view *view, uint8_t caller, uint32_t location)
{
    const struct hst_agent_maps *maps = view->maps;
    unsigned judged = maps->judge != NULL
                          ? maps->judge(maps->judge_context, maps->profile->locations[location].function)
                          : 0;
    uint8_t seen = caller & (INSIDE | BEYOND);
    if ((judged & HST_AGENT_BEGINS) != 0)
        seen |= INSIDE;
    if (seen == INSIDE && (judged & HST_AGENT_HIDDEN) == 0)
        seen |= SEEN;
    return (judged & HST_AGENT_ENDS) != 0 ? seen | BEYOND : seen;
}

/* The stack of a context, + 1; its parent was met before it. 0: it makes no sense. */
static enum hst_status find_stack(struct view *view, uint32_t slot, const struct hst_agent_context *context,
                                  uint32_t *ret_stack)
{
    uint32_t *id = &view->file->ids[slot], location, parent = context->parent;
    *ret_stack = id_of(view, slot, A_STACK);
    if (*id != 0)
        return HST_OK;
    if (parent == 0) {
        *ret_stack = *id = 1; /* the root: no Python runs */
        view->file->marks[slot] = A_STACK | (view->maps->only_inside ? 0 : INSIDE);
        return HST_OK;
    }
    if (parent >= slot || id_of(view, parent, A_STACK) == 0)
        return HST_OK;
    HST_TRY(find_location(view, context->function, &location));
    if (location == 0)
        return HST_OK;
    uint32_t stack = view->file->ids[parent] - 1;
    uint8_t marks = judge(view, view->file->marks[parent], location - 1);
    if ((marks & SEEN) != 0)
        stack = hst_profile_stack(view->maps->profile, stack, location - 1);
    if (stack == HST_ID_NONE)
        return HST_E_NOMEM;
    view->file->marks[slot] = A_STACK | marks;
    *ret_stack = *id = stack + 1;
    return HST_OK;
}

/* --- sums --- */

static int kind_of(const struct hst_agent_context *context)
{
    return (context->flags & HST_AGENT_FUNCTION_C) != 0 ? HST_AGENT_C : HST_AGENT_PYTHON;
}

static double entries_of(const struct hst_agent_context *context)
{
    return (double)context->calls + (double)context->resumes;
}

/* What the thread has spent in the context in which it is since its last event. */
static uint64_t open_ticks(const struct view *view, uint32_t slot, uint32_t thread)
{
    const struct hst_agent_thread *row = slot_of(view, thread);
    uint64_t last = row->last_ticks;
    return row->current == slot && row->end_ticks == 0 && view->end_ticks > last ? view->end_ticks - last : 0;
}

static enum hst_status add_context(struct view *view, uint32_t slot, uint32_t thread_slot, uint32_t thread)
{
    const struct hst_agent_context *context = slot_of(view, slot);
    uint32_t stack;
    HST_TRY(find_stack(view, slot, context, &stack));
    if (stack <= 1)
        return HST_OK;
    struct hst_call_row *row = hst_calls_row(view->maps->calls, thread, stack - 1);
    if (row == NULL)
        return HST_E_NOMEM;
    double raw = (double)context->self_ticks + (double)open_ticks(view, slot, thread_slot);
    double cost = entries_of(context) * view->header->cost_ticks[kind_of(context)][HST_AGENT_CALLEE] +
                  view->child_cost[slot];
    row->raw_ns += (uint64_t)(raw * view->ns_per_tick);
    row->self_ns += raw > cost ? (uint64_t)((raw - cost) * view->ns_per_tick) : 0;
    if ((view->file->marks[slot] & SEEN) == 0)
        return HST_OK;
    row->calls += context->calls;
    row->resumes += context->resumes;
    row->raises += context->raises;
    row->suspended_ns += (uint64_t)((double)context->suspended_ticks * view->ns_per_tick);
    return HST_OK;
}

typedef enum hst_status context_visitor(struct view *view, uint32_t slot, uint32_t thread_slot,
                                        uint32_t thread);

static enum hst_status add_child_cost(struct view *view, uint32_t slot, uint32_t thread_slot, uint32_t thread)
{
    (void)thread_slot, (void)thread;
    const struct hst_agent_context *context = slot_of(view, slot);
    const double(*cost)[HST_AGENT_COST_COUNT] = view->header->cost_ticks;
    uint32_t parent = context->parent;
    if (parent == 0 || parent >= slot)
        return HST_OK;
    double *into = &view->child_cost[parent];
    if (context->function == 0) /* calls that were too deep: all of their cost is measured there */
        for (int side = 0; side < HST_AGENT_COST_COUNT; side++)
            *into += (double)context->calls * cost[HST_AGENT_PYTHON][side] +
                     (double)context->resumes * cost[HST_AGENT_C][side];
    else
        *into += entries_of(context) * cost[kind_of(context)][HST_AGENT_CALLER];
    return HST_OK;
}

static enum hst_status visit_contexts(struct view *view, context_visitor *visit)
{
    for (uint32_t c = 0; c < view->chunks; c++) {
        struct hst_agent_chunk chunk = chunk_of(view, c);
        uint32_t thread;
        if (chunk.kind != HST_AGENT_CHUNK_CONTEXTS)
            continue;
        HST_TRY(find_thread(view, chunk.thread, &thread));
        for (uint32_t i = 1; i < chunk.used && thread != HST_ID_NONE; i++)
            HST_TRY(visit(view, c * HST_AGENT_CHUNK_SLOTS + i, chunk.thread, thread));
    }
    return HST_OK;
}

/* A page of lines as one thread met them; those of all threads are added up. */
static enum hst_status add_page(struct view *view, uint32_t slot)
{
    const struct hst_agent_line_page *page = slot_of(view, slot);
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
        row->raw_ns += (uint64_t)(raw * view->ns_per_tick);
        row->self_ns += raw > cost ? (uint64_t)((raw - cost) * view->ns_per_tick) : 0;
        row->total_ns += total > cost ? (uint64_t)((total - cost) * view->ns_per_tick) : 0;
    }
    return HST_OK;
}

static enum hst_status add_lines(struct view *view)
{
    enum { SLOTS = 1 + HST_AGENT_PAGE_LINES * sizeof(struct hst_agent_line) / HST_AGENT_SLOT_BYTES };
    for (uint32_t c = 0; c < view->chunks && view->maps->lines != NULL; c++) {
        struct hst_agent_chunk chunk = chunk_of(view, c);
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
    return good && header->start_ticks != 0 && header->line_cost_ticks >= 0 && header->line_cost_ticks < 1e6;
}

/* The last sign of life of a process that left no other. */
static uint64_t last_event(const struct view *view)
{
    uint64_t last = view->header->start_ticks;
    for (uint32_t c = 0; c < view->chunks; c++) {
        struct hst_agent_chunk chunk = chunk_of(view, c);
        if (chunk.kind != HST_AGENT_CHUNK_THREADS)
            continue;
        for (uint32_t i = 1; i + 3 <= chunk.used; i += 3) {
            const struct hst_agent_thread *thread = slot_of(view, c * HST_AGENT_CHUNK_SLOTS + i);
            last = thread->last_ticks > last ? thread->last_ticks : last;
        }
    }
    return last;
}

/* How long a tick is, from the moment at the agent's start and this one. */
static void set_clock(struct view *view)
{
    const struct hst_agent_header *header = view->header;
    uint64_t now_ns = hst_now_ns(), now_ticks = header->clock == HST_AGENT_CLOCK_TSC ? hst_ticks() : now_ns;
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

static enum hst_status read_view(struct view *view)
{
    size_t slots = (size_t)view->chunks * HST_AGENT_CHUNK_SLOTS;
    struct hst_agent_file *file = view->file;
    if (!header_is_good(view->header))
        return HST_OK; /* not begun */
    set_clock(view);
    if (!HST_RESERVE(file->ids, file->slot_capacity, slots) ||
        !HST_RESERVE(file->marks, file->mark_capacity, slots))
        return HST_E_NOMEM;
    if (slots > file->slots) {
        memset(file->ids + file->slots, 0, (slots - file->slots) * sizeof *file->ids);
        memset(file->marks + file->slots, 0, slots - file->slots);
    }
    file->slots = slots > file->slots ? slots : file->slots;
    if (file->process == HST_ID_NONE)
        HST_TRY(add_process(view));
    view->maps->profile->processes[file->process].end_ns = run_ns(view, view->end_ticks);
    HST_TRY(update_trace(view));
    HST_CLEANUP_FREE double *costs = hst_alloc_zero(slots, sizeof *costs);
    view->child_cost = costs;
    if (costs == NULL)
        return HST_E_NOMEM;
    HST_TRY(add_lines(view));
    HST_TRY(visit_contexts(view, add_child_cost));
    return visit_contexts(view, add_context);
}

static enum hst_status read_file(struct hst_agent_maps *maps, struct hst_agent_file *file)
{
    HST_CLEANUP_FREE char *path = hst_asprintf("%s/%s", maps->folder, file->name);
    if (path == NULL)
        return HST_E_NOMEM;
    HST_CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0 || info.st_size < (off_t)HST_AGENT_CHUNK_BYTES ||
        (uint64_t)info.st_size > FILE_BYTES_MAX)
        return HST_OK;
    size_t length = (size_t)info.st_size;
    char *base = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return HST_OK;
    struct view view = {.maps = maps,
                        .file = file,
                        .base = base,
                        .chunks = (uint32_t)(length / HST_AGENT_CHUNK_BYTES),
                        .header = (const struct hst_agent_header *)(const void *)base};
    enum hst_status status = read_view(&view);
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
        HST_TRY(read_file(maps, &maps->files[i]));
    return HST_OK;
}
