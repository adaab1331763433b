/* Files of line_profiler: made byte by byte, what must be refused, and our own export read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "export/exporter.h"
#include "import/lprof_reader.h"
#include "import/pickle.h"

struct read {
    struct hst_profile profile;
    struct hst_lines lines;
    struct hst_error err;
    enum hst_status status;
};

static void read_bytes(struct read *read, const void *data, size_t length)
{
    memset(read, 0, sizeof *read);
    assert_true(hst_profile_init(&read->profile));
    hst_lines_init(&read->lines);
    read->status = hst_lprof_read("x.lprof", data, length, &read->profile, &read->lines, &read->err);
}
#define READ(read, literal) read_bytes(read, literal, sizeof(literal) - 1)

static void release(struct read *read)
{
    hst_lines_release(&read->lines);
    hst_profile_release(&read->profile);
}

static void refused(const char *data, size_t length, enum hst_status status, const char *part)
{
    struct read read;
    read_bytes(&read, data, length);
    if (read.status != status || strstr(read.err.text, part) == NULL)
        fail_msg("%s: \"%s\" is not in \"%s\"", hst_status_name(read.status), part, read.err.text);
    assert_non_null(strstr(read.err.text, "x.lprof"));
    assert_true(read.err.hint[0] != '\0');
    release(&read);
}
#define REFUSED(literal, status, part) refused(literal, sizeof(literal) - 1, status, part)

#define TEXT(length, text) "X" length "\0\0\0" text
#define CLASS "cline_profiler._line_profiler\nLineStats\n"
#define HEAD "\x80\x02" CLASS ")\x81}("
#define TIMINGS TEXT("\x07", "timings")
#define UNIT TEXT("\x04", "unit") "G\x3e\x11\x2e\x0b\xe8\x26\xd6\x95" /* 1e-9 */
#define KEY TEXT("\x04", "a.py") "K\x03" TEXT("\x03", "C.m") "\x87"
#define ROWS                                                                                                 \
    "](K\x04K\x02M\x94\x02\x87K\x05M\xef\x03J\x7a\xfa\x00\x00\x87"                                           \
    "e"
#define TAIL "ub."
#define WHOLE HEAD TIMINGS "}(" KEY ROWS "u" UNIT TAIL

static const struct hst_line_row *row_at(const struct read *read, uint32_t line)
{
    for (size_t i = 0; i < read->lines.count; i++)
        if (read->lines.rows[i].line == line)
            return &read->lines.rows[i];
    fail_msg("no line %u", line);
    return NULL;
}

static void check_whole(struct read *read)
{
    if (read->status != HST_OK)
        fail_msg("%s", read->err.text);
    assert_int_equal(read->lines.count, 2);
    assert_int_equal(row_at(read, 4)->hits, 2);
    assert_int_equal(row_at(read, 4)->total_ns, 660);
    assert_int_equal(row_at(read, 5)->hits, 1007);
    assert_int_equal(row_at(read, 5)->total_ns, 64122);
    assert_int_equal(row_at(read, 5)->raw_ns, 64122);
    const struct hst_function *function = &read->profile.functions[row_at(read, 4)->function];
    assert_string_equal(hst_profile_text(&read->profile, function->file), "a.py");
    assert_string_equal(hst_profile_text(&read->profile, function->name), "m");
    assert_string_equal(hst_profile_text(&read->profile, function->qualname), "C.m");
    assert_int_equal(function->first_line, 3);
}

static void test_whole(void **state)
{
    (void)state;
    struct read read;
    READ(&read, WHOLE);
    check_whole(&read);
    release(&read);
    /* The operations of protocol 4 and 5, with memory of every width, one by one in place of many. */
    READ(&read, "\x80\x05\x95\x10\0\0\0\0\0\0\0"
                "\x8c\x1bline_profiler.line_profiler\x94"
                "\x8c\x09LineStats\x94\x93\x94)\x81\x94}\x94"
                "\x8c\x07timings\x94}\x94"
                "\x8c\x04"
                "a.py\x94"
                "\x8a\x01\x03"
                "X\x03\0\0\0"
                "C.m"
                "q\x40r\x41\0\0\0\x87"
                "]\x94"
                "K\x04K\x02\x8a\x02\x94\x02\x87"
                "a"
                "(K\x05M\xef\x03J\x7a\xfa\x00\x00ta"
                "s"
                "s"
                "\x8c\x04unit\x94G\x3e\x11\x2e\x0b\xe8\x26\xd6\x95s"
                "\x8c\x05later"
                "h\x03"
                "s"
                "b.");
    check_whole(&read);
    release(&read);
}

/* Other units, float ticks of profiles that were added up, a line that is there twice, no lines at all. */
static void test_numbers(void **state)
{
    (void)state;
    struct read read;
    READ(&read, HEAD TIMINGS
         "}(" KEY "](K\x04K\x02K\x07\x87K\x04K\x01G\x40\x04\0\0\0\0\0\0\x87"
         "e" TEXT("\x01", "b") "K\x00" TEXT(
             "\x01", "f") "\x87]"
                          "u" TEXT("\x04", "unit") "G\x3e\xb0\xc6\xf7\xa0\xb5\xed\x8d" TAIL); /* 1e-6 */
    if (read.status != HST_OK)
        fail_msg("%s", read.err.text);
    assert_int_equal(read.lines.count, 1);
    assert_int_equal(read.lines.rows[0].hits, 3);
    assert_int_equal(read.lines.rows[0].total_ns, 9500);
    assert_int_equal(read.profile.function_count, 2);
    release(&read);
    READ(&read, HEAD TIMINGS "}" UNIT TAIL);
    assert_int_equal(read.status, HST_OK);
    assert_int_equal(read.lines.count, 0);
    release(&read);
}

/* What would run code, and what is not plain data. */
static void test_hostile(void **state)
{
    (void)state;
    REFUSED("\x80\x04"
            "cos\nsystem\n(" TEXT("\x02", "id") "tR.",
            HST_E_INVALID, "byte 2: it wants the class os.system");
    REFUSED("\x80\x04\x8c\x08"
            "builtins\x8c\x04"
            "exec\x93.",
            HST_E_INVALID, "the class builtins.exec");
    REFUSED("\x80\x02"
            "cline_profiler.line_profiler\nLineProfiler\n.",
            HST_E_INVALID, "LineProfiler");
    REFUSED("\x80\x02"
            "ca\x1b[31m\nb\n.",
            HST_E_INVALID, "the class a?[31m.b");
    REFUSED("\x80\x02" CLASS "(R.", HST_E_INVALID, "operation 0x52");
    REFUSED("\x80\x02"
            "N.",
            HST_E_INVALID, "operation 0x4e");
    REFUSED("\x80\x02"
            "P1\n.",
            HST_E_INVALID, "operation 0x50");
    REFUSED("\x80\x02"
            "i__main__\nx\n.",
            HST_E_INVALID, "operation 0x69");
    REFUSED("\x80\x02\x82\x01.", HST_E_INVALID, "operation 0x82");
}

static void test_damaged(void **state)
{
    (void)state;
    REFUSED("", HST_E_CORRUPT, "does not begin");
    REFUSED("\x80", HST_E_CORRUPT, "does not begin");
    REFUSED("\x80\x06.", HST_E_CORRUPT, "does not begin");
    REFUSED("\x80\x02\x80\x01.", HST_E_CORRUPT, "protocol 1");
    REFUSED("\x80\x02.", HST_E_CORRUPT, "the end, with 0 values left");
    REFUSED("\x80\x02]].", HST_E_CORRUPT, "the end, with 2 values left");
    REFUSED("\x80\x02](.", HST_E_CORRUPT, "the end");
    REFUSED("\x80\x02].!", HST_E_CORRUPT, "the file goes on");
    REFUSED("\x80\x02\x95\xff\0\0\0\0\0\0\0", HST_E_CORRUPT, "a frame that is longer");
    REFUSED("\x80\x02h\x01.", HST_E_CORRUPT, "value 1 was not remembered");
    REFUSED("\x80\x02q\x01.", HST_E_CORRUPT, "it needs values");
    REFUSED("\x80\x02\x94.", HST_E_CORRUPT, "it needs values");
    REFUSED("\x80\x02K\x01\x87.", HST_E_CORRUPT, "it needs values");
    REFUSED("\x80\x02K\x01(\x85.", HST_E_CORRUPT, "it needs values"); /* not across a mark */
    REFUSED("\x80\x02t.", HST_E_CORRUPT, "it needs a mark");
    REFUSED("\x80\x02(e.", HST_E_CORRUPT, "it needs values");
    REFUSED("\x80\x02}(K\x01u.", HST_E_CORRUPT, "a key without a value");
    REFUSED("\x80\x02}K\x01"
            "a.",
            HST_E_CORRUPT, "it adds to a dict");
    REFUSED("\x80\x02]K\x01K\x01s.", HST_E_CORRUPT, "it adds to a list");
    REFUSED("\x80\x02K\x01K\x01\x93.", HST_E_CORRUPT, "a class whose name is no text");
    REFUSED("\x80\x02])\x81.", HST_E_CORRUPT, "an object of what is no class");
    REFUSED("\x80\x02" CLASS "]\x81.", HST_E_CORRUPT, "an object of what is no class");
    REFUSED("\x80\x02]}b.", HST_E_CORRUPT, "a state for what is no new object");
    REFUSED("\x80\x02" CLASS ")\x81}b}b.", HST_E_CORRUPT, "a state for what is no new object");
    REFUSED("\x80\x02"
            "cline_profiler",
            HST_E_CORRUPT, "ends in the middle");
    REFUSED("\x80\x02X\xff\xff\xff\xff", HST_E_CORRUPT, "a text of 4294967295 bytes");
    REFUSED("\x80\x02\x8a\x09", HST_E_CORRUPT, "too large");
    REFUSED("\x80\x02G\x7f\xf8\0\0\0\0\0\0.", HST_E_CORRUPT, "not finite");
}

static void test_no_profile(void **state)
{
    (void)state;
    REFUSED("\x80\x02].", HST_E_INVALID, "a list, not an object LineStats");
    REFUSED("\x80\x02" CLASS ")\x81.", HST_E_INVALID, "not an object LineStats with its state");
    REFUSED("\x80\x02" CLASS ")\x81]b.", HST_E_INVALID, "not the state of LineStats");
    REFUSED(HEAD TAIL, HST_E_INVALID, "without timings or unit");
    REFUSED(HEAD TIMINGS "}" TAIL, HST_E_INVALID, "without timings or unit");
    REFUSED(HEAD "K\x01}" UNIT TAIL, HST_E_INVALID, "not a key of the state");
    REFUSED(HEAD TIMINGS "]" UNIT TAIL, HST_E_INVALID, "not a table of functions");
    REFUSED(HEAD TIMINGS "}" TEXT("\x04", "unit") "]" TAIL, HST_E_INVALID, "not the seconds of a tick");
    REFUSED(HEAD TIMINGS "}" TEXT("\x04", "unit") "K\x00" TAIL, HST_E_INVALID, "a tick that is no time");
    REFUSED(HEAD TIMINGS "}(K\x01]u" UNIT TAIL, HST_E_INVALID, "not the three parts of a function");
    REFUSED(HEAD TIMINGS "}(K\x01K\x01K\x01\x87]u" UNIT TAIL, HST_E_INVALID, "not the file of a function");
    REFUSED(HEAD TIMINGS "}(" KEY "}u" UNIT TAIL, HST_E_INVALID, "not the lines of a function");
    REFUSED(HEAD TIMINGS "}(" KEY "]K\x01"
                         "au" UNIT TAIL,
            HST_E_INVALID, "not the three parts of a line");
    REFUSED(HEAD TIMINGS "}(" KEY "]"
                         "J\xff\xff\xff\xffK\x01K\x01\x87"
                         "au" UNIT TAIL,
            HST_E_INVALID, "a line that no");
    REFUSED(HEAD TIMINGS "}(" KEY "]"
                         "K\x01J\xff\xff\xff\xffK\x01\x87"
                         "au" UNIT TAIL,
            HST_E_INVALID, "negative");
    REFUSED(HEAD TIMINGS "}(" KEY "]"
                         "K\x01K\x01]\x87"
                         "au" UNIT TAIL,
            HST_E_INVALID, "not a time");
    REFUSED(HEAD TIMINGS "}(" KEY "]"
                         "K\x01K\x01G\x7f\xe0\0\0\0\0\0\0\x87"
                         "au" UNIT TAIL,
            HST_E_INVALID, "centuries");
    REFUSED(HEAD TIMINGS "}(" KEY "]" KEY "]u" UNIT TAIL, HST_E_INVALID, "a function that was there already");
    /* A list that holds itself, a dict whose value is its state. */
    REFUSED(HEAD TIMINGS "}(" KEY "]q\x01h\x01"
                         "au" UNIT TAIL,
            HST_E_INVALID, "a list, not the three parts of a line");
    REFUSED("\x80\x02" CLASS ")\x81}q\x01(" TIMINGS "h\x01" UNIT TAIL, HST_E_INVALID,
            "not the three parts of a function");
}

static void test_cut(void **state)
{
    (void)state;
    static const char whole[] = WHOLE;
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        char *copy = hst_alloc(length + 1, 1);
        memcpy(copy, whole, length);
        refused(copy, length, HST_E_CORRUPT, length < 2 ? "does not begin" : "the file ends in the middle");
        hst_free(copy);
    }
}

/* What we export is what we read: any names, numbers of any size. */
static void test_round_trip(void **state)
{
    (void)state;
    struct hst_profile profile;
    struct hst_lines lines;
    struct hst_output output;
    struct hst_error err = {0};
    char path[] = "/tmp/hasten-lprof-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_true(hst_profile_init(&profile));
    hst_lines_init(&lines);
    static const char *const names[] = {"f", "C.m", "g.<locals>.h"};
    for (uint32_t i = 0; i < 3; i++) {
        struct hst_function function = {.name = hst_strings_add_z(&profile.strings, "x"),
                                        .qualname = hst_strings_add_z(&profile.strings, names[i]),
                                        .file = hst_strings_add_z(&profile.strings, "\xc3\xa9.py"),
                                        .first_line = i};
        uint32_t id = hst_profile_function(&profile, &function);
        for (uint32_t line = 5; line > 0; line--) {
            struct hst_line_row *row = hst_lines_row(&lines, 2 - id, line);
            row->hits = line == 5 ? UINT64_C(1) << 40 : line;
            row->total_ns = UINT64_C(3) << (10 * line);
            row->self_ns = 1;
        }
    }
    const struct hst_run_info info = {.kind = HST_RUN_LINES};
    struct hst_export export = {.info = &info, .profile = &profile, .lines = &lines};
    const struct hst_exporter *exporter = hst_exporter_for_file("a.lprof");
    assert_non_null(exporter);
    assert_int_equal(hst_exporter_check(exporter, &export, &err), HST_OK);
    assert_int_equal(hst_output_open(&output, path, &err), HST_OK);
    assert_int_equal(exporter->write(&export, &output, &err), HST_OK);
    assert_int_equal(hst_output_commit(&output, &err), HST_OK);
    hst_output_release(&output);
    struct hst_buffer bytes;
    hst_buffer_init(&bytes, 0);
    assert_int_equal(hst_file_read(path, &bytes), HST_OK);
    (void)unlink(path);
    struct read read;
    read_bytes(&read, bytes.data, bytes.length);
    if (read.status != HST_OK)
        fail_msg("%s", read.err.text);
    assert_int_equal(read.lines.count, lines.count);
    for (size_t i = 0; i < read.lines.count; i++) {
        const struct hst_line_row *row = &read.lines.rows[i];
        const struct hst_function *function = &read.profile.functions[row->function];
        assert_string_equal(hst_profile_text(&read.profile, function->file), "\xc3\xa9.py");
        assert_string_equal(hst_profile_text(&read.profile, function->qualname), names[function->first_line]);
        assert_int_equal(row->hits, row->line == 5 ? UINT64_C(1) << 40 : row->line);
        assert_int_equal(row->total_ns, UINT64_C(3) << (10 * row->line));
    }
    release(&read);
    hst_buffer_release(&bytes);
    hst_lines_release(&lines);
    hst_profile_release(&profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),      cmocka_unit_test(test_numbers),    cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_damaged),    cmocka_unit_test(test_no_profile), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
