/* All of a run as JSON, an object a line, each with its "type": first "run", then the tables ("process",
 * "thread", "function", "location", "stack"), whose rows name each other by "id", then a "sample" a line (of
 * a traced run: a "trace" a process and a "call" a context), and "end" with the sums, so that a reader knows
 * that nothing is missing. The keys are in
 * docs/commands/export.md; later versions only add. */
#include "base/memory.h"
#include "export/exporter.h"

struct jsonl {
    struct hst_export *run;
    struct hst_output *output;
    uint64_t weight_ns;
};

static void key_text(struct hst_output *output, const char *key, const char *text)
{
    hst_output_text(output, ",\"");
    hst_output_text(output, key);
    hst_output_text(output, "\":");
    hst_output_json(output, text);
}

static void key_number(struct hst_output *output, const char *key, uint64_t value)
{
    hst_output_text(output, ",\"");
    hst_output_text(output, key);
    hst_output_text(output, "\":");
    hst_output_u64(output, value);
}

static void write_run(struct jsonl *jsonl)
{
    static const char *const statuses[] = {[HST_RUN_RECORDING] = "recording",
                                           [HST_RUN_COMPLETE] = "complete",
                                           [HST_RUN_INTERRUPTED] = "interrupted"};
    const struct hst_run_info *info = jsonl->run->info;
    struct hst_output *output = jsonl->output;
    unsigned status = (unsigned)info->status;
    hst_output_text(output, "{\"type\":\"run\",\"format\":\"hasten-jsonl\",\"version\":1");
    key_number(output, "number", info->number);
    key_text(output, "name", info->name);
    key_text(output, "kind", hst_export_is_exact(jsonl->run) ? "traced" : "sampled");
    key_text(output, "status", status < HST_ARRAY_LENGTH(statuses) ? statuses[status] : "unknown");
    key_text(output, "mode", jsonl->run->mode);
    key_text(output, "command", info->command);
    key_text(output, "directory", info->directory);
    key_text(output, "hasten_version", info->hasten_version);
    key_number(output, "start_wall_ns", info->start_wall_ns);
    key_number(output, "duration_ns", info->duration_ns);
    key_number(output, "cpu_ns", info->cpu_ns);
    hst_output_fmt(output, ",\"rate_hz\":%.17g,\"blocking\":%s,\"exit_status\":%d,\"cost\":{", info->rate_hz,
                   info->blocking ? "true" : "false", info->exit_status);
    const struct hst_run_cost *cost = &info->cost;
    hst_output_text(output, "\"samples\":");
    hst_output_u64(output, cost->samples);
    key_number(output, "dropped", cost->dropped);
    key_number(output, "torn", cost->torn);
    key_number(output, "late", cost->late);
    key_number(output, "ticks", cost->ticks);
    key_number(output, "longest_gap_ns", cost->longest_gap_ns);
    key_number(output, "read_cpu_ns", cost->read_cpu_ns);
    key_number(output, "wake_cpu_ns", cost->wake_cpu_ns);
    if (cost->slowdown_percent >= 0)
        hst_output_fmt(output, ",\"slowdown_percent\":%.6g", cost->slowdown_percent);
    hst_output_text(output, "}}\n");
}

static void begin_row(struct jsonl *jsonl, const char *type, uint64_t id)
{
    hst_output_text(jsonl->output, "{\"type\":\"");
    hst_output_text(jsonl->output, type);
    hst_output_text(jsonl->output, "\"");
    key_number(jsonl->output, "id", id);
}

static void write_processes_and_threads(struct jsonl *jsonl)
{
    const struct hst_profile *profile = jsonl->run->profile;
    struct hst_output *output = jsonl->output;
    for (size_t i = 0; i < profile->process_count; i++) {
        const struct hst_process *row = &profile->processes[i];
        begin_row(jsonl, "process", i);
        key_number(output, "pid", row->pid);
        key_number(output, "parent_pid", row->parent_pid);
        key_text(output, "command", hst_profile_text(profile, row->command));
        key_text(output, "interpreter", hst_profile_text(profile, row->interpreter));
        key_text(output, "executable", hst_profile_text(profile, row->executable));
        key_number(output, "start_ns", row->start_ns);
        key_number(output, "end_ns", row->end_ns);
        key_number(output, "cpu_ns", row->cpu_ns);
        hst_output_text(output, "}\n");
    }
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hst_thread *row = &profile->threads[i];
        begin_row(jsonl, "thread", i);
        key_number(output, "process", row->process);
        key_number(output, "native_id", row->native_id);
        key_text(output, "name", hst_profile_text(profile, row->name));
        key_number(output, "interpreter_id", row->interpreter_id);
        key_number(output, "start_ns", row->start_ns);
        key_number(output, "end_ns", row->end_ns);
        key_number(output, "cpu_ns", row->cpu_ns);
        key_number(output, "runnable_ns", row->runnable_ns);
        hst_output_text(output, "}\n");
    }
}

/* Columns are written as editors count them, from 1; what is not known is left out. */
static void write_location(struct jsonl *jsonl, size_t id)
{
    const struct hst_location *row = &jsonl->run->profile->locations[id];
    struct hst_output *output = jsonl->output;
    begin_row(jsonl, "location", id);
    key_number(output, "function", row->function);
    if (row->line != 0)
        key_number(output, "line", row->line);
    if (row->end_line != 0)
        key_number(output, "end_line", row->end_line);
    if (row->column != 0)
        key_number(output, "column", row->column);
    if (row->end_column != 0)
        key_number(output, "end_column", row->end_column);
    key_number(output, "instruction", row->instruction);
    hst_output_text(output, "}\n");
}

static void write_code(struct jsonl *jsonl)
{
    const struct hst_profile *profile = jsonl->run->profile;
    struct hst_output *output = jsonl->output;
    for (size_t i = 0; i < profile->function_count; i++) {
        const struct hst_function *row = &profile->functions[i];
        begin_row(jsonl, "function", i);
        key_text(output, "name", hst_profile_text(profile, row->name));
        key_text(output, "qualname", hst_profile_text(profile, row->qualname));
        key_text(output, "file", hst_profile_text(profile, row->file));
        key_number(output, "first_line", row->first_line);
        hst_output_text(output, "}\n");
    }
    for (size_t i = 0; i < profile->location_count; i++)
        write_location(jsonl, i);
    for (size_t i = 1; i < profile->stack_count; i++) {
        begin_row(jsonl, "stack", i);
        key_number(output, "parent", profile->stacks[i].parent);
        key_number(output, "location", profile->stacks[i].location);
        hst_output_text(output, "}\n");
    }
}

static enum hst_status write_sample(void *context, const struct hst_sample *sample)
{
    struct jsonl *jsonl = context;
    struct hst_output *output = jsonl->output;
    jsonl->weight_ns += sample->weight_ns;
    hst_output_text(output, "{\"type\":\"sample\"");
    key_number(output, "time_ns", sample->time_ns);
    key_number(output, "weight_ns", sample->weight_ns);
    key_number(output, "thread", sample->thread);
    key_number(output, "stack", sample->stack);
    hst_output_text(output, ",\"state\":\"");
    hst_output_text(output, hst_export_state_name(sample->state));
    hst_output_text(output, "\"");
    if (sample->flags & HST_SAMPLE_HOLDS_GIL)
        hst_output_text(output, ",\"holds_gil\":true");
    if (sample->flags & HST_SAMPLE_IN_GC)
        hst_output_text(output, ",\"in_gc\":true");
    if (sample->flags & HST_SAMPLE_PARTIAL)
        hst_output_text(output, ",\"partial\":true");
    if (sample->detail != 0)
        key_number(output, "system_call", sample->detail - 1u);
    hst_output_text(output, "}\n");
    return HST_OK;
}

static void write_trace(struct jsonl *jsonl, const struct hst_trace_info *info)
{
    struct hst_output *output = jsonl->output;
    hst_output_text(output, "{\"type\":\"trace\"");
    key_number(output, "process", info->process);
    key_text(output, "backend", info->backend);
    key_text(output, "clock", info->clock);
    hst_output_text(output, info->python_only ? ",\"python_only\":true" : ",\"python_only\":false");
    key_number(output, "lost_contexts", info->lost_contexts);
    key_number(output, "lost_suspensions", info->lost_suspensions);
    key_number(output, "hook_taken", info->hook_taken);
    static const char *const kinds[] = {[HST_CALL_PYTHON] = "python", [HST_CALL_C] = "c"};
    for (int kind = 0; kind < HST_CALL_KIND_COUNT; kind++)
        hst_output_fmt(output, ",\"%s_caller_ns\":%.17g,\"%s_callee_ns\":%.17g", kinds[kind],
                       info->caller_cost_ns[kind], kinds[kind], info->callee_cost_ns[kind]);
    if (info->failure[0] != '\0')
        key_text(output, "failure", info->failure);
    hst_output_text(output, "}\n");
}

static void write_call(struct jsonl *jsonl, const struct hst_call_row *row)
{
    struct hst_output *output = jsonl->output;
    hst_output_text(output, "{\"type\":\"call\"");
    key_number(output, "thread", row->thread);
    key_number(output, "stack", row->stack);
    key_number(output, "calls", row->calls);
    key_number(output, "resumes", row->resumes);
    key_number(output, "raises", row->raises);
    key_number(output, "self_ns", row->self_ns);
    key_number(output, "raw_ns", row->raw_ns);
    key_number(output, "suspended_ns", row->suspended_ns);
    hst_output_text(output, "}\n");
}

static enum hst_status write_calls(struct jsonl *jsonl, struct hst_error *err)
{
    const struct hst_calls *calls = jsonl->run->calls;
    HST_CLEANUP(hst_aggregate_release) struct hst_aggregate wanted;
    hst_aggregate_init(&wanted);
    HST_TRY(hst_export_sum(jsonl->run, &wanted, err));
    for (size_t i = 0; i < calls->trace_count; i++)
        write_trace(jsonl, &calls->traces[i]);
    uint64_t contexts = 0, self_ns = 0;
    for (size_t i = 0; i < calls->count; i++) {
        const struct hst_call_row *row = &calls->rows[i];
        const struct hst_sample like = {
            .thread = row->thread, .stack = row->stack, .state = HST_STATE_RUNNING};
        if (hst_aggregate_find(&wanted, &like) == NULL)
            continue;
        write_call(jsonl, row);
        contexts++;
        self_ns += row->self_ns;
    }
    hst_output_text(jsonl->output, "{\"type\":\"end\",\"samples\":0");
    key_number(jsonl->output, "contexts", contexts);
    key_number(jsonl->output, "calls", jsonl->run->kept);
    key_number(jsonl->output, "self_ns", self_ns);
    hst_output_text(jsonl->output, "}\n");
    return HST_OK;
}

enum hst_status hst_export_jsonl(struct hst_export *run, struct hst_output *output, struct hst_error *err)
{
    struct jsonl jsonl = {.run = run, .output = output};
    write_run(&jsonl);
    write_processes_and_threads(&jsonl);
    write_code(&jsonl);
    if (hst_export_is_exact(run))
        return write_calls(&jsonl, err);
    HST_TRY(hst_export_walk(run, write_sample, &jsonl, err));
    hst_output_text(output, "{\"type\":\"end\"");
    key_number(output, "samples", run->kept);
    key_number(output, "weight_ns", jsonl.weight_ns);
    hst_output_text(output, "}\n");
    return HST_OK;
}
