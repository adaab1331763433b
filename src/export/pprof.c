/* pprof's profile.proto, gzip compressed: written field by field, since the format is small and fixed.
 *
 *   field    1 sample_type  2 sample  3 mapping  4 location  5 function  6 string_table  9 time_nanos
 *            10 duration_nanos  11 period_type  12 period  13 comment  14 default_sample_type
 *   wire     tag = field << 3 | 0 for a varint, | 2 for bytes with their length before them
 *
 * A sample here is the sum of all samples with equal thread, stack and state: two values (count,
 * nanoseconds), the stack leaf first, and labels. Of a traced run it is a context: its calls and its self
 * time; there is no period, and no state. String n of the profile is string n of the file; the writer's own
 * follow. */
#include "base/memory.h"
#include "export/exporter.h"
#include "export/text.h"

enum own_string {
    OWN_SAMPLES,
    OWN_COUNT,
    OWN_NANOSECONDS,
    OWN_THREAD,
    OWN_THREAD_ID,
    OWN_PID,
    OWN_STATE,
    OWN_GIL,
    OWN_GC,
    OWN_YES,
    OWN_NO_FRAME,
    OWN_STATE_NAMES, /* one a state */
    OWN_MODE = OWN_STATE_NAMES + HST_STATE_COUNT,
    OWN_COMMENT,
    OWN_STRINGS
};

struct pprof {
    struct hst_export *run;
    struct hst_output *output;
    struct hst_buffer message, inner;
    uint64_t own; /* id of the writer's first own string */
};

static void pprof_release(struct pprof *pprof)
{
    hst_buffer_release(&pprof->message);
    hst_buffer_release(&pprof->inner);
}

static void put_number(struct hst_buffer *buffer, unsigned field, uint64_t value)
{
    hst_buffer_add_u64(buffer, field << 3);
    hst_buffer_add_u64(buffer, value);
}

static void put_bytes(struct hst_buffer *buffer, unsigned field, const struct hst_buffer *bytes)
{
    hst_buffer_add_u64(buffer, field << 3 | 2);
    hst_buffer_add_u64(buffer, bytes->length);
    hst_buffer_add(buffer, bytes->data, bytes->length);
    buffer->failed |= bytes->failed; /* which a clear would forget */
}

/* The message so far becomes a field of the profile itself. */
static enum hst_status emit(struct pprof *pprof, unsigned field)
{
    HST_TRY(hst_buffer_status(&pprof->message));
    struct hst_buffer head;
    hst_buffer_init(&head, 0);
    hst_buffer_add_u64(&head, field << 3 | 2);
    hst_buffer_add_u64(&head, pprof->message.length);
    enum hst_status status = hst_buffer_status(&head);
    hst_output_add(pprof->output, head.data, head.length);
    hst_output_add(pprof->output, pprof->message.data, pprof->message.length);
    hst_buffer_release(&head);
    hst_buffer_clear(&pprof->message);
    return status;
}

static enum hst_status emit_number(struct pprof *pprof, unsigned field, uint64_t value)
{
    put_number(&pprof->message, field, value);
    hst_output_add(pprof->output, pprof->message.data, pprof->message.length);
    enum hst_status status = hst_buffer_status(&pprof->message);
    hst_buffer_clear(&pprof->message);
    return status;
}

static enum hst_status emit_type(struct pprof *pprof, unsigned field, enum own_string type,
                                 enum own_string unit)
{
    put_number(&pprof->message, 1, pprof->own + type);
    put_number(&pprof->message, 2, pprof->own + unit);
    return emit(pprof, field);
}

static void put_label(struct pprof *pprof, enum own_string key, unsigned value_field, uint64_t value)
{
    hst_buffer_clear(&pprof->inner);
    put_number(&pprof->inner, 1, pprof->own + key);
    put_number(&pprof->inner, value_field, value);
    put_bytes(&pprof->message, 3, &pprof->inner);
}

static enum hst_status emit_sample(struct pprof *pprof, const struct hst_aggregate_row *row)
{
    enum { STRING = 2, NUMBER = 3 };
    const struct hst_profile *profile = pprof->run->profile;
    const struct hst_thread *thread = &profile->threads[row->thread];
    hst_buffer_clear(&pprof->inner);
    for (uint32_t at = row->stack; at != 0; at = profile->stacks[at].parent)
        hst_buffer_add_u64(&pprof->inner, (uint64_t)profile->stacks[at].location + 1);
    if (row->stack == 0)
        hst_buffer_add_u64(&pprof->inner, profile->location_count + 1);
    put_bytes(&pprof->message, 1, &pprof->inner);
    hst_buffer_clear(&pprof->inner);
    hst_buffer_add_u64(&pprof->inner, row->samples);
    hst_buffer_add_u64(&pprof->inner, row->weight_ns);
    put_bytes(&pprof->message, 2, &pprof->inner);
    if (thread->name != 0) /* an empty label string would read as "not a string" */
        put_label(pprof, OWN_THREAD, STRING, thread->name);
    put_label(pprof, OWN_THREAD_ID, NUMBER, thread->native_id);
    put_label(pprof, OWN_PID, NUMBER, profile->processes[thread->process].pid);
    if (!hst_export_is_exact(pprof->run))
        put_label(pprof, OWN_STATE, STRING,
                  pprof->own + OWN_STATE_NAMES + (row->state < HST_STATE_COUNT ? row->state : 0));
    if (row->flags & HST_SAMPLE_HOLDS_GIL)
        put_label(pprof, OWN_GIL, STRING, pprof->own + OWN_YES);
    if (row->flags & HST_SAMPLE_IN_GC)
        put_label(pprof, OWN_GC, STRING, pprof->own + OWN_YES);
    return emit(pprof, 2);
}

/* One mapping for all: readers use it to see that names are in place and need no search for symbols. */
static enum hst_status emit_mapping(struct pprof *pprof)
{
    const struct hst_profile *profile = pprof->run->profile;
    put_number(&pprof->message, 1, 1);
    if (profile->process_count > 0)
        put_number(&pprof->message, 5, profile->processes[0].executable);
    for (unsigned has = 7; has <= 9; has++) /* functions, file names, line numbers */
        put_number(&pprof->message, has, 1);
    return emit(pprof, 3);
}

static enum hst_status emit_location(struct pprof *pprof, uint64_t id, uint64_t function, uint64_t line,
                                     uint64_t column)
{
    hst_buffer_clear(&pprof->inner);
    put_number(&pprof->inner, 1, function);
    put_number(&pprof->inner, 2, line);
    put_number(&pprof->inner, 3, column);
    put_number(&pprof->message, 1, id);
    put_number(&pprof->message, 2, 1);
    put_bytes(&pprof->message, 4, &pprof->inner);
    return emit(pprof, 4);
}

/* No system_name: where it is the same as the name, pprof takes the name for C++ and strips what is in angle
 * brackets, as in <module> or f.<locals>.g. */
static enum hst_status emit_function(struct pprof *pprof, uint64_t id, uint64_t name, uint64_t file,
                                     uint64_t first_line)
{
    put_number(&pprof->message, 1, id);
    put_number(&pprof->message, 2, name);
    put_number(&pprof->message, 4, file);
    put_number(&pprof->message, 5, first_line);
    return emit(pprof, 5);
}

static enum hst_status emit_code(struct pprof *pprof)
{
    const struct hst_profile *profile = pprof->run->profile;
    for (size_t i = 0; i < profile->location_count; i++) {
        const struct hst_location *row = &profile->locations[i];
        HST_TRY(emit_location(pprof, i + 1, (uint64_t)row->function + 1, row->line, row->column));
    }
    for (size_t i = 0; i < profile->function_count; i++) {
        const struct hst_function *row = &profile->functions[i];
        HST_TRY(emit_function(pprof, i + 1, row->qualname, row->file, row->first_line));
    }
    HST_TRY(emit_location(pprof, profile->location_count + 1, profile->function_count + 1, 0, 0));
    return emit_function(pprof, profile->function_count + 1, pprof->own + OWN_NO_FRAME, 0, 0);
}

static enum hst_status emit_string(struct pprof *pprof, const char *text)
{
    hst_text_clean(&pprof->message, text, "", 0);
    return emit(pprof, 6);
}

static enum hst_status emit_strings(struct pprof *pprof)
{
    const struct hst_profile *profile = pprof->run->profile;
    for (uint32_t i = 0; i < pprof->own; i++) /* [0] is the empty text, as the format wants it */
        HST_TRY(emit_string(pprof, hst_profile_text(profile, i)));
    int exact = hst_export_is_exact(pprof->run);
    const char *const own[OWN_STATE_NAMES] = {
        [OWN_SAMPLES] = exact ? "calls" : "samples",
        [OWN_COUNT] = "count",
        [OWN_NANOSECONDS] = "nanoseconds",
        [OWN_THREAD] = "thread",
        [OWN_THREAD_ID] = "thread_id",
        [OWN_PID] = "pid",
        [OWN_STATE] = "state",
        [OWN_GIL] = "holds_gil",
        [OWN_GC] = "in_gc",
        [OWN_YES] = "yes",
        [OWN_NO_FRAME] = HST_TEXT_NO_FRAME,
    };
    for (size_t i = 0; i < OWN_STATE_NAMES; i++)
        HST_TRY(emit_string(pprof, own[i]));
    for (unsigned i = 0; i < HST_STATE_COUNT; i++)
        HST_TRY(emit_string(pprof, hst_export_state_name(i)));
    HST_TRY(emit_string(pprof, exact ? "time" : pprof->run->mode));
    HST_CLEANUP_FREE char *comment =
        hst_asprintf("hasten " HST_VERSION ", %s%s time: %s", exact ? "traced, " : "", pprof->run->mode,
                     pprof->run->info->command);
    return comment != NULL ? emit_string(pprof, comment) : HST_E_NOMEM;
}

static enum hst_status emit_all(struct pprof *pprof, const struct hst_aggregate *aggregate)
{
    const struct hst_run_info *info = pprof->run->info;
    HST_TRY(hst_output_compress(pprof->output));
    HST_TRY(emit_type(pprof, 1, OWN_SAMPLES, OWN_COUNT));
    HST_TRY(emit_type(pprof, 1, OWN_MODE, OWN_NANOSECONDS));
    for (size_t i = 0; i < aggregate->count; i++)
        HST_TRY(emit_sample(pprof, &aggregate->rows[i]));
    HST_TRY(emit_mapping(pprof));
    HST_TRY(emit_code(pprof));
    HST_TRY(emit_strings(pprof));
    HST_TRY(emit_number(pprof, 9, info->start_wall_ns));
    HST_TRY(emit_number(pprof, 10, info->duration_ns));
    if (!hst_export_is_exact(pprof->run)) {
        HST_TRY(emit_type(pprof, 11, OWN_MODE, OWN_NANOSECONDS));
        HST_TRY(emit_number(pprof, 12, hst_export_period_ns(info)));
    }
    HST_TRY(emit_number(pprof, 13, pprof->own + OWN_COMMENT));
    return emit_number(pprof, 14, pprof->own + OWN_MODE);
}

enum hst_status hst_export_pprof(struct hst_export *run, struct hst_output *output, struct hst_error *err)
{
    HST_CLEANUP(hst_aggregate_release) struct hst_aggregate aggregate;
    HST_CLEANUP(pprof_release)
    struct pprof pprof = {.run = run, .output = output, .own = run->profile->strings.count};
    hst_aggregate_init(&aggregate);
    hst_buffer_init(&pprof.message, 0);
    hst_buffer_init(&pprof.inner, 0);
    HST_TRY(hst_export_sum(run, &aggregate, err));
    return emit_all(&pprof, &aggregate) == HST_OK ? HST_OK : hst_export_nomem(err);
}
