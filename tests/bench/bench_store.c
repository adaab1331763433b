/* How many bytes a stored sample takes and how long storing it does: a call-heavy thread sampled flat out
 * (another stack among a few hundred each time), a thread at 1 kHz, and 200 threads of which 150 are idle.
 * Prints one line a case.  Usage: bench_store [SAMPLES [FOLDER]]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/run_reader.h"
#include "store/run_writer.h"
#include "store/store.h"

#define STACKS 400u

struct load {
    const char *name;
    uint32_t threads, idle; /* the first idle ones always show the same stack */
    uint64_t interval_ns;   /* mean; uniform from half to one and a half of it */
};
static const struct load loads[] = {
    {"flat out, 1 thread", 1, 0, 2000},
    {"1 kHz, 1 thread", 1, 0, 1000000},
    {"1 kHz, 200 threads, 150 idle", 200, 150, 1000000},
};

static uint64_t state = 88172645463325252u;
static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void die(const char *what, const struct hst_error *err)
{
    (void)fprintf(stderr, "bench_store: %s: %s\n", what, err->text);
    exit(1);
}

static void fill_profile(struct hst_profile *profile, uint32_t threads)
{
    uint32_t parent = 0;
    if (!hst_profile_init(profile))
        abort();
    for (uint32_t i = 0; i < STACKS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "function_%u", i / 4);
        struct hst_function function = {.name = hst_strings_add_z(&profile->strings, name),
                                        .first_line = i / 4};
        function.qualname = function.name;
        function.file = hst_strings_add_z(&profile->strings, "/srv/application/main.py");
        struct hst_location location = {.function = hst_profile_function(profile, &function), .line = i};
        uint32_t row = hst_profile_location(profile, &location);
        parent = hst_profile_stack(profile, i % 40 == 0 ? 0 : parent, row);
        if (parent == HST_ID_NONE)
            abort();
    }
    struct hst_process process = {.pid = 1};
    (void)hst_profile_add_process(profile, &process);
    for (uint32_t i = 0; i < threads; i++)
        (void)hst_profile_add_thread(profile, &(struct hst_thread){.native_id = i + 1});
}

struct sum {
    uint64_t samples, weight_ns;
};
static enum hst_status add_up(void *context, const struct hst_sample *sample)
{
    struct sum *sum = context;
    sum->samples++;
    sum->weight_ns += sample->weight_ns;
    return HST_OK;
}

/* The next tick's sample of a thread: most run, some wait for a moment. */
static struct hst_sample make_sample(const struct load *load, uint32_t thread, uint64_t time_ns,
                                     uint64_t before_ns)
{
    uint64_t random = next_random();
    int idle = thread < load->idle, waits = !idle && random % 100 == 0;
    return (struct hst_sample){.time_ns = time_ns,
                               .weight_ns = time_ns - before_ns,
                               .thread = thread,
                               .stack = idle ? 7 : 1 + (uint32_t)(random >> 32) % STACKS,
                               .state = idle    ? HST_STATE_IDLE
                                        : waits ? HST_STATE_BLOCKED
                                                : HST_STATE_RUNNING,
                               .flags = idle || waits ? 0 : HST_SAMPLE_HOLDS_GIL,
                               .detail = idle || waits ? 203 : 0};
}

static void measure(const struct load *load, uint64_t samples, const char *path)
{
    struct hst_error err = {0};
    struct hst_store *store;
    struct hst_run_writer *writer;
    struct hst_profile profile, copy;
    struct hst_run_info info = {.start_wall_ns = hst_wall_ns(), .exit_status = -1};
    HST_CLEANUP_FREE struct hst_sample *batch = hst_alloc(8192, sizeof *batch);
    HST_CLEANUP_FREE uint64_t *before_ns = hst_alloc_zero(load->threads, sizeof *before_ns);
    uint64_t time_ns = 0, next_flush_ns = 1000000000, add_ns = 0, flush_ns = 0, longest_ns = 0;
    struct sum in = {0}, out = {0};
    fill_profile(&profile, load->threads);
    if (batch == NULL || before_ns == NULL || !hst_profile_init(&copy) ||
        hst_store_open(path, HST_STORE_WRITE, &store, &err) != HST_OK ||
        hst_run_writer_new(store, &info, &writer, &err) != HST_OK)
        die("cannot begin", &err);
    while (in.samples < samples) {
        size_t count = 0;
        while (count + load->threads <= 8192) {
            time_ns += load->interval_ns / 2 + next_random() % load->interval_ns;
            for (uint32_t i = 0; i < load->threads; i++) {
                uint64_t at_ns = time_ns + i * 1000 + next_random() % 256;
                batch[count++] = make_sample(load, i, at_ns, before_ns[i]);
                before_ns[i] = at_ns;
            }
        }
        uint64_t begin_ns = hst_now_ns();
        for (size_t i = 0; i < count; i++)
            if (hst_run_writer_add(writer, &batch[i]) != HST_OK)
                die("cannot add", &err);
        uint64_t added_ns = hst_now_ns();
        add_ns += added_ns - begin_ns;
        for (size_t i = 0; i < count; i++)
            (void)add_up(&in, &batch[i]);
        if (time_ns < next_flush_ns)
            continue;
        next_flush_ns = time_ns + 1000000000;
        begin_ns = hst_now_ns();
        if (hst_run_writer_flush(writer, &profile, &info, &err) != HST_OK)
            die("cannot flush", &err);
        uint64_t took_ns = hst_now_ns() - begin_ns;
        flush_ns += took_ns;
        longest_ns = took_ns > longest_ns ? took_ns : longest_ns;
    }
    info.status = HST_RUN_COMPLETE;
    info.cost.samples = in.samples;
    uint64_t begin_ns = hst_now_ns();
    if (hst_run_writer_finish(writer, &profile, &info, &err) != HST_OK)
        die("cannot finish", &err);
    hst_run_writer_free(writer);
    flush_ns += hst_now_ns() - begin_ns;
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    begin_ns = hst_now_ns();
    if (hst_run_read_profile(store, info.number, &copy, &err) != HST_OK ||
        hst_run_read_samples(store, info.number, &copy, add_up, &out, &err) != HST_OK)
        die("cannot read back", &err);
    uint64_t read_ns = hst_now_ns() - begin_ns;
    hst_store_free(store);
    hst_profile_release(&profile);
    hst_profile_release(&copy);
    struct stat file;
    if (in.samples != out.samples || in.weight_ns != out.weight_ns || stat(path, &file) != 0) {
        (void)fprintf(stderr, "bench_store: what came back is not what was written\n");
        exit(1);
    }
    double n = (double)in.samples;
    printf("%-30s %9.0f samples  %5.2f bytes/sample (file)  add %5.1f ns  flush %5.1f ns/sample (longest "
           "%.1f ms)  %.2f M samples/s  read %.1f M/s  %ld MB resident\n",
           load->name, n, (double)file.st_size / n, (double)add_ns / n, (double)flush_ns / n,
           (double)longest_ns / 1e6, n * 1e3 / (double)(add_ns + flush_ns), n * 1e3 / (double)read_ns,
           used.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
    uint64_t samples = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
    const char *folder = argc > 2 ? argv[2] : "/tmp";
    for (size_t i = 0; i < HST_ARRAY_LENGTH(loads); i++) {
        char path[512], other[520];
        (void)snprintf(path, sizeof path, "%s/hst-bench-store-%ld.db", folder, (long)getpid());
        measure(&loads[i], samples, path);
        (void)unlink(path);
        (void)snprintf(other, sizeof other, "%s-wal", path);
        (void)unlink(other);
        (void)snprintf(other, sizeof other, "%s-shm", path);
        (void)unlink(other);
    }
    return 0;
}
