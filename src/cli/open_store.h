/* The store that a command works on, opened; and documents written to standard output. */
#ifndef HST_CLI_OPEN_STORE_H
#define HST_CLI_OPEN_STORE_H

#include <jansson.h>

#include "base/buffer.h"
#include "cli/messages.h"
#include "store/store.h"

void hst_cli_release_store_(struct hst_store **store);
#define HST_CLEANUP_STORE HST_CLEANUP(hst_cli_release_store_)

/* hst_store_locate from this folder, then hst_store_open. A file that is no store, or one that may not be
 * opened, gets a status whose exit code is HST_EXIT_STORE. */
enum hst_status hst_cli_store_open(const char *option, enum hst_store_mode mode, struct hst_store **ret_store,
                                   struct hst_error *err) HST_MUST_CHECK;

/* Print and give an exit code. json may be NULL (out of memory) and is released. */
int hst_cli_print_json(struct hst_cli *cli, json_t *json);
int hst_cli_print_buffer(struct hst_cli *cli, const struct hst_buffer *buffer);

#endif
