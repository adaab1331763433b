/* A process that waits -> a snapshot of what the reader reads of it.
 *
 * usage: record PID EXPECTED OUT [FROM TO]...     EXPECTED: the stacks as the program itself told them;
 * nothing is written when the reader finds others. FROM is replaced by TO, of the same length, in what is
 * kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "reader/thread_names.h"
#include "replay.h"
#include "target/snapshot.h"

struct recording {
    struct hst_memory *live, *recorder;
    struct hst_snapshot *snapshot;
    struct hst_buffer maps, expected, found;
};

static enum hst_status record(struct recording *r, int pid, const char *expected_path, struct hst_error *err)
{
    char path[64], root[64];
    struct replay replay;
    (void)snprintf(path, sizeof path, "/proc/%d/maps", pid);
    (void)snprintf(root, sizeof root, "/proc/%d/root", pid);
    HST_TRY(hst_file_read(path, &r->maps));
    HST_TRY(hst_file_read(expected_path, &r->expected));
    hst_buffer_add_byte(&r->expected, '\0'); /* as the reader's text ends */
    HST_TRY(hst_memory_live(pid, &r->live));
    HST_TRY(hst_snapshot_new(&r->snapshot));
    HST_TRY(hst_snapshot_recorder(r->live, r->snapshot, &r->recorder));
    HST_TRY(replay_open(r->recorder, (char *)r->maps.data, r->maps.length, root, &replay, err));
    enum hst_status status = replay_stacks(&replay, 1, &r->found);
    /* What the lock's state, a second read and variables touch belongs to it. */
    struct hst_gil gil = {0};
    if (status == HST_OK)
        status = hst_runtime_gil(&replay.runtime, replay.threads[0].interpreter, &gil);
    hst_buffer_clear(&r->found);
    if (status == HST_OK)
        status = replay_stacks(&replay, 1000000000, &r->found);
    for (size_t i = 0; status == HST_OK && i < replay.thread_count; i++)
        for (size_t k = 0; replay_function(&replay, i, k) != NULL; k++)
            hst_free(replay_variable(&replay, i, k, "self"));
    struct hst_thread_names names = {0};
    if (status == HST_OK)
        (void)!hst_thread_names_read(&replay.runtime, &names);
    hst_thread_names_release(&names);
    hst_snapshot_thin(r->snapshot, replay.runtime.version);
    replay_close(&replay);
    HST_TRY(status);
    if (r->found.length != r->expected.length ||
        memcmp(r->found.data, r->expected.data, r->found.length) != 0) {
        (void)fwrite(r->found.data, 1, r->found.length, stdout);
        return hst_error_set(err, HST_E_INVALID, "the reader found other stacks than the program told");
    }
    return hst_snapshot_set_maps(r->snapshot, (char *)r->maps.data, r->maps.length);
}

int main(int argc, char **argv)
{
    struct hst_error err = {0};
    struct recording r = {0};
    if (argc < 4 || argc % 2 != 0) {
        (void)fprintf(stderr, "usage: record PID EXPECTED OUT [FROM TO]...\n");
        return 2;
    }
    enum hst_status status = record(&r, atoi(argv[1]), argv[2], &err);
    for (int i = 4; status == HST_OK && i < argc; i += 2)
        hst_snapshot_replace(r.snapshot, argv[i], argv[i + 1]);
    if (status == HST_OK)
        status = hst_snapshot_save(r.snapshot, argv[3], &err);
    if (status != HST_OK)
        (void)fprintf(stderr, "record: %s %s\n", hst_status_name(status), err.text);
    hst_memory_free(r.recorder);
    hst_memory_free(r.live);
    hst_snapshot_free(r.snapshot);
    hst_buffer_release(&r.maps);
    hst_buffer_release(&r.expected);
    hst_buffer_release(&r.found);
    return status != HST_OK;
}
