/* Reads code objects and turns instructions into locations. */
#include "reader/code.h"

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "reader/linetable.h"
#include "reader/text.h"

enum {
    NAME_CHARACTERS_MAX = 1024,
    FILE_CHARACTERS_MAX = 4096,
    LINETABLE_BYTES_MAX = 16 << 20,
    BYTECODE_BYTES_MAX = 64 << 20,
    BYTECODE_BYTES_USUAL = 1 << 16,
    HEAD_BYTES_MAX = HST_ABI_HEAD_BYTES_MAX,
    CODES_MAX = 1 << 22,
    FLAGS_OF_GENERATORS = 0x20 | 0x80 | 0x200, /* CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR */
};

void hst_code_table_init(struct hst_code_table *table, struct hst_memory *memory, const struct hst_abi *abi,
                         struct hst_profile *profile, hst_raddr code_type)
{
    *table =
        (struct hst_code_table){.memory = memory, .abi = abi, .profile = profile, .code_type = code_type};
}

static void code_free(struct hst_code *code)
{
    if (code != NULL) {
        hst_free(code->linetable);
        hst_free(code->locations);
        hst_free(code);
    }
}

void hst_code_table_release(struct hst_code_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        code_free(table->codes[i]);
    hst_free(table->codes);
    hst_map_release(&table->by_address);
}

static uint64_t u64_at(const uint8_t *head, uint32_t offset)
{
    uint64_t value;
    memcpy(&value, head + offset, sizeof value);
    return value;
}

static uint32_t u32_at(const uint8_t *head, uint32_t offset)
{
    uint32_t value;
    memcpy(&value, head + offset, sizeof value);
    return value;
}

/* How much of the object's head is read: up to its bytecode when that follows inline. */
static size_t head_bytes(const struct hst_abi *abi)
{
    size_t bytes = abi->minor >= 11 ? abi->code_bytecode : abi->code_size;
    return bytes < HEAD_BYTES_MAX ? bytes : HEAD_BYTES_MAX;
}

/* What stays the same while a code object lives and differs between two: the fields from the first after the
 * object's head to the line table. 3.13 and later count references elsewhere, so no field in between moves.
 */
static void take_identity(const struct hst_abi *abi, const uint8_t *head, uint8_t *ret_identity)
{
    size_t from = abi->object_size + 8, to = abi->code_linetable + 8;
    size_t length = to > from ? to - from : 0;
    if (length > HST_CODE_IDENTITY_BYTES)
        length = HST_CODE_IDENTITY_BYTES;
    memset(ret_identity, 0, HST_CODE_IDENTITY_BYTES);
    memcpy(ret_identity, head + from, length);
    /* Two fields in between do move: the warm-up counter of 3.11 and the version number of 3.12 and later. */
    if (abi->minor == 11)
        memset(ret_identity + (abi->code_flags + 4 - from), 0, 4);
    if (abi->minor >= 12 && abi->code_localsplusnames >= from + 4 &&
        abi->code_localsplusnames <= from + HST_CODE_IDENTITY_BYTES)
        memset(ret_identity + (abi->code_localsplusnames - 4 - from), 0, 4);
}

static uint32_t intern_text(struct hst_code_table *table, hst_raddr address, size_t limit)
{
    struct hst_buffer text;
    hst_buffer_init(&text, limit * 4 + 16);
    uint32_t id = HST_ID_NONE;
    if (hst_text_read(table->memory, table->abi, address, limit, &text) == HST_OK)
        id = hst_strings_add(&table->profile->strings, text.data != NULL ? (const char *)text.data : "",
                             text.length);
    hst_buffer_release(&text);
    return id;
}

/* The bytes object at address as a copy of our own. */
static enum hst_status read_bytes(struct hst_code_table *table, hst_raddr address, uint8_t **ret_data,
                                  size_t *ret_length)
{
    uint64_t length;
    HST_TRY(hst_memory_read_u64(table->memory, address + table->abi->var_size, &length));
    if (length > LINETABLE_BYTES_MAX)
        return HST_E_TORN;
    uint8_t *data = hst_alloc((size_t)length, 1);
    if (data == NULL)
        return HST_E_NOMEM;
    enum hst_status status =
        hst_memory_read(table->memory, address + table->abi->bytes_data, data, (size_t)length);
    if (status != HST_OK) {
        hst_free(data);
        return status;
    }
    *ret_data = data;
    *ret_length = (size_t)length;
    return HST_OK;
}

/* To 3.10 cells and free variables are counted apart from the locals. */
static enum hst_status add_cells(struct hst_code_table *table, struct hst_code *code, const uint8_t *head)
{
    const uint32_t tuples[] = {table->abi->code_cellvars, table->abi->code_freevars};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(tuples); i++) {
        uint64_t length;
        HST_TRY(hst_memory_read_u64(table->memory, u64_at(head, tuples[i]) + table->abi->var_size, &length));
        if (length > 1 << 16)
            return HST_E_TORN;
        code->locals += (uint32_t)length;
    }
    return HST_OK;
}

static enum hst_status read_sizes(struct hst_code_table *table, struct hst_code *code, const uint8_t *head)
{
    const struct hst_abi *abi = table->abi;
    uint64_t units;
    if (abi->minor <= 10) {
        HST_TRY(hst_memory_read_u64(table->memory, u64_at(head, abi->code_bytecode) + abi->var_size, &units));
        code->bytecode_bytes = units <= BYTECODE_BYTES_MAX ? (uint32_t)units : 0;
    } else {
        units = u64_at(head, abi->var_size);
        code->bytecode = code->address + abi->code_bytecode;
        code->bytecode_bytes = units <= BYTECODE_BYTES_MAX / 2 ? (uint32_t)units * 2 : 0;
    }
    if (code->bytecode_bytes == 0)
        return HST_E_TORN;
    if (code->bytecode_bytes >
        BYTECODE_BYTES_USUAL) { /* before as much memory is taken: is all of it there? */
        uint8_t last;
        hst_raddr first =
            abi->minor <= 10 ? u64_at(head, abi->code_bytecode) + abi->bytes_data : code->bytecode;
        HST_TRY(hst_memory_read(table->memory, first + code->bytecode_bytes - 1, &last, 1));
    }
    code->generator = (u32_at(head, abi->code_flags) & FLAGS_OF_GENERATORS) != 0;
    code->locals = u32_at(head, abi->code_nlocalsplus);
    if (abi->minor <= 10)
        HST_TRY(add_cells(table, code, head));
    uint32_t stack = u32_at(head, abi->code_stacksize);
    if (code->locals > 1 << 20 || stack > 1 << 20)
        return HST_E_TORN;
    code->frame_bytes = abi->code_framesize != 0 ? u32_at(head, abi->code_framesize) * 8
                                                 : abi->frame_size + (code->locals + stack) * 8;
    code->first_line = u32_at(head, abi->code_first_line);
    return HST_OK;
}

static enum hst_status read_names(struct hst_code_table *table, struct hst_code *code, const uint8_t *head)
{
    const struct hst_abi *abi = table->abi;
    struct hst_function function = {.first_line = code->first_line};
    function.name = intern_text(table, u64_at(head, abi->code_name), NAME_CHARACTERS_MAX);
    function.file = intern_text(table, u64_at(head, abi->code_filename), FILE_CHARACTERS_MAX);
    function.qualname = abi->code_qualname != 0
                            ? intern_text(table, u64_at(head, abi->code_qualname), NAME_CHARACTERS_MAX)
                            : function.name;
    if (function.name == HST_ID_NONE || function.file == HST_ID_NONE || function.qualname == HST_ID_NONE)
        return HST_E_TORN;
    const char *file = hst_profile_text(table->profile, function.file);
    const char *name = hst_profile_text(table->profile, function.name);
    /* What the interpreter itself puts around constructors is called __init__, file and all, from 3.13 on. */
    code->internal =
        strcmp(file, "<shim>") == 0 || (strcmp(file, "__init__") == 0 && strcmp(name, "__init__") == 0);
    code->function = hst_profile_function(table->profile, &function);
    return code->function != HST_ID_NONE ? HST_OK : HST_E_NOMEM;
}

static enum hst_status code_read(struct hst_code_table *table, hst_raddr address, struct hst_code *code)
{
    uint8_t head[HEAD_BYTES_MAX];
    const struct hst_abi *abi = table->abi;
    code->address = address;
    code->leaf_location = HST_ID_NONE;
    if ((address & 7) != 0 || address < 4096)
        return HST_E_TORN;
    HST_TRY(hst_memory_read(table->memory, address, head, head_bytes(abi)));
    hst_raddr type = u64_at(head, abi->object_type);
    if (table->code_type != 0 && type != table->code_type)
        return HST_E_TORN;
    HST_TRY(read_sizes(table, code, head));
    HST_TRY(read_names(table, code, head));
    HST_TRY(read_bytes(table, u64_at(head, abi->code_linetable), &code->linetable, &code->linetable_length));
    code->locations = hst_alloc_zero(code->bytecode_bytes / 2 + 1, sizeof *code->locations);
    if (code->locations == NULL)
        return HST_E_NOMEM;
    take_identity(abi, head, code->identity);
    table->code_type = type;
    return HST_OK;
}

uint32_t hst_code_known(const struct hst_code_table *table, hst_raddr address)
{
    uint32_t found = hst_map_find(&table->by_address, address);
    return found != HST_MAP_ABSENT && !table->codes[found]->gone ? found : HST_ID_NONE;
}

enum hst_status hst_code_find(struct hst_code_table *table, hst_raddr address, uint64_t now_ns,
                              uint32_t *ret_index)
{
    uint32_t found = hst_map_find(&table->by_address, address);
    if (found != HST_MAP_ABSENT && !table->codes[found]->gone) {
        *ret_index = found;
        return HST_OK;
    }
    if (table->count >= CODES_MAX || !HST_RESERVE(table->codes, table->capacity, table->count + 1))
        return HST_E_NOMEM;
    struct hst_code *code = hst_alloc_zero(1, sizeof *code);
    if (code == NULL)
        return HST_E_NOMEM;
    enum hst_status status = code_read(table, address, code);
    if (status == HST_OK && !hst_map_set(&table->by_address, address, (uint32_t)table->count))
        status = HST_E_NOMEM;
    if (status != HST_OK) {
        code_free(code);
        return status == HST_E_INVALID ? HST_E_TORN : status;
    }
    code->checked_ns = now_ns;
    table->codes[table->count] = code;
    *ret_index = (uint32_t)table->count++;
    return HST_OK;
}

/* The address is free for another. The record itself stays, since indexes of it may be held; its bulk goes.
 */
static void forget(struct hst_code *code)
{
    code->gone = 1;
    hst_free(code->linetable);
    hst_free(code->locations);
    code->linetable = NULL;
    code->locations = NULL;
}

enum hst_status hst_code_check(struct hst_code_table *table, uint32_t index, uint64_t since_ns,
                               uint64_t now_ns)
{
    struct hst_code *code = table->codes[index];
    if (code->gone)
        return HST_E_TORN;
    if (code->checked_ns >= since_ns)
        return HST_OK;
    uint8_t head[HEAD_BYTES_MAX], identity[HST_CODE_IDENTITY_BYTES];
    HST_TRY(hst_memory_read(table->memory, code->address, head, head_bytes(table->abi)));
    take_identity(table->abi, head, identity);
    if (u64_at(head, table->abi->object_type) != table->code_type ||
        memcmp(identity, code->identity, sizeof identity) != 0) {
        forget(code);
        return HST_E_TORN;
    }
    code->checked_ns = now_ns;
    return HST_OK;
}

uint32_t hst_code_location(struct hst_code_table *table, uint32_t index, uint32_t instruction)
{
    struct hst_code *code = table->codes[index];
    if (code->gone)
        return HST_ID_NONE;
    uint32_t *slot = &code->locations[instruction / 2];
    if (*slot != 0)
        return *slot - 1;
    struct hst_position p = hst_linetable_find(code->linetable, code->linetable_length, table->abi->minor,
                                               code->first_line, instruction);
    struct hst_location location = {.function = code->function,
                                    .line = p.line,
                                    .end_line = p.end_line,
                                    .column = p.column,
                                    .end_column = p.end_column,
                                    .instruction = instruction};
    uint32_t id = hst_profile_location(table->profile, &location);
    if (id != HST_ID_NONE)
        *slot = id + 1;
    return id;
}
