/* Shows objects.  Everything read may be in the middle of a change: sizes are bounded, depth is bounded, and
 * a word that is no object only makes a worse text. */
#include "reader/objects.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "reader/dict.h"
#include "reader/number.h"
#include "reader/text.h"
#include "reader/type_flags.h"
#include "reader/type_name.h"

struct shower {
    struct hst_memory *memory;
    const struct hst_abi *abi;
    struct hst_buffer *into;
    size_t end; /* into's length at which no item is begun any more */
    unsigned depth;
};

static enum hst_status show(struct shower *s, hst_raddr object);

static enum hst_status show_long(struct shower *s, hst_raddr object)
{
    return hst_number_add(s->memory, s->abi, object, HST_OBJECT_DIGITS_MAX, s->into);
}

static enum hst_status show_bool(struct shower *s, hst_raddr object)
{
    uint64_t value;
    HST_TRY(hst_number_read_u64(s->memory, s->abi, object, &value));
    hst_buffer_add_text(s->into, value != 0 ? "True" : "False");
    return HST_OK;
}

/* The shortest digits that give the same double, as repr() writes them. */
static void add_double(struct hst_buffer *into, double value, int whole_dot_zero)
{
    char text[40] = "";
    if (!isfinite(value)) {
        hst_buffer_add_text(into, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    int precision = 0;
    do
        (void)snprintf(text, sizeof text, "%.*e", precision, value);
    while (strtod(text, NULL) != value && ++precision <= 17);
    const char *e = strchr(text, 'e');
    int exponent = e != NULL ? (int)strtol(e + 1, NULL, 10) : 0;
    if (exponent >= -4 && exponent < 16) {
        int decimals = precision > exponent ? precision - exponent : 0;
        (void)snprintf(text, sizeof text, "%.*f%s", decimals, value,
                       decimals == 0 && whole_dot_zero ? ".0" : "");
    }
    hst_buffer_add_text(into, text);
}

static enum hst_status show_float(struct shower *s, hst_raddr object)
{
    double value;
    HST_TRY(hst_memory_read(s->memory, object + s->abi->float_value, &value, sizeof value));
    add_double(s->into, value, 1);
    return HST_OK;
}

static enum hst_status show_complex(struct shower *s, hst_raddr object)
{
    double parts[2];
    HST_TRY(hst_memory_read(s->memory, object + s->abi->complex_value, parts, sizeof parts));
    int real = parts[0] != 0 || signbit(parts[0]);
    if (real) {
        hst_buffer_add_byte(s->into, '(');
        add_double(s->into, parts[0], 0);
        hst_buffer_add_text(s->into, signbit(parts[1]) ? "" : "+");
    }
    add_double(s->into, parts[1], 0);
    hst_buffer_add_text(s->into, real ? "j)" : "j");
    return HST_OK;
}

/* Between quotes, with everything that is not visible spelled out. utf8: bytes above 127 are parts of
 * characters. */
static void add_quoted(struct hst_buffer *into, const uint8_t *text, size_t length, int utf8)
{
    uint8_t quote =
        length > 0 && memchr(text, '\'', length) != NULL && memchr(text, '"', length) == NULL ? '"' : '\'';
    hst_buffer_add_byte(into, quote);
    for (size_t i = 0; i < length; i++) {
        uint8_t c = text[i];
        int control = utf8 && c == 0xc2 && i + 1 < length && text[i + 1] < 0xa0; /* U+0080 to U+009F */
        if (control)
            c = text[++i];
        if (c == '\n' || c == '\t' || c == '\r')
            hst_buffer_add_fmt(into, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (c == '\\' || c == quote)
            hst_buffer_add_fmt(into, "\\%c", c);
        else if (control || c < 0x20 || c == 0x7f || (!utf8 && c > 0x7f))
            hst_buffer_add_fmt(into, "\\x%02x", c);
        else
            hst_buffer_add_byte(into, c);
    }
    hst_buffer_add_byte(into, quote);
}

static enum hst_status show_str(struct shower *s, hst_raddr object)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    uint64_t length;
    hst_buffer_init(&text, HST_OBJECT_CHARACTERS_MAX * 4 + 16);
    HST_TRY(hst_memory_read_u64(s->memory, object + s->abi->str_length, &length));
    HST_TRY(hst_text_read(s->memory, s->abi, object, HST_OBJECT_CHARACTERS_MAX, &text));
    int cut = length > HST_OBJECT_CHARACTERS_MAX && text.length >= 3;
    add_quoted(s->into, text.data, text.length - (cut ? 3 : 0), 1); /* hst_text_read's own dots */
    if (cut)
        hst_buffer_add_fmt(s->into, "... (%" PRIu64 " characters)", length);
    return HST_OK;
}

static enum hst_status show_bytes(struct shower *s, hst_raddr object)
{
    uint8_t data[HST_OBJECT_CHARACTERS_MAX];
    uint64_t length;
    HST_TRY(hst_memory_read_u64(s->memory, object + s->abi->var_size, &length));
    if (length > INT64_MAX)
        return HST_E_TORN;
    size_t shown = length < sizeof data ? (size_t)length : sizeof data;
    if (shown > 0)
        HST_TRY(hst_memory_read(s->memory, object + s->abi->bytes_data, data, shown));
    hst_buffer_add_byte(s->into, 'b');
    add_quoted(s->into, data, shown, 0);
    if (shown < length)
        hst_buffer_add_fmt(s->into, "... (%" PRIu64 " bytes)", length);
    return HST_OK;
}

/* ", " before all but the first; 0 when the text is long enough. */
static int begin_item(struct shower *s, size_t index)
{
    if (index > 0)
        hst_buffer_add_text(s->into, ", ");
    if (s->into->length < s->end)
        return 1;
    hst_buffer_add_text(s->into, "...");
    return 0;
}

static enum hst_status show_array(struct shower *s, hst_raddr items, uint64_t count)
{
    hst_raddr item[HST_OBJECT_ITEMS_MAX];
    size_t shown = count < HST_OBJECT_ITEMS_MAX ? (size_t)count : HST_OBJECT_ITEMS_MAX;
    if (shown > 0)
        HST_TRY(hst_memory_read(s->memory, items, item, shown * sizeof item[0]));
    for (size_t i = 0; i < shown; i++) {
        if (!begin_item(s, i))
            return HST_OK;
        HST_TRY(show(s, item[i]));
    }
    if (shown < count)
        hst_buffer_add_fmt(s->into, ", ... (%" PRIu64 " items)", count);
    return HST_OK;
}

static enum hst_status show_tuple(struct shower *s, hst_raddr object)
{
    uint64_t count;
    HST_TRY(hst_memory_read_u64(s->memory, object + s->abi->var_size, &count));
    hst_buffer_add_byte(s->into, '(');
    if (s->depth > HST_OBJECT_DEPTH_MAX && count > 0)
        hst_buffer_add_text(s->into, "...");
    else
        HST_TRY(show_array(s, object + s->abi->tuple_items, count));
    hst_buffer_add_text(s->into, count == 1 ? ",)" : ")");
    return HST_OK;
}

static enum hst_status show_list(struct shower *s, hst_raddr object)
{
    uint64_t count, items;
    struct hst_piece pieces[] = {{object + s->abi->var_size, &count, 8},
                                 {object + s->abi->list_items, &items, 8}};
    HST_TRY(hst_memory_read_pieces(s->memory, pieces, 2));
    hst_buffer_add_byte(s->into, '[');
    if (s->depth > HST_OBJECT_DEPTH_MAX && count > 0)
        hst_buffer_add_text(s->into, "...");
    else
        HST_TRY(show_array(s, items, count));
    hst_buffer_add_byte(s->into, ']');
    return HST_OK;
}

static enum hst_status show_dict(struct shower *s, hst_raddr object)
{
    HST_CLEANUP(hst_dict_entries_release) struct hst_dict_entries entries = {0};
    uint64_t used;
    HST_TRY(hst_memory_read_u64(s->memory, object + s->abi->dict_used, &used));
    HST_TRY(hst_dict_read(s->memory, s->abi, object, 8 * HST_OBJECT_ITEMS_MAX, &entries));
    hst_buffer_add_byte(s->into, '{');
    for (size_t i = 0; i < entries.count && i < HST_OBJECT_ITEMS_MAX; i++) {
        if (s->depth > HST_OBJECT_DEPTH_MAX) {
            hst_buffer_add_text(s->into, "...");
            break;
        }
        if (!begin_item(s, i))
            break;
        HST_TRY(show(s, entries.items[i].key));
        hst_buffer_add_text(s->into, ": ");
        HST_TRY(show(s, entries.items[i].value));
    }
    if (s->depth <= HST_OBJECT_DEPTH_MAX && used > HST_OBJECT_ITEMS_MAX)
        hst_buffer_add_fmt(s->into, ", ... (%" PRIu64 " items)", used);
    hst_buffer_add_byte(s->into, '}');
    return HST_OK;
}

/* The table has mask + 1 slots of key and hash; free ones have no key, deleted ones the hash -1. */
static enum hst_status show_set_items(struct shower *s, hst_raddr object)
{
    enum { SLOTS_MAX = 256 };
    uint64_t mask, table, used, slots[SLOTS_MAX][2];
    struct hst_piece pieces[] = {{object + s->abi->set_mask, &mask, 8},
                                 {object + s->abi->set_table, &table, 8},
                                 {object + s->abi->set_used, &used, 8}};
    HST_TRY(hst_memory_read_pieces(s->memory, pieces, 3));
    size_t count = mask < SLOTS_MAX ? (size_t)mask + 1 : SLOTS_MAX, shown = 0;
    HST_TRY(hst_memory_read(s->memory, table, slots, count * sizeof slots[0]));
    for (size_t i = 0; i < count && shown < HST_OBJECT_ITEMS_MAX; i++) {
        if (slots[i][0] == 0 || slots[i][1] == UINT64_MAX)
            continue;
        if (!begin_item(s, shown++))
            return HST_OK;
        HST_TRY(show(s, slots[i][0]));
    }
    if (shown < used)
        hst_buffer_add_fmt(s->into, "%s... (%" PRIu64 " items)", shown > 0 ? ", " : "", used);
    return HST_OK;
}

static enum hst_status show_set(struct shower *s, hst_raddr object)
{
    uint64_t used;
    HST_TRY(hst_memory_read_u64(s->memory, object + s->abi->set_used, &used));
    if (used == 0) {
        hst_buffer_add_text(s->into, "set()");
        return HST_OK;
    }
    hst_buffer_add_byte(s->into, '{');
    if (s->depth > HST_OBJECT_DEPTH_MAX)
        hst_buffer_add_text(s->into, "...");
    else
        HST_TRY(show_set_items(s, object));
    hst_buffer_add_byte(s->into, '}');
    return HST_OK;
}

static enum hst_status show_frozenset(struct shower *s, hst_raddr object)
{
    uint64_t used;
    HST_TRY(hst_memory_read_u64(s->memory, object + s->abi->set_used, &used));
    hst_buffer_add_text(s->into, "frozenset(");
    if (used > 0)
        HST_TRY(show_set(s, object));
    hst_buffer_add_byte(s->into, ')');
    return HST_OK;
}

static enum hst_status show_class(struct shower *s, hst_raddr object)
{
    hst_buffer_add_text(s->into, "<class '");
    HST_TRY(hst_type_add_name(s->memory, s->abi, object, s->into));
    hst_buffer_add_text(s->into, "'>");
    return HST_OK;
}

static enum hst_status show_function(struct shower *s, hst_raddr object)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer name;
    hst_raddr text;
    hst_buffer_init(&name, HST_OBJECT_CHARACTERS_MAX * 4 + 16);
    HST_TRY(hst_memory_read_u64(s->memory, object + s->abi->function_qualname, &text));
    HST_TRY(hst_text_read(s->memory, s->abi, text, HST_OBJECT_CHARACTERS_MAX, &name));
    hst_buffer_add_fmt(s->into, "<function %.*s at 0x%" PRIx64 ">", (int)name.length, (char *)name.data,
                       object);
    return HST_OK;
}

/* The module's dict is its first field, and knows its name. */
static enum hst_status show_module(struct shower *s, hst_raddr object)
{
    HST_CLEANUP(hst_dict_entries_release) struct hst_dict_entries globals = {0};
    hst_raddr dict;
    HST_TRY(hst_memory_read_u64(s->memory, object + s->abi->object_size, &dict));
    HST_TRY(hst_dict_read(s->memory, s->abi, dict, 64, &globals));
    hst_raddr name = hst_dict_find(s->memory, s->abi, &globals, "__name__");
    if (name == 0)
        return HST_E_TORN;
    hst_buffer_add_text(s->into, "<module ");
    HST_TRY(show_str(s, name));
    hst_buffer_add_byte(s->into, '>');
    return HST_OK;
}

static enum hst_status show_none(struct shower *s, hst_raddr object)
{
    (void)object;
    hst_buffer_add_text(s->into, "None");
    return HST_OK;
}

static enum hst_status show_ellipsis(struct shower *s, hst_raddr object)
{
    (void)object;
    hst_buffer_add_text(s->into, "Ellipsis");
    return HST_OK;
}

static enum hst_status show_other(struct shower *s, hst_raddr object, const struct hst_type *type)
{
    hst_buffer_add_byte(s->into, '<');
    HST_TRY(hst_type_add_name(s->memory, s->abi, type->address, s->into));
    if ((type->flags & HST_TYPE_EXCEPTION) != 0) {
        hst_raddr arguments;
        uint64_t count;
        HST_TRY(hst_memory_read_u64(s->memory, object + s->abi->object_size + 8,
                                    &arguments)); /* head, __dict__, args */
        HST_TRY(hst_memory_read_u64(s->memory, arguments + s->abi->var_size, &count));
        hst_buffer_add_byte(s->into, '(');
        if (s->depth <= HST_OBJECT_DEPTH_MAX)
            HST_TRY(show_array(s, arguments + s->abi->tuple_items, count));
        hst_buffer_add_byte(s->into, ')');
    }
    hst_buffer_add_fmt(s->into, " at 0x%" PRIx64 ">", object);
    return HST_OK;
}

static const struct {
    const char *builtin;
    uint64_t flag; /* that its type and all below have; 0 = none */
    enum hst_status (*show)(struct shower *s, hst_raddr object);
} kinds[] = {
    {"NoneType", 0, show_none},
    {"bool", HST_TYPE_LONG, show_bool},
    {"int", HST_TYPE_LONG, show_long},
    {"float", 0, show_float},
    {"str", HST_TYPE_STR, show_str},
    {"bytes", HST_TYPE_BYTES, show_bytes},
    {"tuple", HST_TYPE_TUPLE, show_tuple},
    {"list", HST_TYPE_LIST, show_list},
    {"dict", HST_TYPE_DICT, show_dict},
    {"set", 0, show_set},
    {"frozenset", 0, show_frozenset},
    {"complex", 0, show_complex},
    {"type", HST_TYPE_TYPE, show_class},
    {"function", 0, show_function},
    {"module", 0, show_module},
    {"ellipsis", 0, show_ellipsis},
    {"collections.OrderedDict", HST_TYPE_DICT, show_dict},
    {"collections.defaultdict", HST_TYPE_DICT, show_dict},
};

static enum hst_status show_by_kind(struct shower *s, hst_raddr object)
{
    struct hst_type type;
    if ((object & 7) != 0 || object < 4096)
        return HST_E_TORN;
    HST_TRY(hst_type_read(s->memory, s->abi, object, &type));
    for (size_t i = 0; i < HST_ARRAY_LENGTH(kinds); i++) {
        if (strcmp(kinds[i].builtin, type.builtin) != 0 || (type.flags & kinds[i].flag) != kinds[i].flag)
            continue;
        /* An enumeration, a named tuple, a Counter: the class around the value. Metaclasses and the like are
         * plain. */
        int around = type.derived && kinds[i].show != show_class && kinds[i].show != show_module;
        if (around) {
            HST_TRY(hst_type_add_name(s->memory, s->abi, type.address, s->into));
            hst_buffer_add_byte(s->into, '(');
        }
        HST_TRY(kinds[i].show(s, object));
        if (around)
            hst_buffer_add_byte(s->into, ')');
        return HST_OK;
    }
    return show_other(s, object, &type);
}

static enum hst_status show(struct shower *s, hst_raddr object)
{
    size_t length = s->into->length;
    s->depth++;
    enum hst_status status = show_by_kind(s, object);
    s->depth--;
    if (status == HST_E_TORN || status == HST_E_INVALID || status == HST_E_UNSUPPORTED ||
        status == HST_E_NOENT) {
        s->into->length = length; /* half of a text helps nobody */
        if (object == 0)
            hst_buffer_add_text(s->into, "NULL");
        else
            hst_buffer_add_fmt(s->into, "<unreadable at 0x%" PRIx64 ">", object);
        status = HST_OK;
    }
    return status == HST_OK ? hst_buffer_status(s->into) : status;
}

enum hst_status hst_object_add(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr object,
                               struct hst_buffer *into)
{
    struct shower s = {.memory = memory, .abi = abi, .into = into, .end = into->length + HST_OBJECT_TEXT_MAX};
    return show(&s, object);
}

hst_raddr hst_object_in_cell(struct hst_memory *memory, const struct hst_abi *abi, hst_raddr object)
{
    struct hst_type type;
    hst_raddr value;
    if (hst_type_read(memory, abi, object, &type) != HST_OK || type.derived ||
        strcmp(type.builtin, "cell") != 0 ||
        hst_memory_read_u64(memory, object + abi->cell_value, &value) != HST_OK)
        return object;
    return value;
}
