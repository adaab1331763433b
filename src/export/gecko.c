/* The Firefox Profiler's processed format, version 57: strings shared, all other tables in each thread, as
 * columns. Newer versions of the profiler upgrade it when they load it; older ones could not read a newer
 * file.
 *
 *   samples    stack, time (start of the stretch, ms), weight (its length, ms)
 *   stackTable frame, prefix          frameTable func, line, column, category
 *   funcTable  name, fileName, lineNumber         stringArray index = string of the profile; own ones follow
 *
 * What the thread was doing is the category of the sample's leaf: that frame and stack exist once a category,
 * and the frames above carry none, so that they inherit it the profiler's way. Weights are times
 * ("tracing-ms"), so that a long gap between two samples counts as what it was. */
#include <string.h>

#include "base/memory.h"
#include "export/exporter.h"
#include "export/spool.h"
#include "export/text.h"

enum { FORMAT_VERSION = 57, GECKO_VERSION = 32 };

/* In the order of enum hst_state, then one more. The first grey one is what frames without a category get. */
enum { CATEGORY_GC = HST_STATE_COUNT, CATEGORY_COUNT, CATEGORY_NONE = CATEGORY_COUNT };
static const struct {
    const char *name, *color;
} categories[CATEGORY_COUNT] = {
    [HST_STATE_UNKNOWN] = {"Unknown", "grey"},
    [HST_STATE_RUNNING] = {"Running", "green"},
    [HST_STATE_RUNNABLE] = {"Waiting for a CPU", "orange"},
    [HST_STATE_GIL_WAIT] = {"Waiting for the GIL", "red"},
    [HST_STATE_BLOCKED] = {"Blocked", "blue"},
    [HST_STATE_IDLE] = {"Idle", "transparent"},
    [HST_STATE_GONE] = {"Ending", "brown"},
    [CATEGORY_GC] = {"Garbage collector", "purple"},
};

struct table_row {
    uint32_t first;  /* frames: location (HST_ID_NONE: no frame); stacks: frame */
    uint32_t second; /* frames: category; stacks: parent's row, HST_ID_NONE = none */
};
struct table {
    struct table_row *rows;
    size_t count, capacity;
    struct hst_map index; /* profile's id << 4 | category -> row */
};

struct gecko {
    struct hst_export *run;
    struct hst_output *output;
    struct hst_spool spool;
    struct table frames, stacks; /* of the thread being written */
    uint32_t *path;
    size_t path_capacity;
    /* the column being written */
    size_t entries;
    uint64_t last_start_ns;
    enum { COLUMN_STACK, COLUMN_TIME, COLUMN_WEIGHT } column;
};

static void table_release(struct table *table)
{
    hst_free(table->rows);
    hst_map_release(&table->index);
    *table = (struct table){0};
}

static void gecko_release(struct gecko *gecko)
{
    hst_spool_release(&gecko->spool);
    table_release(&gecko->frames);
    table_release(&gecko->stacks);
    hst_free(gecko->path);
}

/* The row for key, made from row when there is none; HST_ID_NONE when memory is out. */
static uint32_t table_row(struct table *table, uint64_t key, struct table_row row)
{
    uint32_t found = hst_map_find(&table->index, key);
    if (found != HST_MAP_ABSENT)
        return found;
    found = (uint32_t)table->count;
    if (!HST_RESERVE(table->rows, table->capacity, table->count + 1) ||
        !hst_map_set(&table->index, key, found))
        return HST_ID_NONE;
    table->rows[table->count++] = row;
    return found;
}

static uint32_t stack_row(struct gecko *gecko, uint32_t stack, uint32_t parent_row, uint32_t category)
{
    uint32_t location = stack == 0 ? HST_ID_NONE : gecko->run->profile->stacks[stack].location;
    uint32_t frame = table_row(&gecko->frames, (uint64_t)location << 4 | category,
                               (struct table_row){.first = location, .second = category});
    if (frame == HST_ID_NONE)
        return HST_ID_NONE;
    return table_row(&gecko->stacks, (uint64_t)stack << 4 | category,
                     (struct table_row){.first = frame, .second = parent_row});
}

/* The row of a sample's stack, with rows for all its prefixes. */
static uint32_t sample_row(struct gecko *gecko, uint32_t stack, uint32_t category)
{
    uint32_t found = hst_map_find(&gecko->stacks.index, (uint64_t)stack << 4 | category);
    if (found != HST_MAP_ABSENT)
        return found;
    const struct hst_stack *stacks = gecko->run->profile->stacks;
    uint32_t row = HST_ID_NONE;
    size_t depth = 0;
    for (uint32_t at = stacks[stack].parent; at != 0; at = stacks[at].parent) {
        row = hst_map_find(&gecko->stacks.index, (uint64_t)at << 4 | CATEGORY_NONE);
        if (row != HST_MAP_ABSENT)
            break;
        if (!HST_RESERVE(gecko->path, gecko->path_capacity, depth + 1))
            return HST_ID_NONE;
        gecko->path[depth++] = at;
    }
    while (depth-- > 0) {
        row = stack_row(gecko, gecko->path[depth], row, CATEGORY_NONE);
        if (row == HST_ID_NONE)
            return HST_ID_NONE;
    }
    return stack_row(gecko, stack, row, category);
}

static uint32_t category_of(const struct hst_sample *sample)
{
    if (sample->flags & HST_SAMPLE_IN_GC)
        return CATEGORY_GC;
    return sample->state < HST_STATE_COUNT ? sample->state : HST_STATE_UNKNOWN;
}

static enum hst_status take(void *context, const struct hst_sample *sample)
{
    struct gecko *gecko = context;
    hst_output_text(gecko->output, gecko->entries++ > 0 ? "," : "");
    if (gecko->column == COLUMN_STACK) {
        uint32_t row = sample_row(gecko, sample->stack, category_of(sample));
        if (row == HST_ID_NONE)
            return HST_E_NOMEM;
        hst_output_u64(gecko->output, row);
    } else if (gecko->column == COLUMN_TIME) {
        uint64_t start = sample->time_ns > sample->weight_ns ? sample->time_ns - sample->weight_ns : 0;
        if (start < gecko->last_start_ns) /* the column must not go back */
            start = gecko->last_start_ns;
        gecko->last_start_ns = start;
        hst_output_decimal(gecko->output, start, 6);
    } else {
        hst_output_decimal(gecko->output, sample->weight_ns, 6);
    }
    return HST_OK;
}

static enum hst_status write_samples(struct gecko *gecko, uint32_t thread)
{
    static const char *const names[] = {
        [COLUMN_STACK] = "stack", [COLUMN_TIME] = "time", [COLUMN_WEIGHT] = "weight"};
    hst_output_text(gecko->output, "\"samples\":{\"weightType\":\"tracing-ms\"");
    for (int i = COLUMN_STACK; i <= COLUMN_WEIGHT; i++) {
        gecko->column = (__typeof__(gecko->column))i;
        gecko->entries = 0;
        gecko->last_start_ns = 0;
        hst_output_fmt(gecko->output, ",\n\"%s\":[", names[i]);
        HST_TRY(hst_spool_read(&gecko->spool, thread, take, gecko));
        hst_output_text(gecko->output, "]");
    }
    hst_output_fmt(gecko->output, ",\"length\":%llu},\n",
                   (unsigned long long)gecko->spool.lanes[thread].samples);
    return HST_OK;
}

/* A column of count cells: cell gives each a value, negative = null. */
typedef int64_t cell_function(const struct gecko *gecko, size_t row);
static void write_column(const struct gecko *gecko, const char *name, size_t count, cell_function *cell)
{
    hst_output_fmt(gecko->output, "\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        int64_t value = cell(gecko, i);
        hst_output_text(gecko->output, i > 0 ? "," : "");
        if (value < 0)
            hst_output_text(gecko->output, "null");
        else
            hst_output_u64(gecko->output, (uint64_t)value);
    }
    hst_output_text(gecko->output, "],\n");
}

static void write_constant(const struct gecko *gecko, const char *name, size_t count, const char *value)
{
    hst_output_fmt(gecko->output, "\"%s\":[", name);
    for (size_t i = 0; i < count; i++)
        hst_output_fmt(gecko->output, "%s%s", i > 0 ? "," : "", value);
    hst_output_text(gecko->output, "],\n");
}

static int64_t stack_frame(const struct gecko *gecko, size_t row) { return gecko->stacks.rows[row].first; }
static int64_t stack_prefix(const struct gecko *gecko, size_t row)
{
    uint32_t prefix = gecko->stacks.rows[row].second;
    return prefix == HST_ID_NONE ? -1 : (int64_t)prefix;
}
static const struct hst_location *frame_location(const struct gecko *gecko, size_t row)
{
    uint32_t location = gecko->frames.rows[row].first;
    return location == HST_ID_NONE ? NULL : &gecko->run->profile->locations[location];
}
static int64_t frame_function(const struct gecko *gecko, size_t row)
{
    const struct hst_location *location = frame_location(gecko, row);
    return location != NULL ? location->function : (int64_t)gecko->run->profile->function_count;
}
static int64_t frame_line(const struct gecko *gecko, size_t row)
{
    const struct hst_location *location = frame_location(gecko, row);
    return location != NULL && location->line != 0 ? (int64_t)location->line : -1;
}
static int64_t frame_column(const struct gecko *gecko, size_t row)
{
    const struct hst_location *location = frame_location(gecko, row);
    return location != NULL && location->column != 0 ? location->column : -1;
}
static int64_t frame_category(const struct gecko *gecko, size_t row)
{
    uint32_t category = gecko->frames.rows[row].second;
    return category == CATEGORY_NONE ? -1 : (int64_t)category;
}
static int64_t frame_subcategory(const struct gecko *gecko, size_t row)
{
    return frame_category(gecko, row) < 0 ? -1 : 0;
}
/* Functions keep the profile's numbers; the one after the last is "no frame". */
static int64_t function_name(const struct gecko *gecko, size_t row)
{
    const struct hst_profile *profile = gecko->run->profile;
    return row < profile->function_count ? profile->functions[row].qualname : (int64_t)profile->strings.count;
}
static int64_t function_file(const struct gecko *gecko, size_t row)
{
    const struct hst_profile *profile = gecko->run->profile;
    return row < profile->function_count ? (int64_t)profile->functions[row].file : -1;
}
static int64_t function_line(const struct gecko *gecko, size_t row)
{
    const struct hst_profile *profile = gecko->run->profile;
    return row < profile->function_count ? (int64_t)profile->functions[row].first_line : -1;
}

static void write_tables(struct gecko *gecko)
{
    struct hst_output *output = gecko->output;
    size_t stacks = gecko->stacks.count, frames = gecko->frames.count;
    size_t functions = gecko->run->profile->function_count + 1;
    hst_output_text(output, "\"stackTable\":{");
    write_column(gecko, "frame", stacks, stack_frame);
    write_column(gecko, "prefix", stacks, stack_prefix);
    hst_output_fmt(output, "\"length\":%zu},\n\"frameTable\":{", stacks);
    write_constant(gecko, "address", frames, "-1");
    write_constant(gecko, "inlineDepth", frames, "0");
    write_column(gecko, "category", frames, frame_category);
    write_column(gecko, "subcategory", frames, frame_subcategory);
    write_column(gecko, "func", frames, frame_function);
    write_constant(gecko, "nativeSymbol", frames, "null");
    write_constant(gecko, "innerWindowID", frames, "null");
    write_column(gecko, "line", frames, frame_line);
    write_column(gecko, "column", frames, frame_column);
    hst_output_fmt(output, "\"length\":%zu},\n\"funcTable\":{", frames);
    write_column(gecko, "name", functions, function_name);
    write_constant(gecko, "isJS", functions, "false");
    write_constant(gecko, "relevantForJS", functions, "false");
    write_constant(gecko, "resource", functions, "-1");
    write_column(gecko, "fileName", functions, function_file);
    write_column(gecko, "lineNumber", functions, function_line);
    write_constant(gecko, "columnNumber", functions, "null");
    hst_output_fmt(output, "\"length\":%zu},\n", functions);
    hst_output_text(output,
                    "\"resourceTable\":{\"lib\":[],\"name\":[],\"host\":[],\"type\":[],\"length\":0},\n"
                    "\"nativeSymbols\":{\"libIndex\":[],\"address\":[],\"name\":[],\"functionSize\":[],"
                    "\"length\":0},\n"
                    "\"markers\":{\"data\":[],\"name\":[],\"startTime\":[],\"endTime\":[],\"phase\":[],"
                    "\"category\":[],\"length\":0}}");
}

static enum hst_status write_thread(struct gecko *gecko, uint32_t index)
{
    const struct hst_profile *profile = gecko->run->profile;
    const struct hst_thread *thread = &profile->threads[index];
    const struct hst_process *process = &profile->processes[thread->process];
    struct hst_output *output = gecko->output;
    hst_output_text(output, "{\"processType\":\"default\",\"processName\":");
    hst_output_json(output, hst_profile_text(profile, process->command));
    hst_output_text(output, ",\"processStartupTime\":");
    hst_output_decimal(output, process->start_ns, 6);
    hst_output_text(output, ",\"processShutdownTime\":null,\"registerTime\":");
    hst_output_decimal(output, thread->start_ns, 6);
    hst_output_text(output, ",\"unregisterTime\":null,\"pausedRanges\":[],\"name\":");
    hst_output_json(output, hst_profile_text(profile, thread->name));
    hst_output_fmt(output, ",\"isMainThread\":%s,\"pid\":\"%u\",\"tid\":%u,\n",
                   thread->native_id == process->pid ? "true" : "false", process->pid, thread->native_id);
    HST_TRY(write_samples(gecko, index));
    write_tables(gecko);
    table_release(&gecko->frames);
    table_release(&gecko->stacks);
    return HST_OK;
}

static void write_head(struct gecko *gecko)
{
    const struct hst_run_info *info = gecko->run->info;
    const struct hst_profile *profile = gecko->run->profile;
    struct hst_output *output = gecko->output;
    hst_output_fmt(output,
                   "{\"meta\":{\"version\":%d,\"preprocessedProfileVersion\":%d,\"interval\":", GECKO_VERSION,
                   FORMAT_VERSION);
    hst_output_decimal(output, hst_export_period_ns(info), 6);
    hst_output_text(output, ",\"startTime\":");
    hst_output_decimal(output, info->start_wall_ns, 6);
    hst_output_text(output, ",\"processType\":0,\"stackwalk\":0,\"symbolicated\":true,\"debug\":false,"
                            "\"gcpoison\":false,\"asyncstack\":false,\"sourceURL\":\"\","
                            "\"importedFrom\":\"hasten " HST_VERSION "\",\"product\":");
    hst_output_json(output, info->command);
    hst_output_text(output, ",\"arguments\":");
    hst_output_json(output, info->command);
    hst_output_text(output, ",\n\"markerSchema\":[],\"categories\":[");
    for (size_t i = 0; i < CATEGORY_COUNT; i++)
        hst_output_fmt(output, "%s{\"name\":\"%s\",\"color\":\"%s\",\"subcategories\":[\"Other\"]}",
                       i > 0 ? "," : "", categories[i].name, categories[i].color);
    hst_output_text(output, "]},\n\"libs\":[],\"pages\":[],\"shared\":{\"stringArray\":[");
    for (uint32_t i = 0; i < profile->strings.count; i++) {
        hst_output_json(output, hst_profile_text(profile, i));
        hst_output_text(output, ",\n");
    }
    hst_output_text(output, "\"" HST_TEXT_NO_FRAME "\"]},\n\"threads\":[");
}

enum hst_status hst_export_gecko(struct hst_export *run, struct hst_output *output, struct hst_error *err)
{
    HST_CLEANUP(gecko_release) struct gecko gecko = {.run = run, .output = output, .spool = {.fd = -1}};
    if (hst_spool_init(&gecko.spool, run->profile->thread_count) != HST_OK)
        return hst_export_nomem(err);
    HST_TRY(hst_export_walk(run, hst_spool_add, &gecko.spool, err));
    write_head(&gecko);
    const char *separator = "\n";
    for (uint32_t i = 0; i < gecko.spool.lane_count; i++) {
        if (gecko.spool.lanes[i].samples == 0)
            continue;
        hst_output_text(output, separator);
        separator = ",\n";
        enum hst_status status = write_thread(&gecko, i);
        if (status != HST_OK)
            return hst_error_set(err, status, "cannot export a thread: %s", hst_status_name(status));
    }
    hst_output_text(output, "\n]}\n");
    return HST_OK;
}
