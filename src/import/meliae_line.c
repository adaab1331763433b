/* A parser for this one shape: numbers may have any length here, which no JSON library that we use reads. */
#include "import/meliae_line.h"

#include <string.h>

#include "base/memory.h"

enum { DEPTH_MAX = 64, REPLACEMENT = 0xfffd };

struct parser {
    struct hst_meliae_line *line;
    const char *begin, *at, *end;
    const char *why; /* of the first thing that is wrong */
    int no_memory, has_address;
};

void hst_meliae_line_init(struct hst_meliae_line *line)
{
    *line = (struct hst_meliae_line){0};
    hst_buffer_init(&line->texts, 0);
}

void hst_meliae_line_release(struct hst_meliae_line *line)
{
    hst_buffer_release(&line->texts);
    hst_free(line->references);
    *line = (struct hst_meliae_line){0};
}

static int wrong(struct parser *parser, const char *why)
{
    if (parser->why == NULL)
        parser->why = why;
    return 0;
}

static void skip_spaces(struct parser *parser)
{
    while (parser->at < parser->end &&
           (*parser->at == ' ' || *parser->at == '\t' || *parser->at == '\r' || *parser->at == '\n'))
        parser->at++;
}

/* Passes the character, with the spaces around it, when it comes next. */
static int pass(struct parser *parser, char wanted)
{
    skip_spaces(parser);
    if (parser->at == parser->end || *parser->at != wanted)
        return 0;
    parser->at++;
    skip_spaces(parser);
    return 1;
}

/* --- texts ------------------------------------------------------------------------------------------- */

static void add_point(struct hst_buffer *texts, uint32_t point)
{
    if (point < 0x80) {
        hst_buffer_add_byte(texts, (uint8_t)point);
    } else if (point < 0x800) {
        hst_buffer_add_byte(texts, (uint8_t)(0xc0 | point >> 6));
    } else if (point < 0x10000) {
        hst_buffer_add_byte(texts, (uint8_t)(0xe0 | point >> 12));
        hst_buffer_add_byte(texts, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
    } else {
        hst_buffer_add_byte(texts, (uint8_t)(0xf0 | point >> 18));
        hst_buffer_add_byte(texts, (uint8_t)(0x80 | (point >> 12 & 0x3f)));
        hst_buffer_add_byte(texts, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
    }
    if (point >= 0x80)
        hst_buffer_add_byte(texts, (uint8_t)(0x80 | (point & 0x3f)));
}

/* 0 at the end. */
static char next_character(struct parser *parser)
{
    char c = 0;
    if (parser->at < parser->end)
        c = *parser->at++;
    return c;
}

/* The four digits behind \u. */
static int take_unit(struct parser *parser, uint32_t *ret_unit)
{
    *ret_unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = next_character(parser), lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            *ret_unit = *ret_unit << 4 | (uint32_t)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            *ret_unit = *ret_unit << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return wrong(parser, "a \\u without four digits");
    }
    return 1;
}

/* Two halves make one character; half of one is none. */
static int take_point(struct parser *parser)
{
    uint32_t point, low;
    if (!take_unit(parser, &point))
        return 0;
    if (point >= 0xd800 && point < 0xdc00 && parser->end - parser->at >= 6 && parser->at[0] == '\\' &&
        parser->at[1] == 'u') {
        const char *before = parser->at;
        parser->at += 2;
        if (!take_unit(parser, &low))
            return 0;
        if (low >= 0xdc00 && low < 0xe000)
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        else
            parser->at = before;
    }
    add_point(&parser->line->texts, point >= 0xd800 && point < 0xe000 ? REPLACEMENT : point);
    return 1;
}

static int take_escape(struct parser *parser)
{
    static const char plain[] = "\"\\/", named[] = "bfnrt", meant[] = "\b\f\n\r\t";
    char c = next_character(parser);
    const char *name = c != '\0' ? strchr(named, c) : NULL;
    if (c == 'u')
        return take_point(parser);
    if (name != NULL)
        c = meant[name - named];
    else if (c == '\0' || strchr(plain, c) == NULL)
        return wrong(parser, "an unknown escape in a text");
    hst_buffer_add_byte(&parser->line->texts, (uint8_t)c);
    return 1;
}

static int take_text(struct parser *parser, struct hst_meliae_text *ret_text)
{
    struct hst_buffer *texts = &parser->line->texts;
    size_t begin = texts->length;
    if (parser->at == parser->end || *parser->at != '"')
        return wrong(parser, "no text where one belongs");
    parser->at++;
    for (;;) {
        const char *start = parser->at;
        while (parser->at < parser->end && *parser->at != '"' && *parser->at != '\\')
            parser->at++;
        hst_buffer_add(texts, start, (size_t)(parser->at - start));
        if (parser->at == parser->end)
            return wrong(parser, "a text without its end");
        if (*parser->at++ == '"')
            break;
        if (!take_escape(parser))
            return 0;
    }
    *ret_text = (struct hst_meliae_text){.begin = begin, .length = texts->length - begin, .is_there = 1};
    return 1;
}

/* --- numbers ----------------------------------------------------------------------------------------- */

static int take_number(struct parser *parser, uint64_t *ret_number)
{
    uint64_t number = 0;
    const char *start = parser->at;
    for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++)
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (unsigned)(*parser->at - '0'), &number))
            return wrong(parser, "a number of more than 64 bits");
    if (parser->at == start || (parser->at < parser->end && strchr(".eE", *parser->at) != NULL))
        return wrong(parser, "no whole number where one belongs");
    *ret_number = number;
    return 1;
}

static int take_references(struct parser *parser)
{
    struct hst_meliae_line *line = parser->line;
    if (!pass(parser, '['))
        return wrong(parser, "references that are no list");
    if (pass(parser, ']'))
        return 1;
    do {
        uint64_t address;
        if (!take_number(parser, &address))
            return 0;
        if (!HST_RESERVE(line->references, line->reference_capacity, line->reference_count + 1)) {
            parser->no_memory = 1;
            return 0;
        }
        line->references[line->reference_count++] = address;
    } while (pass(parser, ','));
    return pass(parser, ']') || wrong(parser, "a list without its end");
}

/* --- other values ------------------------------------------------------------------------------------ */

/* A number of any size, or a word: true, null. */
static int take_word(struct parser *parser, struct hst_meliae_text *ret_text)
{
    const char *start = parser->at;
    while (parser->at < parser->end && strchr(" \t\r\n,]}[{:\"", *parser->at) == NULL)
        parser->at++;
    size_t length = (size_t)(parser->at - start);
    if (length == 0)
        return wrong(parser, "no value where one belongs");
    if (*start == '-' || (*start >= '0' && *start <= '9')) {
        *ret_text =
            (struct hst_meliae_text){.begin = parser->line->texts.length, .length = length, .is_there = 1};
        hst_buffer_add(&parser->line->texts, start, length);
        return 1;
    }
    static const char *const words[] = {"true", "false", "null", "NaN", "Infinity"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(words); i++)
        if (strlen(words[i]) == length && memcmp(words[i], start, length) == 0)
            return 1;
    return wrong(parser, "a word that is no value");
}

/* Passes lists and objects: they say nothing to us, so that only their brackets are looked at. */
static int skip_nested(struct parser *parser)
{
    char closing[DEPTH_MAX];
    struct hst_meliae_text text;
    size_t depth = 0, begin = parser->line->texts.length;
    do {
        if (parser->at == parser->end)
            return wrong(parser, "a value without its end");
        char c = *parser->at;
        if (c == '"') {
            if (!take_text(parser, &text))
                return 0;
            parser->line->texts.length = begin;
            continue;
        }
        parser->at++;
        if (c == '[' || c == '{') {
            if (depth == DEPTH_MAX)
                return wrong(parser, "too many values within each other");
            closing[depth++] = c == '[' ? ']' : '}';
        } else if (c == ']' || c == '}') {
            if (c != closing[--depth])
                return wrong(parser, "brackets that do not match");
        }
    } while (depth > 0);
    return 1;
}

static int take_value(struct parser *parser, struct hst_meliae_text *ret_text)
{
    if (parser->at < parser->end && *parser->at == '"')
        return take_text(parser, ret_text);
    if (parser->at < parser->end && (*parser->at == '[' || *parser->at == '{'))
        return skip_nested(parser);
    return take_word(parser, ret_text);
}

/* --- the object -------------------------------------------------------------------------------------- */

static int is_key(const struct parser *parser, struct hst_meliae_text key, const char *wanted)
{
    return strlen(wanted) == key.length &&
           memcmp(hst_meliae_text_of(parser->line, key), wanted, key.length) == 0;
}

static int take_member(struct parser *parser)
{
    struct hst_meliae_line *line = parser->line;
    struct hst_meliae_text key = {0}, ignored;
    if (!take_text(parser, &key))
        return 0;
    if (!pass(parser, ':'))
        return wrong(parser, "a key without a value");
    if (line->texts.failed) { /* the key is not there to be compared */
        parser->no_memory = 1;
        return 0;
    }
    if (is_key(parser, key, "address"))
        return parser->has_address = take_number(parser, &line->address);
    if (is_key(parser, key, "type"))
        return take_text(parser, &line->type);
    if (is_key(parser, key, "size"))
        return take_number(parser, &line->bytes);
    if (is_key(parser, key, "len"))
        return line->has_items = take_number(parser, &line->items);
    if (is_key(parser, key, "name"))
        return take_value(parser, &line->name);
    if (is_key(parser, key, "value"))
        return take_value(parser, &line->value);
    if (!is_key(parser, key, "refs"))
        return take_value(parser, &ignored);
    line->reference_count = 0;
    return take_references(parser);
}

static int take_object(struct parser *parser)
{
    if (!pass(parser, '{'))
        return wrong(parser, "no JSON object");
    if (!pass(parser, '}')) {
        do
            if (!take_member(parser))
                return 0;
        while (pass(parser, ','));
        if (!pass(parser, '}'))
            return wrong(parser, "an object without its end");
    }
    (void)pass(parser, ',');
    (void)pass(parser, ']');
    if (parser->at != parser->end)
        return wrong(parser, "more than one object");
    if (!parser->has_address)
        return wrong(parser, "no address");
    if (!parser->line->type.is_there)
        return wrong(parser, "no type");
    return 1;
}

enum hst_status hst_meliae_line_read(struct hst_meliae_line *line, const char *text, size_t length,
                                     const char **ret_why, size_t *ret_byte)
{
    struct parser parser = {.line = line, .begin = text, .at = text, .end = text + length};
    hst_buffer_clear(&line->texts);
    line->address = line->bytes = 0;
    line->type = line->name = line->value = (struct hst_meliae_text){0};
    line->reference_count = 0;
    line->has_object = line->has_items = 0;
    if (!pass(&parser, '[') && !pass(&parser, ']'))
        (void)pass(&parser, ',');
    if (parser.at == parser.end)
        return HST_OK;
    line->has_object = take_object(&parser);
    HST_TRY(hst_buffer_status(&line->texts));
    if (parser.no_memory)
        return HST_E_NOMEM;
    if (line->has_object)
        return HST_OK;
    *ret_why = parser.why;
    *ret_byte = (size_t)(parser.at - parser.begin) + 1;
    return HST_E_INVALID;
}
