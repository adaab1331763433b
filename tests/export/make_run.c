/* A description on standard input -> a run in a store, through the store's public interface: so that a test
 * knows to the nanosecond what an export must say.  One row a line, fields separated by tabs, texts with %XX
 * for any byte:
 *
 *     info      command  directory  rate in Hz
 *     process   pid  parent pid  command  interpreter  executable
 *     thread    process  native id  name
 *     function  name  qualname  file  first line
 *     location  function  line  column
 *     stack     parent  location
 *     sample    time  weight  thread  stack  state  flags  detail
 *
 * Rows are numbered in the order in which they come (stacks from 1). usage: make_run STORE < description */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/run_writer.h"
#include "store/store.h"

enum { FIELDS_MAX = 8, LINE_MAX_BYTES = 65536 };

struct making {
    struct hst_run_info info;
    struct hst_profile profile;
    struct hst_store *store;
    struct hst_run_writer *writer;
    char *fields[FIELDS_MAX];
    size_t field_count;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "make_run: %s\n", what);
    exit(1);
}

static void must(enum hst_status status, const struct hst_error *err)
{
    if (status != HST_OK)
        die(err->text[0] != '\0' ? err->text : hst_status_name(status));
}

static uint64_t number(const struct making *making, size_t field)
{
    return strtoull(making->fields[field], NULL, 10);
}

/* %XX -> byte, in place. */
static char *decoded(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        unsigned byte;
        if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
            *to = (char)byte;
            from += 3;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return text;
}

static uint32_t string(struct making *making, size_t field)
{
    return hst_strings_add_z(&making->profile.strings, decoded(making->fields[field]));
}

static void take_sample(struct making *making)
{
    struct hst_error err = {0};
    if (making->writer == NULL)
        must(hst_run_writer_new(making->store, &making->info, &making->writer, &err), &err);
    const struct hst_sample sample = {.time_ns = number(making, 1),
                                      .weight_ns = number(making, 2),
                                      .thread = (uint32_t)number(making, 3),
                                      .stack = (uint32_t)number(making, 4),
                                      .state = (uint8_t)number(making, 5),
                                      .flags = (uint8_t)number(making, 6),
                                      .detail = (uint16_t)number(making, 7)};
    must(hst_run_writer_add(making->writer, &sample), &err);
    if (hst_run_writer_pending_bytes(making->writer) > 1 << 20)
        must(hst_run_writer_flush(making->writer, &making->profile, &making->info, &err), &err);
    making->info.cost.samples++;
    if (sample.time_ns > making->info.duration_ns)
        making->info.duration_ns = sample.time_ns;
}

static void take_row(struct making *making)
{
    struct hst_profile *profile = &making->profile;
    const char *kind = making->fields[0];
    if (strcmp(kind, "info") == 0) {
        (void)snprintf(making->info.command, sizeof making->info.command, "%s", decoded(making->fields[1]));
        (void)snprintf(making->info.directory, sizeof making->info.directory, "%s",
                       decoded(making->fields[2]));
        making->info.rate_hz = strtod(making->fields[3], NULL);
    } else if (strcmp(kind, "process") == 0) {
        struct hst_process row = {.pid = (uint32_t)number(making, 1),
                                  .parent_pid = (uint32_t)number(making, 2)};
        row.command = string(making, 3);
        row.interpreter = string(making, 4);
        row.executable = string(making, 5);
        hst_profile_add_process(profile, &row);
    } else if (strcmp(kind, "thread") == 0) {
        struct hst_thread row = {.process = (uint32_t)number(making, 1),
                                 .native_id = (uint32_t)number(making, 2)};
        row.name = string(making, 3);
        hst_profile_add_thread(profile, &row);
    } else if (strcmp(kind, "function") == 0) {
        struct hst_function row = {.first_line = (uint32_t)number(making, 4)};
        row.name = string(making, 1);
        row.qualname = string(making, 2);
        row.file = string(making, 3);
        hst_profile_function(profile, &row);
    } else if (strcmp(kind, "location") == 0) {
        struct hst_location row;
        memset(&row, 0, sizeof row); /* rows are compared byte by byte */
        row.function = (uint32_t)number(making, 1);
        row.line = (uint32_t)number(making, 2);
        row.column = (uint16_t)number(making, 3);
        hst_profile_location(profile, &row);
    } else if (strcmp(kind, "stack") == 0) {
        hst_profile_stack(profile, (uint32_t)number(making, 1), (uint32_t)number(making, 2));
    } else if (strcmp(kind, "sample") == 0) {
        take_sample(making);
    } else {
        die("a row of an unknown kind");
    }
}

static void split(struct making *making, char *line)
{
    making->field_count = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *field = line; field != NULL && making->field_count < FIELDS_MAX;) {
        making->fields[making->field_count++] = field;
        field = strchr(field, '\t');
        if (field != NULL)
            *field++ = '\0';
    }
    for (size_t i = making->field_count; i < FIELDS_MAX; i++)
        making->fields[i] = line + strlen(line); /* empty */
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    struct making making = {0};
    struct hst_error err = {0};
    if (argc != 2)
        die("usage: make_run STORE < description");
    making.info.exit_status = -1;
    making.info.cost.slowdown_percent = -1;
    (void)snprintf(making.info.hasten_version, sizeof making.info.hasten_version, "%s", HST_VERSION);
    HST_CLEANUP_FREE char *path = hst_store_locate(argv[1], ".");
    if (path == NULL || !hst_profile_init(&making.profile))
        die("out of memory");
    must(hst_store_open(path, HST_STORE_WRITE, &making.store, &err), &err);
    while (fgets(line, sizeof line, stdin) != NULL) {
        split(&making, line);
        take_row(&making);
    }
    if (making.writer == NULL)
        must(hst_run_writer_new(making.store, &making.info, &making.writer, &err), &err);
    making.info.status = HST_RUN_COMPLETE;
    must(hst_run_writer_finish(making.writer, &making.profile, &making.info, &err), &err);
    hst_run_writer_free(making.writer);
    hst_store_free(making.store);
    hst_profile_release(&making.profile);
    return 0;
}
