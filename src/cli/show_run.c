/* Loads a run and hands it to the report. */
#include "cli/show_run.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "import/lprof_reader.h"
#include "import/pickle.h"
#include "import/pstats_reader.h"

/* Sum of squares of what was counted: so little that an interval has no width. */
#define EXACT 1e-9
#define LINE_PROFILER "line_profiler"

/* Each context is a sum of its own: as many samples as calls, and the time of it. */
static enum hst_status read_calls(struct hst_loaded_run *run, struct hst_store *store, uint64_t number,
                                  struct hst_error *err)
{
    HST_TRY(hst_run_read_calls(store, number, &run->profile, &run->calls, err));
    for (size_t i = 0; i < run->calls.count; i++) {
        const struct hst_call_row *call = &run->calls.rows[i];
        const struct hst_aggregate_row row = {.thread = call->thread,
                                              .stack = call->stack,
                                              .state = HST_STATE_RUNNING,
                                              .samples = call->calls,
                                              .weight_ns = call->self_ns,
                                              .weight_ns_squared = EXACT};
        if (hst_aggregate_merge(&run->aggregate, &row) != HST_OK)
            return hst_error_set(err, HST_E_NOMEM, "out of memory");
    }
    return HST_OK;
}

static enum hst_status read_lines(struct hst_loaded_run *run, struct hst_store *store, uint64_t number,
                                  struct hst_error *err)
{
    run->has_lines = 1;
    HST_TRY(hst_run_read_lines(store, number, &run->profile, &run->lines, err));
    hst_lines_sort(&run->lines);
    return hst_run_read_calls(store, number, &run->profile, &run->calls, err); /* how it was traced */
}

/* Of line_profiler there are lines, of others functions and edges. */
static enum hst_status read_imported(struct hst_loaded_run *run, struct hst_store *store, uint64_t number,
                                     struct hst_error *err)
{
    HST_TRY(hst_run_read_imported(store, number, &run->profile, &run->imported, err));
    if (strcmp(run->imported.maker, LINE_PROFILER) != 0)
        return HST_OK;
    run->has_lines = 1;
    HST_TRY(hst_run_read_lines(store, number, &run->profile, &run->lines, err));
    hst_lines_sort(&run->lines);
    return HST_OK;
}

static enum hst_status add_part(void *context, const struct hst_sample *sample)
{
    struct hst_loaded_run *run = context;
    struct hst_sample part = *sample;
    if (!hst_window_clip(&run->window, &part))
        return HST_OK;
    run->info.cost.samples++;
    return hst_aggregate_add(&run->aggregate, &part);
}

static enum hst_status read_part(struct hst_loaded_run *run, struct hst_store *store, uint64_t number,
                                 struct hst_error *err)
{
    struct hst_window *window = &run->window;
    uint64_t all_ns = run->info.duration_ns, until_ns = window->until_ns;
    if (until_ns == 0 || until_ns > all_ns)
        until_ns = all_ns;
    if (window->since_ns >= until_ns) {
        (void)hst_error_set(err, HST_E_INVALID,
                            "run %llu is %.3f seconds long: there is nothing from %.3f s to %.3f s",
                            (unsigned long long)number, (double)all_ns / 1e9, (double)window->since_ns / 1e9,
                            (double)until_ns / 1e9);
        hst_error_hint(err, "--since and --until count from the start of the run");
        return HST_E_INVALID;
    }
    run->info.cost.samples = 0;
    window->until_ns = until_ns;
    run->info.duration_ns = until_ns - window->since_ns;
    return hst_run_read_samples(store, number, &run->profile, add_part, run, err);
}

static enum hst_status check_window(const struct hst_loaded_run *run, struct hst_error *err)
{
    if (hst_window_is_all(&run->window) || run->info.kind == HST_RUN_SAMPLED)
        return HST_OK;
    (void)hst_error_set(err, HST_E_INVALID, "run %llu holds sums: of which no stretch of time can be shown",
                        (unsigned long long)run->info.number);
    hst_error_hint(err, "--since and --until are for runs of hasten run and hasten attach");
    return HST_E_INVALID;
}

/* A heap has no time in it: nothing of what is loaded here. */
static enum hst_status check_kind(const struct hst_loaded_run *run, struct hst_error *err)
{
    if (run->info.kind != HST_RUN_HEAP)
        return HST_OK;
    (void)hst_error_set(err, HST_E_INVALID, "run %llu is a heap: it holds objects, not time",
                        (unsigned long long)run->info.number);
    hst_error_hint(err, "`hasten heap types %llu` shows them", (unsigned long long)run->info.number);
    return HST_E_INVALID;
}

enum hst_status hst_loaded_run_init(struct hst_loaded_run *run, struct hst_store *store, uint64_t number,
                                    const struct hst_window *window, struct hst_error *err)
{
    *run = (struct hst_loaded_run){0};
    if (window != NULL)
        run->window = *window;
    hst_aggregate_init(&run->aggregate);
    hst_calls_init(&run->calls);
    hst_lines_init(&run->lines);
    if (!hst_profile_init(&run->profile))
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    enum hst_status status = hst_run_read_info(store, number, &run->info, err);
    if (status == HST_OK)
        status = check_kind(run, err);
    if (status == HST_OK)
        status = check_window(run, err);
    if (status == HST_OK)
        status = hst_run_read_profile(store, number, &run->profile, err);
    if (status == HST_OK && run->info.kind == HST_RUN_TRACED)
        status = read_calls(run, store, number, err);
    else if (status == HST_OK && run->info.kind == HST_RUN_LINES)
        status = read_lines(run, store, number, err);
    else if (status == HST_OK && run->info.kind == HST_RUN_IMPORTED)
        status = read_imported(run, store, number, err);
    else if (status == HST_OK && !hst_window_is_all(&run->window))
        status = read_part(run, store, number, err);
    else if (status == HST_OK)
        status = hst_run_read_samples(store, number, &run->profile, hst_aggregate_add, &run->aggregate, err);
    if (status != HST_OK)
        hst_loaded_run_release(run);
    return status;
}

static uint64_t sum_of_lines(struct hst_lines *lines, uint64_t *ret_hits)
{
    uint64_t ns = 0, hits = 0;
    for (size_t i = 0; i < lines->count; i++) {
        ns += lines->rows[i].total_ns;
        hits += lines->rows[i].hits;
    }
    *ret_hits = hits;
    return ns;
}

static uint64_t written_ns(const struct stat *file)
{
    const struct timespec *at = &file->st_mtim;
    return at->tv_sec > 0 && at->tv_sec < INT64_MAX / 1000000000
               ? (uint64_t)at->tv_sec * 1000000000u + (uint64_t)at->tv_nsec
               : 0;
}

static void describe(struct hst_loaded_run *run, const char *path, const struct stat *file)
{
    struct hst_run_info *info = &run->info;
    *info =
        (struct hst_run_info){.kind = HST_RUN_IMPORTED,
                              .status = HST_RUN_COMPLETE,
                              .start_wall_ns = written_ns(file),
                              .duration_ns = run->imported.totals.all.total_ns,
                              .exit_status = -1,
                              .hasten_version = HST_VERSION,
                              .cost = {.samples = run->imported.totals.all.calls, .slowdown_percent = -1}};
    if (run->has_lines)
        info->duration_ns = sum_of_lines(&run->lines, &info->cost.samples);
    (void)snprintf(info->command, sizeof info->command, "hasten import %s", path);
    if (getcwd(info->directory, sizeof info->directory) == NULL)
        info->directory[0] = '\0';
}

static enum hst_status parse_file(struct hst_loaded_run *run, const char *path,
                                  const struct hst_buffer *bytes, struct hst_error *err)
{
    if (!hst_pickle_begins(bytes->data, bytes->length))
        return hst_pstats_read(path, bytes->data, bytes->length, &run->profile, &run->imported, err);
    run->has_lines = 1;
    (void)snprintf(run->imported.file, sizeof run->imported.file, "%s", path);
    (void)snprintf(run->imported.maker, sizeof run->imported.maker, LINE_PROFILER);
    HST_TRY(hst_lprof_read(path, bytes->data, bytes->length, &run->profile, &run->lines, err));
    hst_lines_sort(&run->lines);
    return HST_OK;
}

enum hst_status hst_loaded_run_from_file(struct hst_loaded_run *run, const char *path, struct hst_error *err)
{
    struct stat file;
    HST_CLEANUP(hst_buffer_release) struct hst_buffer bytes;
    hst_buffer_init(&bytes, HST_PSTATS_BYTES_MAX);
    *run = (struct hst_loaded_run){0};
    hst_aggregate_init(&run->aggregate);
    hst_calls_init(&run->calls);
    hst_lines_init(&run->lines);
    enum hst_status status = hst_file_read(path, &bytes);
    if (status != HST_OK || stat(path, &file) != 0) {
        status = status != HST_OK ? status : HST_E_IO;
        return hst_error_set(err, status, "%.300s cannot be read: %s", path,
                             status == HST_E_NOMEM ? "it is too large" : strerror(errno));
    }
    if (!hst_profile_init(&run->profile))
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    status = parse_file(run, path, &bytes, err);
    if (status == HST_E_CORRUPT) /* which for the commands means the store */
        status = err->status = HST_E_INVALID;
    if (status == HST_OK)
        describe(run, path, &file);
    else
        hst_loaded_run_release(run);
    return status;
}

struct hst_report_source hst_loaded_run_source(const struct hst_loaded_run *run)
{
    return (struct hst_report_source){
        .info = &run->info,
        .profile = &run->profile,
        .aggregate = &run->aggregate,
        .window = run->window,
        .calls = run->info.kind == HST_RUN_TRACED || run->info.kind == HST_RUN_LINES ? &run->calls : NULL,
        .lines = run->has_lines ? &run->lines : NULL,
        .imported = run->info.kind == HST_RUN_IMPORTED ? &run->imported : NULL};
}

void hst_loaded_run_release(struct hst_loaded_run *run)
{
    hst_aggregate_release(&run->aggregate);
    hst_calls_release(&run->calls);
    hst_lines_release(&run->lines);
    hst_imported_release(&run->imported);
    hst_profile_release(&run->profile);
}

enum hst_status hst_report_run(struct hst_store *store, uint64_t number,
                               const struct hst_report_options *options, const struct hst_style *style,
                               FILE *out, struct hst_error *err)
{
    struct hst_loaded_run run;
    HST_TRY(hst_loaded_run_init(&run, store, number, NULL, err));
    struct hst_report_source source = hst_loaded_run_source(&run);
    const struct hst_report_options usual = HST_REPORT_OPTIONS_DEFAULT;
    struct hst_buffer buffer;
    hst_buffer_init(&buffer, 0);
    enum hst_status status =
        hst_report_text(&source, options != NULL ? options : &usual, style, &buffer, err);
    if (status == HST_OK && fwrite(buffer.data, 1, buffer.length, out) != buffer.length)
        status = hst_error_set(err, HST_E_IO, "cannot write the report: %s", strerror(errno));
    hst_buffer_release(&buffer);
    hst_loaded_run_release(&run);
    return status;
}
