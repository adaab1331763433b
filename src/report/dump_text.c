/* A dump as text: a head, then thread by thread its state in words and its frames, innermost first, each with
 * the line of source that runs. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "analyze/syscall.h"
#include "base/memory.h"
#include "report/cell.h"
#include "report/dump.h"
#include "report/source.h"

enum { FOLD_FROM = 4, SOURCES_MAX = 4096, CELL_WIDTH_MIN = 40 };

struct source_file {
    uint32_t file; /* string id */
    int known;
    struct hst_source source;
};

struct printer {
    const struct hst_dump *dump;
    const struct hst_dump_view *view;
    const struct hst_style *style;
    struct hst_buffer *into;
    struct source_file *sources;
    size_t source_count, source_capacity;
    int changed; /* a source was changed after the program started */
};

static size_t columns_left(const struct printer *p, size_t indent)
{
    size_t width = p->style->width > 0 ? (size_t)p->style->width : HST_STYLE_WIDTH_DEFAULT;
    return width > indent + CELL_WIDTH_MIN ? width - indent : CELL_WIDTH_MIN;
}

static void add_ink(struct printer *p, enum hst_ink ink)
{
    hst_buffer_add_text(p->into, hst_ink(p->style, ink));
}

/* Names of the target's choosing: cleaned, and cut at a length that no name needs. */
static void add_name(struct printer *p, const char *name, size_t width)
{
    hst_text_add(p->into, name, width, HST_CUT_END, 0, p->style);
}

/* The source of a file, read at its first use; NULL when it is none that can be read. */
static const struct hst_source *find_source(struct printer *p, uint32_t file)
{
    for (size_t i = 0; i < p->source_count; i++)
        if (p->sources[i].file == file)
            return p->sources[i].known ? &p->sources[i].source : NULL;
    const char *name = hst_profile_text(&p->dump->profile, file);
    if (name[0] == '\0' || name[0] == '<' || p->source_count >= SOURCES_MAX ||
        !HST_RESERVE(p->sources, p->source_capacity, p->source_count + 1))
        return NULL;
    struct source_file *row = &p->sources[p->source_count++];
    *row = (struct source_file){.file = file};
    struct hst_run_info where = {.start_wall_ns = p->dump->start_wall_ns};
    (void)snprintf(where.directory, sizeof where.directory, "%s", p->dump->directory);
    HST_CLEANUP_FREE char *path =
        name[0] == '/' ? hst_asprintf("%s%s", p->dump->root, name) : hst_strdup(name);
    row->known = path != NULL && hst_source_init(&row->source, path, &where) == HST_OK;
    if (row->known && row->source.newer && p->dump->start_wall_ns != 0)
        p->changed = 1;
    return row->known ? &row->source : NULL;
}

/* Display columns of the first bytes of text. */
static size_t width_of(const char *text, size_t bytes)
{
    HST_CLEANUP_FREE char *copy = hst_strndup(text, bytes);
    return copy != NULL ? hst_text_width(copy) : 0;
}

/* Carets under what runs, unless that is the whole line. */
static void add_marks(struct printer *p, const struct hst_location *l, const char *line, size_t indent)
{
    size_t length = strlen(line), skip = strspn(line, " \t\f");
    size_t from = l->column > 0 ? l->column - 1u : 0;
    size_t to = l->end_line == l->line && l->end_column > 0 ? l->end_column - 1u : length;
    while (length > skip && strchr(" \t\r\f", line[length - 1]) != NULL)
        length--;
    if (to > length)
        to = length;
    if (!p->view->columns || l->column == 0 || from < skip || from >= to || (from == skip && to == length))
        return;
    size_t before = width_of(line + skip, from - skip), marked = width_of(line + from, to - from);
    if (before + marked > columns_left(p, indent))
        return;
    hst_buffer_add_fmt(p->into, "%*s", (int)(indent + before), "");
    add_ink(p, HST_INK_YELLOW);
    for (size_t i = 0; i < marked; i++)
        hst_buffer_add_byte(p->into, '^');
    add_ink(p, HST_INK_RESET);
    hst_buffer_add_byte(p->into, '\n');
}

static void add_source(struct printer *p, const struct hst_location *l, uint32_t file)
{
    enum { INDENT = 8 };
    const struct hst_source *source = l->line != 0 ? find_source(p, file) : NULL;
    const char *line = source != NULL ? hst_source_line(source, l->line) : "";
    const char *text = line + strspn(line, " \t\f");
    if (text[0] == '\0' || text[0] == '\r')
        return;
    hst_buffer_add_fmt(p->into, "%*s", INDENT, "");
    HST_CLEANUP_FREE char *trimmed = hst_strndup(text, strcspn(text, "\r"));
    add_name(p, trimmed != NULL ? trimmed : text, columns_left(p, INDENT));
    hst_buffer_add_byte(p->into, '\n');
    add_marks(p, l, line, INDENT);
}

static void add_variables(struct printer *p, const struct hst_dump_frame *frame)
{
    enum { INDENT = 10 };
    if (!frame->variables_read) {
        hst_buffer_add_fmt(p->into, "%*s(it went on before its variables could be read)\n", INDENT, "");
        return;
    }
    for (size_t i = 0; i < frame->variables.count; i++) {
        const struct hst_variable *v = &frame->variables.items[i];
        hst_buffer_add_fmt(p->into, "%*s", INDENT, "");
        add_ink(p, HST_INK_CYAN);
        add_name(p, v->name, 200);
        add_ink(p, HST_INK_RESET);
        hst_buffer_add_text(p->into, " = ");
        add_name(p, v->text, SIZE_MAX);
        hst_buffer_add_byte(p->into, '\n');
    }
}

static void add_frame(struct printer *p, const struct hst_dump_frame *frame)
{
    const struct hst_profile *profile = &p->dump->profile;
    const struct hst_location *l = &profile->locations[frame->location];
    const struct hst_function *f = &profile->functions[l->function];
    hst_buffer_add_text(p->into, "    ");
    add_ink(p, HST_INK_BOLD);
    add_name(p, hst_profile_text(profile, f->qualname), 200);
    add_ink(p, HST_INK_RESET);
    hst_buffer_add_text(p->into, "  ");
    add_name(p, hst_profile_text(profile, f->file), 4096);
    if (l->line != 0)
        hst_buffer_add_fmt(p->into, ":%" PRIu32, l->line);
    hst_buffer_add_byte(p->into, '\n');
    add_source(p, l, f->file);
    if (p->view->variables)
        add_variables(p, frame);
}

/* How many frames from here on are at the same place, as in a recursion. */
static size_t run_length(const struct hst_dump_thread *thread, size_t at)
{
    size_t end = at + 1;
    while (end < thread->frame_count && thread->frames[end].location == thread->frames[at].location)
        end++;
    return end - at;
}

static void add_frames(struct printer *p, const struct hst_dump_thread *thread)
{
    if (!thread->stack_known)
        hst_buffer_add_text(
            p->into, "    (its stack moved faster than it could be read; --blocking holds it still)\n");
    else if (thread->frame_count == 0)
        hst_buffer_add_text(p->into, "    (no Python code)\n");
    for (size_t i = 0; i < thread->frame_count;) {
        size_t run = p->view->variables ? 1 : run_length(thread, i);
        add_frame(p, &thread->frames[i]);
        if (run < FOLD_FROM) {
            i++;
            continue;
        }
        hst_buffer_add_fmt(p->into, "    (and %s calls more at the same place)\n",
                           hst_cell_count(run - 1).text);
        i += run;
    }
}

static void add_call(struct printer *p, uint16_t detail)
{
    const char *call = detail != 0 ? hst_syscall_name(detail - 1u) : NULL;
    const char *meaning = call != NULL ? hst_syscall_meaning(call) : NULL;
    if (call != NULL)
        hst_buffer_add_fmt(p->into, " in %s", call);
    if (meaning != NULL)
        hst_buffer_add_fmt(p->into, " (%s)", meaning);
}

static void add_state(struct printer *p, const struct hst_dump_thread *thread)
{
    switch (thread->state) {
    case HST_STATE_RUNNING:
        hst_buffer_add_text(p->into, thread->crashed ? "crashed" : "running");
        break;
    case HST_STATE_RUNNABLE:
        hst_buffer_add_text(p->into, "runnable, waiting for a CPU");
        break;
    case HST_STATE_GIL_WAIT:
        hst_buffer_add_text(p->into, "waiting for the GIL");
        break;
    case HST_STATE_BLOCKED:
        hst_buffer_add_text(p->into, "blocked");
        add_call(p, thread->detail);
        break;
    case HST_STATE_IDLE:
        hst_buffer_add_fmt(p->into, "idle for %s", hst_cell_duration(thread->idle_ns).text);
        add_call(p, thread->detail);
        break;
    case HST_STATE_GONE:
        hst_buffer_add_text(p->into, "it has ended meanwhile");
        break;
    default:
        hst_buffer_add_text(p->into, "what it does is not known");
    }
    if ((thread->flags & HST_SAMPLE_IN_GC) != 0)
        hst_buffer_add_text(p->into, ", collecting garbage");
    if ((thread->flags & HST_SAMPLE_HOLDS_GIL) != 0)
        hst_buffer_add_text(p->into, ", holds the GIL");
}

static void add_thread(struct printer *p, const struct hst_dump_thread *thread)
{
    hst_buffer_add_byte(p->into, '\n');
    add_ink(p, HST_INK_GREEN);
    add_name(p, thread->name[0] != '\0' ? thread->name : "a thread without a name", 100);
    add_ink(p, HST_INK_RESET);
    if (thread->native_id != 0)
        hst_buffer_add_fmt(p->into, " (%" PRIu32 ")", thread->native_id);
    if (thread->interpreter_id != 0)
        hst_buffer_add_fmt(p->into, ", sub-interpreter %" PRIu64, thread->interpreter_id);
    hst_buffer_add_text(p->into, ": ");
    if (thread->crashed && thread->state != HST_STATE_RUNNING) /* a signal that was sent to it */
        hst_buffer_add_text(p->into, "crashed, ");
    add_state(p, thread);
    hst_buffer_add_byte(p->into, '\n');
    add_frames(p, thread);
}

/* How the program ended, and what its core file lacks. */
static void add_end(struct printer *p)
{
    const struct hst_dump_end *end = &p->dump->end;
    const char *what = end->signal != 0 ? sigdescr_np(end->signal) : NULL;
    const char *name = end->signal != 0 ? sigabbrev_np(end->signal) : NULL;
    hst_buffer_add_text(p->into, "from the core file ");
    add_name(p, p->dump->core, 4096);
    if (end->signal == 0)
        hst_buffer_add_text(p->into, ", taken while it ran");
    else if (name != NULL)
        hst_buffer_add_fmt(p->into, ", ended by SIG%s (%s)", name, what != NULL ? what : "");
    else
        hst_buffer_add_fmt(p->into, ", ended by signal %d", end->signal);
    if (end->has_address)
        hst_buffer_add_fmt(p->into, " at address 0x%" PRIx64, end->address);
    hst_buffer_add_byte(p->into, '\n');
    if (end->cut_bytes != 0)
        hst_buffer_add_fmt(p->into,
                           "note: the file is cut short by %s bytes; what was in them is not shown\n",
                           hst_cell_count(end->cut_bytes).text);
    if (end->missing_file[0] != '\0') {
        hst_buffer_add_text(p->into, "note: ");
        add_name(p, end->missing_file, 4096);
        hst_buffer_add_fmt(p->into,
                           " %s; what it holds is not shown (--root DIR: where the program's files are)\n",
                           end->missing_why);
    }
}

static void add_head(struct printer *p)
{
    const struct hst_dump *dump = p->dump;
    add_ink(p, HST_INK_BOLD);
    hst_buffer_add_fmt(p->into, "process %" PRIu32 ": ", dump->pid);
    add_name(p, dump->command, 4096);
    add_ink(p, HST_INK_RESET);
    hst_buffer_add_fmt(p->into, "\n%s, %zu thread%s", dump->interpreter, dump->thread_count,
                       dump->thread_count == 1 ? "" : "s");
    if (dump->threads_lacking != 0)
        hst_buffer_add_fmt(p->into, ", and %" PRIu64 " that run%s no Python", dump->threads_lacking,
                           dump->threads_lacking == 1 ? "s" : "");
    if (dump->stopped)
        hst_buffer_add_text(p->into, "; stopped by a signal or a debugger");
    hst_buffer_add_byte(p->into, '\n');
    if (dump->core != NULL)
        add_end(p);
}

enum hst_status hst_dump_text(const struct hst_dump *dump, const struct hst_dump_view *view,
                              const struct hst_style *style, struct hst_buffer *into)
{
    struct printer p = {.dump = dump, .view = view, .style = style, .into = into};
    add_head(&p);
    for (size_t i = 0; i < dump->thread_count; i++)
        add_thread(&p, &dump->threads[i]);
    if (p.changed)
        hst_buffer_add_fmt(
            into,
            "\nnote: source files were changed after the program %s; lines shown from these may not "
            "be those that ran\n",
            dump->core != NULL ? "ended" : "started");
    for (size_t i = 0; i < p.source_count; i++)
        if (p.sources[i].known)
            hst_source_release(&p.sources[i].source);
    hst_free(p.sources);
    return hst_buffer_status(into);
}
