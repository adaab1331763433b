/* Adds rows to the tables of a profile, each distinct row once. */
#include "model/profile.h"

#include <string.h>

#include "base/memory.h"

int hst_profile_init(struct hst_profile *profile)
{
    *profile = (struct hst_profile){0};
    if (!hst_strings_init(&profile->strings) || !HST_RESERVE(profile->stacks, profile->stack_capacity, 1)) {
        hst_profile_release(profile);
        return 0;
    }
    profile->stacks[0] = (struct hst_stack){.parent = 0, .location = HST_ID_NONE, .depth = 0};
    profile->stack_count = 1;
    return 1;
}

void hst_profile_release(struct hst_profile *profile)
{
    hst_strings_release(&profile->strings);
    hst_free(profile->functions);
    hst_free(profile->locations);
    hst_free(profile->stacks);
    hst_free(profile->processes);
    hst_free(profile->threads);
    hst_map_release(&profile->function_ids);
    hst_map_release(&profile->location_ids);
    hst_map_release(&profile->stack_ids);
    *profile = (struct hst_profile){0};
}

/* Appends a row and returns its index. */
#define APPEND(profile, rows, row_count, row_capacity, row)                                                  \
    ((profile)->row_count >= HST_ID_NONE - 1 ||                                                              \
             !HST_RESERVE((profile)->rows, (profile)->row_capacity, (profile)->row_count + 1)                \
         ? HST_ID_NONE                                                                                       \
         : ((profile)->rows[(profile)->row_count] = (row), (uint32_t)(profile)->row_count++))

/* Two rows with one 64-bit hash are told apart by probing on: key, key + 1, ... until the equal row or a free
 * key. */
#define FIND_OR_APPEND(profile, ids, rows, row_count, row_capacity, row, key)                                \
    for (uint64_t probe = (key);; probe++) {                                                                 \
        uint32_t found = hst_map_find(&(profile)->ids, probe);                                               \
        if (found == HST_MAP_ABSENT) {                                                                       \
            uint32_t added = APPEND(profile, rows, row_count, row_capacity, row);                            \
            if (added != HST_ID_NONE && !hst_map_set(&(profile)->ids, probe, added)) {                       \
                (profile)->row_count--;                                                                      \
                return HST_ID_NONE;                                                                          \
            }                                                                                                \
            return added;                                                                                    \
        }                                                                                                    \
        if (memcmp(&(profile)->rows[found], &(row), sizeof(row)) == 0)                                       \
            return found;                                                                                    \
    }

uint32_t hst_profile_function(struct hst_profile *profile, const struct hst_function *function){
    FIND_OR_APPEND(profile, function_ids, functions, function_count, function_capacity, *function,
                   hst_hash_bytes(function, sizeof *function, 1))}

uint32_t hst_profile_location(struct hst_profile *profile, const struct hst_location *location)
{
    FIND_OR_APPEND(profile, location_ids, locations, location_count, location_capacity, *location,
                   hst_hash_bytes(location, sizeof *location, 2))
}

/* Parent and location fill the key, so equal keys are equal rows: no probing. */
static uint64_t stack_key(uint32_t parent, uint32_t location) { return (uint64_t)parent << 32 | location; }

uint32_t hst_profile_stack_find(const struct hst_profile *profile, uint32_t parent, uint32_t location)
{
    return hst_map_find(&profile->stack_ids, stack_key(parent, location));
}

uint32_t hst_profile_stack(struct hst_profile *profile, uint32_t parent, uint32_t location)
{
    uint64_t key = stack_key(parent, location);
    uint32_t found = hst_map_find(&profile->stack_ids, key);
    if (found != HST_MAP_ABSENT)
        return found;
    struct hst_stack row = {
        .parent = parent, .location = location, .depth = profile->stacks[parent].depth + 1};
    uint32_t added = APPEND(profile, stacks, stack_count, stack_capacity, row);
    if (added != HST_ID_NONE && !hst_map_set(&profile->stack_ids, key, added)) {
        profile->stack_count--;
        return HST_ID_NONE;
    }
    return added;
}

uint32_t hst_profile_add_process(struct hst_profile *profile, const struct hst_process *process)
{
    return APPEND(profile, processes, process_count, process_capacity, *process);
}

uint32_t hst_profile_add_thread(struct hst_profile *profile, const struct hst_thread *thread)
{
    return APPEND(profile, threads, thread_count, thread_capacity, *thread);
}

static enum hst_status bad(struct hst_error *err, const char *table, size_t row)
{
    return hst_error_set(err, HST_E_CORRUPT, "%s %zu refers to a row that does not exist", table, row);
}

enum hst_status hst_profile_validate(const struct hst_profile *profile, struct hst_error *err)
{
    size_t strings = profile->strings.count;
    if (profile->stack_count == 0)
        return hst_error_set(err, HST_E_CORRUPT, "the empty stack is missing");
    for (size_t i = 0; i < profile->function_count; i++) {
        const struct hst_function *f = &profile->functions[i];
        if (f->name >= strings || f->qualname >= strings || f->file >= strings)
            return bad(err, "function", i);
    }
    for (size_t i = 0; i < profile->location_count; i++)
        if (profile->locations[i].function >= profile->function_count)
            return bad(err, "location", i);
    for (size_t i = 1; i < profile->stack_count; i++) {
        const struct hst_stack *s = &profile->stacks[i];
        if (s->parent >= i || s->location >= profile->location_count ||
            s->depth != profile->stacks[s->parent].depth + 1)
            return bad(err, "stack", i);
    }
    for (size_t i = 0; i < profile->process_count; i++) {
        const struct hst_process *p = &profile->processes[i];
        if (p->command >= strings || p->interpreter >= strings || p->executable >= strings)
            return bad(err, "process", i);
    }
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hst_thread *t = &profile->threads[i];
        if (t->process >= profile->process_count || t->name >= strings)
            return bad(err, "thread", i);
    }
    return HST_OK;
}
