/* The store: one SQLite file with all runs of a project. Opens every version ever released, upgrades in
 * place, refuses a newer one by name. Schema: docs/format.md. */
#ifndef HST_STORE_STORE_H
#define HST_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/run.h"

struct hst_store;

enum hst_store_mode { HST_STORE_READ, HST_STORE_WRITE /* creates folder and file when absent */ };

/* The file a command uses: option (--store) if not NULL, else HASTEN_STORE, else .hasten/runs.db in the
 * nearest folder at or above directory that has pyproject.toml or .git, else in directory. An option or
 * variable may name a file or a folder. The result is the caller's to free. NULL: out of memory. */
char *hst_store_locate(const char *option, const char *directory);

enum hst_status hst_store_open(const char *path, enum hst_store_mode mode, struct hst_store **ret_store,
                               struct hst_error *err) HST_MUST_CHECK;
void hst_store_free(struct hst_store *store);
const char *hst_store_path(const struct hst_store *store);

/* All runs, oldest first; the array is the caller's to hst_free. */
enum hst_status hst_store_list(struct hst_store *store, struct hst_run_info **ret_runs, size_t *ret_count,
                               struct hst_error *err) HST_MUST_CHECK;
/* A run by number ("7"), "last" (the newest), "last~1" (the one before), or name. Names that are near are in
 * the hint when there is none. */
enum hst_status hst_store_find(struct hst_store *store, const char *text, uint64_t *ret_number,
                               struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_store_remove(struct hst_store *store, uint64_t number,
                                 struct hst_error *err) HST_MUST_CHECK;
/* Whether hst_store_export may write to path from the store at store_path, which need not be there yet. */
enum hst_status hst_store_export_check(const char *store_path, const char *path,
                                       struct hst_error *err) HST_MUST_CHECK;
/* One run into a fresh store file at path (the format "hasten"). */
enum hst_status hst_store_export(struct hst_store *store, uint64_t number, const char *path,
                                 struct hst_error *err) HST_MUST_CHECK;

#endif
