/* Reads a frame's slots (locals, cells, free variables, in this order) and shows each.  The target goes on
 * meanwhile: a slot counts when it held the same reference before and after its object was read, so that the
 * object was alive. */
#include "reader/locals.h"

#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "reader/objects.h"
#include "reader/text.h"

enum {
    SLOTS_MAX = 4096,
    NAME_CHARACTERS_MAX = 200,
    ROUNDS = 10,
    KIND_HIDDEN = 0x10, /* a comprehension's own, inlined: 3.12 and later */
    TAG_INT = 3,        /* the reference is itself a number: 3.14 and later */
};

void hst_locals_reader_init(struct hst_locals_reader *reader, struct hst_memory *memory,
                            const struct hst_abi *abi)
{
    *reader = (struct hst_locals_reader){.memory = memory, .abi = abi};
}

static void forget_names(struct hst_locals_reader *reader)
{
    for (size_t i = 0; i < reader->count; i++)
        hst_free(reader->names[i]);
    hst_free(reader->names);
    hst_free(reader->kinds);
    reader->names = NULL;
    reader->kinds = NULL;
    reader->count = 0;
    reader->code = 0;
}

void hst_locals_reader_release(struct hst_locals_reader *reader) { forget_names(reader); }

static enum hst_status add_name(struct hst_locals_reader *reader, hst_raddr text_at)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, NAME_CHARACTERS_MAX * 4 + 16);
    HST_TRY(hst_text_read(reader->memory, reader->abi, text_at, NAME_CHARACTERS_MAX, &text));
    char *name = hst_strndup(text.data != NULL ? (const char *)text.data : "", text.length);
    if (name == NULL)
        return HST_E_NOMEM;
    reader->names[reader->count++] = name;
    return HST_OK;
}

/* Appends the names in the tuple whose address stands at a field of the code object. */
static enum hst_status add_names(struct hst_locals_reader *reader, hst_raddr field)
{
    const struct hst_abi *abi = reader->abi;
    hst_raddr tuple;
    uint64_t count;
    HST_TRY(hst_memory_read_u64(reader->memory, field, &tuple));
    if (tuple == 0)
        return HST_OK;
    HST_TRY(hst_memory_read_u64(reader->memory, tuple + abi->var_size, &count));
    if (count > SLOTS_MAX || reader->count + count > SLOTS_MAX)
        return HST_E_UNSUPPORTED;
    HST_CLEANUP_FREE hst_raddr *items = hst_alloc((size_t)count + 1, sizeof *items);
    char **names = hst_realloc(reader->names, reader->count + (size_t)count + 1, sizeof *names);
    if (names != NULL)
        reader->names = names;
    if (items == NULL || names == NULL)
        return HST_E_NOMEM;
    if (count > 0)
        HST_TRY(
            hst_memory_read(reader->memory, tuple + abi->tuple_items, items, (size_t)count * sizeof *items));
    for (size_t i = 0; i < count; i++)
        HST_TRY(add_name(reader, items[i]));
    return HST_OK;
}

static enum hst_status read_names(struct hst_locals_reader *reader, hst_raddr code)
{
    const struct hst_abi *abi = reader->abi;
    HST_TRY(add_names(reader, code + abi->code_localsplusnames));
    if (abi->minor <= 10) {
        HST_TRY(add_names(reader, code + abi->code_cellvars));
        HST_TRY(add_names(reader, code + abi->code_freevars));
    }
    reader->kinds = hst_alloc_zero(reader->count + 1, 1);
    if (reader->kinds == NULL)
        return HST_E_NOMEM;
    if (abi->minor >= 12 && reader->count > 0) {
        hst_raddr kinds;
        HST_TRY(hst_memory_read_u64(reader->memory, code + abi->code_localspluskinds, &kinds));
        HST_TRY(hst_memory_read(reader->memory, kinds + abi->bytes_data, reader->kinds, reader->count));
    }
    return HST_OK;
}

/* The slots of the frame, with its code's address read in the same call. */
static enum hst_status read_slots(const struct hst_locals_reader *reader, hst_raddr frame, hst_raddr code,
                                  uint64_t *slots)
{
    const struct hst_abi *abi = reader->abi;
    uint64_t found;
    struct hst_piece pieces[] = {{frame + abi->frame_code, &found, 8},
                                 {frame + abi->frame_localsplus, slots, reader->count * sizeof *slots}};
    HST_TRY(hst_memory_read_pieces(reader->memory, pieces, reader->count > 0 ? 2 : 1));
    return (abi->minor >= 14 ? found & ~7ull : found) == code ? HST_OK : HST_E_TORN;
}

/* The text of what a slot holds; *ret_text stays NULL when it is without a value. */
static enum hst_status slot_text(const struct hst_locals_reader *reader, uint64_t slot, char **ret_text)
{
    const struct hst_abi *abi = reader->abi;
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 8 * HST_OBJECT_TEXT_MAX);
    if (abi->minor >= 14 && (slot & TAG_INT) == TAG_INT) {
        hst_buffer_add_fmt(&text, "%" PRId64, (int64_t)slot >> 2);
    } else {
        hst_raddr object = abi->minor >= 14 ? slot & ~7ull : slot;
        if (object != 0)
            object = hst_object_in_cell(reader->memory, abi, object);
        if (object == 0)
            return HST_OK;
        HST_TRY(hst_object_add(reader->memory, abi, object, &text));
    }
    *ret_text = hst_strndup((const char *)text.data, text.length);
    return *ret_text != NULL ? HST_OK : HST_E_NOMEM;
}

/* Shows the slots that differ from what was shown, until none does. */
static enum hst_status read_texts(const struct hst_locals_reader *reader, hst_raddr frame, hst_raddr code,
                                  char **texts)
{
    HST_CLEANUP_FREE uint64_t *slots = hst_alloc(reader->count + 1, sizeof *slots);
    HST_CLEANUP_FREE uint64_t *shown = hst_alloc_zero(reader->count + 1, sizeof *shown);
    if (slots == NULL || shown == NULL)
        return HST_E_NOMEM;
    for (int round = 0; round < ROUNDS; round++) {
        HST_TRY(read_slots(reader, frame, code, slots));
        if (round > 0 && memcmp(slots, shown, reader->count * sizeof *slots) == 0)
            return HST_OK;
        for (size_t i = 0; i < reader->count; i++) {
            if (round > 0 && slots[i] == shown[i])
                continue;
            hst_free(texts[i]);
            texts[i] = NULL;
            shown[i] = slots[i];
            /* What still moves in the last round is not told. */
            if ((reader->kinds[i] & KIND_HIDDEN) == 0 && round + 1 < ROUNDS)
                HST_TRY(slot_text(reader, slots[i], &texts[i]));
        }
    }
    return HST_OK;
}

enum hst_status hst_locals_read(struct hst_locals_reader *reader, hst_raddr frame, hst_raddr code,
                                struct hst_variables *ret_locals)
{
    if (reader->code != code) {
        forget_names(reader);
        enum hst_status status = read_names(reader, code);
        if (status != HST_OK) {
            forget_names(reader);
            return status == HST_E_INVALID ? HST_E_TORN : status;
        }
        reader->code = code;
    }
    HST_CLEANUP_FREE char **texts = hst_alloc_zero(reader->count + 1, sizeof *texts);
    struct hst_variables locals = {.items = hst_alloc_zero(reader->count + 1, sizeof *locals.items)};
    enum hst_status status =
        texts != NULL && locals.items != NULL ? read_texts(reader, frame, code, texts) : HST_E_NOMEM;
    for (size_t i = 0; i < reader->count && status == HST_OK; i++) {
        if (texts[i] == NULL)
            continue;
        char *name = hst_strdup(reader->names[i]);
        if (name == NULL) {
            status = HST_E_NOMEM;
            break;
        }
        locals.items[locals.count++] = (struct hst_variable){.name = name, .text = texts[i]};
        texts[i] = NULL;
    }
    for (size_t i = 0; texts != NULL && i < reader->count; i++)
        hst_free(texts[i]);
    if (status != HST_OK) {
        hst_variables_release(&locals);
        return status;
    }
    *ret_locals = locals;
    return HST_OK;
}
