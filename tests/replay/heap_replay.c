/* The steps of capture/heap_read.c, without what is said about the process. */
#include "heap_replay.h"

#include "base/memory.h"
#include "heap/gather.h"
#include "heap/roots.h"

static enum hst_status open_replay(int pid, struct hst_memory *memory, const char *maps, size_t maps_length,
                                   struct heap_replay *replay, struct hst_error *err)
{
    HST_TRY(hst_maps_parse(maps, maps_length, &replay->maps));
    HST_TRY(hst_runtime_find(memory, &replay->maps, "/nowhere", &replay->runtime, err));
    HST_TRY(hst_image_take(pid, &replay->maps, memory, NULL, &replay->image));
    replay->runtime.memory = &replay->image.memory;
    return HST_OK;
}

enum hst_status heap_replay_open(int pid, struct hst_memory *memory, const char *maps, size_t maps_length,
                                 struct heap_replay *replay, struct hst_error *err)
{
    *replay = (struct heap_replay){0};
    enum hst_status status = open_replay(pid, memory, maps, maps_length, replay, err);
    if (status != HST_OK)
        heap_replay_close(replay);
    return status;
}

static enum hst_status read_all(struct heap_replay *replay, struct hst_span **ret_spans)
{
    size_t span_count;
    if (!hst_heap_init(&replay->heap))
        return HST_E_NOMEM;
    HST_TRY(hst_roots_spans(&replay->runtime, ret_spans, &span_count));
    HST_TRY(hst_chunks_find_all(&replay->image, &replay->maps, &replay->chunks));
    HST_TRY(hst_census_take(&replay->image, &replay->runtime.abi, &replay->chunks, *ret_spans, span_count,
                            &replay->census));
    return hst_heap_gather(&replay->census, &replay->runtime, &replay->heap);
}

enum hst_status heap_replay_read(struct heap_replay *replay)
{
    struct hst_span *spans = NULL;
    enum hst_status status = read_all(replay, &spans);
    hst_free(spans);
    if (status != HST_OK)
        heap_replay_forget(replay);
    return status;
}

void heap_replay_forget(struct heap_replay *replay)
{
    hst_census_release(&replay->census);
    hst_chunks_release(&replay->chunks);
    hst_heap_release(&replay->heap);
}

void heap_replay_close(struct heap_replay *replay)
{
    heap_replay_forget(replay);
    hst_image_release(&replay->image);
    hst_maps_release(&replay->maps);
}
