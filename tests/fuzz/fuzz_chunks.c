/* The blocks of malloc in memory that is anything at all: an input is the contents of a heap, of an arena and
 * of a library's variables, and repeats itself in each. */
#include "fuzz.h"

#include <string.h>

#include "heap/chunks.h"

enum { AREAS = 3, AREA_BYTES = 256 << 10 };

static uint8_t bytes[AREAS][AREA_BYTES];
static const hst_raddr starts[AREAS] = {UINT64_C(0x10000000), UINT64_C(0x14000000), UINT64_C(0x20000000)};

static enum hst_status read_areas(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    (void)memory;
    for (size_t i = 0; i < count; i++) {
        const struct hst_piece *piece = &pieces[i];
        size_t area = 0;
        while (area < AREAS && (piece->address < starts[area] || piece->address >= starts[area] + AREA_BYTES))
            area++;
        if (area == AREAS || piece->length > starts[area] + AREA_BYTES - piece->address)
            return HST_E_TORN;
        memcpy(piece->into, bytes[area] + (piece->address - starts[area]), piece->length);
    }
    return HST_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char heap[] = "[heap]", none[] = "", library[] = "/lib/libc.so.6";
    static char *const paths[AREAS] = {heap, none, library};
    struct hst_mapping mappings[AREAS];
    struct hst_memory memory = {.read = read_areas, .still = 1};
    struct hst_image image;
    struct hst_chunks chunks;
    if (size == 0)
        return 0;
    for (size_t i = 0; i < AREAS; i++) {
        size_t skip = i * (size / AREAS);
        for (size_t at = 0; at < AREA_BYTES; at++)
            bytes[i][at] = data[(at + skip) % size];
        mappings[i] = (struct hst_mapping){starts[i], starts[i] + AREA_BYTES, 0, HST_MAP_READ | HST_MAP_WRITE,
                                           paths[i]};
    }
    const struct hst_maps maps = {.items = mappings, .count = AREAS};
    FUZZ_REQUIRE(hst_image_take(0, &maps, &memory, NULL, &image) == HST_OK);
    FUZZ_REQUIRE(hst_chunks_find_all(&image, &maps, &chunks) == HST_OK);
    for (size_t i = 0; i < chunks.count; i++) {
        const struct hst_chunk *chunk = &chunks.items[i];
        FUZZ_REQUIRE(chunk->bytes == 0 || hst_chunks_find(&chunks, chunk->address) == chunk);
        FUZZ_REQUIRE(i == 0 || chunk[-1].address + chunk[-1].bytes <= chunk->address);
    }
    FUZZ_REQUIRE(chunks.sums.in_use + chunks.sums.free == chunks.count);
    FUZZ_REQUIRE(chunks.sums.in_use_bytes + chunks.sums.free_bytes <= sizeof bytes);
    hst_chunks_release(&chunks);
    hst_image_release(&image);
    return 0;
}
