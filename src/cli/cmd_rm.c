/* `hasten rm`: takes runs out of the store. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/open_store.h"
#include "cli/options.h"

/* All names are looked up before the first run is removed: a mistake removes nothing, and `last` keeps its
 * meaning. */
static enum hst_status find_all(struct hst_store *store, char **names, size_t count, uint64_t *ret_numbers,
                                struct hst_error *err)
{
    for (size_t i = 0; i < count; i++)
        HST_TRY(hst_store_find(store, names[i], &ret_numbers[i], err));
    return HST_OK;
}

static int already_named(const uint64_t *numbers, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (numbers[i] == numbers[at])
            return 1;
    return 0;
}

static int remove_runs(struct hst_cli *cli, struct hst_store *store, char **names, size_t count)
{
    struct hst_error err = {0};
    HST_CLEANUP_FREE uint64_t *numbers = hst_alloc(count, sizeof *numbers);
    if (numbers == NULL)
        (void)hst_error_set(&err, HST_E_NOMEM, "out of memory");
    if (numbers == NULL || find_all(store, names, count, numbers, &err) != HST_OK)
        return hst_message_error(cli, &err);
    for (size_t i = 0; i < count; i++) {
        if (already_named(numbers, i))
            continue;
        if (hst_store_remove(store, numbers[i], &err) != HST_OK)
            return hst_message_error(cli, &err);
        (void)fprintf(cli->out, "run %llu removed\n", (unsigned long long)numbers[i]);
    }
    return HST_EXIT_OK;
}

int hst_cmd_rm(struct hst_cli *cli, int argc, char **argv)
{
    struct hst_common_options common = {0};
    const struct hst_option options[] = {HST_OPTION_ROW_STORE(&common)};
    const struct hst_usage usage = {
        .command = "rm",
        .synopsis = "RUN...",
        .summary = "Removes runs from the store for good. RUN: a number, a name, last or last~1.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .operands_min = 1,
        .operands_max = -1,
    };
    int operands;
    int result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result != HST_PARSED)
        return result;
    struct hst_error err = {0};
    HST_CLEANUP_STORE struct hst_store *store = NULL;
    /* Looking first: a store that is not there must not be made by removing from it. */
    if (hst_cli_store_open(common.store, HST_STORE_READ, &store, &err) != HST_OK)
        return hst_message_error(cli, &err);
    hst_store_free(store);
    store = NULL;
    if (hst_cli_store_open(common.store, HST_STORE_WRITE, &store, &err) != HST_OK)
        return hst_message_error(cli, &err);
    return remove_runs(cli, store, argv + 1, (size_t)operands);
}
