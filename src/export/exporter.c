/* The table of formats, and what all of them need. */
#include "export/exporter.h"

#include <string.h>

#include "base/memory.h"

#define ENDINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct hst_exporter hst_exporters[] = {
    {"collapsed", ".collapsed", ENDINGS(".collapsed", ".folded", ".txt"),
     "one line a stack, for flamegraph.pl, speedscope, inferno", 0, 1, hst_export_collapsed},
    {"speedscope", ".speedscope.json", ENDINGS(".speedscope.json"), "for speedscope.app, a profile a thread",
     1, 0, hst_export_speedscope},
    {"gecko", ".gecko.json", ENDINGS(".gecko.json"), "for the Firefox Profiler (profiler.firefox.com)", 1, 0,
     hst_export_gecko},
    {"pprof", ".pb.gz", ENDINGS(".pb.gz", ".pprof"), "for pprof, Pyroscope, Grafana", 0, 0, hst_export_pprof},
    {"chrome", ".trace.json", ENDINGS(".trace.json"), "for Perfetto (ui.perfetto.dev) and chrome://tracing",
     1, 0, hst_export_chrome},
    {"callgrind", ".callgrind", ENDINGS(".callgrind"), "for KCachegrind, QCachegrind, callgrind_annotate", 0,
     0, hst_export_callgrind},
    {"pstats", ".pstats", ENDINGS(".pstats", ".prof"), "for pstats.Stats, snakeviz, tuna, gprof2dot", 0, 0,
     hst_export_pstats},
    {"jsonl", ".jsonl", ENDINGS(".jsonl"), "all of the run as JSON, an object a line", 1, 1,
     hst_export_jsonl},
    {"hasten", ".hasten", ENDINGS(".hasten"), "the run itself in one file, nothing lost", 1, 0, NULL},
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

enum hst_status hst_export_walk(struct hst_export *run, hst_export_visitor *visit, void *context,
                                struct hst_error *err)
{
    struct filter filter = {run, visit, context};
    struct hst_error inner = {0};
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
    return hst_export_walk(run, hst_aggregate_add, aggregate, err);
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
