/* Tables of positions in the three formats.
 *
 * input   1 byte minor version from 3.8, 4 bytes first line, 4 bytes instruction, then the table */
#include "fuzz.h"

#include "reader/linetable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = data, .left = size};
    unsigned minor = 8 + (unsigned)fuzz_number(&input, 1) % 8;
    uint32_t first_line = (uint32_t)fuzz_number(&input, 4), instruction = (uint32_t)fuzz_number(&input, 4);
    struct hst_position p = hst_linetable_find(input.at, input.left, minor, first_line, instruction);
    FUZZ_REQUIRE(p.line <= INT32_MAX && p.end_line <= INT32_MAX);
    if (minor < 11)
        FUZZ_REQUIRE(p.column == 0 && p.end_column == 0 && p.line == p.end_line);
    /* The same bytes give the same answer, and a far instruction gives one at all. */
    struct hst_position again = hst_linetable_find(input.at, input.left, minor, first_line, instruction);
    FUZZ_REQUIRE(again.line == p.line && again.column == p.column);
    (void)hst_linetable_find(input.at, input.left, minor, first_line, UINT32_MAX);
    return 0;
}
