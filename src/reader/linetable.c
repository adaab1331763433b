/* Decodes the three formats of position tables (Objects/lnotab_notes.txt, Objects/locations.md of the
 * respective CPython). */
#include "reader/linetable.h"

struct position_reader {
    const uint8_t *at, *end;
};

static uint32_t positive_or_zero(int64_t line) { return line > 0 && line < INT32_MAX ? (uint32_t)line : 0; }

/* Pairs (bytes of code, lines as signed byte): a line begins where its pair's bytes end. */
static struct hst_position find_lnotab(const uint8_t *table, size_t length, int64_t line,
                                       uint32_t instruction)
{
    uint64_t address = 0;
    for (size_t i = 0; i + 1 < length; i += 2) {
        address += table[i];
        if (address > instruction)
            break;
        line += (int8_t)table[i + 1];
    }
    return (struct hst_position){.line = positive_or_zero(line), .end_line = positive_or_zero(line)};
}

/* Pairs (bytes of code, lines as signed byte; -128 = no line): a pair's line holds for its own bytes. */
static struct hst_position find_pep626(const uint8_t *table, size_t length, int64_t line,
                                       uint32_t instruction)
{
    uint64_t end = 0;
    for (size_t i = 0; i + 1 < length; i += 2) {
        end += table[i];
        int none = (int8_t)table[i + 1] == -128;
        if (!none)
            line += (int8_t)table[i + 1];
        if (end > instruction)
            return none ? (struct hst_position){0}
                        : (struct hst_position){.line = positive_or_zero(line),
                                                .end_line = positive_or_zero(line)};
    }
    return (struct hst_position){.line = positive_or_zero(line), .end_line = positive_or_zero(line)};
}

static uint64_t read_varint(struct position_reader *reader)
{
    uint64_t value = 0;
    /* No number of a good table needs more; so bounded, their sum cannot leave 64 bits. */
    for (unsigned shift = 0; reader->at < reader->end && shift < 36; shift += 6) {
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 63) << shift;
        if ((byte & 64) == 0)
            break;
    }
    return value;
}

static int64_t read_signed_varint(struct position_reader *reader)
{
    uint64_t value = read_varint(reader);
    return (value & 1) != 0 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static uint8_t read_byte(struct position_reader *reader)
{
    return reader->at < reader->end ? *reader->at++ : 0;
}

static uint16_t column_plus_one(uint64_t column) { return column < UINT16_MAX ? (uint16_t)(column + 1) : 0; }

/* One entry: the kind is in bits 3 to 6 of its first byte. Moves *line on; fills what the entry says. */
static struct hst_position read_entry(struct position_reader *reader, unsigned kind, int64_t *line)
{
    struct hst_position p = {0};
    uint64_t column = UINT64_MAX - 1, end_column = UINT64_MAX - 1;
    int64_t end_line;
    if (kind == 15) /* no position */
        return p;
    if (kind == 14) { /* long form */
        *line += read_signed_varint(reader);
        end_line = *line + (int64_t)read_varint(reader);
        column = read_varint(reader) - 1; /* stored plus one; 0 = none */
        end_column = read_varint(reader) - 1;
    } else if (kind == 13) { /* line only */
        end_line = *line += read_signed_varint(reader);
    } else if (kind >= 10) { /* one line, up to two lines on */
        end_line = *line += kind - 10;
        column = read_byte(reader);
        end_column = read_byte(reader);
    } else { /* same line, columns below 80 */
        uint8_t byte = read_byte(reader);
        end_line = *line;
        column = kind << 3 | (byte >> 4 & 7);
        end_column = column + (byte & 15);
    }
    p.line = positive_or_zero(*line);
    p.end_line = positive_or_zero(end_line);
    p.column = column_plus_one(column);
    p.end_column = column_plus_one(end_column);
    return p;
}

static struct hst_position find_pep657(const uint8_t *table, size_t length, int64_t line,
                                       uint32_t instruction)
{
    struct position_reader reader = {.at = table, .end = table + length};
    uint64_t end = 0;
    while (reader.at < reader.end) {
        uint8_t first = *reader.at++;
        end += ((first & 7) + 1u) * 2u;
        struct hst_position p = read_entry(&reader, first >> 3 & 15, &line);
        if (end > instruction)
            return p;
    }
    return (struct hst_position){0};
}

struct hst_position hst_linetable_find(const uint8_t *table, size_t length, unsigned minor,
                                       uint32_t first_line, uint32_t instruction)
{
    if (minor >= 11)
        return find_pep657(table, length, first_line, instruction);
    if (minor == 10)
        return find_pep626(table, length, first_line, instruction);
    return find_lnotab(table, length, first_line, instruction);
}
