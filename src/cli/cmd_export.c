/* `hasten export`: a stored run -> a file in another tool's format.  The samples go from the store to the
 * exporter one by one, so that the length of the run does not matter. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/export_format.h"
#include "cli/open_store.h"
#include "cli/show_run.h"
#include "cli/view_options.h"
#include "export/exporter.h"
#include "export/selection.h"
#include "export/timeline.h"
#include "store/timeline_reader.h"

struct request {
    struct hst_common_options common;
    const char *format, *output;
    int list_formats;
    const char *run; /* as typed */
    const struct hst_exporter *exporter;
};

struct stored_run {
    struct hst_store *store;
    struct hst_loaded_run loaded;
    struct hst_selection selection;
};

static void stored_run_release(struct stored_run *run)
{
    hst_selection_release(&run->selection);
    hst_loaded_run_release(&run->loaded);
    hst_store_free(run->store);
}

/* Appends what is formatted to text of size, as far as it fits. */
HST_PRINTF(3, 4) static void append(char *text, size_t size, const char *fmt, ...)
{
    size_t length = strlen(text);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text + length, size - length, fmt, args);
    va_end(args);
}

static const char notes[] =
    "\n"
    "Without -o the file is called after the format and the process. collapsed and jsonl go "
    "to standard\n"
    "output instead when that is not a terminal.\n\n"
    "  hasten export -f speedscope            then open the file at speedscope.app\n"
    "  hasten export -f collapsed | flamegraph.pl > flame.svg\n"
    "  hasten export 12 -o before.pb.gz --mode cpu\n";

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    const struct hst_option options[] = {
        {"format", 'f', "FORMAT", "one of the formats below", HST_OPTION_TEXT, &request->format, NULL},
        {"output", 'o', "FILE", "where to; its ending tells the format too; - is standard output",
         HST_OPTION_TEXT, &request->output, NULL},
        HST_OPTION_ROW_MODE(&request->common),
        HST_OPTION_ROW_GIL(&request->common),
        HST_OPTION_ROW_THREAD(&request->common),
        HST_OPTION_ROW_PROCESS(&request->common),
        HST_OPTION_ROW_SINCE(&request->common),
        HST_OPTION_ROW_UNTIL(&request->common),
        HST_OPTION_ROW_SHOW(&request->common),
        HST_OPTION_ROW_STORE(&request->common),
        {"list-formats", 0, NULL, "print the names of all formats", HST_OPTION_FLAG, &request->list_formats,
         NULL},
    };
    char details[2048] = "Formats\n";
    for (size_t i = 0; i < hst_exporter_count; i++)
        append(details, sizeof details, "  %-10s  %-17s %s\n", hst_exporters[i].name,
               hst_exporters[i].extension, hst_exporters[i].description);
    append(details, sizeof details, "%s", notes);
    const struct hst_usage usage = {
        .command = "export",
        .synopsis = "[RUN] [-f FORMAT] [-o FILE] [options]",
        .summary = "Writes a run (default: the last one) in the format of another tool.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details = details,
        .operands_max = 1,
    };
    int operands;
    int code = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (code != HST_PARSED)
        return code;
    if (request->list_formats) {
        for (size_t i = 0; i < hst_exporter_count; i++)
            (void)fprintf(cli->out, "%s\n", hst_exporters[i].name);
        return HST_EXIT_OK;
    }
    request->run = operands > 0 ? argv[1] : "last";
    if (request->common.gil)
        request->common.mode = HST_MODE_GIL;
    const struct hst_export_wish wish = {"export", request->format, request->output, ~0u};
    return hst_export_format_choose(cli, &wish, &request->exporter);
}

static int wants_a_part(const struct hst_common_options *common)
{
    return common->mode != HST_MODE_WALL || common->show.count > 0 || common->thread != NULL ||
           common->process != NULL;
}

/* A tracer sees that a call is not over, not what its thread does meanwhile. */
static enum hst_status check_mode(const struct request *request, const struct hst_run_info *info,
                                  struct hst_error *err)
{
    int mode = request->common.mode;
    if ((info->kind == HST_RUN_IMPORTED || info->kind == HST_RUN_LINES) && wants_a_part(&request->common)) {
        (void)hst_error_set(err, HST_E_INVALID, "run %llu %s: it holds sums, of which no part can be taken",
                            (unsigned long long)info->number,
                            info->kind == HST_RUN_LINES ? "is of lines" : "was imported");
        hst_error_hint(err, "leave the options that choose a part away");
        return HST_E_INVALID;
    }
    if (info->kind != HST_RUN_TRACED || mode == HST_MODE_WALL || mode == HST_MODE_ALL)
        return HST_OK;
    (void)hst_error_set(
        err, HST_E_INVALID,
        "run %llu was traced: the time of its calls is wall time, and cannot be told apart by %s",
        (unsigned long long)info->number, hst_mode_names[mode]);
    hst_error_hint(err, "leave --mode away, or measure with `hasten run`");
    return HST_E_INVALID;
}

static enum hst_status load(struct stored_run *run, const struct request *request, struct hst_error *err)
{
    uint64_t number;
    HST_TRY(hst_cli_store_open(request->common.store, HST_STORE_READ, &run->store, err));
    HST_TRY(hst_store_find(run->store, request->run, &number, err));
    if (request->exporter->write == NULL) /* a heap goes into a store's file, and into no other */
        HST_TRY(hst_run_read_info(run->store, number, &run->loaded.info, err));
    if (run->loaded.info.kind == HST_RUN_HEAP)
        return HST_OK;
    HST_TRY(hst_loaded_run_init(&run->loaded, run->store, number, &request->common.window, err));
    HST_TRY(check_mode(request, &run->loaded.info, err));
    struct hst_filter filter;
    HST_TRY(hst_view_options_filter(&request->common, &run->loaded.profile, &filter, err));
    return hst_selection_init(&run->selection, &run->loaded.profile, &run->loaded.aggregate, &filter, err);
}

/* Samples on their way to an exporter. */
struct part {
    const struct hst_window *window;
    hst_export_visitor *visit;
    void *context;
};

static enum hst_status visit_part(void *context, const struct hst_sample *sample)
{
    const struct part *part = context;
    struct hst_sample copy = *sample;
    return hst_window_clip(part->window, &copy) ? part->visit(part->context, &copy) : HST_OK;
}

static enum hst_status read_samples(void *context, hst_export_visitor *visit, void *visit_context,
                                    struct hst_error *err)
{
    struct stored_run *run = context;
    struct part part = {.window = &run->loaded.window, .visit = visit, .context = visit_context};
    return hst_run_read_samples(run->store, run->loaded.info.number, &run->loaded.profile, visit_part, &part,
                                err);
}

static enum hst_status read_events(void *context, hst_export_event_visitor *visit, void *visit_context,
                                   struct hst_error *err)
{
    struct stored_run *run = context;
    return hst_timeline_read(run->store, run->loaded.info.number, &run->loaded.profile, visit, visit_context,
                             err);
}

static enum hst_status write_run(struct stored_run *run, const struct request *request, const char *path,
                                 uint64_t *ret_samples, struct hst_error *err)
{
    if (request->exporter->write == NULL) {
        if (wants_a_part(&request->common)) {
            hst_error_set(err, HST_E_INVALID, "the format hasten holds the whole run, it cannot hold a part");
            hst_error_hint(
                err, "leave the options that choose a part away; they work on the exported file as well");
            return HST_E_INVALID;
        }
        *ret_samples = run->loaded.info.cost.samples;
        return hst_store_export(run->store, run->loaded.info.number, path, err);
    }
    int traced = run->loaded.info.kind == HST_RUN_TRACED;
    struct hst_export export = {.info = &run->loaded.info,
                                .profile = &run->loaded.profile,
                                .mode = hst_mode_names[request->common.mode],
                                .source = read_samples,
                                .source_context = run,
                                .sums = traced ? &run->loaded.aggregate : NULL,
                                .calls = traced ? &run->loaded.calls : NULL,
                                .lines = run->loaded.has_lines ? &run->loaded.lines : NULL,
                                .imported =
                                    run->loaded.info.kind == HST_RUN_IMPORTED ? &run->loaded.imported : NULL,
                                .keep = hst_selection_keep,
                                .keep_context = &run->selection};
    const struct hst_export_timeline timeline = {.read = read_events, .context = run};
    uint64_t events = 0;
    HST_TRY(hst_timeline_count(run->store, run->loaded.info.number, &events, err));
    export.timeline = events > 0 ? &timeline : NULL;
    HST_TRY(hst_exporter_check(request->exporter, &export, err));
    HST_CLEANUP(hst_output_release) struct hst_output output;
    HST_TRY(hst_output_open(&output, path, err));
    HST_TRY(request->exporter->write(&export, &output, err));
    *ret_samples = export.kept;
    return hst_output_commit(&output, err);
}

/* What to do with the file, for those who have not met the format. */
static void print_next(FILE *out, const char *format, enum hst_run_kind kind, const char *path)
{
    const char *const next[][2] = {
        {"collapsed",
         "flamegraph.pl --countname ns %s > flame.svg, or open it at https://www.speedscope.app"},
        {"speedscope", "open it at https://www.speedscope.app, or: npx speedscope %s"},
        {"gecko", "open it at https://profiler.firefox.com"},
        {"pprof", "go tool pprof -http : %s"},
        {"chrome", "open it at https://ui.perfetto.dev"},
        {"callgrind", "kcachegrind %s"},
        {"pstats", "python3 -m pstats %s"},
        {"lprof", "python3 -m line_profiler %s"},
        {"hasten", kind == HST_RUN_HEAP ? "hasten heap types --store %s" : "hasten show --store %s"},
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(next); i++) {
        if (strcmp(next[i][0], format) != 0)
            continue;
        const char *hole = strstr(next[i][1], "%s");
        if (hole == NULL)
            (void)fprintf(out, "next: %s\n", next[i][1]);
        else
            (void)fprintf(out, "next: %.*s%s%s\n", (int)(hole - next[i][1]), next[i][1], path, hole + 2);
    }
}

int hst_cmd_export(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {0};
    int code = parse(cli, argc, argv, &request);
    if (code != HST_PARSED || request.exporter == NULL)
        return code;
    HST_CLEANUP(stored_run_release) struct stored_run run = {0};
    struct hst_error err = {0};
    if (load(&run, &request, &err) != HST_OK)
        return hst_message_error(cli, &err);
    const struct hst_profile *profile = &run.loaded.profile;
    HST_CLEANUP_FREE char *path = hst_export_path(cli, request.exporter, request.output,
                                                  profile->process_count > 0 ? profile->processes[0].pid : 0);
    if (path == NULL) {
        (void)hst_error_set(&err, HST_E_NOMEM, "out of memory");
        return hst_message_error(cli, &err);
    }
    (void)fflush(cli->out); /* the export is written past the stream */
    uint64_t samples = 0;
    if (write_run(&run, &request, path, &samples, &err) != HST_OK)
        return hst_message_error(cli, &err);
    const char *things = run.loaded.has_lines                      ? "hits"
                         : run.loaded.info.kind == HST_RUN_HEAP    ? "objects"
                         : run.loaded.info.kind == HST_RUN_SAMPLED ? "samples"
                                                                   : "calls";
    if (samples == 0)
        hst_message_note(cli, "--mode all", "no %s of run %llu is in the export",
                         *things == 's'   ? "sample"
                         : *things == 'h' ? "hit"
                         : *things == 'o' ? "object"
                                          : "call",
                         (unsigned long long)run.loaded.info.number);
    if (strcmp(path, "-") != 0) {
        (void)fprintf(cli->out, "%s: %llu %s of run %llu as %s\n", path, (unsigned long long)samples, things,
                      (unsigned long long)run.loaded.info.number, request.exporter->name);
        print_next(cli->out, request.exporter->name, run.loaded.info.kind, path);
    }
    return HST_EXIT_OK;
}
