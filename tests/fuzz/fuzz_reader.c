/* The whole reader over recorded memory that is changed: while it reads, as a running program would, or for
 * good. Only bytes that the reader looks at are changed, so that little of an input is lost.
 *
 * input   1 byte    number of the snapshot
 *         1 byte    1 = the runtime too is looked for in the changed memory; 2 = variables are read as well
 *         records   1 byte   kind: 0 bytes, 1 a pointer to another place, 2 the place cannot be read, 3 a
 * special number 2 bytes  which of the places that a first, undisturbed reading touched 2 bytes  offset in it
 *                   1 byte   after how many reads (times 4) the change comes
 *                   1 byte   after how many more it goes (times 4); 0 = never
 *                   kind 0: 1 byte length (to 32), then the bytes; 1: 2 bytes place, 1 byte signed offset,
 * times 8; 3: 1 byte which number */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "reader/locals.h"
#include "reader/thread_names.h"
#include "replay.h"
#include "target/snapshot.h"

enum {
    SNAPSHOTS_MAX = 32,
    PATCHES_MAX = 48,
    PATCH_BYTES_MAX = 32,
    READS_MAX = 4000000,
    PLACE_BYTES_MAX = 8192
};

struct place {
    hst_raddr address;
    size_t length;
};

static struct base {
    struct hst_snapshot *snapshot;
    struct hst_runtime runtime; /* as found in the memory as it is */
    struct place *places;
    size_t place_count, place_capacity;
} bases[SNAPSHOTS_MAX];
static size_t base_count;

struct patch {
    hst_raddr address;
    uint64_t from, until; /* number of the read */
    size_t length;        /* 0 = cannot be read */
    uint8_t bytes[PATCH_BYTES_MAX];
};

struct changed_memory {
    struct hst_memory memory;
    struct base *base;
    int learn; /* remember places */
    struct patch patches[PATCHES_MAX];
    size_t patch_count;
};

static void learn_place(struct base *base, const struct hst_piece *piece)
{
    if (piece->length == 0 || piece->length > PLACE_BYTES_MAX)
        return;
    for (size_t i = 0; i < base->place_count; i++)
        if (base->places[i].address == piece->address)
            return;
    FUZZ_REQUIRE(HST_RESERVE(base->places, base->place_capacity, base->place_count + 1));
    base->places[base->place_count++] = (struct place){piece->address, piece->length};
}

/* Lays a change over a piece that was read. */
static enum hst_status apply(const struct patch *patch, const struct hst_piece *piece)
{
    hst_raddr from = patch->address, to = from + (patch->length != 0 ? patch->length : 1);
    hst_raddr start = piece->address, end = start + piece->length;
    if (from < start)
        from = start;
    if (to > end)
        to = end;
    if (from >= to)
        return HST_OK;
    if (patch->length == 0)
        return HST_E_TORN;
    memcpy((uint8_t *)piece->into + (from - start), patch->bytes + (from - patch->address), to - from);
    return HST_OK;
}

static enum hst_status changed_read(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    struct changed_memory *changed = (struct changed_memory *)memory;
    uint64_t number = ++memory->reads;
    FUZZ_REQUIRE(number < READS_MAX); /* a walk that goes round */
    for (size_t i = 0; i < count && changed->learn; i++)
        learn_place(changed->base, &pieces[i]);
    HST_TRY(hst_memory_read_pieces(&changed->base->snapshot->memory, pieces, count));
    for (size_t k = 0; k < changed->patch_count; k++) {
        const struct patch *patch = &changed->patches[k];
        if (number < patch->from || number >= patch->until)
            continue;
        for (size_t i = 0; i < count; i++)
            HST_TRY(apply(patch, &pieces[i]));
    }
    return HST_OK;
}

static void read_locals(struct replay *replay, const struct hst_walk *walk)
{
    enum { FRAMES_MAX = 64 };
    size_t count;
    const struct hst_frame_entry *entries = hst_walk_entries(walk, &count);
    struct hst_locals_reader reader;
    hst_locals_reader_init(&reader, replay->memory, &replay->runtime.abi);
    for (size_t i = 0; i < count && i < FRAMES_MAX; i++) {
        struct hst_variables variables = {0};
        if (entries[i].address != 0 &&
            hst_locals_read(&reader, entries[i].address, entries[i].code_address, &variables) == HST_OK)
            hst_variables_release(&variables);
    }
    hst_locals_reader_release(&reader);
}

/* One whole session: find, list, read every stack three times, the last so late that all code is checked. */
static void read_everything(struct changed_memory *changed, int with_search, int with_locals)
{
    struct replay replay;
    struct hst_error err = {0};
    const struct hst_snapshot *snapshot = changed->base->snapshot;
    enum hst_status status = with_search ? replay_open(&changed->memory, snapshot->maps,
                                                       snapshot->maps_length, "/nowhere", &replay, &err)
                                         : replay_start(&changed->memory, &changed->base->runtime, &replay);
    if (status != HST_OK)
        return;
    changed->base->runtime = changed->learn ? replay.runtime : changed->base->runtime;
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < replay.thread_count && i < 64; i++) {
            uint32_t stack = 0;
            size_t count;
            status = hst_walk_read(&replay.frames, replay.walks[i], 1 + round * 100000000ull, 2, &stack);
            if (status != HST_OK)
                continue;
            const struct hst_frame_entry *entries = hst_walk_entries(replay.walks[i], &count);
            FUZZ_REQUIRE(stack < replay.profile.stack_count);
            FUZZ_REQUIRE(count == 0 ? stack == 0 : entries[count - 1].stack == stack);
            if (with_locals)
                read_locals(&replay, replay.walks[i]);
        }
        struct hst_gil gil = {0};
        if (replay.thread_count > 0)
            (void)!hst_runtime_gil(&replay.runtime, replay.threads[0].interpreter, &gil);
    }
    if (with_locals) {
        struct hst_thread_names names = {0};
        (void)!hst_thread_names_read(&replay.runtime, &names);
        hst_thread_names_release(&names);
    }
    FUZZ_REQUIRE(hst_profile_validate(&replay.profile, &err) == HST_OK);
    replay_close(&replay);
}

static int is_snapshot(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".snap") == 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    struct dirent **entries;
    int found = scandir(HST_SNAPSHOTS, &entries, is_snapshot, versionsort);
    FUZZ_REQUIRE(found > 0 && found <= SNAPSHOTS_MAX);
    for (int i = 0; i < found; i++) {
        char path[4096];
        struct base *base = &bases[base_count++];
        (void)snprintf(path, sizeof path, "%s/%s", HST_SNAPSHOTS, entries[i]->d_name);
        FUZZ_REQUIRE(hst_snapshot_load(path, &base->snapshot, NULL) == HST_OK);
        struct changed_memory memory = {
            .memory = {.read = changed_read, .still = 1}, .base = base, .learn = 1};
        read_everything(&memory, 1, 1);
        FUZZ_REQUIRE(base->place_count > 100);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

/* One record of the input as a change; 0 when there is none left. */
static int take_patch(struct fuzz_input *input, const struct base *base, struct patch *ret_patch)
{
    static const uint64_t special[] = {0,
                                       1,
                                       7,
                                       8,
                                       4095,
                                       4096,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       INT64_MAX,
                                       UINT64_MAX,
                                       UINT64_MAX - 7,
                                       UINT64_MAX - 4096,
                                       1ull << 47,
                                       1ull << 63,
                                       0x100000};
    if (input->left < 7)
        return 0;
    unsigned kind = (unsigned)fuzz_number(input, 1) % 4;
    const struct place *place = &base->places[fuzz_number(input, 2) % base->place_count];
    struct patch patch = {.address = place->address + fuzz_number(input, 2) % place->length};
    patch.from = fuzz_number(input, 1) * 4;
    uint64_t length = fuzz_number(input, 1) * 4;
    patch.until = length != 0 ? patch.from + length : UINT64_MAX;
    uint64_t value = 0;
    if (kind == 0) {
        size_t taken;
        const uint8_t *bytes = fuzz_take(input, fuzz_number(input, 1) % (PATCH_BYTES_MAX + 1), &taken);
        memcpy(patch.bytes, bytes, taken);
        patch.length = taken;
    } else if (kind == 1) {
        value = base->places[fuzz_number(input, 2) % base->place_count].address;
        value += (uint64_t)((int64_t)(int8_t)fuzz_number(input, 1) * 8);
    } else if (kind == 3) {
        value = special[fuzz_number(input, 1) % HST_ARRAY_LENGTH(special)];
    }
    if (kind == 1 || kind == 3) {
        patch.address &= ~7ull;
        patch.length = sizeof value;
        memcpy(patch.bytes, &value, sizeof value);
    }
    *ret_patch = patch;
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = data, .left = size};
    struct changed_memory changed = {.memory = {.read = changed_read, .still = 1}};
    changed.base = &bases[fuzz_number(&input, 1) % base_count];
    unsigned flags = (unsigned)fuzz_number(&input, 1);
    while (changed.patch_count < PATCHES_MAX &&
           take_patch(&input, changed.base, &changed.patches[changed.patch_count]))
        changed.patch_count++;
    read_everything(&changed, (flags & 1) != 0, (flags & 2) != 0);
    return 0;
}
