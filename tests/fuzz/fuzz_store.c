/* A store file: opened, listed, and every run of it read as `show`, `export` and `heap` would. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/heap_reader.h"
#include "store/run_reader.h"
#include "store/store.h"
#include "store/timeline_reader.h"

enum { SAMPLES_MAX = 20000000 };

struct seen {
    const struct hst_profile *profile;
    uint64_t samples;
};

static enum hst_status visit(void *context, const struct hst_sample *sample)
{
    struct seen *seen = context;
    FUZZ_REQUIRE(sample->stack < seen->profile->stack_count && sample->thread < seen->profile->thread_count);
    FUZZ_REQUIRE(sample->state < HST_STATE_COUNT);
    return ++seen->samples < SAMPLES_MAX ? HST_OK : HST_E_INTERRUPTED;
}

struct nested {
    const struct hst_profile *profile;
    uint32_t *open; /* by thread */
    uint64_t events;
};

static enum hst_status visit_event(void *context, const struct hst_call_event *event)
{
    struct nested *nested = context;
    FUZZ_REQUIRE(event->stack < nested->profile->stack_count &&
                 event->thread < nested->profile->thread_count);
    uint32_t *open = &nested->open[event->thread];
    const struct hst_stack *stacks = nested->profile->stacks;
    FUZZ_REQUIRE(event->kind == HST_CALL_ENTER ? event->stack != 0 && stacks[event->stack].parent == *open
                                               : *open != 0 && stacks[*open].parent == event->stack);
    *open = event->stack;
    return ++nested->events < SAMPLES_MAX ? HST_OK : HST_E_INTERRUPTED;
}

static void read_timeline(struct hst_store *store, uint64_t number, const struct hst_profile *profile)
{
    struct hst_error err = {0};
    struct nested nested = {.profile = profile,
                            .open = hst_alloc_zero(profile->thread_count + 1, sizeof *nested.open)};
    FUZZ_REQUIRE(nested.open != NULL);
    if (hst_timeline_read(store, number, profile, visit_event, &nested, &err) == HST_OK)
        for (size_t i = 0; i < profile->thread_count; i++)
            FUZZ_REQUIRE(nested.open[i] == 0);
    hst_free(nested.open);
}

/* What every question to a heap relies on. */
static void check_heap(const struct hst_heap *heap)
{
    FUZZ_REQUIRE(heap->first[0] == 0);
    for (size_t i = 0; i < heap->count; i++)
        FUZZ_REQUIRE(heap->types[i] < heap->type_count && heap->first[i] <= heap->first[i + 1] &&
                     (i == 0 || heap->addresses[i - 1] < heap->addresses[i]));
    for (size_t i = 0; i < heap->first[heap->count]; i++)
        FUZZ_REQUIRE(heap->targets[i] < heap->count);
    for (size_t i = 0; i < heap->type_count; i++)
        FUZZ_REQUIRE(heap->type_rows[i].name < heap->strings.count &&
                     (heap->type_rows[i].object == HST_HEAP_NONE || heap->type_rows[i].object < heap->count));
    for (size_t i = 0; i < heap->root_count; i++)
        FUZZ_REQUIRE(heap->roots[i].object < heap->count && heap->roots[i].name < heap->strings.count);
    const struct hst_heap_values *values = &heap->values;
    for (size_t i = 0; i < values->count; i++)
        FUZZ_REQUIRE(values->objects[i] < heap->count &&
                     values->ends[i] - (i > 0 ? values->ends[i - 1] : 0) <= HST_HEAP_VALUE_BYTES);
}

static void read_heap(struct hst_store *store, uint64_t number)
{
    for (unsigned what = 0; what <= (HST_HEAP_PLACES | HST_HEAP_VALUES); what++) {
        struct hst_heap heap;
        struct hst_error err = {0};
        if (hst_heap_read(store, number, what, &heap, &err) == HST_OK) {
            check_heap(&heap);
            hst_heap_release(&heap);
        } else {
            FUZZ_REQUIRE(err.text[0] != '\0');
        }
    }
}

static void read_run(struct hst_store *store, uint64_t number)
{
    struct hst_run_info info;
    struct hst_profile profile;
    struct hst_error err = {0};
    FUZZ_REQUIRE(hst_profile_init(&profile));
    read_heap(store, number);
    if (hst_run_read_info(store, number, &info, &err) == HST_OK)
        FUZZ_REQUIRE(memchr(info.command, '\0', sizeof info.command) != NULL);
    if (hst_run_read_profile(store, number, &profile, &err) == HST_OK) {
        struct seen seen = {.profile = &profile};
        (void)!hst_run_read_samples(store, number, &profile, visit, &seen, &err);
        read_timeline(store, number, &profile);
        struct hst_imported imported = {0};
        if (hst_run_read_imported(store, number, &profile, &imported, &err) == HST_OK)
            for (size_t i = 0; i < imported.totals.edge_count; i++)
                FUZZ_REQUIRE(imported.totals.edges[i].caller < profile.function_count &&
                             imported.totals.edges[i].callee < profile.function_count);
        hst_imported_release(&imported);
    } else {
        FUZZ_REQUIRE(err.text[0] != '\0');
    }
    hst_profile_release(&profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    if (path[0] == '\0')
        (void)snprintf(path, sizeof path, "/dev/shm/hst-fuzz-store-%d.db", getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_REQUIRE(fd >= 0);
    FUZZ_REQUIRE(hst_fd_write_all(fd, data, size) == HST_OK);
    (void)close(fd);
    struct hst_store *store;
    struct hst_error err = {0};
    if (hst_store_open(path, HST_STORE_READ, &store, &err) == HST_OK) {
        struct hst_run_info *runs = NULL;
        size_t count = 0;
        if (hst_store_list(store, &runs, &count, &err) == HST_OK)
            for (size_t i = 0; i < count && i < 8; i++)
                read_run(store, runs[i].number);
        hst_free(runs);
        read_run(store, 1);
        hst_store_free(store);
    } else {
        FUZZ_REQUIRE(err.text[0] != '\0');
    }
    (void)unlink(path);
    return 0;
}
