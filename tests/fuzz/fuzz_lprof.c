/* Files of line_profiler. */
#include "fuzz.h"

#include "import/lprof_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hst_profile profile;
    struct hst_lines lines;
    struct hst_error err = {0};
    FUZZ_REQUIRE(hst_profile_init(&profile));
    hst_lines_init(&lines);
    enum hst_status status = hst_lprof_read("input", data, size, &profile, &lines, &err);
    FUZZ_REQUIRE(status == HST_OK || status == HST_E_CORRUPT || status == HST_E_INVALID);
    FUZZ_REQUIRE((status == HST_OK) == (err.text[0] == '\0'));
    if (status == HST_OK) {
        FUZZ_REQUIRE(hst_profile_validate(&profile, &err) == HST_OK);
        FUZZ_REQUIRE(lines.count <= size && profile.function_count <= size);
        hst_lines_sort(&lines);
        for (size_t i = 0; i < lines.count; i++) {
            FUZZ_REQUIRE(lines.rows[i].function < profile.function_count);
            FUZZ_REQUIRE(lines.rows[i].hits <= INT64_MAX && lines.rows[i].total_ns <= INT64_MAX);
        }
    }
    hst_lines_release(&lines);
    hst_profile_release(&profile);
    return 0;
}
