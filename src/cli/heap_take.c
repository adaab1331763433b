/* A run of the store for each snapshot; the page is made from the snapshot alone. */
#include "cli/heap_take.h"

#include <stdio.h>

#include "cli/heap_run.h"
#include "report/cell.h"
#include "report/heap_pages.h"

enum { HOLDERS = 5 };

int hst_heap_request_check(struct hst_cli *cli, const struct hst_heap_request *request)
{
    if (request->limit_mb > UINT64_MAX / 1000000)
        return hst_message_usage(cli, "heap", NULL, "--limit: more than there is");
    if (request->fork + request->live + request->precopy > 1)
        return hst_message_usage(cli, "heap", NULL, "--fork, --precopy or --live: one of them");
    return HST_PARSED;
}

static void announce(void *context, uint64_t bytes, uint64_t pause_ns)
{
    struct hst_cli *cli = context;
    hst_message_note(cli, NULL, "it stands still while %s are copied, for up to about %s",
                     hst_cell_bytes(bytes).text, hst_cell_duration(pause_ns).text);
}

static void announce_fork(void *context, uint64_t bytes, uint64_t pause_ns)
{
    struct hst_cli *cli = context;
    hst_message_note(cli, NULL, "it stands still for up to about %s; %s are copied while it goes on",
                     hst_cell_duration(pause_ns).text, hst_cell_bytes(bytes).text);
}

static void announce_precopy(void *context, uint64_t bytes, uint64_t pause_ns)
{
    struct hst_cli *cli = context;
    (void)pause_ns;
    hst_message_note(cli, NULL,
                     "%s are copied while it goes on; it stands still for what it writes to meanwhile",
                     hst_cell_bytes(bytes).text);
}

static int print(struct hst_cli *cli, const struct hst_heap_request *request, struct hst_heap_run *run)
{
    struct hst_heap_answer answer;
    struct hst_heap_overview overview;
    hst_heap_answer_begin(&answer, cli, request->json, run, request->rows);
    enum hst_status status = hst_heap_overview_init(&overview, &run->view, HOLDERS);
    if (status != HST_OK)
        return hst_heap_answer_end(&answer, status, NULL);
    json_t *json = NULL;
    if (request->json) {
        answer.page.rows = 0;
        json = hst_heap_overview_json(&answer.page, &overview);
        if (json != NULL && json_object_set_new(json, "run", json_integer((json_int_t)run->number)) != 0) {
            json_decref(json);
            json = NULL;
        }
    } else {
        status = hst_heap_overview_text(&answer.page, &overview);
        hst_buffer_add_fmt(&answer.text,
                           "\nkept as run %llu: hasten heap top, heap suspects, ... (hasten help heap)\n",
                           (unsigned long long)run->number);
    }
    int result = hst_heap_answer_end(&answer, status, json);
    hst_heap_overview_release(&overview);
    return result;
}

struct hst_heap_options hst_heap_request_options(struct hst_cli *cli, const struct hst_heap_request *request)
{
    struct hst_heap_options options = {
        .bytes_max = request->limit_mb * 1000000, .root = "", .announce = announce, .context = cli};
    if (request->fork) {
        options.way = HST_HEAP_FORKED;
        options.announce = announce_fork;
    } else if (request->precopy) {
        options.way = HST_HEAP_PRECOPIED;
        options.announce = announce_precopy;
    } else if (request->live) {
        options.way = HST_HEAP_LIVE;
        options.announce = NULL;
    }
    return options;
}

int hst_heap_keep_and_print(struct hst_cli *cli, const struct hst_heap_request *request,
                            struct hst_heap *heap)
{
    struct hst_error err = {0};
    struct hst_heap_run run = {.heap = *heap};
    if (hst_heap_run_keep(request->store, request->name, &run.heap, &run.number, &err) != HST_OK ||
        hst_heap_view_init(&run.view, &run.heap, &err) != HST_OK) {
        hst_heap_release(&run.heap);
        return hst_message_error(cli, &err);
    }
    int result = print(cli, request, &run);
    hst_heap_run_close(&run);
    return result;
}

int hst_heap_print_stored(struct hst_cli *cli, const struct hst_heap_request *request, uint64_t number)
{
    struct hst_heap_run run;
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    int result = hst_heap_run_open(cli, request->store, text, &run);
    if (result != HST_PARSED)
        return result;
    result = print(cli, request, &run);
    hst_heap_run_close(&run);
    return result;
}
