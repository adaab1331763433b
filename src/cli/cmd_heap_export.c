/* `hasten heap export`: a snapshot -> the file of another tool. */
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/heap_run.h"
#include "export/meliae.h"

struct request {
    struct hst_common_options common;
    const char *output;
    int format;
};

static const char *const formats[] = {"meliae", NULL};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request, int *ret_operands)
{
    const struct hst_option options[] = {
        {"format", 'f', "FORMAT", "meliae, a JSON object a line (default)", HST_OPTION_CHOICE,
         &request->format, formats},
        {"output", 'o', "FILE", "where to; what ends with .gz is compressed; - is standard output",
         HST_OPTION_TEXT, &request->output, NULL},
        HST_OPTION_ROW_STORE(&request->common),
    };
    const struct hst_usage usage = {
        .command = "heap export",
        .synopsis = "[RUN] -f meliae [-o FILE] [options]",
        .summary = "Writes a snapshot (default: the last one) in the format of another tool.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details =
            "Without -o the file is called after the format and the process; when standard output is not a\n"
            "terminal, it goes there. To move a snapshot whole, to hasten elsewhere: hasten export -f "
            "hasten.\n\n"
            "  hasten heap export -f meliae -o app.json     om = meliae.loader.load('app.json')",
        .operands_max = 1,
    };
    return hst_options_parse(cli, &usage, argc, argv, ret_operands);
}

/* NULL: out of memory. */
static char *path_of(const struct hst_cli *cli, const struct request *request, const struct hst_heap *heap)
{
    if (request->output != NULL)
        return hst_strdup(request->output);
    return isatty(fileno(cli->out)) ? hst_asprintf("meliae_%d.json", heap->pid) : hst_strdup("-");
}

static enum hst_status write_heap(const struct hst_heap *heap, const char *path, struct hst_error *err)
{
    HST_CLEANUP(hst_output_release) struct hst_output output;
    size_t length = strlen(path);
    enum hst_status status = HST_OK;
    HST_TRY(hst_output_open(&output, path, err));
    if (length > 3 && strcmp(path + length - 3, ".gz") == 0)
        status = hst_output_compress(&output);
    if (status == HST_OK)
        status = hst_meliae_write(heap, &output);
    return status == HST_OK ? hst_output_commit(&output, err) : hst_error_set(err, status, "out of memory");
}

int hst_cmd_heap_export(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {0};
    struct hst_error err = {0};
    struct hst_heap_run run = {0};
    int operands, result = parse(cli, argc, argv, &request, &operands);
    if (result == HST_PARSED)
        result = hst_heap_run_open(cli, request.common.store, operands > 0 ? argv[1] : NULL, &run);
    if (result != HST_PARSED)
        return result;
    HST_CLEANUP_FREE char *path = path_of(cli, &request, &run.heap);
    (void)fflush(cli->out); /* the export is written past the stream */
    if (path == NULL)
        result = hst_heap_no_memory(cli);
    else if (write_heap(&run.heap, path, &err) != HST_OK)
        result = hst_message_error(cli, &err);
    else {
        if (strcmp(path, "-") != 0)
            (void)fprintf(cli->out, "%s: %zu objects of run %llu as meliae\n", path, run.heap.count,
                          (unsigned long long)run.number);
        result = HST_EXIT_OK;
    }
    hst_heap_run_close(&run);
    return result;
}
