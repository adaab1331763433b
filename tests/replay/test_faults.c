/* Every allocation fails once while a snapshot is loaded and read (needs the build option fault_injection,
 * else the test is skipped): the answer is an error or the right stacks, maybe cut, and under the address
 * sanitizer nothing is lost. One child process for each, because HST_FAIL_ALLOC is looked at once.
 *
 * usage: test_faults SNAPSHOT EXPECTED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "replay.h"
#include "target/snapshot.h"

enum {
    SKIPPED = 77,
    FAILED = 10,      /* exit code of a child whose work ended with an error, as it may */
    WRONG = 11,       /* of one that gave other stacks */
    QUIET_RUNS = 200, /* so many in a row that end well: the last allocation is behind us */
    RUNS_MAX = 20000,
};

static enum hst_status read_snapshot(const char *path, struct hst_buffer *text, uint64_t *ret_torn)
{
    struct hst_snapshot *snapshot;
    struct replay replay;
    struct hst_error err = {0};
    HST_TRY(hst_snapshot_load(path, &snapshot, &err));
    enum hst_status status =
        replay_open(&snapshot->memory, snapshot->maps, snapshot->maps_length, "", &replay, &err);
    if (status == HST_OK) {
        status = replay_stacks(&replay, 1, text);
        for (size_t i = 0; status == HST_OK && i < replay.thread_count; i++)
            hst_free(replay_variable(&replay, i, 0, "deep"));
        *ret_torn = replay.frames.stats.torn;
        replay_close(&replay);
    }
    hst_snapshot_free(snapshot);
    return status;
}

/* In the child: its exit code. */
static int child(const char *path, const char *expected)
{
    struct hst_buffer text;
    uint64_t torn = 0;
    hst_buffer_init(&text, 0);
    enum hst_status status = read_snapshot(path, &text, &torn);
    int code = status != HST_OK ? FAILED : 0;
    if (status == HST_OK && torn == 0 && strcmp((char *)text.data, expected) != 0)
        code = WRONG;
    hst_buffer_release(&text);
    return code;
}

/* With libc's own functions: an allocation of ours here would use up the number before the fork. */
static char *read_expected(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    size_t length = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file != NULL)
        (void)fclose(file);
    text[length] = '\0';
    return text;
}

static int run_with(unsigned fail_at, const char *path, const char *expected)
{
    char number[16];
    int status;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)snprintf(number, sizeof number, "%u", fail_at);
        (void)setenv("HST_FAIL_ALLOC", number, 1);
        exit(child(path, expected)); /* exit, not _exit: the leak check runs there */
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: test_faults SNAPSHOT EXPECTED\n");
        return 2;
    }
    const char *expected = read_expected(argv[2]);
    if (run_with(1, argv[1], expected) == 0)
        return SKIPPED; /* the first allocation cannot fail in this build */
    if (run_with(0, argv[1], expected) != 0) {
        (void)fprintf(stderr, "%s cannot be read even when nothing fails\n", argv[1]);
        return 1;
    }
    unsigned failed = 0, quiet = 0, bad = 0;
    for (unsigned n = 1; quiet < QUIET_RUNS && n < RUNS_MAX; n++) {
        int code = run_with(n, argv[1], expected);
        quiet = code == 0 ? quiet + 1 : 0;
        failed += code == FAILED;
        if (code != 0 && code != FAILED) {
            (void)fprintf(stderr, "allocation %u fails: exit code %d\n", n, code);
            bad++;
        }
    }
    (void)printf("%u allocations failed the reading\n", failed);
    return bad > 0 || failed < 50;
}
