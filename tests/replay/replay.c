/* Runs the reader over one memory, from finding the runtime to the text of every stack. */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "reader/locals.h"

enum { TRIES = 3, LINES_BYTES_MAX = 1 << 20 };

static enum hst_status open_walks(struct replay *replay)
{
    HST_TRY(hst_runtime_threads(&replay->runtime, &replay->threads, &replay->thread_count));
    replay->walks = hst_alloc_zero(replay->thread_count, sizeof *replay->walks);
    if (replay->walks == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < replay->thread_count; i++)
        HST_TRY(hst_walk_new(replay->threads[i].address, 0, 0, &replay->walks[i]));
    return HST_OK;
}

enum hst_status replay_open(struct hst_memory *memory, const char *maps, size_t maps_length, const char *root,
                            struct replay *replay, struct hst_error *err)
{
    struct hst_runtime runtime;
    struct hst_maps list = {0};
    HST_TRY(hst_maps_parse(maps, maps_length, &list));
    enum hst_status status = hst_runtime_find(memory, &list, root, &runtime, err);
    hst_maps_release(&list);
    HST_TRY(status);
    return replay_start(memory, &runtime, replay);
}

enum hst_status replay_start(struct hst_memory *memory, const struct hst_runtime *runtime,
                             struct replay *replay)
{
    *replay = (struct replay){.memory = memory, .runtime = *runtime};
    replay->runtime.memory = memory;
    if (!hst_profile_init(&replay->profile))
        return HST_E_NOMEM;
    hst_frames_init(&replay->frames, &replay->runtime, &replay->profile);
    enum hst_status status = open_walks(replay);
    if (status != HST_OK)
        replay_close(replay);
    return status;
}

void replay_close(struct replay *replay)
{
    for (size_t i = 0; replay->walks != NULL && i < replay->thread_count; i++)
        hst_walk_free(replay->walks[i]);
    hst_free(replay->walks);
    hst_free(replay->threads);
    hst_frames_release(&replay->frames);
    hst_profile_release(&replay->profile);
    *replay = (struct replay){0};
}

static void add_location(const struct replay *replay, uint32_t id, struct hst_buffer *into)
{
    const struct hst_profile *profile = &replay->profile;
    const struct hst_location *location = &profile->locations[id];
    const struct hst_function *function = &profile->functions[location->function];
    hst_buffer_add_fmt(into, "  %s %s:%u", hst_profile_text(profile, function->qualname),
                       hst_profile_text(profile, function->file), location->line);
    if (replay->runtime.abi.minor >= 11)
        hst_buffer_add_fmt(into, "-%u:%d-%d", location->end_line, location->column - 1,
                           location->end_column - 1);
    hst_buffer_add_byte(into, '\n');
}

/* Appends one thread's block: "thread", then the frames from the root. */
static enum hst_status add_stack(struct replay *replay, uint32_t stack, struct hst_buffer *into)
{
    const struct hst_profile *profile = &replay->profile;
    size_t depth = profile->stacks[stack].depth;
    HST_CLEANUP_FREE uint32_t *locations = hst_alloc(depth, sizeof *locations);
    if (locations == NULL)
        return HST_E_NOMEM;
    for (size_t i = depth; i > 0; i--, stack = profile->stacks[stack].parent)
        locations[i - 1] = profile->stacks[stack].location;
    hst_buffer_add_text(into, "thread\n");
    for (size_t i = 0; i < depth; i++)
        add_location(replay, locations[i], into);
    hst_buffer_add_byte(into, '\0');
    return hst_buffer_status(into);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static enum hst_status join_sorted(struct hst_buffer *blocks, size_t count, struct hst_buffer *text)
{
    HST_CLEANUP_FREE char **order = hst_alloc(count, sizeof *order);
    if (order == NULL)
        return HST_E_NOMEM;
    char *at = (char *)blocks->data;
    for (size_t i = 0; i < count; i++, at += strlen(at) + 1)
        order[i] = at;
    if (count > 0)
        qsort(order, count, sizeof *order, by_text);
    for (size_t i = 0; i < count; i++)
        hst_buffer_add_text(text, order[i]);
    hst_buffer_add_byte(text, '\0');
    return hst_buffer_status(text);
}

enum hst_status replay_stacks(struct replay *replay, uint64_t now_ns, struct hst_buffer *text)
{
    struct hst_buffer blocks;
    hst_buffer_init(&blocks, LINES_BYTES_MAX);
    enum hst_status status = HST_OK;
    for (size_t i = 0; status == HST_OK && i < replay->thread_count; i++) {
        uint32_t stack;
        status = hst_walk_read(&replay->frames, replay->walks[i], now_ns, TRIES, &stack);
        if (status == HST_OK)
            status = add_stack(replay, stack, &blocks);
    }
    if (status == HST_OK)
        status = join_sorted(&blocks, replay->thread_count, text);
    hst_buffer_release(&blocks);
    return status;
}

static const struct hst_frame_entry *entry_of(const struct replay *replay, size_t thread, size_t index)
{
    size_t count;
    const struct hst_frame_entry *entries = hst_walk_entries(replay->walks[thread], &count);
    return index < count ? &entries[index] : NULL;
}

const char *replay_function(const struct replay *replay, size_t thread, size_t index)
{
    const struct hst_frame_entry *entry = entry_of(replay, thread, index);
    if (entry == NULL)
        return NULL;
    if (entry->code == HST_ID_NONE)
        return "";
    const struct hst_location *location = &replay->profile.locations[entry->location];
    return hst_profile_text(&replay->profile, replay->profile.functions[location->function].name);
}

char *replay_variable(struct replay *replay, size_t thread, size_t index, const char *name)
{
    const struct hst_frame_entry *entry = entry_of(replay, thread, index);
    struct hst_locals_reader reader;
    struct hst_variables variables = {0};
    char *text = NULL;
    if (entry == NULL || entry->code == HST_ID_NONE || entry->address == 0)
        return NULL;
    hst_locals_reader_init(&reader, replay->memory, &replay->runtime.abi);
    if (hst_locals_read(&reader, entry->address, entry->code_address, &variables) == HST_OK) {
        for (size_t i = 0; i < variables.count && text == NULL; i++)
            if (strcmp(variables.items[i].name, name) == 0)
                text = hst_strdup(variables.items[i].text);
        hst_variables_release(&variables);
    }
    hst_locals_reader_release(&reader);
    return text;
}
