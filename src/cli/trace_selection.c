/* Asks every pattern about every function, once. */
#include "cli/trace_selection.h"

#include <string.h>

#include "analyze/pattern.h"
#include "base/memory.h"
#include "base/nearest.h"

#define JUDGED 0x80

static const char *const option_names[HST_TRACE_RULE_COUNT] = {[HST_TRACE_ONLY] = "--only",
                                                               [HST_TRACE_SKIP] = "--skip",
                                                               [HST_TRACE_FROM] = "--from",
                                                               [HST_TRACE_TO] = "--to"};

struct hst_trace_pattern {
    const char *text;
    struct hst_patterns one;
    enum hst_trace_rule rule;
    int matched; /* a function that was called */
};

enum hst_status hst_trace_selection_init(struct hst_trace_selection *selection, struct hst_error *err)
{
    size_t count = 0;
    for (int rule = 0; rule < HST_TRACE_RULE_COUNT; rule++)
        count += selection->texts[rule].count;
    selection->patterns = hst_alloc_zero(count + 1, sizeof *selection->patterns);
    if (selection->patterns == NULL)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    for (int rule = 0; rule < HST_TRACE_RULE_COUNT; rule++)
        for (size_t i = 0; i < selection->texts[rule].count; i++) {
            struct hst_trace_pattern *pattern = &selection->patterns[selection->count];
            pattern->text = selection->texts[rule].texts[i];
            pattern->rule = (enum hst_trace_rule)rule;
            HST_TRY(hst_patterns_init(&pattern->one, &pattern->text, 1, err));
            selection->count++;
        }
    return HST_OK;
}

void hst_trace_selection_release(struct hst_trace_selection *selection)
{
    for (size_t i = 0; i < selection->count; i++)
        hst_patterns_release(&selection->patterns[i].one);
    hst_free(selection->patterns);
    hst_free(selection->judged);
    selection->patterns = NULL;
    selection->judged = NULL;
    selection->count = selection->judged_count = selection->judged_capacity = 0;
}

static unsigned ask(struct hst_trace_selection *selection, uint32_t function)
{
    unsigned matches = 0; /* by rule */
    for (size_t i = 0; i < selection->count; i++) {
        struct hst_trace_pattern *pattern = &selection->patterns[i];
        if (!hst_patterns_match(&pattern->one, selection->profile, function))
            continue;
        pattern->matched = 1;
        matches |= 1u << pattern->rule;
    }
    unsigned judged = 0;
    if ((matches & 1u << HST_TRACE_SKIP) != 0 ||
        (selection->texts[HST_TRACE_ONLY].count > 0 && (matches & 1u << HST_TRACE_ONLY) == 0))
        judged |= HST_AGENT_HIDDEN;
    if ((matches & 1u << HST_TRACE_FROM) != 0)
        judged |= HST_AGENT_BEGINS;
    if ((matches & 1u << HST_TRACE_TO) != 0)
        judged |= HST_AGENT_ENDS;
    return judged;
}

static unsigned judge(void *context, uint32_t function)
{
    struct hst_trace_selection *selection = context;
    if (function >= selection->judged_count) {
        size_t count = selection->profile->function_count;
        if (!HST_RESERVE(selection->judged, selection->judged_capacity, count))
            return ask(selection, function);
        memset(selection->judged + selection->judged_count, 0, count - selection->judged_count);
        selection->judged_count = count;
    }
    uint8_t *judged = &selection->judged[function];
    if (*judged == 0)
        *judged = (uint8_t)(JUDGED | ask(selection, function));
    return *judged & ~(unsigned)JUDGED;
}

void hst_trace_selection_apply(struct hst_trace_selection *selection, struct hst_agent_maps *maps)
{
    selection->profile = maps->profile;
    if (selection->count == 0)
        return;
    maps->judge = judge;
    maps->judge_context = selection;
    maps->only_inside = selection->texts[HST_TRACE_FROM].count > 0;
}

/* The part of the pattern that is no glob: what a person may have got wrong. */
static const char *nearest_name(const struct hst_profile *profile, const char *text)
{
    struct hst_nearest nearest = {.wanted = text};
    for (size_t i = 0; i < profile->function_count; i++) {
        const struct hst_function *function = &profile->functions[i];
        const char *file = hst_profile_text(profile, function->file), *slash = strrchr(file, '/');
        hst_nearest_offer(&nearest, hst_profile_text(profile, function->name));
        hst_nearest_offer(&nearest, hst_profile_text(profile, function->qualname));
        hst_nearest_offer(&nearest, slash != NULL ? slash + 1 : file);
    }
    return nearest.best;
}

void hst_trace_selection_say(struct hst_cli *cli, const struct hst_trace_selection *selection)
{
    for (size_t i = 0; i < selection->count; i++) {
        const struct hst_trace_pattern *pattern = &selection->patterns[i];
        if (pattern->matched)
            continue;
        const char *option = option_names[pattern->rule];
        const char *near =
            strncmp(pattern->text, "re:", 3) != 0 ? nearest_name(selection->profile, pattern->text) : NULL;
        HST_CLEANUP_FREE char *hint =
            near != NULL
                ? hst_asprintf("%s '%s'", option, near)
                : hst_strdup("a name, a file or a glob such as '*.parse_*'; re: begins a regular expression");
        hst_message_note(cli, hint, "%s '%s' matches no function that was called", option, pattern->text);
    }
}
