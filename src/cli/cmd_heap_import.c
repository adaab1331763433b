/* `hasten heap import`: a dump of another tool -> a snapshot in the store. */
#include <jansson.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/heap_run.h"
#include "cli/open_store.h"
#include "import/meliae_reader.h"
#include "report/cell.h"

struct request {
    struct hst_common_options common;
    const char *name, *file;
    int format;
};

static const char *const formats[] = {"meliae", NULL};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    const struct hst_option options[] = {
        {"format", 'f', "FORMAT", "meliae, a JSON object a line, plain or gzip (default)", HST_OPTION_CHOICE,
         &request->format, formats},
        {"name", 0, "NAME", "a name for the run", HST_OPTION_TEXT, &request->name, NULL},
        HST_OPTION_ROW_JSON(&request->common),
        HST_OPTION_ROW_STORE(&request->common),
    };
    const struct hst_usage usage = {
        .command = "heap import",
        .synopsis = "-f meliae FILE [options]",
        .summary = "Keeps a dump of another tool as a snapshot, which answers the same questions as our own.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details =
            "A dump does not say what holds objects from outside: modules, and objects to which no other "
            "refers,\ncount as roots. Nor does it say where a reference stands: [3] is the fourth of its "
            "object; those of a\ndict are its keys and values.\n\n"
            "  python -c \"from meliae import scanner; scanner.dump_all_objects('app.json')\"\n"
            "  hasten heap import -f meliae app.json",
        .operands_min = 1,
        .operands_max = 1,
    };
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result == HST_PARSED)
        request->file = argv[1];
    return result;
}

static void note_problems(struct hst_cli *cli, const struct hst_meliae_summary *summary)
{
    for (size_t i = 0; i < HST_MELIAE_SHOWN && i < summary->bad_lines; i++) {
        const struct hst_meliae_bad_line *bad = &summary->bad[i];
        if (bad->byte != 0)
            hst_message_note(cli, NULL, "line %llu, byte %zu: %s", (unsigned long long)bad->line, bad->byte,
                             bad->why);
        else
            hst_message_note(cli, NULL, "line %llu: %s", (unsigned long long)bad->line, bad->why);
    }
    if (summary->bad_lines > 0)
        hst_message_note(cli, NULL, "%llu of %llu lines were left out",
                         (unsigned long long)summary->bad_lines, (unsigned long long)summary->lines);
    if (summary->is_cut)
        hst_message_note(cli, NULL, "the compressed file is cut off or damaged: its beginning was read");
    if (summary->repeated > 0)
        hst_message_note(cli, NULL, "%llu lines repeat an address: the first of each counts",
                         (unsigned long long)summary->repeated);
    if (summary->unknown_references > 0)
        hst_message_note(cli, NULL, "%llu references to objects that the dump does not hold were left out",
                         (unsigned long long)summary->unknown_references);
    hst_message_note(cli, NULL,
                     "the dump knows no roots: its modules (%llu) and what no object refers to (%llu) count "
                     "as such",
                     (unsigned long long)summary->modules, (unsigned long long)summary->unheld);
}

static int print_json(struct hst_cli *cli, const struct hst_heap_run *run,
                      const struct hst_meliae_summary *summary)
{
    const struct hst_heap *heap = &run->heap;
    json_t *bad = json_array();
    for (size_t i = 0; i < HST_MELIAE_SHOWN && i < summary->bad_lines; i++)
        (void)json_array_append_new(bad, json_pack("{sI sI ss}", "line", (json_int_t)summary->bad[i].line,
                                                   "byte", (json_int_t)summary->bad[i].byte, "reason",
                                                   summary->bad[i].why));
    return hst_cli_print_json(
        cli,
        json_pack("{sI sI sI sI sI sI sI sI sI sI so sb}", "run", (json_int_t)run->number, "objects",
                  (json_int_t)heap->count, "bytes", (json_int_t)run->view.all_bytes, "references",
                  (json_int_t)heap->first[heap->count], "types", (json_int_t)heap->type_count, "module_roots",
                  (json_int_t)summary->modules, "other_roots", (json_int_t)summary->unheld, "bad_lines",
                  (json_int_t)summary->bad_lines, "repeated", (json_int_t)summary->repeated,
                  "unknown_references", (json_int_t)summary->unknown_references, "first_bad_lines", bad,
                  "cut", summary->is_cut));
}

static void print_text(struct hst_cli *cli, const struct hst_heap_run *run, const char *file)
{
    const struct hst_heap *heap = &run->heap;
    (void)fprintf(cli->out, "run %llu: %s objects of %s types, %s, %s references, from %s\n",
                  (unsigned long long)run->number, hst_cell_count(heap->count).text,
                  hst_cell_count(heap->type_count).text, hst_cell_bytes(run->view.all_bytes).text,
                  hst_cell_count(heap->first[heap->count]).text, file);
    (void)fprintf(cli->out, "next: hasten heap types, heap top, heap dominators (hasten help heap)\n");
}

int hst_cmd_heap_import(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {0};
    struct hst_error err = {0};
    struct hst_heap_run run = {0};
    struct hst_meliae_summary summary;
    int result = parse(cli, argc, argv, &request);
    if (result != HST_PARSED)
        return result;
    if (hst_meliae_read(request.file, &run.heap, &summary, &err) != HST_OK)
        return hst_message_error(cli, &err);
    if (hst_heap_run_keep(request.common.store, request.name, &run.heap, &run.number, &err) != HST_OK ||
        hst_heap_view_init(&run.view, &run.heap, &err) != HST_OK) {
        hst_heap_release(&run.heap);
        return hst_message_error(cli, &err);
    }
    note_problems(cli, &summary);
    result = HST_EXIT_OK;
    if (request.common.json)
        result = print_json(cli, &run, &summary);
    else
        print_text(cli, &run, request.file);
    hst_heap_run_close(&run);
    return result;
}
