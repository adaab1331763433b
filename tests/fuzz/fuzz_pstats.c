/* Files of cProfile. */
#include "fuzz.h"

#include "import/pstats_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hst_profile profile;
    struct hst_imported imported;
    struct hst_error err = {0};
    FUZZ_REQUIRE(hst_profile_init(&profile));
    enum hst_status status = hst_pstats_read("input", data, size, &profile, &imported, &err);
    FUZZ_REQUIRE(status == HST_OK || status == HST_E_CORRUPT || status == HST_E_INVALID);
    FUZZ_REQUIRE((status == HST_OK) == (err.text[0] == '\0'));
    if (status == HST_OK) {
        const struct hst_call_totals *totals = &imported.totals;
        uint64_t calls = 0;
        FUZZ_REQUIRE(hst_profile_validate(&profile, &err) == HST_OK);
        FUZZ_REQUIRE(totals->edge_count <= size && totals->function_count <= size);
        for (size_t i = 0; i < totals->function_count; i++) {
            FUZZ_REQUIRE(totals->functions[i].function < profile.function_count);
            FUZZ_REQUIRE(totals->functions[i].sum.primitive <= totals->functions[i].sum.calls);
            calls += totals->functions[i].sum.calls;
        }
        FUZZ_REQUIRE(calls == totals->all.calls);
        for (size_t i = 0; i < totals->edge_count; i++)
            FUZZ_REQUIRE(totals->edges[i].caller < profile.function_count &&
                         totals->edges[i].callee < profile.function_count);
        hst_imported_release(&imported);
    }
    hst_profile_release(&profile);
    return 0;
}
