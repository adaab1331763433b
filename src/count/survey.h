/* Folders of counters -> everything in them added up, and which processes it comes from. */
#ifndef HST_COUNT_SURVEY_H
#define HST_COUNT_SURVEY_H

#include <sys/types.h>

#include "count/owner.h"
#include "count/tally.h"

struct hst_survey_process {
    struct hst_counter_owner owner;
    enum hst_counter_life life;
    uint64_t lost; /* values that found no memory */
    char service[HST_COUNTER_SERVICE_BYTES];
    char command[512];
};

/* What is wanted: all of these that are set. */
struct hst_survey_wish {
    uint32_t pid;        /* 0: any process, and the totals of the dead */
    const char *service; /* NULL: any */
};

struct hst_survey {
    struct hst_tally tally;
    struct hst_survey_process *processes;
    size_t process_count, process_capacity;
    uint64_t time_ns; /* CLOCK_MONOTONIC: of what moment it is */
    uint64_t wall_ns;
};

void hst_survey_init(struct hst_survey *survey);
void hst_survey_release(struct hst_survey *survey);
/* Adds what is in a folder. HST_E_NOENT: it is not there. HST_E_PERM: it may not be read. */
enum hst_status hst_survey_add(struct hst_survey *survey, const char *folder,
                               const struct hst_survey_wish *wish, struct hst_error *err) HST_MUST_CHECK;
/* The folder of a user. */
void hst_survey_folder_of(uid_t user, char *into, size_t size);
/* Whether a folder of that name is really that user's. */
int hst_survey_is_of(const char *folder, uid_t user);

#endif
