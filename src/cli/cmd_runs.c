/* `hasten runs`: what is in the store. */
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/open_store.h"
#include "cli/options.h"
#include "report/cell.h"
#include "report/json.h"

#define NAME_WIDTH 15

static int print_json(struct hst_cli *cli, const struct hst_run_info *runs, size_t count)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(rows, hst_run_info_json(&runs[i]));
    return hst_cli_print_json(cli, rows);
}

/* name_width: 0 when no run has a name. */
static void add_row(struct hst_buffer *out, const struct hst_run_info *run, size_t name_width,
                    const struct hst_style *style)
{
    static const char *const marks[] = {
        [HST_RUN_RECORDING] = "recording", [HST_RUN_COMPLETE] = "", [HST_RUN_INTERRUPTED] = "interrupted"};
    char when[32] = "";
    time_t seconds = (time_t)(run->start_wall_ns / 1000000000u);
    struct tm local;
    if (localtime_r(&seconds, &local) != NULL)
        (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M", &local);
    hst_buffer_add_fmt(out, "%5llu  %-16s %11s %11s %11s  ", (unsigned long long)run->number, when,
                       hst_cell_duration(run->duration_ns).text, hst_cell_duration(run->cpu_ns).text,
                       hst_cell_count(run->cost.samples).text);
    hst_text_add(out, run->name, name_width, HST_CUT_END, 1, style);
    const char *mark = marks[run->status <= HST_RUN_INTERRUPTED ? run->status : 0];
    size_t width = (style->width > 100 ? (size_t)style->width : 100) - 64 - name_width;
    if (mark[0] != '\0')
        hst_buffer_add_fmt(out, "%s(%s)%s ", hst_ink(style, HST_INK_YELLOW), mark,
                           hst_ink(style, HST_INK_RESET));
    hst_text_add(out, run->command, mark[0] != '\0' ? width - strlen(mark) - 3 : width, HST_CUT_END, 0,
                 style);
    hst_buffer_add_byte(out, '\n');
}

static int print_table(struct hst_cli *cli, const struct hst_run_info *runs, size_t count, size_t left_out)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer out;
    hst_buffer_init(&out, 0);
    size_t name_width = 0;
    for (size_t i = 0; i < count; i++)
        if (runs[i].name[0] != '\0')
            name_width = NAME_WIDTH;
    hst_buffer_add_fmt(&out, "%s  run  %-16s %11s %11s %11s  %-*scommand%s\n",
                       hst_ink(&cli->out_style, HST_INK_BOLD), "started", "wall", "CPU", "samples",
                       (int)name_width, name_width > 0 ? "name" : "",
                       hst_ink(&cli->out_style, HST_INK_RESET));
    for (size_t i = 0; i < count; i++)
        add_row(&out, &runs[i], name_width, &cli->out_style);
    if (left_out > 0)
        hst_buffer_add_fmt(&out, "  ... and %zu older ones (-n ROWS)\n", left_out);
    if (hst_buffer_status(&out) != HST_OK) {
        hst_message(cli, NULL, "out of memory");
        return HST_EXIT_FAILURE;
    }
    return hst_cli_print_buffer(cli, &out);
}

static int print_none(struct hst_cli *cli, int json)
{
    if (json)
        return print_json(cli, NULL, 0);
    (void)fprintf(cli->out, "There are no runs yet. `hasten run script.py` makes the first.\n");
    return HST_EXIT_OK;
}

static void reverse(struct hst_run_info *runs, size_t count)
{
    for (size_t a = 0, b = count; a + 1 < b; a++, b--) {
        struct hst_run_info swapped = runs[a];
        runs[a] = runs[b - 1];
        runs[b - 1] = swapped;
    }
}

int hst_cmd_runs(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_common_options common = {0};
    const struct hst_option options[] = {
        HST_OPTION_ROW_ROWS(&common),
        HST_OPTION_ROW_JSON(&common),
        HST_OPTION_ROW_STORE(&common),
    };
    const struct hst_usage usage = {
        .command = "runs",
        .synopsis = "[options]",
        .summary = "Lists the runs in the store, the newest first.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
    };
    int operands;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result != HST_PARSED)
        return result;
    struct hst_error err = {0};
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    HST_CLEANUP_FREE struct hst_run_info *runs = NULL;
    size_t count = 0;
    enum hst_status status = hst_cli_store_open(common.store, HST_STORE_READ, &store, &err);
    if (status == HST_E_NOENT && common.store == NULL)
        return print_none(cli,
                          common.json); /* a store that was named should be there; the usual one need not */
    if (status != HST_OK || hst_store_list(store, &runs, &count, &err) != HST_OK)
        return hst_message_error(cli, &err);
    if (count == 0)
        return print_none(cli, common.json);
    reverse(runs, count);
    size_t shown = common.rows != 0 && common.rows < count ? (size_t)common.rows : count;
    return common.json ? print_json(cli, runs, shown) : print_table(cli, runs, shown, count - shown);
}
