/* Everything but address, type and size is said where it is known: names come from the objects that a module
 * or function refers to, lengths from the number of references. */
#include "export/meliae.h"

#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "export/text.h"

/* Types about which a line says more. */
enum kind { PLAIN, STR, INTEGER, BOOL, BYTES, SEQUENCE, DICT, MODULE, FUNCTION, TYPE, FRAME };

/* A shorter text of a snapshot is a whole one: longer ones are kept up to a number of characters, and all up
 * to HST_HEAP_VALUE_BYTES with whole characters. */
enum { WHOLE_CHARACTERS = 48, WHOLE_BYTES = HST_HEAP_VALUE_BYTES - 3, LATIN_1_LAST = 0xff };

#define TYPE_SUBCLASS (UINT64_C(1) << 31) /* among tp_flags: its objects are types */

struct writer {
    const struct hst_heap *heap;
    struct hst_output *output;
    uint8_t *kinds;                            /* by type: enum kind */
    struct hst_map type_objects, module_names; /* object -> type; object -> strings */
};

/* --- what things are --------------------------------------------------------------------------------- */

static uint8_t kind_of(const char *name)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } known[] = {{"str", STR},           {"unicode", STR},        {"int", INTEGER},   {"long", INTEGER},
                 {"bool", BOOL},         {"bytes", BYTES},        {"list", SEQUENCE}, {"tuple", SEQUENCE},
                 {"set", SEQUENCE},      {"frozenset", SEQUENCE}, {"dict", DICT},     {"module", MODULE},
                 {"function", FUNCTION}, {"type", TYPE},          {"frame", FRAME}};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(known); i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].kind;
    return PLAIN;
}

static enum hst_status prepare(struct writer *writer)
{
    const struct hst_heap *heap = writer->heap;
    hst_map_init(&writer->type_objects);
    hst_map_init(&writer->module_names);
    writer->kinds = hst_alloc(heap->type_count + 1, 1);
    if (writer->kinds == NULL)
        return HST_E_NOMEM;
    for (uint32_t i = 0; i < heap->type_count; i++) {
        writer->kinds[i] = kind_of(hst_heap_type_name(heap, i));
        if ((heap->type_rows[i].flags & TYPE_SUBCLASS) != 0)
            writer->kinds[i] = TYPE;
        uint32_t object = heap->type_rows[i].object;
        if (object != HST_HEAP_NONE && !hst_map_set(&writer->type_objects, object, i))
            return HST_E_NOMEM;
    }
    for (size_t i = 0; i < heap->root_count; i++) {
        const struct hst_heap_root *root = &heap->roots[i];
        if (root->kind == HST_ROOT_MODULE && root->name != 0 &&
            !hst_map_set(&writer->module_names, root->object, root->name))
            return HST_E_NOMEM;
    }
    return HST_OK;
}

static int is_at(const struct hst_heap *heap, uint32_t edge, enum hst_place_kind kind)
{
    return heap->places != NULL && hst_place_kind_of(heap->places[edge]) == kind;
}

static int has_text(const struct hst_heap *heap, uint32_t object, const char *wanted)
{
    size_t length;
    const char *text = hst_heap_value(heap, object, &length);
    return text != NULL && length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}

/* What an object refers to at a place of that name; HST_HEAP_NONE: nothing. */
static uint32_t at_name(const struct hst_heap *heap, uint32_t object, const char *wanted)
{
    for (uint32_t edge = heap->first[object]; edge < heap->first[object + 1]; edge++) {
        const char *name = is_at(heap, edge, HST_PLACE_FIELD)
                               ? hst_heap_place_name(heap, heap->types[object], heap->places[edge])
                               : NULL;
        if (name != NULL && strcmp(name, wanted) == 0)
            return heap->targets[edge];
    }
    return HST_HEAP_NONE;
}

/* Whether two edges of a dict are an entry. */
static int is_pair(const struct hst_heap *heap, uint32_t edge, uint32_t end)
{
    return edge + 1 < end && is_at(heap, edge, HST_PLACE_KEY) && is_at(heap, edge + 1, HST_PLACE_VALUE) &&
           hst_place_index_of(heap->places[edge]) == hst_place_index_of(heap->places[edge + 1]);
}

static uint32_t at_key(const struct hst_heap *heap, uint32_t dict, const char *wanted)
{
    uint32_t end = heap->first[dict + 1];
    for (uint32_t edge = heap->first[dict]; edge < end; edge++)
        if (is_pair(heap, edge, end) && has_text(heap, heap->targets[edge], wanted))
            return heap->targets[edge + 1];
    return HST_HEAP_NONE;
}

static uint32_t code_of(const struct writer *writer, uint32_t frame)
{
    const struct hst_heap *heap = writer->heap;
    for (uint32_t edge = heap->first[frame]; edge < heap->first[frame + 1]; edge++)
        if (strcmp(hst_heap_type_name(heap, heap->types[heap->targets[edge]]), "code") == 0)
            return heap->targets[edge];
    return HST_HEAP_NONE;
}

/* --- texts ------------------------------------------------------------------------------------------- */

static void add_unit(struct hst_output *output, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = {'\\',
                    'u',
                    digits[unit >> 12 & 15],
                    digits[unit >> 8 & 15],
                    digits[unit >> 4 & 15],
                    digits[unit & 15]};
    hst_output_add(output, text, sizeof text);
}

/* ASCII alone, escaped as meliae does. */
static void add_point(struct hst_output *output, uint32_t point)
{
    char plain[2] = {'\\', (char)point};
    if (point == '\\' || point == '/' || point == '"') {
        hst_output_add(output, plain, 2);
    } else if (point >= ' ' && point < 0x7f) {
        hst_output_add(output, plain + 1, 1);
    } else if (point < 0x10000) {
        add_unit(output, point);
    } else {
        add_unit(output, 0xd800 + ((point - 0x10000) >> 10));
        add_unit(output, 0xdc00 + ((point - 0x10000) & 0x3ff));
    }
}

/* A value with its quotes. The loader makes bytes of Latin-1 of what is no str: any other character would end
 * it. A character that was cut through at the end is left away. */
static void add_text(struct hst_output *output, const char *text, size_t length, int is_str)
{
    char copy[HST_HEAP_VALUE_BYTES + 1];
    memcpy(copy, text, length); /* a value has no NUL behind it, and may have one inside */
    copy[length] = '\0';
    const char *at = copy, *end = copy + length;
    hst_output_add(output, "\"", 1);
    while (at < end) {
        uint32_t point = *at != '\0' ? hst_text_next(&at) : (at++, 0);
        if (point == HST_TEXT_REPLACEMENT && length == HST_HEAP_VALUE_BYTES && end - at < 3)
            break;
        add_point(output, is_str || point <= LATIN_1_LAST ? point : '?');
    }
    hst_output_add(output, "\"", 1);
}

/* The loader takes no name but plain ASCII without escapes. */
static void add_name_text(struct writer *writer, const char *text, size_t length)
{
    const char *end = text + length;
    hst_output_text(writer->output, ", \"name\": \"");
    for (; text < end; text++) {
        int is_plain = *text >= ' ' && *text < 0x7f && *text != '"' && *text != '\\';
        if (((uint8_t)*text & 0xc0) != 0x80) /* once a character */
            hst_output_add(writer->output, is_plain ? text : "?", 1);
    }
    hst_output_add(writer->output, "\"", 1);
}

/* --- the parts of a line ----------------------------------------------------------------------------- */

/* The name is the value of a str, or a value of the object's own where a dump said it. */
static void add_name_of(struct writer *writer, uint32_t object, uint32_t name)
{
    size_t length;
    const char *text = name != HST_HEAP_NONE ? hst_heap_value(writer->heap, name, &length) : NULL;
    if (text == NULL)
        text = hst_heap_value(writer->heap, object, &length);
    if (text == NULL)
        return;
    add_name_text(writer, text, length);
}

static void add_name(struct writer *writer, uint32_t object, uint8_t kind)
{
    const struct hst_heap *heap = writer->heap;
    uint32_t type = hst_map_find(&writer->type_objects, object);
    uint32_t module = hst_map_find(&writer->module_names, object);
    const char *known = type != HST_MAP_ABSENT                       ? hst_heap_type_name(heap, type)
                        : kind == MODULE && module != HST_MAP_ABSENT ? hst_strings_get(&heap->strings, module)
                                                                     : NULL;
    if (known != NULL)
        add_name_text(writer, known, strlen(known));
    else if (kind == MODULE) {
        uint32_t names = at_name(heap, object, "__dict__");
        add_name_of(writer, object, names != HST_HEAP_NONE ? at_key(heap, names, "__name__") : HST_HEAP_NONE);
    } else if (kind == FUNCTION || kind == TYPE)
        add_name_of(writer, object, at_name(heap, object, "__qualname__"));
}

/* Items that are no known objects have no reference; a dict has two to an entry. */
static void add_length(struct writer *writer, uint32_t object, uint8_t kind)
{
    const struct hst_heap *heap = writer->heap;
    uint64_t items = 0;
    if (heap->places == NULL)
        return;
    for (uint32_t edge = heap->first[object], end = heap->first[object + 1]; edge < end; edge++) {
        items += kind == DICT ? is_at(heap, edge, HST_PLACE_KEY) || is_at(heap, edge, HST_PLACE_VALUE)
                              : is_at(heap, edge, HST_PLACE_ITEM);
        edge += kind == DICT && is_pair(heap, edge, end);
    }
    hst_output_text(writer->output, ", \"len\": ");
    hst_output_u64(writer->output, items);
}

static int is_whole_number(const char *text, size_t length)
{
    size_t first = length > 0 && text[0] == '-';
    for (size_t i = first; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return 0;
    return length > first && (text[first] != '0' || length == first + 1);
}

/* The length of a text stands before it, and is known behind it. */
static void add_str(struct writer *writer, const char *text, size_t length)
{
    size_t characters = 0;
    for (size_t i = 0; i < length; i++)
        characters += ((uint8_t)text[i] & 0xc0) != 0x80;
    if (characters < WHOLE_CHARACTERS && length < WHOLE_BYTES) {
        hst_output_text(writer->output, ", \"len\": ");
        hst_output_u64(writer->output, characters);
    }
    hst_output_text(writer->output, ", \"value\": ");
    add_text(writer->output, text, length, 1);
}

static void add_value(struct writer *writer, uint32_t object, uint8_t kind)
{
    size_t length;
    uint32_t code, holder = object;
    if (kind == FRAME && (code = code_of(writer, object)) != HST_HEAP_NONE &&
        (code = at_name(writer->heap, code, "co_name")) != HST_HEAP_NONE)
        holder = code;
    const char *text = hst_heap_value(writer->heap, holder, &length);
    if (text == NULL || kind == MODULE || kind == FUNCTION || kind == TYPE)
        return;
    if (kind == STR) {
        add_str(writer, text, length);
        return;
    }
    hst_output_text(writer->output, ", \"value\": ");
    if (kind == BOOL)
        hst_output_text(writer->output, has_text(writer->heap, object, "0") ? "\"False\"" : "\"True\"");
    else if (kind == INTEGER && is_whole_number(text, length))
        hst_output_add(writer->output, text, length);
    else
        add_text(writer->output, text, length, 0);
}

/* --- references -------------------------------------------------------------------------------------- */

static void add_reference(struct writer *writer, uint64_t address, int *is_first)
{
    if (!*is_first)
        hst_output_add(writer->output, ", ", 2);
    hst_output_u64(writer->output, address);
    *is_first = 0;
}

/* Key, value, key, value: whoever reads it counts on pairs, so that 0 stands for what is no known object. */
static void add_entries(struct writer *writer, uint32_t object, int *is_first)
{
    const struct hst_heap *heap = writer->heap;
    for (uint32_t edge = heap->first[object], end = heap->first[object + 1]; edge < end; edge++) {
        int pair = is_pair(heap, edge, end);
        if (!is_at(heap, edge, HST_PLACE_KEY) && !is_at(heap, edge, HST_PLACE_VALUE))
            continue;
        add_reference(writer, is_at(heap, edge, HST_PLACE_KEY) ? heap->addresses[heap->targets[edge]] : 0,
                      is_first);
        edge += (uint32_t)pair;
        add_reference(writer, is_at(heap, edge, HST_PLACE_VALUE) ? heap->addresses[heap->targets[edge]] : 0,
                      is_first);
    }
}

/* The type of an instance comes last, behind what it holds. */
static void add_references(struct writer *writer, uint32_t object, uint8_t kind)
{
    const struct hst_heap *heap = writer->heap;
    uint32_t type = heap->type_rows[heap->types[object]].object, type_edge = HST_HEAP_NONE;
    int is_first = 1;
    hst_output_text(writer->output, ", \"refs\": [");
    if (kind == DICT)
        add_entries(writer, object, &is_first);
    for (uint32_t edge = heap->first[object]; edge < heap->first[object + 1]; edge++) {
        uint32_t target = heap->targets[edge];
        if (kind == DICT && (is_at(heap, edge, HST_PLACE_KEY) || is_at(heap, edge, HST_PLACE_VALUE)))
            continue;
        if (target == type && type_edge == HST_HEAP_NONE && is_at(heap, edge, HST_PLACE_FIELD))
            type_edge = edge;
        else
            add_reference(writer, heap->addresses[target], &is_first);
    }
    if (type_edge != HST_HEAP_NONE)
        add_reference(writer, heap->addresses[type], &is_first);
    hst_output_text(writer->output, "]}\n");
}

static void add_line(struct writer *writer, uint32_t object)
{
    const struct hst_heap *heap = writer->heap;
    uint32_t type = heap->types[object];
    uint8_t kind = writer->kinds[type];
    hst_output_text(writer->output, "{\"address\": ");
    hst_output_u64(writer->output, heap->addresses[object]);
    hst_output_text(writer->output, ", \"type\": ");
    hst_output_json(writer->output, hst_heap_type_name(heap, type));
    hst_output_text(writer->output, ", \"size\": ");
    hst_output_u64(writer->output, heap->bytes[object]);
    add_name(writer, object, kind);
    if (kind == SEQUENCE || kind == DICT)
        add_length(writer, object, kind);
    add_value(writer, object, kind);
    add_references(writer, object, kind);
}

enum hst_status hst_meliae_write(const struct hst_heap *heap, struct hst_output *output)
{
    struct writer writer = {.heap = heap, .output = output};
    enum hst_status status = prepare(&writer);
    for (uint32_t i = 0; status == HST_OK && i < heap->count; i++)
        add_line(&writer, i);
    hst_map_release(&writer.type_objects);
    hst_map_release(&writer.module_names);
    hst_free(writer.kinds);
    return status;
}
