/* speedscope's own format: a table of functions, and for each thread a profile.
 *
 * "sampled": a list of stacks (root first, function indexes) and a list of weights in nanoseconds.  Of a
 * traced run an entry is a context with the self time of all its calls, callers before what they call.
 * "evented", of a run with a timeline: each call opened and closed at its time; what is not closed in the
 * order in which it was opened is refused by speedscope.
 *
 * The schema wants both lists in each profile, so the samples of a thread are walked twice. Samples in a row
 * with the same stack become one entry: the picture and the sums are the same, the file far smaller. */
#include "base/memory.h"
#include "export/exporter.h"
#include "export/spool.h"
#include "export/text.h"
#include "export/timeline.h"

struct column {
    struct hst_export *run;
    struct hst_output *output;
    int weights; /* write weights, not stacks */
    int any, entries;
    uint32_t stack;
    uint64_t weight_ns;
    uint32_t *path;
    size_t path_capacity;
};

static enum hst_status write_entry(struct column *column)
{
    const struct hst_profile *profile = column->run->profile;
    hst_output_text(column->output, column->entries++ > 0 ? "," : "");
    if (column->weights) {
        hst_output_u64(column->output, column->weight_ns);
        return HST_OK;
    }
    size_t depth = profile->stacks[column->stack].depth;
    if (!HST_RESERVE(column->path, column->path_capacity, depth + 1))
        return HST_E_NOMEM;
    uint32_t at = column->stack;
    for (size_t i = depth; i-- > 0; at = profile->stacks[at].parent)
        column->path[i] = hst_export_function_of(profile, at);
    if (depth == 0) /* the function after the last one is "no frame" */
        column->path[depth++] = (uint32_t)profile->function_count;
    for (size_t i = 0; i < depth; i++) {
        hst_output_text(column->output, i > 0 ? "," : "[");
        hst_output_u64(column->output, column->path[i]);
    }
    hst_output_text(column->output, "]");
    return HST_OK;
}

static enum hst_status take(void *context, const struct hst_sample *sample)
{
    struct column *column = context;
    if (column->any && column->stack == sample->stack) {
        column->weight_ns += sample->weight_ns;
        return HST_OK;
    }
    if (column->any)
        HST_TRY(write_entry(column));
    column->any = 1;
    column->stack = sample->stack;
    column->weight_ns = sample->weight_ns;
    return HST_OK;
}

static enum hst_status write_column(struct hst_export *run, struct hst_spool *spool, uint32_t thread,
                                    int weights, struct hst_output *output)
{
    struct column column = {.run = run, .output = output, .weights = weights};
    enum hst_status status = hst_spool_read(spool, thread, take, &column);
    if (status == HST_OK && column.any)
        status = write_entry(&column);
    hst_free(column.path);
    return status;
}

static void write_frames(struct hst_export *run, struct hst_output *output)
{
    const struct hst_profile *profile = run->profile;
    hst_output_text(output, "\"shared\":{\"frames\":[");
    for (uint32_t i = 0; i < profile->function_count; i++) {
        hst_output_text(output, "{\"name\":");
        hst_output_json(output, hst_profile_text(profile, profile->functions[i].qualname));
        if (hst_text_is_native(profile, i)) {
            hst_output_text(output, "},\n");
            continue;
        }
        hst_output_text(output, ",\"file\":");
        hst_output_json(output, hst_text_file(profile, i, run->info->directory));
        hst_output_fmt(output, ",\"line\":%u},\n", profile->functions[i].first_line);
    }
    hst_output_text(output, "{\"name\":\"" HST_TEXT_NO_FRAME "\"}]},\n");
}

static enum hst_status begin_profile(const struct hst_export *run, uint32_t thread, const char *type,
                                     struct hst_output *output)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer name;
    hst_buffer_init(&name, 0);
    hst_text_thread(&name, run->profile, thread);
    hst_buffer_add_byte(&name, 0);
    HST_TRY(hst_buffer_status(&name));
    hst_output_fmt(output, "{\"type\":\"%s\",\"name\":", type);
    hst_output_json(output, (const char *)name.data);
    hst_output_text(output, ",\"unit\":\"nanoseconds\",");
    return HST_OK;
}

static enum hst_status write_sampled(struct hst_export *run, struct hst_spool *spool, uint32_t thread,
                                     struct hst_output *output)
{
    HST_TRY(begin_profile(run, thread, "sampled", output));
    hst_output_fmt(output, "\"startValue\":0,\"endValue\":%llu,\n\"samples\":[",
                   (unsigned long long)spool->lanes[thread].weight_ns);
    HST_TRY(write_column(run, spool, thread, 0, output));
    hst_output_text(output, "],\n\"weights\":[");
    HST_TRY(write_column(run, spool, thread, 1, output));
    hst_output_text(output, "]}");
    return HST_OK;
}

/* A call event on its way through the spool: a sample whose state is the kind. */
static enum hst_status spool_event(void *context, const struct hst_call_event *call)
{
    const struct hst_sample sample = {
        .time_ns = call->time_ns, .thread = call->thread, .stack = call->stack, .state = call->kind};
    return hst_spool_add(context, &sample);
}

struct event_writer {
    const struct hst_profile *profile;
    struct hst_output *output;
    uint64_t events, first_ns, last_ns;
};

static enum hst_status write_event(void *context, const struct hst_sample *event)
{
    struct event_writer *writer = context;
    if (writer->events++ == 0)
        writer->first_ns = event->time_ns;
    writer->last_ns = event->time_ns;
    hst_output_text(writer->output, writer->events > 1 ? ",\n" : "");
    hst_output_text(writer->output, event->state == HST_CALL_ENTER ? "{\"type\":\"O\",\"frame\":"
                                                                   : "{\"type\":\"C\",\"frame\":");
    hst_output_u64(writer->output, hst_export_function_of(writer->profile, event->stack));
    hst_output_text(writer->output, ",\"at\":");
    hst_output_u64(writer->output, event->time_ns);
    hst_output_text(writer->output, "}");
    return HST_OK;
}

static enum hst_status write_evented(struct hst_export *run, struct hst_spool *spool, uint32_t thread,
                                     struct hst_output *output)
{
    struct event_writer writer = {.profile = run->profile, .output = output};
    HST_TRY(begin_profile(run, thread, "evented", output));
    hst_output_text(output, "\n\"events\":[");
    HST_TRY(hst_spool_read(spool, thread, write_event, &writer));
    hst_output_fmt(output, "],\n\"startValue\":%llu,\"endValue\":%llu}", (unsigned long long)writer.first_ns,
                   (unsigned long long)writer.last_ns);
    return HST_OK;
}

enum hst_status hst_export_speedscope(struct hst_export *run, struct hst_output *output,
                                      struct hst_error *err)
{
    HST_CLEANUP(hst_spool_release) struct hst_spool spool;
    if (hst_spool_init(&spool, run->profile->thread_count) != HST_OK)
        return hst_export_nomem(err);
    if (run->timeline != NULL)
        HST_TRY(hst_timeline_walk(run, spool_event, &spool, err));
    else
        HST_TRY(hst_export_walk(run, hst_spool_add, &spool, err));
    hst_output_text(output, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
                            "\"exporter\":\"hasten " HST_VERSION "\",\n\"name\":");
    hst_output_json(output, run->info->command);
    hst_output_text(output, ",\n\"activeProfileIndex\":0,\n");
    write_frames(run, output);
    hst_output_text(output, "\"profiles\":[");
    const char *separator = "\n";
    for (uint32_t i = 0; i < spool.lane_count; i++) {
        if (spool.lanes[i].samples == 0)
            continue;
        hst_output_text(output, separator);
        separator = ",\n";
        enum hst_status status = run->timeline != NULL ? write_evented(run, &spool, i, output)
                                                       : write_sampled(run, &spool, i, output);
        if (status != HST_OK)
            return hst_error_set(err, status, "cannot export a thread: %s", hst_status_name(status));
    }
    hst_output_text(output, "\n]}\n");
    return HST_OK;
}
