/* Runs a fuzz harness without libFuzzer: over every file of the corpus, as it is and changed in ways that are
 * the same each time.
 *
 * usage: fuzz_NAME [--changes N] FOLDER|FILE...      An input that crashes or hangs is written to standard
 * error by name and number of the change; each has SECONDS_MAX, and memory may grow to MEMORY_BYTES_MAX. */
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "fuzz.h"

enum { SECONDS_MAX = 20, CHANGES_MAX = 24, GROWN_BYTES = 64 };
#define MEMORY_KIB_MAX (1536l << 10)

#pragma weak LLVMFuzzerInitialize

static char current[4096]; /* what is running, for the report of a crash */
static size_t inputs;

static void report(int signal_number)
{
    (void)!write(STDERR_FILENO, current, strlen(current));
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Bytes overwritten, moved, repeated or cut. */
static void change(struct hst_buffer *bytes, uint64_t *seed)
{
    static const uint8_t corners[] = {0, 1, 0x7f, 0x80, 0xff};
    for (uint64_t i = next_random(seed) % 6 + 1; i > 0 && bytes->length > 0; i--) {
        size_t at = next_random(seed) % bytes->length;
        switch (next_random(seed) % 5) {
        case 0:
            bytes->data[at] = (uint8_t)next_random(seed);
            break;
        case 1:
            bytes->data[at] = corners[next_random(seed) % sizeof corners];
            break;
        case 2:
            bytes->data[at] ^= (uint8_t)(1u << next_random(seed) % 8);
            break;
        case 3: { /* a stretch somewhere else again */
            size_t from = next_random(seed) % bytes->length, length = next_random(seed) % GROWN_BYTES + 1;
            if (length > bytes->length - from)
                length = bytes->length - from;
            if (length > bytes->length - at)
                length = bytes->length - at;
            memmove(bytes->data + at, bytes->data + from, length);
            break;
        }
        default:
            if (next_random(seed) % 4 == 0)
                bytes->length = at;
        }
    }
}

/* A copy of exactly the input's size, so that a sanitizer sees a read past its end. */
static void run(const uint8_t *data, size_t length)
{
    uint8_t *copy = malloc(length != 0 ? length : 1);
    FUZZ_REQUIRE(copy != NULL);
    memcpy(copy, data, length);
    (void)alarm(SECONDS_MAX);
    (void)LLVMFuzzerTestOneInput(copy, length);
    (void)alarm(0);
    free(copy);
    inputs++;
}

static void run_file(const char *path, unsigned long changes)
{
    struct hst_buffer file, changed;
    hst_buffer_init(&file, 0);
    hst_buffer_init(&changed, 0);
    FUZZ_REQUIRE(hst_file_read(path, &file) == HST_OK);
    uint64_t seed = 0x9e3779b97f4a7c15u;
    for (unsigned long i = 0; i <= changes; i++) {
        hst_buffer_clear(&changed);
        hst_buffer_add(&changed, file.data, file.length);
        if (i > 0)
            change(&changed, &seed);
        (void)snprintf(current, sizeof current, "fuzz: in %s, change %lu\n", path, i);
        run(changed.data != NULL ? changed.data : (const uint8_t *)"", changed.length);
    }
    hst_buffer_release(&file);
    hst_buffer_release(&changed);
}

static int is_input(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static void run_path(const char *path, unsigned long changes)
{
    struct stat info;
    FUZZ_REQUIRE(stat(path, &info) == 0);
    if (!S_ISDIR(info.st_mode)) {
        run_file(path, changes);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, is_input, alphasort);
    FUZZ_REQUIRE(count >= 0);
    for (int i = 0; i < count; i++) {
        char name[4096];
        (void)snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        run_file(name, changes);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    unsigned long changes = CHANGES_MAX;
    static const int bad[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGALRM};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(bad); i++)
        (void)signal(bad[i], report);
    if (LLVMFuzzerInitialize != NULL)
        (void)LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--changes") == 0 && i + 1 < argc)
            changes = strtoul(argv[++i], NULL, 10);
        else
            run_path(argv[i], changes);
    struct rusage usage;
    FUZZ_REQUIRE(getrusage(RUSAGE_SELF, &usage) == 0);
    FUZZ_REQUIRE(usage.ru_maxrss < MEMORY_KIB_MAX);
    FUZZ_REQUIRE(inputs > 0);
    (void)printf("%zu inputs, %ld MiB at most\n", inputs, usage.ru_maxrss >> 10);
    return 0;
}
