/* The tables of a store, and the steps that bring a file of any older version to them.  Only for src/store
 * and its tests. */
#ifndef HST_STORE_SCHEMA_H
#define HST_STORE_SCHEMA_H

#include "base/status.h"

#define HST_STORE_APPLICATION_ID 0x4853544e /* "HSTN", at offset 68 of the file */

/* steps[n] turns version n into n + 1; version 0 is an empty file, so steps[0] makes the first tables. */
struct hst_schema {
    const char *const *steps;
    int version; /* the number of steps */
};
extern const struct hst_schema hst_schema_now;

struct hst_store;
/* The version of the open file, 0 when it is empty; HST_E_INVALID when it is another program's,
 * HST_E_NEWER when it is beyond schema. */
enum hst_status hst_schema_inspect(struct hst_store *store, const struct hst_schema *schema, int *ret_version,
                                   struct hst_error *err) HST_MUST_CHECK;
/* Takes every step that is missing, all in one transaction. */
enum hst_status hst_schema_upgrade(struct hst_store *store, const struct hst_schema *schema,
                                   struct hst_error *err) HST_MUST_CHECK;

#endif
