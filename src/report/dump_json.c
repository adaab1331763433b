/* A dump as JSON; docs/commands/dump.md says what is in it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "analyze/syscall.h"
#include "report/dump.h"
#include "report/json.h"

const char *hst_dump_state_name(enum hst_state state)
{
    static const char *const names[HST_STATE_COUNT] = {
        [HST_STATE_UNKNOWN] = "unknown",   [HST_STATE_RUNNING] = "running", [HST_STATE_RUNNABLE] = "runnable",
        [HST_STATE_GIL_WAIT] = "gil_wait", [HST_STATE_BLOCKED] = "blocked", [HST_STATE_IDLE] = "idle",
        [HST_STATE_GONE] = "unknown",
    };
    return names[state < HST_STATE_COUNT ? state : HST_STATE_UNKNOWN];
}

static json_t *number_or_null(uint64_t value, int known)
{
    return known ? json_integer((json_int_t)value) : json_null();
}

static json_t *variables_json(const struct hst_dump_frame *frame)
{
    if (!frame->variables_read)
        return json_null();
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < frame->variables.count; i++) {
        const struct hst_variable *v = &frame->variables.items[i];
        json_t *text = hst_json_text(v->text);
        if (json_object_set_new(object, v->name, text) != 0 && text == NULL) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *frame_json(const struct hst_dump *dump, const struct hst_dump_frame *frame, int variables)
{
    const struct hst_location *l = &dump->profile.locations[frame->location];
    const struct hst_function *f = &dump->profile.functions[l->function];
    json_t *json = json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "function", hst_json_text(hst_profile_text(&dump->profile, f->name)),
        "qualname", hst_json_text(hst_profile_text(&dump->profile, f->qualname)), "file",
        hst_json_text(hst_profile_text(&dump->profile, f->file)), "line",
        number_or_null(l->line, l->line != 0), "column", number_or_null(l->column - 1u, l->column != 0),
        "end_line", number_or_null(l->end_line, l->end_line != 0), "end_column",
        number_or_null(l->end_column - 1u, l->end_column != 0));
    if (json != NULL && variables && json_object_set_new(json, "locals", variables_json(frame)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *thread_json(const struct hst_dump *dump, const struct hst_dump_thread *thread, int variables)
{
    json_t *frames = json_array();
    for (size_t i = 0; i < thread->frame_count; i++)
        if (json_array_append_new(frames, frame_json(dump, &thread->frames[i], variables)) != 0) {
            json_decref(frames);
            return NULL;
        }
    const char *call = thread->detail != 0 ? hst_syscall_name(thread->detail - 1u) : NULL;
    return json_pack("{s:o,s:o,s:s,s:o,s:b,s:b,s:I,s:b,s:o,s:b,s:o}", "native_id",
                     number_or_null(thread->native_id, thread->native_id != 0), "name",
                     hst_json_text(thread->name), "state", hst_dump_state_name(thread->state), "syscall",
                     call != NULL ? json_string(call) : json_null(), "holds_gil",
                     (thread->flags & HST_SAMPLE_HOLDS_GIL) != 0, "in_gc",
                     (thread->flags & HST_SAMPLE_IN_GC) != 0, "interpreter_id",
                     (json_int_t)thread->interpreter_id, "crashed", thread->crashed, "idle_ns",
                     number_or_null(thread->idle_ns, thread->idle_ns != 0), "stack_known",
                     thread->stack_known, "frames", frames);
}

/* null for a running process. */
static json_t *core_json(const struct hst_dump *dump)
{
    const struct hst_dump_end *end = &dump->end;
    if (dump->core == NULL)
        return json_null();
    const char *name = end->signal != 0 ? sigabbrev_np(end->signal) : NULL;
    char text[32];
    (void)snprintf(text, sizeof text, "SIG%s", name != NULL ? name : "RT");
    return json_pack("{s:o,s:o,s:o,s:o,s:I,s:o}", "file", hst_json_text(dump->core), "signal",
                     number_or_null((uint64_t)end->signal, end->signal != 0), "signal_name",
                     end->signal != 0 ? json_string(text) : json_null(), "address",
                     number_or_null(end->address, end->has_address), "cut_bytes", (json_int_t)end->cut_bytes,
                     "missing_file",
                     end->missing_file[0] != '\0' ? hst_json_text(end->missing_file) : json_null());
}

json_t *hst_dump_json(const struct hst_dump *dump, const struct hst_dump_view *view)
{
    json_t *threads = json_array();
    for (size_t i = 0; i < dump->thread_count; i++)
        if (json_array_append_new(threads, thread_json(dump, &dump->threads[i], view->variables)) != 0) {
            json_decref(threads);
            return NULL;
        }
    return json_pack("{s:I,s:o,s:o,s:o,s:b,s:I,s:o}", "pid", (json_int_t)dump->pid, "command",
                     hst_json_text(dump->command), "interpreter", hst_json_text(dump->interpreter), "core",
                     core_json(dump), "stopped", dump->stopped, "threads_without_python",
                     (json_int_t)dump->threads_lacking, "threads", threads);
}
