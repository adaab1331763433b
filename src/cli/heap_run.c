/* Finds the snapshot that is meant, and loads it; keeps a new one. */
#include "cli/heap_run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/exit_codes.h"
#include "cli/open_store.h"
#include "store/heap_reader.h"
#include "store/heap_writer.h"
#include "store/run_reader.h"
#include "store/store.h"

/* The number behind "last~"; 0 for "last"; -1: the text is something else. */
static long back_from_last(const char *text)
{
    char *end;
    if (text == NULL || strcmp(text, "last") == 0)
        return 0;
    if (strncmp(text, "last~", 5) != 0 || text[5] < '0' || text[5] > '9')
        return -1;
    long back = strtol(text + 5, &end, 10);
    return *end == '\0' ? back : -1;
}

static enum hst_status find_snapshot(struct hst_store *store, long back, uint64_t *ret_number,
                                     struct hst_error *err)
{
    HST_CLEANUP_FREE struct hst_run_info *runs = NULL;
    size_t count;
    long found = 0;
    HST_TRY(hst_store_list(store, &runs, &count, err));
    for (size_t i = count; i-- > 0;)
        if (runs[i].kind == HST_RUN_HEAP && found++ == back) {
            *ret_number = runs[i].number;
            return HST_OK;
        }
    if (found == 0)
        (void)hst_error_set(err, HST_E_NOENT, "there is no snapshot of a heap in %.300s",
                            hst_store_path(store));
    else
        (void)hst_error_set(err, HST_E_NOENT, "there %s only %ld snapshot%s of a heap in %.300s",
                            found == 1 ? "is" : "are", found, found == 1 ? "" : "s", hst_store_path(store));
    hst_error_hint(err, "`hasten runs` lists what there is; `hasten heap PID` takes one");
    return HST_E_NOENT;
}

static enum hst_status find_run(struct hst_store *store, const char *run, uint64_t *ret_number,
                                struct hst_error *err)
{
    struct hst_run_info info;
    long back = back_from_last(run);
    if (back >= 0)
        return find_snapshot(store, back, ret_number, err);
    HST_TRY(hst_store_find(store, run, ret_number, err));
    HST_TRY(hst_run_read_info(store, *ret_number, &info, err));
    if (info.kind == HST_RUN_HEAP)
        return HST_OK;
    (void)hst_error_set(err, HST_E_INVALID, "run %llu is no snapshot of a heap",
                        (unsigned long long)*ret_number);
    hst_error_hint(err, "hasten show %llu, or take one: hasten heap PID", (unsigned long long)*ret_number);
    return HST_E_INVALID;
}

int hst_heap_run_open(struct hst_cli *cli, const char *store_option, const char *run,
                      struct hst_heap_run *ret_run)
{
    struct hst_error err = {0};
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    *ret_run = (struct hst_heap_run){0};
    enum hst_status status = hst_cli_store_open(store_option, HST_STORE_READ, &store, &err);
    if (status == HST_E_NOENT)
        hst_error_hint(&err, "`hasten heap PID` makes one; another is named with --store FILE");
    if (status == HST_OK)
        status = find_run(store, run, &ret_run->number, &err);
    if (status == HST_OK)
        status =
            hst_heap_read(store, ret_run->number, HST_HEAP_PLACES | HST_HEAP_VALUES, &ret_run->heap, &err);
    if (status != HST_OK) {
        ret_run->number = 0;
        return hst_message_error(cli, &err);
    }
    if (hst_heap_view_init(&ret_run->view, &ret_run->heap, &err) == HST_OK)
        return HST_PARSED;
    hst_heap_release(&ret_run->heap);
    ret_run->number = 0;
    return hst_message_error(cli, &err);
}

static void fill_info(struct hst_run_info *info, const char *name, const struct hst_heap *heap)
{
    *info = (struct hst_run_info){.start_wall_ns = hst_wall_ns(),
                                  .duration_ns = heap->pause_ns,
                                  .exit_status = -1,
                                  .cost.slowdown_percent = -1};
    (void)snprintf(info->command, sizeof info->command, "%s", heap->command != NULL ? heap->command : "");
    (void)snprintf(info->hasten_version, sizeof info->hasten_version, "%s", HST_VERSION);
    (void)snprintf(info->name, sizeof info->name, "%s", name != NULL ? name : "");
    if (getcwd(info->directory, sizeof info->directory) == NULL)
        info->directory[0] = '\0';
}

enum hst_status hst_heap_run_keep(const char *store_option, const char *name, const struct hst_heap *heap,
                                  uint64_t *ret_number, struct hst_error *err)
{
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    struct hst_run_info info;
    fill_info(&info, name, heap);
    HST_TRY(hst_cli_store_open(store_option, HST_STORE_WRITE, &store, err));
    HST_TRY(hst_heap_write(store, &info, heap, err));
    *ret_number = info.number;
    return HST_OK;
}

void hst_heap_run_close(struct hst_heap_run *run)
{
    if (run->number == 0)
        return;
    hst_heap_view_release(&run->view);
    hst_heap_release(&run->heap);
    run->number = 0;
}

int hst_heap_run_is_one(const char *store_option, const char *text)
{
    struct hst_error err = {0};
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    uint64_t number;
    return back_from_last(text) >= 0 ||
           (hst_cli_store_open(store_option, HST_STORE_READ, &store, &err) == HST_OK &&
            hst_store_find(store, text, &number, &err) == HST_OK);
}

void hst_heap_answer_begin(struct hst_heap_answer *answer, struct hst_cli *cli, int json,
                           struct hst_heap_run *run, uint64_t rows)
{
    *answer = (struct hst_heap_answer){.cli = cli, .json = json};
    hst_buffer_init(&answer->text, 0);
    answer->page = (struct hst_heap_page){.view = &run->view,
                                          .style = &cli->out_style,
                                          .rows = rows < SIZE_MAX ? (size_t)rows : 0,
                                          .out = &answer->text};
}

int hst_heap_no_memory(struct hst_cli *cli)
{
    hst_message(cli, NULL, "out of memory");
    return HST_EXIT_FAILURE;
}

int hst_heap_answer_end(struct hst_heap_answer *answer, enum hst_status status, json_t *json)
{
    int result;
    if (status != HST_OK) {
        json_decref(json);
        result = hst_heap_no_memory(answer->cli);
    } else if (answer->json)
        result = hst_cli_print_json(answer->cli, json);
    else
        result = hst_cli_print_buffer(answer->cli, &answer->text);
    hst_buffer_release(&answer->text);
    return result;
}
