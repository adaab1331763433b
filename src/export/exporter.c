/* The table of formats, and what all of them need. */
#include "export/exporter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "export/calltree.h"

#define ENDINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define STACKS (HST_EXPORT_SAMPLES | HST_EXPORT_SUMS)
#define ALL (STACKS | HST_EXPORT_EDGES | HST_EXPORT_LINES)

const struct hst_exporter hst_exporters[] = {
    {"collapsed", ".collapsed", ENDINGS(".collapsed", ".folded", ".txt"),
     "one line a stack, for flamegraph.pl, speedscope, inferno", STACKS, 1, hst_export_collapsed},
    {"speedscope", ".speedscope.json", ENDINGS(".speedscope.json"), "for speedscope.app, a profile a thread",
     STACKS | HST_EXPORT_EVENTS, 0, hst_export_speedscope},
    {"gecko", ".gecko.json", ENDINGS(".gecko.json"), "for the Firefox Profiler (profiler.firefox.com)",
     HST_EXPORT_SAMPLES, 0, hst_export_gecko},
    {"pprof", ".pb.gz", ENDINGS(".pb.gz", ".pprof"), "for pprof, Pyroscope, Grafana", STACKS, 0,
     hst_export_pprof},
    {"chrome", ".trace.json", ENDINGS(".trace.json"), "for Perfetto (ui.perfetto.dev) and chrome://tracing",
     HST_EXPORT_SAMPLES | HST_EXPORT_EVENTS, 0, hst_export_chrome},
    {"callgrind", ".callgrind", ENDINGS(".callgrind"), "for KCachegrind, QCachegrind, callgrind_annotate",
     STACKS | HST_EXPORT_EDGES, 0, hst_export_callgrind},
    {"pstats", ".pstats", ENDINGS(".pstats", ".prof"), "for pstats.Stats, snakeviz, tuna, gprof2dot",
     STACKS | HST_EXPORT_EDGES, 0, hst_export_pstats},
    {"lprof", ".lprof", ENDINGS(".lprof"), "for python -m line_profiler: a run of hasten lines",
     HST_EXPORT_LINES, 0, hst_export_lprof},
    {"jsonl", ".jsonl", ENDINGS(".jsonl"), "all of the run as JSON, an object a line", STACKS, 1,
     hst_export_jsonl},
    {"hasten", ".hasten", ENDINGS(".hasten"), "the run itself in one file, nothing lost", ALL, 0, NULL},
};
const size_t hst_exporter_count = HST_ARRAY_LENGTH(hst_exporters);

const struct hst_exporter *hst_exporter_find(const char *name)
{
    for (size_t i = 0; i < hst_exporter_count; i++)
        if (strcmp(hst_exporters[i].name, name) == 0)
            return &hst_exporters[i];
    return NULL;
}

const struct hst_exporter *hst_exporter_for_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    if (strncmp(base, "callgrind.", strlen("callgrind.")) == 0)
        return hst_exporter_find("callgrind");
    const struct hst_exporter *best = NULL;
    size_t best_length = 0, length = strlen(base);
    for (size_t i = 0; i < hst_exporter_count; i++) {
        for (const char *const *ending = hst_exporters[i].endings; *ending != NULL; ending++) {
            size_t ending_length = strlen(*ending);
            if (ending_length > best_length && length >= ending_length &&
                strcmp(base + length - ending_length, *ending) == 0) {
                best = &hst_exporters[i];
                best_length = ending_length;
            }
        }
    }
    return best;
}

char *hst_exporter_file_name(const struct hst_exporter *exporter, uint32_t pid)
{
    if (strcmp(exporter->name, "callgrind") == 0)
        return hst_asprintf("callgrind.out.%u", pid);
    return hst_asprintf("%s_%u%s", exporter->name, pid, exporter->extension);
}

static unsigned content_of(const struct hst_export *run)
{
    return run->lines != NULL      ? HST_EXPORT_LINES
           : run->imported != NULL ? HST_EXPORT_EDGES
           : run->timeline != NULL ? HST_EXPORT_SUMS | HST_EXPORT_EVENTS
           : run->sums != NULL     ? HST_EXPORT_SUMS
                                   : HST_EXPORT_SAMPLES;
}

/* "run 12" and " 12"; of a run that is not there yet "the run" and nothing. */
struct run_words {
    char run[32], number[24];
};

static struct run_words words_of(uint64_t number)
{
    struct run_words words = {.run = "the run"};
    if (number == 0)
        return words;
    (void)snprintf(words.run, sizeof words.run, "run %" PRIu64, number);
    (void)snprintf(words.number, sizeof words.number, " %" PRIu64, number);
    return words;
}

static void say_order_is_missing(const struct hst_exporter *exporter, unsigned content, const char *run,
                                 struct hst_error *err)
{
    (void)hst_error_set(err, HST_E_INVALID,
                        "the format %s shows what came after what, and %s holds the sums of its calls only",
                        exporter->name, run);
    hst_error_hint(err, (content & HST_EXPORT_EVENTS) != 0
                            ? "-f chrome or -f speedscope, which show the events of its timeline"
                            : "-f speedscope, which shows the same stacks; or, for their order in time, "
                              "`hasten run`, or `hasten trace --timeline` and -f chrome");
}

enum hst_status hst_exporter_check_content(const struct hst_exporter *exporter, unsigned content,
                                           uint64_t number, struct hst_error *err)
{
    if ((exporter->takes & content) != 0)
        return HST_OK;
    const struct run_words words = words_of(number);
    if (content == HST_EXPORT_LINES) {
        (void)hst_error_set(err, HST_E_INVALID,
                            "%s holds the hits and times of lines, which the format %s cannot", words.run,
                            exporter->name);
        hst_error_hint(err, "--format lprof; `hasten show%s --json` has all of it", words.number);
    } else if (exporter->takes == HST_EXPORT_LINES) {
        (void)hst_error_set(err, HST_E_INVALID,
                            "the format %s is made of the hits of lines, which %s %s not count",
                            exporter->name, words.run, number != 0 ? "did" : "does");
        hst_error_hint(err, "`hasten lines` makes such a run; of this one, another format");
    } else if (content == HST_EXPORT_EDGES) {
        (void)hst_error_set(
            err, HST_E_INVALID,
            "the format %s is made of stacks, and what %s was imported from holds only edges: "
            "functions and who called them",
            exporter->name, words.run);
        hst_error_hint(err, "-f pstats or -f callgrind; `hasten show%s --json` has all of it", words.number);
    } else {
        say_order_is_missing(exporter, content, words.run, err);
    }
    return HST_E_INVALID;
}

enum hst_status hst_exporter_check(const struct hst_exporter *exporter, const struct hst_export *run,
                                   struct hst_error *err)
{
    return hst_exporter_check_content(exporter, content_of(run), run->info->number, err);
}

struct filter {
    struct hst_export *run;
    hst_export_visitor *visit;
    void *context;
};

static enum hst_status pass_on(void *context, const struct hst_sample *sample)
{
    struct filter *filter = context;
    struct hst_export *run = filter->run;
    if (sample->thread >= run->profile->thread_count || sample->stack >= run->profile->stack_count)
        return HST_E_CORRUPT;
    if (run->keep != NULL && !run->keep(run->keep_context, sample))
        return HST_OK;
    run->kept++;
    return filter->visit(filter->context, sample);
}

static int is_wanted(const struct hst_export *run, const struct hst_aggregate_row *row)
{
    const struct hst_sample sample = {.thread = row->thread,
                                      .stack = row->stack,
                                      .state = row->state,
                                      .flags = row->flags,
                                      .detail = row->detail};
    return run->keep == NULL || run->keep(run->keep_context, &sample);
}

/* Sums by stack, so that a walk over the tree of stacks can hand them out. */
struct tree_order {
    struct hst_export *run;
    const struct hst_aggregate *sums;
    uint32_t *first, *next; /* stack -> its first sum; sum -> the next of the same stack */
    hst_export_visitor *visit;
    void *context;
};

static enum hst_status enter(void *context, uint32_t stack)
{
    const struct tree_order *order = context;
    for (uint32_t i = order->first[stack]; i != HST_ID_NONE; i = order->next[i]) {
        const struct hst_aggregate_row *row = &order->sums->rows[i];
        const struct hst_sample sample = {
            .thread = row->thread, .stack = stack, .state = row->state, .weight_ns = row->weight_ns};
        HST_TRY(order->visit(order->context, &sample));
    }
    return HST_OK;
}

static enum hst_status leave(void *context, uint32_t stack)
{
    (void)context;
    (void)stack;
    return HST_OK;
}

static enum hst_status walk_sums(struct tree_order *order)
{
    const struct hst_profile *profile = order->run->profile;
    HST_CLEANUP(hst_calltree_release) struct hst_calltree tree = {0};
    HST_CLEANUP_FREE uint32_t *first = order->first = hst_alloc(profile->stack_count, sizeof *first);
    HST_CLEANUP_FREE uint32_t *next = order->next = hst_alloc(order->sums->count + 1, sizeof *next);
    if (first == NULL || next == NULL)
        return HST_E_NOMEM;
    memset(first, 0xff, profile->stack_count * sizeof *first);
    for (size_t i = order->sums->count; i-- > 0;) {
        next[i] = first[order->sums->rows[i].stack];
        first[order->sums->rows[i].stack] = (uint32_t)i;
    }
    HST_TRY(hst_calltree_build(&tree, profile, order->sums));
    HST_TRY(enter(order, 0));
    return hst_calltree_walk(&tree, enter, leave, order);
}

static enum hst_status walk_exact(struct hst_export *run, hst_export_visitor *visit, void *context,
                                  struct hst_error *err)
{
    HST_CLEANUP(hst_aggregate_release) struct hst_aggregate wanted;
    struct tree_order order = {.run = run, .sums = &wanted, .visit = visit, .context = context};
    hst_aggregate_init(&wanted);
    HST_TRY(hst_export_sum(run, &wanted, err));
    return walk_sums(&order) == HST_OK ? HST_OK : hst_export_nomem(err);
}

enum hst_status hst_export_walk(struct hst_export *run, hst_export_visitor *visit, void *context,
                                struct hst_error *err)
{
    struct filter filter = {run, visit, context};
    struct hst_error inner = {0};
    if (hst_export_is_exact(run))
        return walk_exact(run, visit, context, err);
    run->kept = 0;
    enum hst_status status = run->source(run->source_context, pass_on, &filter, &inner);
    if (status == HST_OK)
        return HST_OK;
    if (inner.text[0] != '\0') {
        if (err != NULL)
            *err = inner;
        return status;
    }
    if (status == HST_E_NOMEM)
        return hst_export_nomem(err);
    return hst_error_set(err, status, "the samples of run %llu cannot be exported: %s",
                         (unsigned long long)run->info->number, hst_status_name(status));
}

enum hst_status hst_export_sum(struct hst_export *run, struct hst_aggregate *aggregate, struct hst_error *err)
{
    if (!hst_export_is_exact(run))
        return hst_export_walk(run, hst_aggregate_add, aggregate, err);
    run->kept = 0;
    for (size_t i = 0; i < run->sums->count; i++) {
        const struct hst_aggregate_row *row = &run->sums->rows[i];
        if (row->thread >= run->profile->thread_count || row->stack >= run->profile->stack_count)
            return hst_error_set(err, HST_E_CORRUPT, "a sum of run %llu is of no stack",
                                 (unsigned long long)run->info->number);
        if (!is_wanted(run, row))
            continue;
        run->kept += row->samples;
        if (hst_aggregate_merge(aggregate, row) != HST_OK)
            return hst_export_nomem(err);
    }
    return HST_OK;
}

const char *hst_export_state_name(unsigned state)
{
    static const char *const names[HST_STATE_COUNT] = {
        [HST_STATE_UNKNOWN] = "unknown",   [HST_STATE_RUNNING] = "running", [HST_STATE_RUNNABLE] = "runnable",
        [HST_STATE_GIL_WAIT] = "gil_wait", [HST_STATE_BLOCKED] = "blocked", [HST_STATE_IDLE] = "idle",
        [HST_STATE_GONE] = "gone",
    };
    return state < HST_STATE_COUNT && names[state] != NULL ? names[state] : "unknown";
}

uint64_t hst_export_period_ns(const struct hst_run_info *info)
{
    double period = 1;
    if (info->rate_hz > 0)
        period = 1e9 / info->rate_hz;
    else if (info->cost.ticks > 0)
        period = (double)info->duration_ns / (double)info->cost.ticks;
    return period >= 1 && period < 1e18 ? (uint64_t)period : 1;
}
