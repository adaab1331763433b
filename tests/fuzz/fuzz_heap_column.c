/* The blocks of a heap's columns.
 *
 * input   3 bytes: objects, references (where there are objects), types less 1; then one column after the
 * other, in the order of the store: 2 bytes of length, and the content of its one block, which is compressed
 * here (else a fuzzer never gets past zstd's checksum) */
#include "fuzz.h"

#include <string.h>
#include <zstd.h>

#include "base/memory.h"
#include "store/heap_column.h"

static void make_room(struct hst_heap *heap, struct hst_heap_sizes *sizes, struct hst_cursor *input)
{
    sizes->objects = hst_cursor_byte(input);
    sizes->references = sizes->places = sizes->objects > 0 ? hst_cursor_byte(input) : 0;
    sizes->values = sizes->roots = sizes->objects / 2;
    sizes->value_bytes = sizes->values * 3;
    FUZZ_REQUIRE(hst_heap_init(heap));
    heap->count = sizes->objects;
    heap->type_count = 1u + hst_cursor_byte(input);
    heap->root_count = sizes->roots;
    heap->values.count = sizes->values;
    heap->addresses = hst_alloc(sizes->objects, sizeof *heap->addresses);
    heap->types = hst_alloc(sizes->objects, sizeof *heap->types);
    heap->bytes = hst_alloc(sizes->objects, sizeof *heap->bytes);
    heap->first = hst_alloc_zero(sizes->objects + 1, sizeof *heap->first);
    heap->targets = hst_alloc(sizes->references, sizeof *heap->targets);
    heap->places = hst_alloc(sizes->places, sizeof *heap->places);
    heap->roots = hst_alloc(sizes->roots, sizeof *heap->roots);
    heap->values.objects = hst_alloc(sizes->values, sizeof *heap->values.objects);
    heap->values.ends = hst_alloc(sizes->values, sizeof *heap->values.ends);
    heap->values.data = hst_alloc(sizes->value_bytes, 1);
    FUZZ_REQUIRE(heap->addresses && heap->types && heap->bytes && heap->first && heap->targets &&
                 heap->places && heap->roots && heap->values.objects && heap->values.ends &&
                 heap->values.data);
}

/* 1: the column was decoded, and it is what the writer would have written of it. */
static int take_column(struct hst_heap_coder *coder, enum hst_heap_column column, struct hst_cursor *input)
{
    static uint8_t block[80000];
    const char *reason = NULL;
    size_t length = hst_cursor_byte(input);
    length |= (size_t)hst_cursor_byte(input) << 8;
    const uint8_t *content = hst_cursor_bytes(input, length);
    if (content == NULL)
        return 0;
    hst_heap_coder_begin(coder, column);
    uint64_t rows = hst_heap_coder_left(coder);
    if (rows == 0)
        return 1;
    length = ZSTD_compress(block, sizeof block, content, length, 1);
    FUZZ_REQUIRE(!ZSTD_isError(length));
    enum hst_status status = hst_heap_decode(coder, rows, block, length, &reason);
    FUZZ_REQUIRE(status == HST_OK || (status == HST_E_CORRUPT && reason != NULL));
    if (status != HST_OK)
        return 0;
    struct hst_buffer again;
    hst_buffer_init(&again, 0);
    hst_heap_coder_begin(coder, column);
    FUZZ_REQUIRE(hst_heap_encode(coder, &again, &rows, &reason) == HST_OK);
    hst_heap_coder_begin(coder, column);
    FUZZ_REQUIRE(hst_heap_decode(coder, rows, again.data, again.length, &reason) == HST_OK);
    hst_buffer_release(&again);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hst_cursor input = {.at = data, .end = data + size};
    struct hst_heap heap;
    struct hst_heap_sizes sizes = {0};
    make_room(&heap, &sizes, &input);
    struct hst_heap_coder *coder = hst_heap_coder_new(&heap, &sizes);
    FUZZ_REQUIRE(coder != NULL);
    for (unsigned i = 0; i < HST_COLUMN_COUNT && take_column(coder, (enum hst_heap_column)i, &input); i++)
        ;
    hst_heap_coder_free(coder);
    hst_heap_release(&heap);
    return 0;
}
