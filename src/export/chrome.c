/* Chrome's trace events as JSON, for Perfetto: B (begin) and E (end) events of each thread, made from what
 * changes between one sample and the next.
 *
 * A sample covers [time - weight, time]. A function that is at the same place of the stack in two samples
 * that touch is one slice; two calls that no sample fell between are one slice too. Where samples do not
 * touch (time that --mode left out, a pause of the sampler), every slice ends. B and E, not X: readers sort
 * by time and keep the file's order where times are equal, and so an outer B always comes first and an outer
 * E last. ts is in microseconds with three decimals: exact nanoseconds. */
#include "base/memory.h"
#include "export/exporter.h"
#include "export/text.h"
#include "export/timeline.h"

struct lane {
    uint32_t stack; /* what is open */
    uint64_t end_ns;
};

struct chrome {
    struct hst_export *run;
    struct hst_output *output;
    struct lane *lanes;
    uint32_t *old_path, *new_path; /* stacks below what both have in common, leaf first */
    size_t old_capacity, new_capacity;
    struct hst_buffer label;
};

static void chrome_release(struct chrome *chrome)
{
    hst_free(chrome->lanes);
    hst_free(chrome->old_path);
    hst_free(chrome->new_path);
    hst_buffer_release(&chrome->label);
}

static void write_thread_and_time(struct chrome *chrome, uint32_t thread, uint64_t time_ns)
{
    const struct hst_thread *row = &chrome->run->profile->threads[thread];
    hst_output_fmt(chrome->output,
                   ",\"pid\":%u,\"tid\":%u,\"ts\":", chrome->run->profile->processes[row->process].pid,
                   row->native_id);
    hst_output_decimal(chrome->output, time_ns, 3);
}

/* Begins and ends alike carry the name: some readers match them by it. Names tell the place, as other Python
 * tracers write them, so that namesakes stay apart. */
static enum hst_status write_event(struct chrome *chrome, char kind, uint32_t thread, uint32_t stack,
                                   uint64_t time_ns)
{
    const struct hst_profile *profile = chrome->run->profile;
    hst_buffer_clear(&chrome->label);
    hst_text_label(&chrome->label, profile, hst_export_function_of(profile, stack),
                   chrome->run->info->directory, "", 0);
    hst_buffer_add_byte(&chrome->label, 0);
    HST_TRY(hst_buffer_status(&chrome->label));
    hst_output_fmt(chrome->output, ",\n{\"ph\":\"%c\",\"cat\":\"python\",\"name\":", kind);
    hst_output_json(chrome->output, (const char *)chrome->label.data);
    write_thread_and_time(chrome, thread, time_ns);
    hst_output_text(chrome->output, "}");
    return HST_OK;
}

/* Ends and begins what differs between the open stack and the next one. */
static enum hst_status change(struct chrome *chrome, uint32_t thread, uint32_t next, uint64_t time_ns)
{
    const struct hst_profile *profile = chrome->run->profile;
    const struct hst_stack *stacks = profile->stacks;
    uint32_t old = chrome->lanes[thread].stack, new = next;
    size_t old_count = 0, new_count = 0;
    while (old !=
           new) { /* the deeper one climbs until both are the same stack: at the latest the empty one */
        int climb_old = stacks[old].depth >= stacks[new].depth,
            climb_new = stacks[new].depth >= stacks[old].depth;
        if (climb_old) {
            if (!HST_RESERVE(chrome->old_path, chrome->old_capacity, old_count + 1))
                return HST_E_NOMEM;
            chrome->old_path[old_count++] = old;
            old = stacks[old].parent;
        }
        if (climb_new) {
            if (!HST_RESERVE(chrome->new_path, chrome->new_capacity, new_count + 1))
                return HST_E_NOMEM;
            chrome->new_path[new_count++] = new;
            new = stacks[new].parent;
        }
    }
    /* Below that, stacks may differ in the line only: the same call, which goes on. */
    while (old_count > 0 && new_count > 0 &&
           hst_export_function_of(profile, chrome->old_path[old_count - 1]) ==
               hst_export_function_of(profile, chrome->new_path[new_count - 1])) {
        old_count--;
        new_count--;
    }
    for (size_t i = 0; i < old_count; i++)
        HST_TRY(write_event(chrome, 'E', thread, chrome->old_path[i], time_ns));
    while (new_count-- > 0)
        HST_TRY(write_event(chrome, 'B', thread, chrome->new_path[new_count], time_ns));
    chrome->lanes[thread].stack = next;
    return HST_OK;
}

static enum hst_status take(void *context, const struct hst_sample *sample)
{
    struct chrome *chrome = context;
    struct lane *lane = &chrome->lanes[sample->thread];
    uint64_t weight = sample->weight_ns < sample->time_ns ? sample->weight_ns : sample->time_ns;
    uint64_t start = sample->time_ns - weight;
    if (sample->time_ns <= lane->end_ns) /* covers nothing that is not covered */
        return HST_OK;
    if (start > lane->end_ns)
        HST_TRY(change(chrome, sample->thread, 0, lane->end_ns));
    else
        start = lane->end_ns;
    if (weight == 0)
        return HST_OK;
    HST_TRY(change(chrome, sample->thread, sample->stack, start));
    lane->end_ns = sample->time_ns;
    return HST_OK;
}

static void write_name(struct chrome *chrome, const char *kind, uint32_t pid, uint32_t tid, const char *name)
{
    hst_output_fmt(chrome->output,
                   ",\n{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":0,\"args\":{\"name\":",
                   kind, pid, tid);
    hst_output_json(chrome->output, name);
    hst_output_text(chrome->output, "}}");
}

static void write_names(struct chrome *chrome)
{
    const struct hst_profile *profile = chrome->run->profile;
    for (size_t i = 0; i < profile->process_count; i++)
        write_name(chrome, "process_name", profile->processes[i].pid, profile->processes[i].pid,
                   hst_profile_text(profile, profile->processes[i].command));
    for (size_t i = 0; i < profile->thread_count; i++)
        write_name(chrome, "thread_name", profile->processes[profile->threads[i].process].pid,
                   profile->threads[i].native_id, hst_profile_text(profile, profile->threads[i].name));
}

static enum hst_status end_all(struct chrome *chrome)
{
    for (uint32_t i = 0; i < chrome->run->profile->thread_count; i++)
        HST_TRY(change(chrome, i, 0, chrome->lanes[i].end_ns));
    return HST_OK;
}

enum hst_status hst_export_chrome(struct hst_export *run, struct hst_output *output, struct hst_error *err)
{
    HST_CLEANUP(chrome_release) struct chrome chrome = {.run = run, .output = output};
    hst_buffer_init(&chrome.label, 0);
    chrome.lanes = hst_alloc_zero(run->profile->thread_count, sizeof *chrome.lanes);
    if (chrome.lanes == NULL)
        return hst_export_nomem(err);
    hst_output_text(output, "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"exporter\":\"hasten " HST_VERSION
                            "\",\"mode\":");
    hst_output_json(output, run->mode);
    hst_output_text(output, ",\"command\":");
    hst_output_json(output, run->info->command);
    /* A first event that says nothing, so that every real one may begin with a comma. */
    hst_output_fmt(output,
                   "},\n\"traceEvents\":[\n{\"ph\":\"M\",\"name\":\"trace_made_by_%s\",\"pid\":0,\"tid\":0,"
                   "\"ts\":0,\"args\":{}}",
                   run->timeline != NULL ? "events" : "samples");
    write_names(&chrome);
    if (run->timeline != NULL)
        HST_TRY(hst_timeline_export_chrome(run, output, err));
    else
        HST_TRY(hst_export_walk(run, take, &chrome, err));
    if (end_all(&chrome) != HST_OK)
        return hst_export_nomem(err);
    hst_output_text(output, "\n]}\n");
    return HST_OK;
}
