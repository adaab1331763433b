/* Globs by fnmatch, the rest by POSIX extended regular expressions. */
#include "analyze/pattern.h"

#include <fnmatch.h>
#include <string.h>

#include "base/memory.h"

struct hst_pattern {
    const char *glob; /* NULL: regex */
    regex_t regex;
};

enum hst_status hst_patterns_init(struct hst_patterns *patterns, const char *const *texts, size_t count,
                                  struct hst_error *err)
{
    *patterns = (struct hst_patterns){0};
    if (count == 0)
        return HST_OK;
    patterns->items = hst_alloc_zero(count, sizeof *patterns->items);
    if (patterns->items == NULL)
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct hst_pattern *item = &patterns->items[i];
        if (strncmp(texts[i], "re:", 3) != 0) {
            item->glob = texts[i];
        } else {
            int failure = regcomp(&item->regex, texts[i] + 3, REG_EXTENDED | REG_NOSUB);
            if (failure != 0) {
                char reason[128];
                (void)regerror(failure, &item->regex, reason, sizeof reason);
                hst_patterns_release(patterns);
                (void)hst_error_set(err, HST_E_INVALID, "'%.200s' is not a regular expression: %s",
                                    texts[i] + 3, reason);
                hst_error_hint(err, "without re: it is a glob, such as 'load_*' or '*/json/*'");
                return HST_E_INVALID;
            }
        }
        patterns->count++;
    }
    return HST_OK;
}

void hst_patterns_release(struct hst_patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (patterns->items[i].glob == NULL)
            regfree(&patterns->items[i].regex);
    hst_free(patterns->items);
    *patterns = (struct hst_patterns){0};
}

static int matches(const struct hst_pattern *item, const char *text)
{
    return item->glob != NULL ? fnmatch(item->glob, text, 0) == 0
                              : regexec(&item->regex, text, 0, NULL, 0) == 0;
}

int hst_patterns_match(const struct hst_patterns *patterns, const struct hst_profile *profile,
                       uint32_t function)
{
    const struct hst_function *row = &profile->functions[function];
    const char *file = hst_profile_text(profile, row->file);
    const char *slash = strrchr(file, '/');
    for (size_t i = 0; i < patterns->count; i++) {
        const struct hst_pattern *item = &patterns->items[i];
        if (matches(item, hst_profile_text(profile, row->name)) ||
            matches(item, hst_profile_text(profile, row->qualname)) || matches(item, file) ||
            (slash != NULL && matches(item, slash + 1)))
            return 1;
    }
    return 0;
}
