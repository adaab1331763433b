/* A file of counters: read, added up twice, shown in every way, and folded as that of a dead process. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "count/fold.h"
#include "count/survey.h"
#include "report/count.h"

static char folder[64];

static void show(const struct hst_survey *survey)
{
    const struct hst_style style = {.width = HST_STYLE_WIDTH_DEFAULT};
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    FUZZ_REQUIRE(hst_count_text(survey, survey, 0, &style, &text) == HST_OK);
    for (size_t i = 0; i < text.length; i++)
        FUZZ_REQUIRE(text.data[i] >= 0x20 || text.data[i] == '\n');
    FUZZ_REQUIRE(hst_count_json(survey, &text) == HST_OK);
    FUZZ_REQUIRE(hst_count_metrics(survey, 0, &text) == HST_OK);
    FUZZ_REQUIRE(hst_count_metrics(survey, 1, &text) == HST_OK);
    hst_buffer_release(&text);
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)close(fd);
}

/* An owner whose namespace is not 1 is made one of this namespace, so that it can be judged: dead, most
 * often. */
static void settle(const char *path, struct hst_counter_header *header)
{
    struct hst_counter_owner self;
    if (header->owner.pid_space == 1)
        return;
    hst_counter_owner_read(&self);
    header->owner.pid_space = self.pid_space;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    FUZZ_REQUIRE(fd >= 0 && pwrite(fd, header, sizeof *header, 0) == (ssize_t)sizeof *header);
    (void)close(fd);
}

static void survey_all(int *ret_rows)
{
    const struct hst_survey_wish all = {0};
    struct hst_survey survey;
    struct hst_error err;
    hst_survey_init(&survey);
    FUZZ_REQUIRE(hst_survey_add(&survey, folder, &all, &err) == HST_OK);
    hst_tally_sort(&survey.tally);
    show(&survey);
    *ret_rows = (int)survey.tally.count;
    hst_survey_release(&survey);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[128], totals[128];
    struct hst_counter_header header;
    int rows;
    (void)snprintf(folder, sizeof folder, "/dev/shm/hst-fuzz-counters-%d", (int)getpid());
    (void)mkdir(folder, 0700);
    (void)snprintf(path, sizeof path, "%s/1-1.0.counters", folder);
    write_file(path, data, size);
    if (hst_counter_header_read(path, &header) == HST_OK) {
        char name[80], own[160];
        settle(path, &header);
        hst_counter_file_name(&header.owner, name, sizeof name);
        (void)snprintf(own, sizeof own, "%s/%s", folder, name);
        hst_counter_totals_path(folder, header.service, totals, sizeof totals);
        if (rename(path, own) == 0)
            (void)snprintf(path, sizeof path, "%.127s", own);
        survey_all(&rows);
        hst_counter_fold(folder, 1);
        survey_all(&rows);
        hst_counter_fold(folder, 1);
        (void)unlink(totals);
    } else {
        survey_all(&rows);
    }
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/lock", folder);
    (void)unlink(path);
    (void)rmdir(folder);
    return 0;
}
