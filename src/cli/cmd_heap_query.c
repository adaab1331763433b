/* `hasten heap query`: SQL over a snapshot. */
#include "analyze/heap_query.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/heap_run.h"
#include "cli/open_store.h"
#include "report/heap_query_out.h"

enum { ROWS = 100 };

struct request {
    struct hst_common_options common;
    int csv;
    const char *run, *sql;
};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    const struct hst_option options[] = {
        {"rows", 'n', "ROWS", "rows of text (default 100; 0: all)", HST_OPTION_COUNT, &request->common.rows,
         NULL},
        {"csv", 0, NULL, "print CSV: every row", HST_OPTION_FLAG, &request->csv, NULL},
        {"json", 0, NULL, "print JSON: every row", HST_OPTION_FLAG, &request->common.json, NULL},
        HST_OPTION_ROW_STORE(&request->common),
    };
    const struct hst_usage usage = {
        .command = "heap query",
        .synopsis = "[RUN] 'SQL' [options]",
        .summary = "Answers a SELECT of SQLite over the objects, types, references and roots of a snapshot.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .details = "Tables\n"
                   "  object(id, address, type, type_id, bytes, retained, dominator, depth, value)\n"
                   "  type(id, name, address, flags, basic_size, item_size)\n"
                   "  reference(source, target, place, number, label)\n"
                   "  root(object, kind, number, name)\n\n"
                   "  hasten heap query 'select type, count(*), sum(bytes) from object group by type order "
                   "by 3 desc'",
        .operands_min = 1,
        .operands_max = 2,
    };
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result != HST_PARSED)
        return result;
    request->run = operands > 1 ? argv[1] : NULL;
    request->sql = argv[operands];
    return HST_PARSED;
}

static int print(struct hst_cli *cli, const struct request *request, struct hst_heap_query *query)
{
    struct hst_error err = {0};
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    json_t *json;
    hst_buffer_init(&text, 0);
    if (request->common.json)
        return hst_heap_query_json(query, &json, &err) == HST_OK ? hst_cli_print_json(cli, json)
                                                                 : hst_message_error(cli, &err);
    enum hst_status status =
        request->csv ? hst_heap_query_csv(query, &text, &err)
                     : hst_heap_query_text(query, (size_t)request->common.rows, &cli->out_style, &text, &err);
    return status == HST_OK ? hst_cli_print_buffer(cli, &text) : hst_message_error(cli, &err);
}

int hst_cmd_heap_query(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {.common.rows = ROWS};
    struct hst_error err = {0};
    struct hst_heap_run run;
    struct hst_heap_query *query = NULL;
    int result = parse(cli, argc, argv, &request);
    if (result == HST_PARSED)
        result = hst_heap_run_open(cli, request.common.store, request.run, &run);
    if (result != HST_PARSED)
        return result;
    if (hst_heap_query_new(&run.view, request.sql, &query, &err) == HST_OK)
        result = print(cli, &request, query);
    else
        result = hst_message_error(cli, &err);
    hst_heap_query_free(query);
    hst_heap_run_close(&run);
    return result;
}
