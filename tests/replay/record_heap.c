/* A process that waits -> a snapshot of all the memory that is its own, and of what the heap reader reads
 * beside it.
 *
 * usage: record_heap PID OUT [FROM TO]...     FROM is replaced by TO, of the same length, in what is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "heap_replay.h"
#include "target/snapshot.h"

struct recording {
    struct hst_memory *live, *recorder;
    struct hst_snapshot *snapshot;
    struct hst_buffer maps;
};

static int is_zero(const uint8_t *page)
{
    static const uint8_t zero[HST_SNAPSHOT_PAGE_BYTES];
    return memcmp(page, zero, sizeof zero) == 0;
}

/* Pages of 0 are what a copy has where nothing was recorded. */
static enum hst_status keep(const struct hst_image *image, struct hst_snapshot *snapshot)
{
    for (size_t i = 0; i < image->run_count; i++) {
        const struct hst_image_run *run = &image->runs[i];
        for (hst_raddr at = run->start; at < run->end; at += HST_SNAPSHOT_PAGE_BYTES) {
            const uint8_t *page = run->bytes + (at - run->start);
            if (!is_zero(page))
                HST_TRY(hst_snapshot_write(snapshot, at, page, HST_SNAPSHOT_PAGE_BYTES));
        }
    }
    return HST_OK;
}

static enum hst_status record(struct recording *r, int pid, struct hst_error *err)
{
    char path[64];
    struct heap_replay replay;
    (void)snprintf(path, sizeof path, "/proc/%d/maps", pid);
    HST_TRY(hst_file_read(path, &r->maps));
    HST_TRY(hst_memory_live(pid, &r->live));
    HST_TRY(hst_snapshot_new(&r->snapshot));
    HST_TRY(hst_snapshot_recorder(r->live, r->snapshot, &r->recorder));
    const char *maps = (const char *)r->maps.data;
    HST_TRY(heap_replay_open(pid, r->live, maps, r->maps.length, &replay, err));
    replay.image.source = r->recorder; /* what is read beside the copy */
    enum hst_status status = heap_replay_read(&replay);
    size_t objects = replay.heap.count;
    if (status == HST_OK)
        status = keep(&replay.image, r->snapshot);
    struct hst_maps list = {0};
    struct hst_runtime runtime;
    if (status == HST_OK)
        status = hst_maps_parse(maps, r->maps.length, &list);
    if (status == HST_OK)
        status = hst_runtime_find(r->recorder, &list, "/nowhere", &runtime, err);
    if (status == HST_OK)
        hst_snapshot_thin(r->snapshot, runtime.version);
    hst_maps_release(&list);
    heap_replay_close(&replay);
    HST_TRY(status);
    (void)printf("%zu objects\n", objects);
    return hst_snapshot_set_maps(r->snapshot, maps, r->maps.length);
}

int main(int argc, char **argv)
{
    struct hst_error err = {0};
    struct recording r = {0};
    if (argc < 3 || argc % 2 == 0) {
        (void)fprintf(stderr, "usage: record_heap PID OUT [FROM TO]...\n");
        return 2;
    }
    enum hst_status status = record(&r, atoi(argv[1]), &err);
    for (int i = 3; status == HST_OK && i < argc; i += 2)
        hst_snapshot_replace(r.snapshot, argv[i], argv[i + 1]);
    if (status == HST_OK)
        status = hst_snapshot_save(r.snapshot, argv[2], &err);
    if (status != HST_OK)
        (void)fprintf(stderr, "record_heap: %s %s\n", hst_status_name(status), err.text);
    hst_memory_free(r.recorder);
    hst_memory_free(r.live);
    hst_snapshot_free(r.snapshot);
    hst_buffer_release(&r.maps);
    return status != HST_OK;
}
