/* Dumps of meliae: what is read must be a heap that the store and every question take. */
#include "fuzz.h"

#include "export/meliae.h"
#include "graph/graph.h"
#include "import/meliae_reader.h"

static void check(const struct hst_heap *heap, size_t size)
{
    const struct hst_graph graph = {(uint32_t)heap->count, heap->first, heap->targets};
    uint64_t bytes = 0;
    FUZZ_REQUIRE(heap->count > 0 && heap->count <= size && heap->first[heap->count] <= size);
    FUZZ_REQUIRE(hst_graph_is_sound(&graph));
    for (size_t i = 0; i < heap->count; i++) {
        FUZZ_REQUIRE(heap->addresses[i] > (i > 0 ? heap->addresses[i - 1] : 0));
        FUZZ_REQUIRE(heap->addresses[i] < UINT64_MAX && heap->types[i] < heap->type_count);
        FUZZ_REQUIRE(heap->bytes[i] <= INT64_MAX - bytes);
        bytes += heap->bytes[i];
    }
    for (size_t i = 0; i < heap->values.count; i++) {
        uint64_t begin = i > 0 ? heap->values.ends[i - 1] : 0;
        FUZZ_REQUIRE(heap->values.objects[i] < heap->count && heap->values.ends[i] >= begin);
        FUZZ_REQUIRE(i == 0 || heap->values.objects[i] > heap->values.objects[i - 1]);
        FUZZ_REQUIRE(heap->values.ends[i] - begin <= HST_HEAP_VALUE_BYTES);
    }
    for (size_t i = 0; i < heap->root_count; i++)
        FUZZ_REQUIRE(heap->roots[i].object < heap->count && heap->roots[i].name < heap->strings.count);
}

/* What is written of it is read again as the same graph. */
static void check_again(const struct hst_heap *heap)
{
    struct hst_output output = {.fd = -1};
    struct hst_heap again;
    struct hst_meliae_summary summary;
    struct hst_error err = {0};
    hst_buffer_init(&output.pending, 0);
    FUZZ_REQUIRE(hst_meliae_write(heap, &output) == HST_OK && !output.pending.failed);
    if (output.status == HST_OK && output.bytes == 0) { /* else some of it is gone: there is no file */
        FUZZ_REQUIRE(hst_meliae_read_bytes("again", output.pending.data, output.pending.length, &again,
                                           &summary, &err) == HST_OK);
        FUZZ_REQUIRE(summary.bad_lines == 0 && summary.repeated == 0 && summary.unknown_references == 0);
        FUZZ_REQUIRE(again.count == heap->count && again.type_count <= heap->type_count);
        for (size_t i = 0; i < heap->count; i++)
            FUZZ_REQUIRE(again.addresses[i] == heap->addresses[i] && again.bytes[i] == heap->bytes[i]);
        for (size_t i = 0; i <= heap->count; i++)
            FUZZ_REQUIRE(again.first[i] == heap->first[i]);
        hst_heap_release(&again);
    }
    hst_output_release(&output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hst_heap heap;
    struct hst_meliae_summary summary;
    struct hst_error err = {0};
    enum hst_status status = hst_meliae_read_bytes("input", data, size, &heap, &summary, &err);
    FUZZ_REQUIRE(status == HST_OK || status == HST_E_INVALID);
    FUZZ_REQUIRE((status == HST_OK) == (err.text[0] == '\0'));
    FUZZ_REQUIRE(summary.bad_lines <= summary.lines && summary.lines <= size);
    for (size_t i = 0; i < HST_MELIAE_SHOWN && i < summary.bad_lines; i++)
        FUZZ_REQUIRE(summary.bad[i].why != NULL && summary.bad[i].line <= summary.lines);
    if (status != HST_OK)
        return 0;
    check(&heap, size);
    check_again(&heap);
    hst_heap_release(&heap);
    return 0;
}
