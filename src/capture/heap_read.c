/* The process stands still for the time of the copy alone; the objects are found in the copy. */
#include "capture/heap_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "capture/subject.h"
#include "target/core.h"
#include "target/halt.h"

#define COPIED_BYTES_A_SECOND UINT64_C(1500000000) /* at least, on machines seen */

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

static enum hst_status find_objects(struct hst_heap_snapshot *snapshot, struct hst_error *err)
{
    uint64_t begin_ns = hst_now_ns();
    if (snapshot->abi.free_threaded) {
        (void)hst_error_set(err, HST_E_UNSUPPORTED,
                            "the objects of a free-threaded Python cannot be found yet");
        hst_error_hint(err, "hasten dump -l shows the variables of every frame");
        return HST_E_UNSUPPORTED;
    }
    enum hst_status status = hst_census_take(&snapshot->image, &snapshot->abi, &snapshot->census);
    snapshot->census_ns = hst_now_ns() - begin_ns;
    if (status == HST_E_UNSUPPORTED) {
        (void)hst_error_set(err, status, "no pools of Python's own allocator are in its memory");
        hst_error_hint(err, "run it without PYTHONMALLOC; debug builds are not read yet");
    }
    return status;
}

static enum hst_status copy_still(const struct hst_subject *subject, struct hst_heap_snapshot *snapshot)
{
    struct hst_halt halt;
    struct hst_maps maps = {0};
    uint64_t begin_ns = hst_now_ns();
    HST_TRY(hst_halt_begin(subject->pid, &halt));
    enum hst_status status = hst_maps_read(subject->pid, &maps);
    if (status == HST_OK)
        status = hst_image_take(subject->pid, &maps, subject->memory, &snapshot->image);
    hst_halt_end(&halt);
    snapshot->pause_ns = hst_now_ns() - begin_ns;
    hst_maps_release(&maps);
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
        options->announce(options->context, bytes, bytes * 1000 / (COPIED_BYTES_A_SECOND / 1000000));
    return status;
}

enum hst_status hst_heap_read_process(int pid, const struct hst_heap_options *options,
                                      struct hst_heap_snapshot *ret_snapshot, struct hst_error *err)
{
    HST_CLEANUP(hst_subject_release) struct hst_subject subject;
    memset(ret_snapshot, 0, sizeof *ret_snapshot);
    HST_TRY(hst_subject_open(pid, &subject, err));
    ret_snapshot->pid = pid;
    ret_snapshot->abi = subject.runtime.abi;
    (void)snprintf(ret_snapshot->interpreter, sizeof ret_snapshot->interpreter, "CPython %s%s",
                   subject.runtime.version, subject.runtime.abi.free_threaded ? " free-threaded" : "");
    ret_snapshot->command = hst_strdup(subject.command);
    enum hst_status status = ret_snapshot->command != NULL ? HST_OK : HST_E_NOMEM;
    if (status == HST_OK)
        status = measure(&subject, options, err);
    if (status == HST_OK)
        status = copy_still(&subject, ret_snapshot);
    if (status == HST_OK)
        status = find_objects(ret_snapshot, err);
    for (uint32_t i = 0; i < ret_snapshot->census.types.count && status == HST_OK; i++)
        (void)hst_heap_types_name(&ret_snapshot->census.types, i); /* while it can be read */
    ret_snapshot->image.source = NULL;
    if (status == HST_OK)
        return HST_OK;
    hst_heap_snapshot_release(ret_snapshot);
    return hst_subject_explain(&subject, status, err);
}

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
                                 struct hst_heap_snapshot *snapshot, struct hst_error *err)
{
    struct hst_runtime runtime;
    uint64_t bytes;
    HST_TRY(hst_runtime_find(core->memory, &core->maps, "", &runtime, err));
    snapshot->pid = core->pid;
    snapshot->abi = runtime.abi;
    (void)snprintf(snapshot->interpreter, sizeof snapshot->interpreter, "CPython %s%s", runtime.version,
                   runtime.abi.free_threaded ? " free-threaded" : "");
    snapshot->command = hst_strdup(core->command);
    if (snapshot->command == NULL)
        return HST_E_NOMEM;
    HST_TRY(hst_image_measure(0, &core->maps, &bytes));
    HST_TRY(check_room(options, bytes, err));
    HST_TRY(hst_image_take(0, &core->maps, core->memory, &snapshot->image));
    HST_TRY(find_objects(snapshot, err));
    for (uint32_t i = 0; i < snapshot->census.types.count; i++)
        (void)hst_heap_types_name(&snapshot->census.types, i);
    return HST_OK;
}

enum hst_status hst_heap_read_core(const char *path, const struct hst_heap_options *options,
                                   struct hst_heap_snapshot *ret_snapshot, struct hst_error *err)
{
    struct hst_core core;
    memset(ret_snapshot, 0, sizeof *ret_snapshot);
    HST_TRY(hst_core_open(path, options->root != NULL ? options->root : "", &core, err));
    *err = (struct hst_error){0};
    enum hst_status status = read_core(&core, options, ret_snapshot, err);
    ret_snapshot->image.source = NULL;
    if (check_files(&core, err) != HST_OK)
        status = HST_E_UNSUPPORTED; /* which explains whatever else was found */
    hst_core_release(&core);
    if (status == HST_OK)
        return HST_OK;
    hst_heap_snapshot_release(ret_snapshot);
    if (err->text[0] == '\0')
        (void)hst_error_set(err, status, "%s: %s", path, hst_status_name(status));
    return status;
}

/* Most bytes first; then by name, so that two runs of one program agree. */
static int compare_rows(const void *a, const void *b)
{
    const struct hst_heap_row *one = a, *other = b;
    if (one->bytes != other->bytes)
        return one->bytes < other->bytes ? 1 : -1;
    return strcmp(one->type, other->type);
}

static enum hst_status add_rows(struct hst_heap_snapshot *snapshot, struct hst_heap_summary *summary)
{
    struct hst_census *census = &snapshot->census;
    size_t kept = 0, count = census->types.count;
    struct hst_heap_row *rows = hst_alloc_zero(count, sizeof *rows);
    if (rows == NULL)
        return HST_E_NOMEM;
    summary->rows = rows;
    for (size_t i = 0; i < census->count; i++) {
        struct hst_heap_row *row = &rows[census->objects[i].type];
        row->objects++;
        row->bytes += census->objects[i].bytes;
        summary->objects++;
        summary->object_bytes += census->objects[i].bytes;
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].objects == 0)
            continue;
        rows[kept] = rows[i];
        rows[kept].type = hst_strdup(hst_heap_types_name(&census->types, (uint32_t)i));
        if (rows[kept].type == NULL)
            return HST_E_NOMEM;
        summary->count = ++kept;
    }
    qsort(rows, kept, sizeof *rows, compare_rows);
    return HST_OK;
}

enum hst_status hst_heap_summarise(struct hst_heap_snapshot *snapshot, struct hst_heap_summary *ret_summary)
{
    const struct hst_census *census = &snapshot->census;
    *ret_summary = (struct hst_heap_summary){
        .pid = snapshot->pid,
        .pause_ns = snapshot->pause_ns,
        .copied_bytes = snapshot->image.bytes,
        .census_ns = snapshot->census_ns,
        .buffers = census->buffers,
        .buffer_bytes = census->buffer_bytes,
        .free_bytes = census->pools.free_bytes,
        .unused_bytes = census->pools.unused_bytes,
        .overhead_bytes = census->pools.overhead_bytes,
    };
    (void)snprintf(ret_summary->interpreter, sizeof ret_summary->interpreter, "%s", snapshot->interpreter);
    ret_summary->command = hst_strdup(snapshot->command);
    enum hst_status status = ret_summary->command != NULL ? add_rows(snapshot, ret_summary) : HST_E_NOMEM;
    if (status != HST_OK)
        hst_heap_summary_release(ret_summary);
    return status;
}

void hst_heap_snapshot_release(struct hst_heap_snapshot *snapshot)
{
    hst_census_release(&snapshot->census);
    hst_image_release(&snapshot->image);
    hst_free(snapshot->command);
    memset(snapshot, 0, sizeof *snapshot);
}
