/* The process stands still for the time of the copy alone; the objects are found in the copy. */
#include "capture/heap_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "capture/subject.h"
#include "heap/census.h"
#include "heap/gather.h"
#include "heap/heap_parts.h"
#include "heap/precopy.h"
#include "heap/roots.h"
#include "target/core.h"
#include "target/halt.h"
#include "target/process.h"
#include "target/twin.h"

/* At least, on machines seen. */
#define COPIED_BYTES_A_SECOND UINT64_C(1500000000)
#define FORKED_BYTES_A_SECOND UINT64_C(20000000000)

static uint64_t free_memory(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    uint64_t kib = 0;
    while (file != NULL && kib == 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %lu kB", &kib) != 1)
            kib = 0;
    if (file != NULL)
        (void)fclose(file);
    return kib * 1024;
}

/* A copy that would not fit is refused before anything is held still. */
static enum hst_status check_room(const struct hst_heap_options *options, uint64_t bytes,
                                  struct hst_error *err)
{
    uint64_t most = options->bytes_max != 0 ? options->bytes_max : free_memory() / 5 * 4;
    if (most == 0 || bytes <= most)
        return HST_OK;
    (void)hst_error_set(err, HST_E_UNSUPPORTED, "a copy of its memory takes %lu MB, and %lu MB may be used",
                        bytes / 1000000, most / 1000000);
    hst_error_hint(err,
                   options->bytes_max != 0
                       ? "a larger --limit, if there is room"
                       : "take a core file (gcore PID) to a machine with more memory; --limit allows more");
    return HST_E_UNSUPPORTED;
}

/* The copy, and what is known of the program in it. */
struct reading {
    struct hst_image image;
    struct hst_maps maps;
    struct hst_residency residency;
    struct hst_runtime runtime;
    uint64_t pause_ns, census_ns;
};

/* --- objects --- */

static enum hst_status find_parts(struct reading *reading, const struct hst_census *census,
                                  struct hst_heap *heap)
{
    struct hst_parts_input input = {.image = &reading->image,
                                    .abi = &reading->runtime.abi,
                                    .residency = &reading->residency,
                                    .chunks = census->chunks,
                                    .python_chunks = census->python_chunks,
                                    .pools = census->pools,
                                    .areas = census->areas,
                                    .area_count = census->area_count};
    memcpy(input.held, census->held, sizeof input.held);
    return hst_parts_find(&input, heap);
}

/* Why objects may be missing, if they may. */
static enum hst_status find_doubts(const struct hst_census *census, struct hst_heap *heap)
{
    if (census->chunks->count == 0)
        heap->incomplete =
            hst_asprintf("the C library is not glibc: an object %sthat only C code holds and the "
                         "collector does not list is missing",
                         census->pools.pools > 0 ? "of more than 512 bytes " : "");
    else if (census->listed.unknown > 0)
        heap->incomplete =
            hst_asprintf("of %zu objects in the collector's lists %zu could not be read",
                         census->listed.objects + census->listed.unknown, census->listed.unknown);
    else
        return HST_OK;
    return heap->incomplete != NULL ? HST_OK : HST_E_NOMEM;
}

static enum hst_status take_census(struct reading *reading, const struct hst_maps *maps,
                                   struct hst_heap *heap)
{
    uint64_t begin_ns = hst_now_ns();
    HST_CLEANUP_FREE struct hst_span *spans = NULL;
    HST_CLEANUP(hst_chunks_release) struct hst_chunks chunks = {0};
    HST_CLEANUP(hst_census_release) struct hst_census census = {0};
    size_t span_count;
    reading->runtime.memory = &reading->image.memory; /* from here on: as it was then */
    HST_TRY(hst_roots_spans(&reading->runtime, &spans, &span_count));
    HST_TRY(hst_chunks_find_all(&reading->image, maps, &chunks));
    HST_TRY(hst_census_take(&reading->image, &reading->runtime.abi, &chunks, spans, span_count, &census));
    heap->census_ns = hst_now_ns() - begin_ns;
    HST_TRY(find_parts(reading, &census, heap));
    HST_TRY(find_doubts(&census, heap));
    return hst_heap_gather(&census, &reading->runtime, heap);
}

static enum hst_status find_objects(struct reading *reading, const struct hst_maps *maps,
                                    struct hst_heap *heap, struct hst_error *err)
{
    enum hst_status status = take_census(reading, maps, heap);
    heap->copied_bytes = reading->image.bytes;
    if (status == HST_E_UNSUPPORTED) {
        (void)hst_error_set(err, status, "no objects of Python are in its memory");
        hst_error_hint(err,
                       "if it has an allocator of its own (jemalloc, tcmalloc): run it without PYTHONMALLOC");
    }
    return status;
}

static enum hst_status describe(struct hst_heap *heap, int pid, const char *command,
                                const struct hst_runtime *runtime)
{
    heap->pid = pid;
    heap->command = hst_strdup(command);
    (void)snprintf(heap->interpreter, sizeof heap->interpreter, "CPython %s%s", runtime->version,
                   runtime->abi.free_threaded ? " free-threaded" : "");
    return heap->command != NULL ? HST_OK : HST_E_NOMEM;
}

/* --- a running process --- */

static enum hst_status read_maps(int pid, struct hst_maps *maps)
{
    HST_TRY(hst_maps_read(pid, maps));
    hst_maps_join(maps);
    return HST_OK;
}

static enum hst_status copy_live(const struct hst_subject *subject, struct hst_image *room,
                                 struct reading *reading)
{
    HST_TRY(read_maps(subject->pid, &reading->maps));
    return hst_image_take(subject->pid, &reading->maps, subject->memory, room, &reading->image);
}

static enum hst_status prepare(const struct hst_subject *subject, struct hst_image *ret_room)
{
    struct hst_maps maps = {0};
    enum hst_status status = read_maps(subject->pid, &maps);
    if (status == HST_OK)
        status = hst_image_prepare(subject->pid, &maps, subject->memory, ret_room);
    hst_maps_release(&maps);
    return status;
}

static enum hst_status copy_still(const struct hst_subject *subject, struct reading *reading)
{
    struct hst_halt halt;
    HST_CLEANUP(hst_image_release) struct hst_image room = {0};
    HST_TRY(prepare(subject, &room));
    uint64_t begin_ns = hst_now_ns();
    HST_TRY(hst_halt_begin(subject->pid, &halt));
    enum hst_status status = copy_live(subject, &room, reading);
    hst_halt_end(&halt);
    reading->pause_ns = hst_now_ns() - begin_ns;
    return status;
}

static enum hst_status copy_twin(const struct hst_subject *subject, int twin, struct reading *reading)
{
    struct hst_memory *memory;
    HST_TRY(hst_memory_live(twin, &memory));
    enum hst_status status = read_maps(twin, &reading->maps);
    if (status == HST_OK)
        status = hst_image_take(twin, &reading->maps, memory, NULL, &reading->image);
    reading->image.source = subject->memory; /* for what is in files, and the same in both */
    hst_memory_free(memory);
    return status;
}

static enum hst_status copy_forked(const struct hst_subject *subject, struct reading *reading,
                                   struct hst_heap_cost *ret_cost, struct hst_error *err)
{
    struct hst_twin twin;
    struct hst_twin_cost cost;
    HST_TRY(hst_twin_make(subject->pid, &twin, err));
    enum hst_status status = copy_twin(subject, twin.pid, reading);
    reading->pause_ns = twin.pause_ns;
    hst_twin_free(&twin, &cost);
    *ret_cost = (struct hst_heap_cost){.reaped = cost.reaped,
                                       .reap_pause_ns = cost.reap_pause_ns,
                                       .faults = cost.faults,
                                       .stolen_ns = cost.stolen_ns};
    if (status != HST_E_GONE)
        return status;
    (void)hst_error_set(err, HST_E_INTERRUPTED, "its child was killed while it was read");
    hst_error_hint(err, "again, or without --fork");
    return HST_E_INTERRUPTED;
}

static enum hst_status copy_rest(const struct hst_subject *subject, struct hst_precopy *precopy,
                                 struct reading *reading)
{
    struct hst_halt halt;
    uint64_t begin_ns = hst_now_ns();
    HST_TRY(hst_halt_begin(subject->pid, &halt));
    enum hst_status status = read_maps(subject->pid, &reading->maps);
    if (status == HST_OK)
        status = hst_precopy_take(precopy, &reading->maps, &reading->image);
    hst_halt_end(&halt);
    reading->pause_ns = hst_now_ns() - begin_ns;
    return status;
}

static enum hst_status copy_beforehand(const struct hst_subject *subject, struct reading *reading,
                                       struct hst_heap_cost *ret_cost, struct hst_error *err)
{
    struct hst_precopy precopy;
    struct hst_precopy_cost cost;
    HST_TRY(hst_precopy_begin(subject->pid, subject->memory, &precopy, err));
    enum hst_status status = copy_rest(subject, &precopy, reading);
    hst_precopy_end(&precopy, &cost);
    *ret_cost = (struct hst_heap_cost){.faults = cost.faults, .stolen_ns = cost.stolen_ns};
    return status;
}

static enum hst_status measure(const struct hst_subject *subject, const struct hst_heap_options *options,
                               struct hst_error *err)
{
    struct hst_maps maps = {0};
    uint64_t bytes = 0;
    enum hst_status status = hst_maps_read(subject->pid, &maps);
    if (status == HST_OK)
        status = hst_image_measure(subject->pid, &maps, &bytes);
    hst_maps_release(&maps);
    if (status == HST_OK)
        status = check_room(options, bytes, err);
    if (status == HST_OK && options->announce != NULL)
        options->announce(
            options->context, bytes,
            bytes * 1000 /
                ((options->way == HST_HEAP_FORKED ? FORKED_BYTES_A_SECOND : COPIED_BYTES_A_SECOND) /
                 1000000));
    return status;
}

/* How much of each mapping is in memory: right after the program goes on, since it takes a while. */
static enum hst_status find_residency(const struct hst_subject *subject, struct reading *reading)
{
    HST_CLEANUP_FREE int *tids = NULL;
    size_t count = 0;
    enum hst_status status = hst_residency_read(subject->pid, &reading->residency);
    if (status == HST_E_PERM)
        status = hst_residency_from_maps(&reading->maps, &reading->residency);
    HST_TRY(status);
    HST_TRY(hst_process_threads(subject->pid, &tids, &count));
    hst_residency_find_stacks(&reading->residency, &reading->image.memory, tids, count);
    hst_residency_find_data(&reading->residency, subject->memory);
    return HST_OK;
}

static void release(struct reading *reading)
{
    hst_image_release(&reading->image);
    hst_maps_release(&reading->maps);
    hst_residency_release(&reading->residency);
}

/* Pages that cannot be read are no mistake, and neither are names of types; unless the process ended
 * meanwhile: then it has no memory any more, and what was found is not all. */
static enum hst_status check_lives(int pid)
{
    struct hst_maps maps = {0};
    int lives = hst_maps_read(pid, &maps) == HST_OK && maps.count > 0;
    hst_maps_release(&maps);
    return lives ? HST_OK : HST_E_GONE;
}

static enum hst_status read_process(const struct hst_subject *subject, const struct hst_heap_options *options,
                                    struct reading *reading, struct hst_heap *heap, struct hst_error *err)
{
    reading->runtime = subject->runtime;
    HST_TRY(describe(heap, subject->pid, subject->command, &subject->runtime));
    HST_TRY(measure(subject, options, err));
    heap->wall_ns = hst_wall_ns();
    heap->way = options->way;
    switch (options->way) {
    case HST_HEAP_FORKED:
        HST_TRY(copy_forked(subject, reading, &heap->cost, err));
        break;
    case HST_HEAP_PRECOPIED:
        HST_TRY(copy_beforehand(subject, reading, &heap->cost, err));
        break;
    case HST_HEAP_LIVE:
        HST_TRY(copy_live(subject, NULL, reading));
        break;
    default:
        HST_TRY(copy_still(subject, reading));
    }
    heap->pause_ns = reading->pause_ns;
    HST_TRY(find_residency(subject, reading));
    HST_TRY(find_objects(reading, &reading->maps, heap, err));
    return check_lives(subject->pid);
}

enum hst_status hst_heap_read_process(int pid, const struct hst_heap_options *options,
                                      struct hst_heap *ret_heap, struct hst_error *err)
{
    HST_CLEANUP(hst_subject_release) struct hst_subject subject;
    struct reading reading = {0};
    HST_TRY(hst_subject_open(pid, &subject, err));
    enum hst_status status = hst_heap_init(ret_heap) ? HST_OK : HST_E_NOMEM;
    if (status == HST_OK)
        status = read_process(&subject, options, &reading, ret_heap, err);
    release(&reading);
    if (status == HST_OK)
        return HST_OK;
    hst_heap_release(ret_heap);
    return hst_subject_explain(&subject, status, err);
}

/* --- a core file --- */

/* Names of types stand in the files of the interpreter and its modules: without them nothing is known. */
static enum hst_status check_files(const struct hst_core *core, struct hst_error *err)
{
    const char *why, *missing = hst_core_missing(core, &why);
    if (missing == NULL)
        return HST_OK;
    (void)hst_error_set(err, HST_E_UNSUPPORTED, "the program had mapped %.200s, which is wanted too: %.100s",
                        missing, why);
    hst_error_hint(err, "--root DIR says below which folder the program's files are");
    return HST_E_UNSUPPORTED;
}

static enum hst_status read_core(struct hst_core *core, const struct hst_heap_options *options,
                                 struct reading *reading, struct hst_heap *heap, struct hst_error *err)
{
    uint64_t bytes;
    HST_TRY(hst_runtime_find(core->memory, &core->maps, "", &reading->runtime, err));
    HST_TRY(describe(heap, core->pid, core->command, &reading->runtime));
    heap->way = HST_HEAP_CORE;
    HST_TRY(hst_image_measure(0, &core->maps, &bytes));
    HST_TRY(check_room(options, bytes, err));
    HST_TRY(hst_image_take(0, &core->maps, core->memory, NULL, &reading->image));
    HST_TRY(hst_residency_from_maps(&core->maps, &reading->residency));
    hst_residency_find_data(&reading->residency, core->memory);
    for (size_t i = 0; i < core->thread_count; i++)
        if (core->threads[i].tid != core->pid)
            hst_residency_set_stack(&reading->residency, core->threads[i].thread_pointer,
                                    core->threads[i].tid);
    return find_objects(reading, &core->maps, heap, err);
}

enum hst_status hst_heap_read_core(const char *path, const struct hst_heap_options *options,
                                   struct hst_heap *ret_heap, struct hst_error *err)
{
    struct hst_core core;
    struct reading reading = {0};
    HST_TRY(hst_core_open(path, options->root != NULL ? options->root : "", &core, err));
    *err = (struct hst_error){0};
    enum hst_status status = hst_heap_init(ret_heap) ? HST_OK : HST_E_NOMEM;
    if (status == HST_OK)
        status = read_core(&core, options, &reading, ret_heap, err);
    if (check_files(&core, err) != HST_OK)
        status = HST_E_UNSUPPORTED; /* which explains whatever else was found */
    release(&reading);
    hst_core_release(&core);
    if (status == HST_OK)
        return HST_OK;
    hst_heap_release(ret_heap);
    if (err->text[0] == '\0')
        (void)hst_error_set(err, status, "%s: %s", path, hst_status_name(status));
    return status;
}
