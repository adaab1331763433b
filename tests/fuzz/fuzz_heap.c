/* The whole heap reader, and the questions to a graph, over recorded memory that is spoiled at places where
 * that hurts: heads of objects, types, tables, pools and blocks, frames and states.
 *
 * input   1 byte    number of the heap
 *         records   1 byte   kind: 0 bytes, 1 a pointer to another place, 2 a special number, 3 what stands
 * at another place; 16 is added: not one place, but many of its group 1 byte   group of the place; 2 bytes:
 * which of that group; 1 byte: which word from there on (signed) kind 0: 1 byte length (to 16), then the
 * bytes; 1 and 3: group, number and signed word of the other place in 1, 2, 1 bytes; 2: 1 byte which number
 * of many: 2 bytes: how many */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "graph/components.h"
#include "graph/dominators.h"
#include "heap/pools.h"
#include "heap/references.h"
#include "heap/tables.h"
#include "heap_replay.h"
#include "target/snapshot.h"

enum {
    HEAPS_MAX = 8,
    PATCHES_MAX = 128,
    PATCH_BYTES_MAX = 16,
    WORD = sizeof(uint64_t),
    MANY = 16,
    GROUPS = HST_SHAPE_TYPE + 1 + 8,
};
/* Behind a group for each shape of objects, these. */
enum {
    GROUP_NUMBERS = HST_SHAPE_TYPE + 1,
    GROUP_TEXTS,
    GROUP_TABLES,
    GROUP_POOLS,
    GROUP_CHUNKS,
    GROUP_STATES
};

struct group {
    hst_raddr *places;
    size_t count, capacity;
};

static struct base {
    struct hst_snapshot *snapshot;
    struct heap_replay replay;
    struct group groups[GROUPS];
} bases[HEAPS_MAX];
static size_t base_count;

/* What was written over, to be put back. */
struct change {
    uint8_t *at;
    size_t length;
    uint8_t before[PATCH_BYTES_MAX];
};
static struct change *changes;
static size_t change_count, change_capacity;

/* --- where it hurts --- */

static void add_place(struct base *base, unsigned group, hst_raddr address)
{
    struct group *into = &base->groups[group];
    if (hst_image_at(&base->replay.image, address, WORD) == NULL)
        return;
    FUZZ_REQUIRE(HST_RESERVE(into->places, into->capacity, into->count + 1));
    into->places[into->count++] = address;
}

static int add_table(void *context, hst_raddr table, uint64_t bytes, uint64_t used)
{
    (void)bytes, (void)used;
    add_place(context, GROUP_TABLES, table);
    return 1;
}

static enum hst_status add_pool(void *context, const struct hst_pool *pool)
{
    enum { FREE_BLOCK = 8, NEXT_OFFSET = 40 };
    add_place(context, GROUP_POOLS, pool->address);
    add_place(context, GROUP_POOLS, pool->address + FREE_BLOCK);
    add_place(context, GROUP_POOLS, pool->address + NEXT_OFFSET);
    for (uint32_t i = 0; i < pool->used; i++)
        if (pool->is_free[i])
            add_place(context, GROUP_POOLS, pool->address + HST_POOL_HEAD_BYTES + i * pool->block_bytes);
    return HST_OK;
}

static void add_objects(struct base *base, const struct hst_census *census)
{
    enum { NUMBER = 1 << 24, TEXTS = 3 << 27 }; /* bits of tp_flags */
    for (size_t i = 0; i < census->count; i++) {
        const struct hst_object *object = &census->objects[i];
        const struct hst_type_facts *type = &census->types.items[object->type];
        unsigned group = (type->flags & NUMBER) != 0  ? GROUP_NUMBERS
                         : (type->flags & TEXTS) != 0 ? GROUP_TEXTS
                                                      : (unsigned)type->layout.shape;
        add_place(base, group, object->address);
        hst_tables_visit(census->image, census->abi, type, object->address, add_table, base);
    }
}

static void add_states(struct base *base, const struct hst_runtime *runtime)
{
    enum { FRAMES = 100 };
    const struct hst_abi *abi = &runtime->abi;
    const struct hst_image *image = &base->replay.image;
    struct hst_tstate *threads;
    size_t count;
    FUZZ_REQUIRE(hst_runtime_threads(runtime, &threads, &count) == HST_OK);
    add_place(base, GROUP_STATES, runtime->address + abi->runtime_interpreters_head);
    for (size_t i = 0; i < count; i++) {
        hst_raddr at = hst_image_word(image, threads[i].address + abi->tstate_frame);
        if (abi->minor >= 11 && abi->minor <= 12)
            at = hst_image_word(image, at + abi->cframe_current_frame);
        add_place(base, GROUP_STATES, threads[i].address);
        add_place(base, GROUP_STATES, threads[i].address + abi->tstate_next);
        add_place(base, GROUP_STATES, threads[i].address + abi->tstate_frame);
        add_place(base, GROUP_STATES, threads[i].address + abi->tstate_cframe);
        add_place(base, GROUP_STATES, threads[i].interpreter);
        add_place(base, GROUP_STATES, threads[i].interpreter + abi->interp_next);
        add_place(base, GROUP_STATES, threads[i].interpreter + abi->interp_threads_head);
        add_place(base, GROUP_STATES, threads[i].interpreter + abi->interp_modules);
        for (int k = 0; k < FRAMES && at != 0; k++, at = hst_image_word(image, at + abi->frame_previous)) {
            add_place(base, GROUP_STATES, at);
            add_place(base, GROUP_STATES, at + abi->frame_previous);
            add_place(base, GROUP_STATES, at + abi->frame_code);
            add_place(base, GROUP_STATES, at + abi->frame_localsplus);
        }
    }
    hst_free(threads);
}

static void find_places(struct base *base)
{
    struct hst_pool_sums sums;
    const struct hst_census *census = &base->replay.census;
    add_objects(base, census);
    for (size_t i = 0; i < base->replay.chunks.count; i++)
        add_place(base, GROUP_CHUNKS, base->replay.chunks.items[i].address - WORD);
    FUZZ_REQUIRE(hst_pools_visit(census->image, census->abi, add_pool, base, &sums) == HST_OK);
    add_states(base, &base->replay.runtime);
}

/* Moves each region of the copy in front of a page that cannot be read: a sanitizer knows nothing of them. */
static void put_guards(struct hst_image *image)
{
    for (size_t i = 0; i < image->region_count; i++) {
        struct hst_image_region *region = &image->regions[i];
        size_t bytes = region->end - region->start;
        uint8_t *room = mmap(NULL, bytes + HST_SNAPSHOT_PAGE_BYTES, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        FUZZ_REQUIRE(room != MAP_FAILED);
        FUZZ_REQUIRE(mremap(region->bytes, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, room) == room);
        region->bytes = room;
    }
    for (size_t i = 0; i < image->run_count; i++) {
        const struct hst_image_region *region = hst_image_find(image, image->runs[i].start);
        image->runs[i].bytes = region->bytes + (image->runs[i].start - region->start);
    }
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
    int found = scandir(HST_HEAPS, &entries, is_snapshot, versionsort);
    FUZZ_REQUIRE(found > 0 && found <= HEAPS_MAX);
    for (int i = 0; i < found; i++) {
        char path[4096];
        struct base *base = &bases[base_count++];
        (void)snprintf(path, sizeof path, "%s/%s", HST_HEAPS, entries[i]->d_name);
        FUZZ_REQUIRE(hst_snapshot_load(path, &base->snapshot, NULL) == HST_OK);
        FUZZ_REQUIRE(heap_replay_open(0, &base->snapshot->memory, base->snapshot->maps,
                                      base->snapshot->maps_length, &base->replay, NULL) == HST_OK);
        put_guards(&base->replay.image);
        FUZZ_REQUIRE(heap_replay_read(&base->replay) == HST_OK);
        find_places(base);
        heap_replay_forget(&base->replay);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

/* --- spoiling --- */

static void write_over(struct base *base, hst_raddr address, const uint8_t *bytes, size_t length)
{
    const struct hst_image_region *region = hst_image_find(&base->replay.image, address);
    if (region == NULL || length > region->end - address ||
        hst_image_find(&base->replay.image, address + length - 1) == NULL) /* a page that is not there */
        return;
    FUZZ_REQUIRE(HST_RESERVE(changes, change_capacity, change_count + 1));
    struct change *change = &changes[change_count++];
    *change = (struct change){.at = region->bytes + (address - region->start), .length = length};
    memcpy(change->before, change->at, length);
    memcpy(change->at, bytes, length);
}

static void put_back(void)
{
    for (; change_count > 0; change_count--)
        memcpy(changes[change_count - 1].at, changes[change_count - 1].before,
               changes[change_count - 1].length);
}

static hst_raddr take_place(struct fuzz_input *input, const struct base *base, unsigned *ret_group,
                            size_t *ret_index)
{
    const struct group *group = &base->groups[ *ret_group = (unsigned)fuzz_number(input, 1) % GROUPS];
    *ret_index = fuzz_number(input, 2);
    if (group->count == 0)
        return 0;
    *ret_index %= group->count;
    return group->places[*ret_index];
}

/* What is written; its length. */
static size_t take_bytes(struct fuzz_input *input, struct base *base, unsigned kind, uint8_t *bytes)
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
                                       1ull << 20,
                                       1ull << 36,
                                       1ull << 40,
                                       1ull << 47,
                                       1ull << 63,
                                       0xfffffffffff00000,
                                       0x0101010101010101};
    uint64_t value;
    if (kind == 0) {
        size_t taken;
        const uint8_t *from = fuzz_take(input, fuzz_number(input, 1) % (PATCH_BYTES_MAX + 1), &taken);
        memcpy(bytes, from, taken);
        return taken;
    }
    if (kind == 2) {
        value = special[fuzz_number(input, 1) % HST_ARRAY_LENGTH(special)];
    } else {
        unsigned group;
        size_t index;
        value = take_place(input, base, &group, &index);
        value += (uint64_t)(int8_t)fuzz_number(input, 1) * WORD;
        value = kind == 3 ? hst_image_word(&base->replay.image, value) : value;
    }
    memcpy(bytes, &value, sizeof value);
    return sizeof value;
}

/* One record of the input; 0 when there is none left. */
static int spoil(struct fuzz_input *input, struct base *base)
{
    uint8_t bytes[PATCH_BYTES_MAX];
    unsigned kind = (unsigned)fuzz_number(input, 1), group;
    size_t index, many = 1;
    hst_raddr place = take_place(input, base, &group, &index);
    uint64_t offset = (uint64_t)(int8_t)fuzz_number(input, 1) * WORD;
    if (input->left == 0)
        return 0;
    size_t length = take_bytes(input, base, kind % 4, bytes);
    if ((kind & MANY) != 0)
        many = fuzz_number(input, 2);
    for (size_t i = 0; i < many && place != 0 && length > 0; i++) {
        const struct group *all = &base->groups[group];
        write_over(base, all->places[(index + i) % all->count] + offset, bytes, length);
    }
    return 1;
}

/* --- what is promised --- */

static void check_order(const struct hst_heap *heap)
{
    for (size_t i = 0; i < heap->count; i++) {
        FUZZ_REQUIRE(i == 0 || heap->addresses[i - 1] < heap->addresses[i]);
        FUZZ_REQUIRE(heap->types[i] < heap->type_count);
    }
    for (size_t i = 1; i < heap->name_count; i++) {
        const struct hst_heap_name *last = &heap->names[i - 1], *name = &heap->names[i];
        FUZZ_REQUIRE(last->type < name->type || (last->type == name->type && last->place <= name->place));
    }
    for (size_t i = 0; i < heap->values.count; i++) {
        FUZZ_REQUIRE(heap->values.objects[i] < heap->count);
        FUZZ_REQUIRE(i == 0 || (heap->values.objects[i - 1] < heap->values.objects[i] &&
                                heap->values.ends[i - 1] <= heap->values.ends[i]));
    }
}

static void check_references(const struct hst_heap *heap)
{
    for (size_t i = 0; i < heap->name_count; i++)
        FUZZ_REQUIRE(heap->names[i].type < heap->type_count && heap->names[i].text < heap->strings.count);
    for (size_t i = 0; i < heap->type_count; i++)
        FUZZ_REQUIRE(heap->type_rows[i].name < heap->strings.count &&
                     (heap->type_rows[i].object < heap->count || heap->type_rows[i].object == HST_HEAP_NONE));
    for (size_t i = 0; i < heap->root_count; i++)
        FUZZ_REQUIRE(heap->roots[i].object < heap->count && heap->roots[i].number > 0 &&
                     heap->roots[i].name < heap->strings.count);
    for (size_t i = 0; i < heap->finding_count; i++) {
        const struct hst_heap_finding *finding = &heap->findings[i];
        FUZZ_REQUIRE(finding->type < heap->type_count || finding->type == HST_HEAP_NONE);
        FUZZ_REQUIRE(finding->example < heap->count || finding->example == HST_HEAP_NONE);
        FUZZ_REQUIRE(finding->text < heap->strings.count);
    }
}

static void check_dominators(const struct hst_heap *heap, const struct hst_graph *graph)
{
    uint32_t *roots = hst_alloc(heap->root_count, sizeof *roots);
    uint64_t *sums = hst_alloc(heap->count, sizeof *sums), retained = 0, reached_bytes = 0;
    uint8_t *reached = hst_alloc_zero(heap->count, 1);
    struct hst_dominators dominators;
    FUZZ_REQUIRE(roots != NULL && sums != NULL && reached != NULL);
    for (size_t i = 0; i < heap->root_count; i++)
        roots[i] = heap->roots[i].object;
    FUZZ_REQUIRE(hst_dominators_find(graph, roots, heap->root_count, &dominators) == HST_OK);
    FUZZ_REQUIRE(hst_graph_reach(graph, roots, heap->root_count, NULL, reached) == HST_OK);
    hst_dominators_sum(&dominators, heap->bytes, sums);
    for (size_t i = 0; i < heap->count; i++) {
        retained += dominators.above[i] == HST_GRAPH_ROOT ? sums[i] : 0;
        reached_bytes += reached[i] ? heap->bytes[i] : 0;
        FUZZ_REQUIRE((dominators.above[i] != HST_GRAPH_NONE) == (reached[i] != 0));
    }
    FUZZ_REQUIRE(retained == reached_bytes);
    hst_dominators_release(&dominators);
    hst_free(roots);
    hst_free(sums);
    hst_free(reached);
}

static void check_components(const struct hst_graph *graph)
{
    struct hst_components components;
    FUZZ_REQUIRE(hst_components_find(graph, &components) == HST_OK);
    FUZZ_REQUIRE(components.count <= graph->count && components.first[components.count] == graph->count);
    hst_components_release(&components);
}

static void check_heap(const struct heap_replay *replay)
{
    const struct hst_heap *heap = &replay->heap;
    const struct hst_census *census = &replay->census;
    const struct hst_graph graph = {(uint32_t)heap->count, heap->first, heap->targets};
    FUZZ_REQUIRE(hst_graph_is_sound(&graph));
    FUZZ_REQUIRE(heap->first[heap->count] <= hst_look_words(&replay->image) + replay->image.bytes / WORD);
    uint64_t all = 0, held = 0, tables = 0;
    for (size_t i = 0; i < heap->count; i++)
        all += heap->bytes[i];
    for (int i = 0; i < HST_MEMORY_PLACES; i++) {
        held += census->held[i].objects;
        tables += census->held[i].tables + census->held[i].slack;
    }
    FUZZ_REQUIRE(all >= held && all <= held + tables);
    check_order(heap);
    check_references(heap);
    check_dominators(heap, &graph);
    check_components(&graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = data, .left = size};
    struct base *base = &bases[fuzz_number(&input, 1) % base_count];
    for (int i = 0; i < PATCHES_MAX && spoil(&input, base); i++)
        continue;
    enum hst_status status = heap_replay_read(&base->replay);
    FUZZ_REQUIRE(size > 1 || status == HST_OK);
    if (status == HST_OK)
        check_heap(&base->replay);
    heap_replay_forget(&base->replay);
    put_back();
    return 0;
}
