/* Options -> a filter. */
#include "cli/view_options.h"

#include <stdlib.h>
#include <string.h>

static enum hst_status thread_find(const struct hst_profile *profile, const char *text, uint32_t *ret_thread,
                                   struct hst_error *err)
{
    uint64_t number;
    int is_number = hst_count_parse(text, &number) == HST_OK;
    uint32_t found = HST_ID_NONE;
    size_t matches = 0;
    for (uint32_t t = 0; t < profile->thread_count; t++) {
        const struct hst_thread *thread = &profile->threads[t];
        if (is_number ? thread->native_id == number
                      : strcmp(hst_profile_text(profile, thread->name), text) == 0) {
            found = t;
            matches++;
        }
    }
    if (matches == 1) {
        *ret_thread = found;
        return HST_OK;
    }
    if (matches > 1)
        (void)hst_error_set(err, HST_E_INVALID, "%zu threads are called '%.100s'", matches, text);
    else
        (void)hst_error_set(err, HST_E_NOENT, "this run has no thread '%.100s'", text);
    hst_error_hint(err,
                   "`hasten show --threads` lists them; the number in front of the name tells them apart");
    return err->status;
}

static enum hst_status process_find(const struct hst_profile *profile, const char *text,
                                    uint32_t *ret_process, struct hst_error *err)
{
    uint64_t pid;
    if (hst_count_parse(text, &pid) == HST_OK)
        for (uint32_t p = 0; p < profile->process_count; p++)
            if (profile->processes[p].pid == pid) {
                *ret_process = p;
                return HST_OK;
            }
    (void)hst_error_set(err, HST_E_NOENT, "this run has no process '%.100s'", text);
    hst_error_hint(err, "`hasten show --threads` lists processes and threads");
    return HST_E_NOENT;
}

enum hst_status hst_view_options_filter(const struct hst_common_options *common,
                                        const struct hst_profile *profile, struct hst_filter *ret_filter,
                                        struct hst_error *err)
{
    struct hst_filter filter = HST_FILTER_ALL;
    filter.mode = common->gil ? HST_MODE_GIL : (enum hst_mode)common->mode;
    filter.hide = common->hide.texts;
    filter.hide_count = common->hide.count;
    filter.show = common->show.texts;
    filter.show_count = common->show.count;
    filter.fold = 1;
    if (common->thread != NULL)
        HST_TRY(thread_find(profile, common->thread, &filter.thread, err));
    if (common->process != NULL)
        HST_TRY(process_find(profile, common->process, &filter.process, err));
    *ret_filter = filter;
    return HST_OK;
}
