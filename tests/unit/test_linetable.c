/* Position tables that CPython 3.8, 3.10 and 3.12 made for one function, against what the same interpreters
 * say of each instruction; and bytes that no compiler makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/linetable.h"

/* From this instruction to the next row's; columns from 0, -1 = the version has none. */
struct row {
    uint32_t instruction, line, end_line;
    int column, end_column;
};

static const uint8_t table_3_8[] = {0, 1, 4, 1, 12, 1, 8, 1,   4, 1,   2, 1,   2, 254,
                                    8, 4, 4, 1, 4,  1, 2, 255, 8, 127, 0, 127, 0, 49};
static const struct row rows_3_8[] = {{0, 2, 2, -1, -1},    {4, 3, 3, -1, -1},    {16, 4, 4, -1, -1},
                                      {24, 5, 5, -1, -1},   {28, 6, 6, -1, -1},   {30, 7, 7, -1, -1},
                                      {32, 5, 5, -1, -1},   {40, 9, 9, -1, -1},   {44, 10, 10, -1, -1},
                                      {48, 11, 11, -1, -1}, {50, 10, 10, -1, -1}, {58, 313, 313, -1, -1}};
static const uint8_t table_3_10[] = {4, 1, 12, 1, 8, 1, 4,   1, 2,   1, 2,   1, 8,   254, 4,
                                     4, 4, 1,  2, 1, 6, 255, 2, 128, 0, 127, 0, 127, 6,   49};
static const struct row rows_3_10[] = {{0, 2, 2, -1, -1},     {4, 3, 3, -1, -1},    {16, 4, 4, -1, -1},
                                       {24, 5, 5, -1, -1},    {28, 6, 6, -1, -1},   {30, 7, 7, -1, -1},
                                       {32, 5, 5, -1, -1},    {40, 9, 9, -1, -1},   {44, 10, 10, -1, -1},
                                       {48, 11, 11, -1, -1},  {50, 10, 10, -1, -1}, {56, 0, 0, -1, -1},
                                       {58, 313, 313, -1, -1}};
static const uint8_t table_3_12[] = {
    128, 0,   216, 12, 13,  128, 69,  220, 13, 18,  144, 49,  139, 88,  242, 0,   8,  5,   3,
    136, 1,   216, 11, 12,  136, 113, 138, 53, 216, 12,  17,  148, 83,  216, 16,  17, 216, 16,
    17,  243, 5,   2,  22,  19,  241, 0,   2,  13,  19,  137, 69,  242, 8,   0,   14, 15,  216,
    12,  17,  144, 97, 216, 0,   1,   241, 3,  1,   23,  2,   241, 0,   1,   13,  3,  137, 69,
    240, 15,  8,   5,  3,   240, 108, 9,   0,  12,  17,  143, 58,  137, 58,  208, 4,  21};
static const struct row rows_3_12[] = {
    {0, 1, 1, 0, 0},       {2, 2, 2, 12, 13},  {4, 2, 2, 4, 9},         {6, 3, 3, 13, 18},
    {16, 3, 3, 19, 20},    {18, 3, 3, 13, 21}, {26, 3, 11, 4, 2},       {32, 3, 3, 8, 9},
    {34, 4, 4, 11, 12},    {36, 4, 4, 15, 16}, {38, 4, 4, 11, 16},      {44, 5, 5, 12, 17},
    {46, 5, 5, 21, 24},    {56, 6, 6, 16, 17}, {58, 7, 7, 16, 17},      {60, 5, 7, 21, 18},
    {68, 5, 7, 12, 18},    {72, 5, 5, 12, 17}, {76, 9, 9, 13, 14},      {82, 10, 10, 12, 17},
    {84, 10, 10, 22, 23},  {86, 11, 11, 0, 1}, {88, 10, 11, 22, 1},     {92, 10, 11, 12, 2},
    {96, 10, 10, 12, 17},  {100, 3, 11, 4, 2}, {102, 313, 313, 11, 16}, {104, 313, 313, 11, 21},
    {124, 313, 313, 4, 21}};

static void check(const uint8_t *table, size_t length, unsigned minor, const struct row *rows, size_t count,
                  uint32_t bytecode_bytes)
{
    const struct row *row = rows;
    for (uint32_t i = 0; i < bytecode_bytes; i += 2) {
        while (row + 1 < rows + count && row[1].instruction <= i)
            row++;
        struct hst_position p = hst_linetable_find(table, length, minor, 1, i);
        if (p.line != row->line || p.end_line != row->end_line || p.column - 1 != row->column ||
            p.end_column - 1 != row->end_column)
            fail_msg("3.%u, instruction %u: %u-%u:%d-%d, expected %u-%u:%d-%d", minor, i, p.line, p.end_line,
                     p.column - 1, p.end_column - 1, row->line, row->end_line, row->column, row->end_column);
    }
}
#define CHECK(minor, bytecode_bytes)                                                                         \
    check(table_3_##minor, sizeof table_3_##minor, minor, rows_3_##minor,                                    \
          sizeof rows_3_##minor / sizeof rows_3_##minor[0], bytecode_bytes)

static void test_what_the_interpreters_say(void **state)
{
    (void)state;
    CHECK(8, 64);
    CHECK(10, 64);
    CHECK(12, 126);
}

/* 3.9 has the format of 3.8; 3.11 to 3.15 that of 3.12. */
static void test_versions_share_formats(void **state)
{
    (void)state;
    check(table_3_8, sizeof table_3_8, 9, rows_3_8, sizeof rows_3_8 / sizeof rows_3_8[0], 64);
    for (unsigned minor = 11; minor <= 15; minor++)
        check(table_3_12, sizeof table_3_12, minor, rows_3_12, sizeof rows_3_12 / sizeof rows_3_12[0], 126);
}

static void test_an_empty_table(void **state)
{
    (void)state;
    assert_int_equal(hst_linetable_find((const uint8_t *)"", 0, 8, 7, 10).line, 7);
    assert_int_equal(hst_linetable_find((const uint8_t *)"", 0, 12, 7, 10).line, 0);
}

static void test_each_kind_of_entry(void **state)
{
    (void)state;
    static const uint8_t table[] = {
        0x80 | 15 << 3,                      /* 0: none */
        0x80 | 14 << 3,    2,    1,   5, 10, /* 2: line +1, one line long, columns 4 to 9 */
        0x80 | 13 << 3,    3,                /* 4: line -1 */
        0x80 | 12 << 3,    200,  210,        /* 6: line +2, columns beyond 80 */
        0x80 | 9 << 3 | 1, 0x7f,             /* 8 to 11: columns 79 to 94 */
        0x80 | 14 << 3,    0,    0,   0, 0,  /* 12: no columns */
    };
    static const struct row rows[] = {{0, 0, 0, -1, -1},       {2, 101, 102, 4, 9},   {4, 100, 100, -1, -1},
                                      {6, 102, 102, 200, 210}, {8, 102, 102, 79, 94}, {12, 102, 102, -1, -1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hst_position p = hst_linetable_find(table, sizeof table, 13, 100, rows[i].instruction);
        assert_int_equal(p.line, rows[i].line);
        assert_int_equal(p.end_line, rows[i].end_line);
        assert_int_equal(p.column - 1, rows[i].column);
        assert_int_equal(p.end_column - 1, rows[i].end_column);
    }
}

/* Numbers that no line has, again and again, and tables cut in the middle of one. */
static void test_any_bytes(void **state)
{
    (void)state;
    uint8_t table[4096];
    for (size_t i = 0; i < sizeof table; i++)
        table[i] = i % 13 == 0 ? 0x80 | 14 << 3 : 0x7f;
    for (unsigned minor = 8; minor <= 15; minor++)
        for (size_t length = 0; length < sizeof table; length += 5) {
            struct hst_position p = hst_linetable_find(table, length, minor, UINT32_MAX, UINT32_MAX);
            assert_true(p.line <= INT32_MAX);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_interpreters_say),
        cmocka_unit_test(test_versions_share_formats),
        cmocka_unit_test(test_an_empty_table),
        cmocka_unit_test(test_each_kind_of_entry),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
