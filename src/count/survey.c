/* Reads under a shared lock, so that nobody folds meanwhile: what is folded is counted once, wherever it is.
 */
#include "count/survey.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "count/fold.h"

enum { PATH_BYTES = 800 };

void hst_survey_init(struct hst_survey *survey)
{
    *survey = (struct hst_survey){.time_ns = hst_now_ns(), .wall_ns = hst_wall_ns()};
    hst_tally_init(&survey->tally);
}

void hst_survey_release(struct hst_survey *survey)
{
    hst_tally_release(&survey->tally);
    hst_free(survey->processes);
}

void hst_survey_folder_of(uid_t user, char *into, size_t size)
{
    (void)snprintf(into, size, HST_COUNTER_FOLDER "%u", (unsigned)user);
}

int hst_survey_is_of(const char *folder, uid_t user)
{
    struct stat info;
    return lstat(folder, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == user;
}

static int ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), wanted = strlen(ending);
    return length > wanted && strcmp(name + length - wanted, ending) == 0;
}

static int is_wanted(const struct hst_survey_wish *wish, const struct hst_counter_header *header)
{
    return (wish->pid == 0 || wish->pid == header->owner.pid) &&
           (wish->service == NULL || strcmp(wish->service, header->service) == 0);
}

/* Its service's totals may have it already. */
static int is_folded(const char *folder, const struct hst_counter_header *header)
{
    char path[PATH_BYTES];
    struct hst_counter_header totals;
    hst_counter_totals_path(folder, header->service, path, sizeof path);
    return hst_counter_header_read(path, &totals) == HST_OK && hst_counter_is_folded(&totals, &header->owner);
}

static enum hst_status add_process(struct hst_survey *survey, const struct hst_counter_header *header,
                                   enum hst_counter_life life)
{
    if (!HST_RESERVE(survey->processes, survey->process_capacity, survey->process_count + 1))
        return HST_E_NOMEM;
    struct hst_survey_process *process = &survey->processes[survey->process_count++];
    *process = (struct hst_survey_process){.owner = header->owner, .life = life, .lost = header->lost};
    memcpy(process->service, header->service, sizeof process->service);
    memcpy(process->command, header->command, sizeof process->command);
    return HST_OK;
}

/* Files that are no longer there, or do not hold together, are passed over. */
static enum hst_status add_file(struct hst_survey *survey, const char *folder, const char *path, int totals,
                                const struct hst_counter_owner *self, const struct hst_survey_wish *wish)
{
    struct hst_counter_file file;
    enum hst_status status = hst_counter_file_open(path, &file);
    if (status != HST_OK)
        return status == HST_E_NOMEM ? status : HST_OK;
    char name[80];
    hst_counter_file_name(&file.header.owner, name, sizeof name);
    int own_name = totals || strcmp(strrchr(path, '/') + 1, name) == 0; /* else it is a copy of something */
    if (own_name && is_wanted(wish, &file.header)) {
        enum hst_counter_life life =
            totals ? HST_COUNTER_DEAD : hst_counter_owner_life(self, &file.header.owner);
        if (totals || life != HST_COUNTER_DEAD || !is_folded(folder, &file.header))
            status = hst_tally_add_file(&survey->tally, &file, life != HST_COUNTER_DEAD, survey->time_ns);
        if (status == HST_OK && !totals)
            status = add_process(survey, &file.header, life);
    }
    hst_counter_file_close(&file);
    return status;
}

enum hst_status hst_survey_add(struct hst_survey *survey, const char *folder,
                               const struct hst_survey_wish *wish, struct hst_error *err)
{
    char path[PATH_BYTES];
    struct hst_counter_owner self;
    enum hst_status status = HST_OK;
    HST_CLEANUP_DIR DIR *entries = opendir(folder);
    if (entries == NULL) {
        status =
            hst_error_set(err, hst_status_from_errno(errno), "cannot read %s: %s", folder, strerror(errno));
        if (status == HST_E_PERM)
            hst_error_hint(err, "sudo hasten count: another user's counters are that user's and root's");
        return status;
    }
    HST_CLEANUP_FD int lock = hst_counter_lock(folder, 0, 1);
    hst_counter_owner_read(&self);
    for (const struct dirent *entry; status == HST_OK && (entry = readdir(entries)) != NULL;) {
        int totals = ends_with(entry->d_name, HST_COUNTER_TOTALS_ENDING);
        if (!totals && !ends_with(entry->d_name, HST_COUNTER_ENDING))
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        status = add_file(survey, folder, path, totals, &self, wish);
    }
    return status == HST_OK ? HST_OK : hst_error_set(err, status, "out of memory");
}
