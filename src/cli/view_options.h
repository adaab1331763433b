/* The options that choose a part of a run, the same for every command that shows one. */
#ifndef HST_CLI_VIEW_OPTIONS_H
#define HST_CLI_VIEW_OPTIONS_H

#include "analyze/view.h"
#include "cli/options.h"

#define HST_OPTION_ROW_MODE(common)                                                                          \
    {                                                                                                        \
        "mode", 0, "MODE", "wall (default), cpu, gil, gil-wait, blocked, gc, idle or all",                   \
            HST_OPTION_CHOICE, &(common)->mode, hst_mode_names                                               \
    }
#define HST_OPTION_ROW_THREAD(common)                                                                        \
    {                                                                                                        \
        "thread", 0, "THREAD", "only this thread: its number or its name", HST_OPTION_TEXT,                  \
            &(common)->thread, NULL                                                                          \
    }
#define HST_OPTION_ROW_PROCESS(common)                                                                       \
    {                                                                                                        \
        "process", 0, "PID", "only this process", HST_OPTION_TEXT, &(common)->process, NULL                  \
    }
#define HST_OPTION_ROW_SINCE(common)                                                                         \
    {                                                                                                        \
        "since", 0, "TIME", "only from this time of the run on: 1.5 (seconds), 500ms, 2m",                   \
            HST_OPTION_DURATION, &(common)->window.since_ns, NULL                                            \
    }
#define HST_OPTION_ROW_UNTIL(common)                                                                         \
    {                                                                                                        \
        "until", 0, "TIME", "only up to this time of the run", HST_OPTION_DURATION,                          \
            &(common)->window.until_ns, NULL                                                                 \
    }
#define HST_OPTION_ROW_LIBRARY(library)                                                                      \
    {                                                                                                        \
        "library", 0, NULL, "library frames on their own, not folded into the code that calls them",         \
            HST_OPTION_FLAG, (library), NULL                                                                 \
    }

/* The filter that the options describe. Lists point into common. HST_E_NOENT when the profile has no such
 * thread or process. */
enum hst_status hst_view_options_filter(const struct hst_common_options *common,
                                        const struct hst_profile *profile, struct hst_filter *ret_filter,
                                        struct hst_error *err) HST_MUST_CHECK;

#endif
