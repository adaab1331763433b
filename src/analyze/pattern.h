/* What a person types to name functions or files: a glob, or re: and a regular expression. */
#ifndef HST_ANALYZE_PATTERN_H
#define HST_ANALYZE_PATTERN_H

#include <regex.h>
#include <stddef.h>

#include "base/status.h"
#include "model/profile.h"

struct hst_patterns {
    struct hst_pattern *items;
    size_t count;
};

/* HST_E_INVALID with the reason when one is not a regular expression. Texts must live as long as the
 * patterns. */
enum hst_status hst_patterns_init(struct hst_patterns *patterns, const char *const *texts, size_t count,
                                  struct hst_error *err) HST_MUST_CHECK;
void hst_patterns_release(struct hst_patterns *patterns);
/* Whether one of them matches the function's name, its qualified name, its file, or the file's last part. */
int hst_patterns_match(const struct hst_patterns *patterns, const struct hst_profile *profile,
                       uint32_t function);

#endif
