/* Files of cProfile, made byte by byte: every form that a value may have, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "import/marshal.h"
#include "import/pstats_reader.h"

struct read {
    struct hst_profile profile;
    struct hst_imported imported;
    struct hst_error err;
    enum hst_status status;
};

static void read_bytes(struct read *read, const void *data, size_t length)
{
    memset(read, 0, sizeof *read);
    assert_true(hst_profile_init(&read->profile));
    read->status = hst_pstats_read("x.prof", data, length, &read->profile, &read->imported, &read->err);
}
#define READ(read, literal) read_bytes(read, literal, sizeof(literal) - 1)

static void release(struct read *read)
{
    hst_imported_release(&read->imported);
    hst_profile_release(&read->profile);
}

static void refused(const char *data, size_t length, enum hst_status status, const char *part)
{
    struct read read;
    read_bytes(&read, data, length);
    assert_int_equal(read.status, status);
    assert_non_null(strstr(read.err.text, "x.prof"));
    if (strstr(read.err.text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, read.err.text);
    assert_true(read.err.hint[0] != '\0');
    release(&read);
}
#define REFUSED(literal, status, part) refused(literal, sizeof(literal) - 1, status, part)

/* Numbers as their bytes; 1.5 and 2.5 s as doubles. */
#define INT(n) "i" n "\0\0\0"
#define D15 "g\0\0\0\0\0\0\xf8\x3f"
#define D25 "g\0\0\0\0\0\0\x04\x40"
#define KEY_F                                                                                                \
    ")\x03z\x04"                                                                                             \
    "a.py" INT("\x07") "z\x01"                                                                               \
                       "f"
#define KEY_G                                                                                                \
    ")\x03u\x04\0\0\0"                                                                                       \
    "b.py" INT("\x09") "Z\x01"                                                                               \
                       "g"
#define SUM ")\x05" INT("\x02") INT("\x03") D15 D25

static const struct hst_call_function *row_of(const struct read *read, const char *name)
{
    for (size_t i = 0; i < read->imported.totals.function_count; i++) {
        const struct hst_call_function *row = &read->imported.totals.functions[i];
        if (strcmp(hst_profile_text(&read->profile, read->profile.functions[row->function].name), name) == 0)
            return row;
    }
    fail_msg("no function %s", name);
    return NULL;
}

static void test_whole(void **state)
{
    (void)state;
    struct read read;
    READ(&read, "{" KEY_F SUM "{0" KEY_G SUM "{" KEY_F ")\x04" INT("\x05") INT("\x04") D15 D25 "0"
                                                                                               "0");
    assert_int_equal(read.status, HST_OK);
    assert_int_equal(read.imported.totals.function_count, 2);
    assert_int_equal(read.imported.totals.edge_count, 1);
    const struct hst_call_function *f = row_of(&read, "f"), *g = row_of(&read, "g");
    assert_int_equal(f->sum.calls, 3);
    assert_int_equal(f->sum.primitive, 2);
    assert_int_equal(f->sum.self_ns, 1500000000);
    assert_int_equal(f->sum.raw_total_ns, 2500000000);
    const struct hst_call_edge *edge = &read.imported.totals.edges[0];
    assert_int_equal(edge->caller, f->function);
    assert_int_equal(edge->callee, g->function);
    assert_int_equal(edge->sum.calls, 5);
    assert_int_equal(edge->sum.primitive, 4);
    const struct hst_function *row = &read.profile.functions[g->function];
    assert_string_equal(hst_profile_text(&read.profile, row->file), "b.py");
    assert_int_equal(row->first_line, 9);
    assert_int_equal(read.imported.totals.all.calls, 6);
    assert_int_equal(read.imported.totals.all.self_ns, 3000000000);
    assert_true(read.imported.edges_timed);
    assert_string_equal(read.imported.file, "x.prof");
    assert_string_equal(read.imported.maker, "cProfile");
    release(&read);
}

/* Flags, references of every kind, the long forms, text floats, and the int of the module profile. */
static void test_forms(void **state)
{
    (void)state;
    struct read read;
    READ(&read, "\xfb" /* 0: the dict */
                "(\x03\0\0\0"
                "\xe1\x04\0\0\0"
                "a.py" /* 1: "a.py" */ "\xe9\x07\0\0\0" /* 2: 7 */ "t\x02\0\0\0\xc3\xa9"
                "\xa8\x05\0\0\0"
                "l\x01\0\0\0\x02\0"
                "l\x02\0\0\0\x03\0\x01\0"
                "f\x03"
                "1.5"
                "f\x04"
                "25e2"
                "{0"
                "\xa9\x03"
                "r\x01\0\0\0"
                "r\x02\0\0\0"
                "A\x01\0\0\0"
                "g" /* 4: a key; 3 was the sum */
                "r\x03\0\0\0"
                ")\x03"
                "r\x01\0\0\0" INT("\0") "z\x00"
                                        ")\x05" INT("\x01") INT("\x01") INT("\x02")
                                            INT("\x03") "{"
                                                        "r\x04\0\0\0" INT("\x06") "0"
                                                                                  "0");
    assert_int_equal(read.status, HST_OK);
    assert_int_equal(row_of(&read, "\xc3\xa9")->sum.calls, 0x8003);
    assert_int_equal(row_of(&read, "\xc3\xa9")->sum.total_ns, 2500000000000);
    assert_int_equal(row_of(&read, "g")->sum.primitive, 2);
    assert_int_equal(row_of(&read, "")->sum.self_ns, 2000000000);
    assert_int_equal(read.imported.totals.edges[0].sum.calls, 6);
    assert_false(read.imported.edges_timed);
    assert_string_equal(read.imported.maker, "profile");
    release(&read);
    READ(&read, "{0");
    assert_int_equal(read.status, HST_OK);
    release(&read);
}

/* Fewer calls than those from outside there cannot be; a clock that was set back gives nothing. */
static void test_odd_numbers(void **state)
{
    (void)state;
    struct read read;
    READ(&read, "{" KEY_F ")\x05" INT("\x09") INT("\x03") "f\x03-.1"
                                                          "f\x02"
                                                          "-0"
                                                          "{0"
                                                          "0");
    assert_int_equal(read.status, HST_OK);
    assert_int_equal(row_of(&read, "f")->sum.calls, 9);
    assert_int_equal(row_of(&read, "f")->sum.primitive, 3);
    assert_int_equal(row_of(&read, "f")->sum.self_ns, 0);
    release(&read);
}

static void test_damaged(void **state)
{
    (void)state;
    REFUSED("", HST_E_CORRUPT, "ends in the middle");
    REFUSED("{", HST_E_CORRUPT, "byte 1: it ends in the middle");
    REFUSED("{0!", HST_E_CORRUPT, "byte 2: the profile ends here");
    REFUSED("{x", HST_E_CORRUPT, "byte 1: a value of type 0x78");
    REFUSED("{c", HST_E_CORRUPT, "module profile");
    REFUSED("{N", HST_E_CORRUPT, "type 0x4e");
    REFUSED("{r\0\0\0\0", HST_E_CORRUPT, "byte 1: a reference to value 0, which is not there yet");
    REFUSED("\xfbr\0\0\0\0", HST_E_CORRUPT, "a reference to value 0"); /* to the dict, inside it */
    REFUSED("{r\xff\xff\xff\xff", HST_E_CORRUPT, "a reference to value -1");
    REFUSED("{\xf2\0\0\0\0", HST_E_CORRUPT, "type 0x72");
    REFUSED("{z\x05"
            "abc",
            HST_E_CORRUPT, "ends in the middle");
    REFUSED("{z\x01\xe9", HST_E_CORRUPT, "ASCII");
    REFUSED("{a\xff\xff\xff\xff", HST_E_CORRUPT, "a length of -1");
    REFUSED("{a\xff\xff\xff\x7f", HST_E_CORRUPT, "a length of 2147483647");
    REFUSED("{(\xff\xff\xff\x7f", HST_E_CORRUPT, "a length of 2147483647");
    REFUSED("{)\xff", HST_E_CORRUPT, "a length of 255");
    REFUSED("{l\0\0\0\0", HST_E_CORRUPT, "whole number");
    REFUSED("{l\x01\0\0\0\0\0", HST_E_CORRUPT, "whole number");
    REFUSED("{l\x01\0\0\0\xff\xff", HST_E_CORRUPT, "whole number");
    REFUSED("{l\0\0\0\x80", HST_E_CORRUPT, "whole number");
    REFUSED("{l\x05\0\0\0\0\0\0\0\0\0\0\0\x08\0", HST_E_CORRUPT, "whole number");
    REFUSED("{f\x03inf", HST_E_CORRUPT, "a number that is none");
    REFUSED("{f\x00", HST_E_CORRUPT, "a number that is none");
    REFUSED("{f\x04"
            "1e99",
            HST_E_CORRUPT, "ends in the middle");
    REFUSED("{f\x05"
            "1e999",
            HST_E_CORRUPT, "a number that is none");
    REFUSED("{f\x03"
            "1\0002",
            HST_E_CORRUPT, "a number that is none");
    REFUSED("{g\0\0\0\0\0\0\xf8\x7f", HST_E_CORRUPT, "not finite");
    REFUSED("{{{{{{{{{{{{{{{{{{", HST_E_CORRUPT, "inside each other");
}

static void test_no_profile(void **state)
{
    (void)state;
    REFUSED(INT("\x01"), HST_E_INVALID, "byte 0: a whole number, not a table of functions");
    REFUSED("{" INT("\x01") INT("\x01") "0", HST_E_INVALID, "byte 1: a whole number, not the three parts");
    REFUSED("{" KEY_F INT("\x01") "0", HST_E_INVALID, "not the five parts");
    REFUSED("{" KEY_F ")\x04" INT("\x02") INT("\x03") D15 D25 "0", HST_E_INVALID, "not the five parts");
    REFUSED("{" KEY_F SUM INT("\x01") "0", HST_E_INVALID, "not the callers");
    REFUSED("{" KEY_F SUM "{" KEY_G D15 "0"
            "0",
            HST_E_INVALID, "a number, not the calls of a caller");
    REFUSED("{" KEY_F ")\x05" D15 INT("\x03") D15 D25 "{0"
                                                      "0",
            HST_E_INVALID, "not a number of calls");
    REFUSED("{" KEY_F ")\x05"
            "i\xff\xff\xff\xff" INT("\x03") D15 D25 "{0"
                                                    "0",
            HST_E_INVALID, "negative");
    REFUSED("{" KEY_F ")\x05" INT("\x02") INT("\x03") "z\x01"
                                                      "1" D25 "{0"
                                                      "0",
            HST_E_INVALID, "not a time");
    REFUSED("{" KEY_F ")\x05" INT("\x02") INT("\x03") "f\x04"
                                                      "1e10" D25 "{0"
                                                      "0",
            HST_E_INVALID, "centuries");
    REFUSED("{)\x03" INT("\x02") INT("\x03") "z\x01"
                                             "1" SUM "{0"
                                             "0",
            HST_E_INVALID, "not the file");
    REFUSED("{)\x03"
            "z\x01"
            "1" D15 "z\x01"
            "1" SUM "{0"
            "0",
            HST_E_INVALID, "not the line");
    REFUSED("{)\x03"
            "z\x01"
            "1"
            "i\xff\xff\xff\xff"
            "z\x01"
            "1" SUM "{0"
            "0",
            HST_E_INVALID, "a line that no");
    REFUSED("{)\x03"
            "z\x01"
            "1" INT("\x01") "{0" SUM "{0"
                            "0",
            HST_E_INVALID, "not the name");
    REFUSED("{" KEY_F SUM "{0" KEY_F SUM "{0"
            "0",
            HST_E_INVALID, "a function that was there already");
    REFUSED("{" KEY_F SUM "{" KEY_G INT("\x01") KEY_G INT("\x01") "0"
                                                                  "0",
            HST_E_INVALID, "a caller that was there already");
}

/* Every beginning of a file is refused, and none of them makes the reader read past it. */
static void test_cut(void **state)
{
    (void)state;
    static const char whole[] =
        "\xfb" KEY_F SUM "{0" KEY_G SUM "{" KEY_F ")\x04" INT("\x05") INT("\x04") D15 D25 "0"
                                                                                          "0";
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        char *copy = hst_alloc(length + 1, 1);
        memcpy(copy, whole, length);
        refused(copy, length, HST_E_CORRUPT, "ends in the middle");
        hst_free(copy);
    }
}

/* A dict by reference in each of many functions: more callers than bytes. */
static void test_many_by_reference(void **state)
{
    (void)state;
    struct hst_buffer bytes;
    struct read read;
    hst_buffer_init(&bytes, 0);
    hst_buffer_add(&bytes, "{", 1);
    enum { FUNCTIONS = 2000 };
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        hst_buffer_add_fmt(&bytes, ")");
        hst_buffer_add(&bytes,
                       "\x03z\x01"
                       "a" INT("\x01") "z\x04",
                       11);
        hst_buffer_add_fmt(&bytes, "%04u", i);
        hst_buffer_add(&bytes, SUM, sizeof SUM - 1);
        if (i > 0) {
            hst_buffer_add(&bytes, "r\0\0\0\0", 5);
            continue;
        }
        hst_buffer_add(&bytes, "\xfb", 1);
        for (unsigned k = 0; k < FUNCTIONS; k++) {
            hst_buffer_add(&bytes,
                           ")\x03z\x01"
                           "a" INT("\x01") "z\x04",
                           12);
            hst_buffer_add_fmt(&bytes, "%04u", k);
            hst_buffer_add(&bytes, INT("\x01"), 5);
        }
        hst_buffer_add(&bytes, "0", 1);
    }
    hst_buffer_add(&bytes, "0", 1);
    read_bytes(&read, bytes.data, bytes.length);
    assert_int_equal(read.status, HST_E_INVALID);
    assert_non_null(strstr(read.err.text, "more callers than the file has room for"));
    release(&read);
    hst_buffer_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_odd_numbers),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_no_profile),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_many_by_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
