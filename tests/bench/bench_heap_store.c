/* How many bytes a stored object takes, and how long writing and reading a heap does.  The heap is made up
 * like real ones: runs of objects of one type and size with gaps between them, records that name a few
 * neighbours and a few things that all share, and as many wild references as asked for (in percent).
 * Usage: bench_heap_store [OBJECTS [WILD [FOLDER]]]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/heap_column.h"
#include "store/heap_reader.h"
#include "store/heap_writer.h"
#include "store/store.h"

static const struct kind {
    const char *name;
    uint32_t bytes, references, share; /* share: in 100 runs */
} kinds[] = {
    {"app.Record", 64, 5, 24}, {"dict", 192, 6, 8}, {"list", 72, 3, 9},  {"tuple", 64, 3, 14},
    {"str", 64, 0, 22},        {"int", 32, 0, 14},  {"float", 32, 0, 8}, {"bytes", 48, 0, 1},
};
#define KINDS HST_ARRAY_LENGTH(kinds)

static uint64_t state = 88172645463325252u;
static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Of the CPU, which is not the clock's where other programs run too. */
static double cpu_seconds(void)
{
    struct timespec used;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0)
        return 0;
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void die(const char *what, const struct hst_error *err)
{
    (void)fprintf(stderr, "bench_heap_store: %s: %s\n", what, err != NULL ? err->text : "out of memory");
    exit(1);
}

static uint32_t pick_kind(void)
{
    uint32_t number = (uint32_t)(next_random() % 100), kind = 0;
    while (number >= kinds[kind].share)
        number -= kinds[kind++].share;
    return kind;
}

/* Pools: up to some hundred blocks of one size, mostly one type, some of them free. */
static void place_objects(struct hst_heap *heap, size_t objects)
{
    uint64_t address = UINT64_C(0x7f0000000000);
    while (heap->count < objects) {
        uint32_t kind = pick_kind(), blocks = 16384 / kinds[kind].bytes;
        for (uint32_t i = 0; i < blocks && heap->count < objects; i++) {
            uint32_t type = next_random() % 16 == 0 ? pick_kind() : kind;
            if (next_random() % 12 == 0)
                continue;
            heap->addresses[heap->count] = address + (uint64_t)i * kinds[kind].bytes + 16;
            heap->types[heap->count] = type;
            heap->bytes[heap->count++] = kinds[kind].bytes + (type == 2 ? next_random() % 16 * 8 : 0);
        }
        address += 16384;
    }
}

static uint32_t pick_target(const struct hst_heap *heap, size_t object, uint32_t k, uint32_t wild)
{
    uint64_t random = next_random();
    if (random % 100 < wild)
        return (uint32_t)((random >> 20) % heap->count);
    if (k == 0)
        return heap->types[object]; /* its class, or what all of them share */
    uint64_t near = object + 1 + k * 37 + (random >> 20) % 5;
    return near < heap->count ? (uint32_t)near : heap->types[object];
}

static int add_references(struct hst_heap *heap, uint32_t wild)
{
    size_t room = 0, place_room = 0;
    heap->first[0] = 0;
    for (size_t i = 0; i < heap->count; i++) {
        uint32_t usual = kinds[heap->types[i]].references, count = usual, begin = heap->first[i];
        if (usual > 0 && next_random() % 8 == 0)
            count += (uint32_t)(next_random() % 8);
        if (!HST_RESERVE(heap->targets, room, begin + count) ||
            !HST_RESERVE(heap->places, place_room, begin + count))
            return 0;
        for (uint32_t k = 0; k < count; k++) {
            heap->targets[begin + k] = pick_target(heap, i, k, wild);
            heap->places[begin + k] =
                heap->types[i] == 1
                    ? hst_place_of(k % 2 ? HST_PLACE_VALUE : HST_PLACE_KEY, k / 2)
                    : hst_place_of(heap->types[i] == 0 ? HST_PLACE_ATTRIBUTE : HST_PLACE_ITEM, k);
        }
        heap->first[i + 1] = begin + count;
    }
    return 1;
}

/* Strings like names and words, numbers in decimal; some things that never die. */
static int add_values(struct hst_heap *heap)
{
    size_t room = 0;
    for (size_t i = 0; i < heap->count; i++) {
        char text[64];
        uint64_t random = next_random();
        if (heap->types[i] == 4 || heap->types[i] == 5) {
            int length =
                heap->types[i] == 4
                    ? snprintf(text, sizeof text, "%s_%llu", random % 3 ? "customer" : "/srv/app/data",
                               (unsigned long long)(random >> 44))
                    : snprintf(text, sizeof text, "%llu", (unsigned long long)(random >> 40));
            if (!hst_heap_values_add(&heap->values, (uint32_t)i, text, (size_t)length))
                return 0;
        }
        if (random >> 20 & 1 && i % 16 == 0) {
            if (!HST_RESERVE(heap->roots, room, heap->root_count + 1))
                return 0;
            heap->roots[heap->root_count++] =
                (struct hst_heap_root){.object = (uint32_t)i, .kind = HST_ROOT_STATIC, .number = 1};
        }
    }
    return 1;
}

static void make(struct hst_heap *heap, size_t objects, uint32_t wild)
{
    if (!hst_heap_init(heap))
        die("cannot begin", NULL);
    heap->addresses = hst_alloc(objects, sizeof *heap->addresses);
    heap->types = hst_alloc(objects, sizeof *heap->types);
    heap->bytes = hst_alloc(objects, sizeof *heap->bytes);
    heap->first = hst_alloc(objects + 1, sizeof *heap->first);
    heap->type_rows = hst_alloc_zero(KINDS, sizeof *heap->type_rows);
    if (heap->addresses == NULL || heap->types == NULL || heap->bytes == NULL || heap->first == NULL ||
        heap->type_rows == NULL)
        die("cannot begin", NULL);
    heap->type_count = KINDS;
    for (size_t i = 0; i < KINDS; i++)
        heap->type_rows[i] = (struct hst_heap_type){.name = hst_strings_add_z(&heap->strings, kinds[i].name),
                                                    .object = HST_HEAP_NONE};
    place_objects(heap, objects);
    if (!add_references(heap, wild) || !add_values(heap))
        die("cannot make a heap", NULL);
}

/* What each column takes. */
static void print_columns(struct hst_heap *heap)
{
    const struct hst_heap_sizes sizes = hst_heap_sizes_of(heap);
    struct hst_heap_coder *coder = hst_heap_coder_new(heap, &sizes);
    struct hst_buffer bytes;
    hst_buffer_init(&bytes, 0);
    for (unsigned i = 0; i < HST_COLUMN_COUNT && coder != NULL; i++) {
        double begin = cpu_seconds();
        uint64_t rows;
        const char *reason = "";
        hst_buffer_clear(&bytes);
        hst_heap_coder_begin(coder, (enum hst_heap_column)i);
        while (hst_heap_coder_left(coder) > 0)
            if (hst_heap_encode(coder, &bytes, &rows, &reason) != HST_OK)
                die(reason, NULL);
        printf("  %-12s %10llu rows  %6.3f bytes/object  %4.0f ms of CPU\n", hst_heap_column_names[i],
               (unsigned long long)hst_heap_column_rows(&sizes, (enum hst_heap_column)i),
               (double)bytes.length / (double)heap->count, (cpu_seconds() - begin) * 1e3);
    }
    hst_buffer_release(&bytes);
    hst_heap_coder_free(coder);
}

struct took {
    double seconds, cpu_seconds;
};

static struct took read_back(struct hst_store *store, uint64_t run, unsigned what,
                             const struct hst_heap *heap)
{
    struct hst_error err = {0};
    struct hst_heap read;
    uint64_t begin_ns = hst_now_ns();
    double begin = cpu_seconds();
    if (hst_heap_read(store, run, what, &read, &err) != HST_OK)
        die("cannot read back", &err);
    struct took took = {(double)(hst_now_ns() - begin_ns) / 1e9, cpu_seconds() - begin};
    if (memcmp(read.addresses, heap->addresses, heap->count * sizeof *heap->addresses) != 0 ||
        memcmp(read.targets, heap->targets, heap->first[heap->count] * sizeof *heap->targets) != 0)
        die("what came back is not what was written", &err);
    hst_heap_release(&read);
    return took;
}

static void measure(struct hst_heap *heap, const char *path)
{
    struct hst_error err = {0};
    struct hst_store *store;
    struct hst_run_info info = {.start_wall_ns = hst_wall_ns(), .exit_status = -1};
    if (hst_store_open(path, HST_STORE_WRITE, &store, &err) != HST_OK)
        die("cannot begin", &err);
    uint64_t begin_ns = hst_now_ns();
    double begin = cpu_seconds();
    if (hst_heap_write(store, &info, heap, &err) != HST_OK)
        die("cannot write", &err);
    struct took written = {(double)(hst_now_ns() - begin_ns) / 1e9, cpu_seconds() - begin};
    struct took plain = read_back(store, info.number, 0, heap);
    struct took all = read_back(store, info.number, HST_HEAP_PLACES | HST_HEAP_VALUES, heap);
    hst_store_free(store);
    struct stat file;
    struct rusage used;
    if (stat(path, &file) != 0 || getrusage(RUSAGE_SELF, &used) != 0)
        die("no file", NULL);
    printf("%zu objects, %u references, %zu values: %.2f bytes/object (file)  write %.2f s (%.2f of CPU)  "
           "read %.2f s (%.2f), with places and values %.2f s (%.2f)  %ld MB resident at most\n",
           heap->count, heap->first[heap->count], heap->values.count,
           (double)file.st_size / (double)heap->count, written.seconds, written.cpu_seconds, plain.seconds,
           plain.cpu_seconds, all.seconds, all.cpu_seconds, used.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    size_t objects = argc > 1 ? strtoull(argv[1], NULL, 10) : 4800000;
    uint32_t wild = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 20;
    const char *folder = argc > 3 ? argv[3] : "/tmp";
    char path[512], other[520];
    struct hst_heap heap;
    if (objects < KINDS)
        die("too few objects", NULL);
    make(&heap, objects, wild);
    print_columns(&heap);
    (void)snprintf(path, sizeof path, "%s/hst-bench-heap-%ld.db", folder, (long)getpid());
    measure(&heap, path);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(endings); i++) {
        (void)snprintf(other, sizeof other, "%s%s", path, endings[i]);
        (void)unlink(other);
    }
    hst_heap_release(&heap);
    return 0;
}
