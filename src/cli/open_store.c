/* What every command around a store begins and ends with. */
#include "cli/open_store.h"

#include "base/memory.h"
#include "cli/exit_codes.h"

void hst_cli_release_store_(struct hst_store **store) { hst_store_free(*store); }

enum hst_status hst_cli_store_open(const char *option, enum hst_store_mode mode, struct hst_store **ret_store,
                                   struct hst_error *err)
{
    HST_CLEANUP_FREE char *path = hst_store_locate(option, ".");
    if (path == NULL)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    enum hst_status status = hst_store_open(path, mode, ret_store, err);
    if (status == HST_E_INVALID)
        err->status = HST_E_CORRUPT;
    else if (status == HST_E_PERM)
        err->status = HST_E_READONLY;
    else
        return status;
    return err->status;
}

int hst_cli_print_json(struct hst_cli *cli, json_t *json)
{
    int failed = json == NULL || json_dumpf(json, cli->out, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) != 0;
    json_decref(json);
    if (failed) {
        hst_message(cli, NULL, "cannot write the JSON");
        return HST_EXIT_FAILURE;
    }
    (void)fputc('\n', cli->out);
    return HST_EXIT_OK;
}

int hst_cli_print_buffer(struct hst_cli *cli, const struct hst_buffer *buffer)
{
    if (fwrite(buffer->data, 1, buffer->length, cli->out) == buffer->length)
        return HST_EXIT_OK;
    hst_message(cli, NULL, "cannot write the output");
    return HST_EXIT_FAILURE;
}
