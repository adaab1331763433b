/* The text of /proc/PID/smaps, and memory in which stacks and headers of libraries are looked for: the input
 * is both, and repeats itself in all of the memory. */
#include "fuzz.h"

#include <string.h>

#include "target/residency.h"

struct tiled {
    struct hst_memory memory;
    const uint8_t *data;
    size_t size;
};

static enum hst_status read_tiled(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    const struct tiled *tiled = (const struct tiled *)(void *)memory;
    for (size_t i = 0; i < count; i++)
        for (size_t done = 0; done < pieces[i].length;) {
            size_t at = (pieces[i].address + done) % 4096 % tiled->size, step = tiled->size - at;
            if (step > pieces[i].length - done)
                step = pieces[i].length - done;
            memcpy((uint8_t *)pieces[i].into + done, tiled->data + at, step);
            done += step;
        }
    return HST_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hst_residency residency = {0};
    struct tiled tiled = {.memory = {.read = read_tiled}, .data = data, .size = size};
    const int tids[] = {1, 77};
    uint64_t sum = 0;
    if (size == 0)
        return 0;
    if (hst_residency_parse((const char *)data, size, &residency) != HST_OK) {
        FUZZ_REQUIRE(residency.items == NULL && residency.count == 0);
        return 0;
    }
    hst_residency_find_stacks(&residency, &tiled.memory, tids, 2);
    hst_residency_find_data(&residency, &tiled.memory);
    for (size_t i = 0; i < residency.count; i++) {
        const struct hst_residence *row = &residency.items[i];
        size_t length;
        FUZZ_REQUIRE(row->own_bytes <= row->resident_bytes && row->resident_bytes <= row->end - row->start);
        FUZZ_REQUIRE(row->data_end <= row->end && row->stack_end <= row->end);
        (void)hst_residence_name(row, &length);
        FUZZ_REQUIRE(length <= strlen(row->path));
        sum += row->resident_bytes;
    }
    FUZZ_REQUIRE(sum == residency.resident_bytes);
    hst_residency_release(&residency);
    return 0;
}
