/* The text of /proc/PID/maps. */
#include "fuzz.h"

#include <string.h>

#include "target/maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hst_maps maps = {0};
    if (hst_maps_parse((const char *)data, size, &maps) != HST_OK) {
        FUZZ_REQUIRE(maps.items == NULL && maps.count == 0);
        return 0;
    }
    for (size_t i = 0; i < maps.count; i++) {
        FUZZ_REQUIRE(maps.items[i].end >= maps.items[i].start && strlen(maps.items[i].path) < 4096 + 128);
        const struct hst_mapping *found = hst_maps_find(&maps, maps.items[i].start);
        FUZZ_REQUIRE(found == NULL ||
                     (found->start <= maps.items[i].start && maps.items[i].start < found->end));
    }
    hst_maps_release(&maps);
    return 0;
}
