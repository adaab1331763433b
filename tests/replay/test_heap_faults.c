/* Allocations fail while a recorded heap is read (needs the build option fault_injection, else the test is
 * skipped): the answer is that memory is out, or the whole heap, and under the address sanitizer nothing is
 * lost. The first of them fail one by one, later ones in growing steps: most are for one text each. One child
 * process for each, because HST_FAIL_ALLOC is looked at once.
 *
 * usage: test_heap_faults SNAPSHOT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap_replay.h"
#include "target/snapshot.h"

enum {
    SKIPPED = 77,
    NOT_LOADED = 10, /* exit code of a child that did not get to the reading */
    FAILED = 11,     /* of one that says that memory is out */
    WRONG = 12,
    LOADING_STEP = 16,
    ONE_BY_ONE = 400,
    GROWTH = 40, /* a step is this part of those before it */
    QUIET_RUNS = 20,
};

struct sums {
    size_t objects, references, types, names, roots, values, findings;
    uint64_t bytes;
};

static struct sums sum_up(const struct heap_replay *replay)
{
    const struct hst_heap *heap = &replay->heap;
    uint64_t bytes = 0;
    for (size_t i = 0; i < heap->count; i++)
        bytes += heap->bytes[i];
    return (struct sums){heap->count,      heap->first[heap->count], heap->type_count,    heap->name_count,
                         heap->root_count, heap->values.count,       heap->finding_count, bytes};
}

/* In the child: its exit code. */
static int child(const char *path, int is_first, struct sums *expected)
{
    struct hst_snapshot *snapshot = NULL;
    struct heap_replay replay = {0};
    enum hst_status status = hst_snapshot_load(path, &snapshot, NULL);
    if (status == HST_OK)
        status = heap_replay_open(0, &snapshot->memory, snapshot->maps, snapshot->maps_length, &replay, NULL);
    int code = status == HST_OK ? 0 : NOT_LOADED;
    if (code == 0) {
        status = heap_replay_read(&replay);
        code = status == HST_OK ? 0 : status == HST_E_NOMEM ? FAILED : WRONG;
    }
    if (code == 0 && is_first)
        *expected = sum_up(&replay);
    if (code == 0) {
        struct sums found = sum_up(&replay);
        code = memcmp(&found, expected, sizeof found) == 0 ? 0 : WRONG;
    }
    heap_replay_close(&replay);
    hst_snapshot_free(snapshot);
    return code;
}

static int run_with(unsigned fail_at, const char *path, struct sums *expected)
{
    char number[16];
    int status;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)snprintf(number, sizeof number, "%u", fail_at);
        (void)setenv("HST_FAIL_ALLOC", number, 1);
        exit(child(path, fail_at == 0, expected)); /* exit, not _exit: the leak check runs there */
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
    struct sums *expected =
        mmap(NULL, sizeof *expected, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (argc != 2 || expected == MAP_FAILED) {
        (void)fprintf(stderr, "usage: test_heap_faults SNAPSHOT\n");
        return 2;
    }
    if (run_with(0, argv[1], expected) != 0) {
        (void)fprintf(stderr, "%s cannot be read even when nothing fails\n", argv[1]);
        return 1;
    }
    if (run_with(1, argv[1], expected) == 0)
        return SKIPPED; /* the first allocation cannot fail in this build */
    unsigned failed = 0, quiet = 0, bad = 0, first = 0;
    for (unsigned n = 1, step; quiet < QUIET_RUNS; n += step) {
        int code = run_with(n, argv[1], expected);
        first = first == 0 && code != NOT_LOADED ? n : first;
        step = first == 0 ? LOADING_STEP : n - first < ONE_BY_ONE ? 1 : (n - first) / GROWTH;
        quiet = code == 0 ? quiet + 1 : 0;
        failed += code == FAILED;
        if (code != 0 && code != FAILED && code != NOT_LOADED) {
            (void)fprintf(stderr, "allocation %u fails: exit code %d\n", n, code);
            bad++;
        }
    }
    (void)printf("%u allocations failed the reading, from %u on\n", failed, first);
    return bad > 0 || failed < 50;
}
