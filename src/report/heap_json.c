/* The summary as it is. */
#include "report/heap.h"
#include "report/json.h"

static json_t *types_json(const struct hst_heap_summary *summary)
{
    json_t *types = json_array();
    for (size_t i = 0; i < summary->count && types != NULL; i++) {
        const struct hst_heap_row *row = &summary->rows[i];
        json_t *item = json_pack("{so sI sI}", "type", hst_json_text(row->type), "objects",
                                 (json_int_t)row->objects, "bytes", (json_int_t)row->bytes);
        if (item == NULL || json_array_append_new(types, item) != 0) {
            json_decref(types);
            return NULL;
        }
    }
    return types;
}

json_t *hst_heap_json(const struct hst_heap_summary *summary)
{
    json_t *types = types_json(summary);
    if (types == NULL)
        return NULL;
    return json_pack("{si so ss sI sI sI sI sI sI sI sI sI sI so}", "pid", summary->pid, "command",
                     hst_json_text(summary->command), "interpreter", summary->interpreter, "pause_ns",
                     (json_int_t)summary->pause_ns, "census_ns", (json_int_t)summary->census_ns, "own_bytes",
                     (json_int_t)summary->copied_bytes, "objects", (json_int_t)summary->objects,
                     "object_bytes", (json_int_t)summary->object_bytes, "buffers",
                     (json_int_t)summary->buffers, "buffer_bytes", (json_int_t)summary->buffer_bytes,
                     "free_bytes", (json_int_t)summary->free_bytes, "unused_bytes",
                     (json_int_t)summary->unused_bytes, "overhead_bytes", (json_int_t)summary->overhead_bytes,
                     "types", types);
}
