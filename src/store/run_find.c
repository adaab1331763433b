/* What a person calls a run -> its number; when there is none, the names that are near. */
#include <stdlib.h>
#include <string.h>

#include "store/database.h"
#include "store/run_row.h"

#define NEAR_NAMES 3

enum hst_status hst_store_list(struct hst_store *store, struct hst_run_info **ret_runs, size_t *ret_count,
                               struct hst_error *err)
{
    return hst_run_row_list(store, ret_runs, ret_count, err);
}

/* Insertions, deletions and replacements that turn a into b; both are shorter than a run's name can be. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[sizeof((struct hst_run_info *)0)->name + 1];
    size_t length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= length; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
            unsigned shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[length];
}

/* How far name is from what was asked for; UINT32_MAX when they have nothing to do with each other. */
static unsigned farness(const char *text, const char *name)
{
    size_t length = strlen(text);
    if (name[0] == '\0' || length >= sizeof((struct hst_run_info *)0)->name)
        return UINT32_MAX;
    unsigned distance = edit_distance(text, name), allowed = length < 6 ? 2 : (unsigned)length / 3;
    if (distance <= allowed && distance < length)
        return distance;
    return length >= 2 && strncmp(text, name, length) == 0 ? allowed + 1 : UINT32_MAX;
}

static void hint_near_names(const char *text, const struct hst_run_info *runs, size_t count,
                            struct hst_error *err)
{
    const char *names[NEAR_NAMES] = {NULL};
    unsigned best[NEAR_NAMES] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    for (size_t i = count; i-- > 0;) { /* newest first, so that it wins a tie */
        unsigned far = farness(text, runs[i].name);
        for (size_t k = 0; k < NEAR_NAMES; k++) {
            if (far >= best[k])
                continue;
            memmove(&best[k + 1], &best[k], (NEAR_NAMES - 1 - k) * sizeof best[0]);
            memmove(&names[k + 1], &names[k], (NEAR_NAMES - 1 - k) * sizeof names[0]);
            best[k] = far;
            names[k] = runs[i].name;
            break;
        }
    }
    if (names[0] == NULL)
        hst_error_hint(err, count > 0 ? "`hasten runs` lists the runs there are"
                                      : "`hasten run PROGRAM` records one");
    else
        hst_error_hint(err, "is it %s%s%s%s%s? `hasten runs` lists all", names[0], names[1] ? " or " : "",
                       names[1] ? names[1] : "", names[2] ? " or " : "", names[2] ? names[2] : "");
}

static enum hst_status no_such_run(struct hst_store *store, const char *text, struct hst_error *err)
{
    HST_CLEANUP_FREE struct hst_run_info *runs = NULL;
    size_t count = 0;
    HST_TRY(hst_run_row_list(store, &runs, &count, err));
    if (count == 0)
        (void)hst_error_set(err, HST_E_NOENT, "there are no runs in %s", store->path);
    else
        (void)hst_error_set(err, HST_E_NOENT, "there is no run \"%.128s\" in %s", text, store->path);
    hint_near_names(text, runs, count, err);
    return HST_E_NOENT;
}

/* All digits -> the number; 0 when it is not one. */
static uint64_t parse_number(const char *text)
{
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > 18 || text[length] != '\0')
        return 0;
    return strtoull(text, NULL, 10);
}

/* "last" -> 0, "last~N" -> N; -1 when it is neither. */
static int64_t parse_last(const char *text)
{
    if (strncmp(text, "last", 4) != 0)
        return -1;
    if (text[4] == '\0')
        return 0;
    if (text[4] != '~')
        return -1;
    if (text[5] == '\0')
        return 1;
    size_t length = strspn(text + 5, "0123456789");
    return length > 18 || text[5 + length] != '\0' ? -1 : strtoll(text + 5, NULL, 10);
}

enum hst_status hst_store_find(struct hst_store *store, const char *text, uint64_t *ret_number,
                               struct hst_error *err)
{
    int64_t found = 0, back = parse_last(text);
    uint64_t number = parse_number(text);
    if (back >= 0) {
        HST_TRY(hst_store_number(store, "SELECT id FROM run ORDER BY id DESC LIMIT 1 OFFSET ?1",
                                 (uint64_t)back, 0, &found, err));
    } else if (number > 0) {
        HST_TRY(hst_store_number(store, "SELECT id FROM run WHERE id = ?1", number, 0, &found, err));
    } else {
        HST_CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
        int row;
        HST_TRY(hst_store_prepare(store, "SELECT id FROM run WHERE name = ?1", &statement, err));
        (void)sqlite3_bind_text(statement, 1, text, -1, SQLITE_TRANSIENT);
        HST_TRY(hst_store_step(store, statement, &row, err));
        if (row)
            found = sqlite3_column_int64(statement, 0);
    }
    if (found <= 0)
        return no_such_run(store, text, err);
    *ret_number = (uint64_t)found;
    return HST_OK;
}
