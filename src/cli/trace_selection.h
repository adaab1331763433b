/* Which calls of a traced program are seen: what --only, --skip, --from and --to say -> what a function of
 * the model is for it (capture/agent_maps.h). */
#ifndef HST_CLI_TRACE_SELECTION_H
#define HST_CLI_TRACE_SELECTION_H

#include "capture/agent_maps.h"
#include "cli/messages.h"
#include "cli/options.h"

enum hst_trace_rule { HST_TRACE_ONLY, HST_TRACE_SKIP, HST_TRACE_FROM, HST_TRACE_TO, HST_TRACE_RULE_COUNT };

struct hst_trace_selection {
    struct hst_text_list texts[HST_TRACE_RULE_COUNT]; /* as typed */
    struct hst_trace_pattern *patterns;
    size_t count;
    const struct hst_profile *profile;
    uint8_t *judged; /* by function: what it is, | JUDGED */
    size_t judged_count, judged_capacity;
};

/* Reads the texts. HST_E_INVALID: one of them is not a pattern. */
enum hst_status hst_trace_selection_init(struct hst_trace_selection *selection,
                                         struct hst_error *err) HST_MUST_CHECK;
void hst_trace_selection_release(struct hst_trace_selection *selection);
/* Has maps ask it about the functions of its profile; nothing is asked where nothing was selected. */
void hst_trace_selection_apply(struct hst_trace_selection *selection, struct hst_agent_maps *maps);
/* Names the patterns that matched no function that was called, and what may have been meant. */
void hst_trace_selection_say(struct hst_cli *cli, const struct hst_trace_selection *selection);

#endif
