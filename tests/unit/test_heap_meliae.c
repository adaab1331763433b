/* Dumps of meliae: lines of every shape, what is passed, what must be refused, a made heap there and back,
 * and memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "analyze/heap_path.h"
#include "base/file.h"
#include "export/meliae.h"
#include "import/meliae_reader.h"
#include "made_heap.h"
#include "small_heap.h"

struct read {
    struct hst_heap heap;
    struct hst_meliae_summary summary;
    struct hst_error err;
    enum hst_status status;
};

static void read_bytes(struct read *read, const char *text, size_t length)
{
    memset(read, 0, sizeof *read);
    read->status = hst_meliae_read_bytes("x.json", text, length, &read->heap, &read->summary, &read->err);
}

static void read_good(struct read *read, const char *text)
{
    read_bytes(read, text, strlen(text));
    if (read->status != HST_OK)
        fail_msg("%s", read->err.text);
}

static void refused(const char *text, size_t length, const char *part)
{
    struct read read;
    read_bytes(&read, text, length);
    assert_int_equal(read.status, HST_E_INVALID);
    if (strstr(read.err.text, part) == NULL || strstr(read.err.text, "x.json") == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, read.err.text);
    assert_true(read.err.hint[0] != '\0');
}

static void value_is(const struct hst_heap *heap, uint32_t object, const char *wanted)
{
    size_t length;
    const char *text = hst_heap_value(heap, object, &length);
    assert_non_null(text);
    assert_int_equal(length, strlen(wanted));
    assert_memory_equal(text, wanted, length);
}

static void refers(const struct hst_heap *heap, uint32_t object, size_t count, const uint32_t *targets)
{
    assert_int_equal(heap->first[object + 1] - heap->first[object], count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(heap->targets[heap->first[object] + i], targets[i]);
}
#define REFERS(heap, object, ...)                                                                            \
    refers(heap, object, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (uint32_t[]){__VA_ARGS__})

/* --- reading ----------------------------------------------------------------------------------------- */

#define WHOLE                                                                                                \
    "{\"address\": 160, \"type\": \"list\", \"size\": 80, \"len\": 1, \"refs\": [160]}\n"                    \
    "{\"address\": 16, \"type\": \"module\", \"size\": 56, \"name\": \"app\", \"refs\": [32]}\n"             \
    "{\"address\": 32, \"type\": \"dict\", \"size\": 280, \"len\": 2, \"refs\": [48, 64, 80, 96]}\n"         \
    "{\"address\": 48, \"type\": \"str\", \"size\": 53, \"len\": 4, \"value\": \"DATA\", \"refs\": []}\n"    \
    "{\"address\": 64, \"type\": \"app.Node\", \"size\": 64, \"refs\": [96, 112]}\n"                         \
    "{\"address\": 80, \"type\": \"int\", \"size\": 40, \"value\": -123456789012345678901234, "              \
    "\"refs\": []}\n"                                                                                        \
    "{\"address\": 96, \"type\": \"bool\", \"size\": 28, \"value\": \"False\", \"refs\": []}\n"              \
    "{\"address\": 112, \"type\": \"type\", \"size\": 1064, \"name\": \"Node\", \"refs\": [7, 32]}\n"        \
    "{\"address\": 128, \"type\": \"frame\", \"size\": 400, \"value\": \"run\", \"refs\": [64]}\n"

enum { APP, NAMES, DATA, NODE, NUMBER, NO, CLASS, FRAME, LOOP };

static void check_whole(const struct hst_heap *heap)
{
    assert_int_equal(heap->count, 9);
    assert_int_equal(heap->way, HST_HEAP_IMPORTED);
    for (uint32_t i = 0; i < FRAME; i++)
        assert_int_equal(heap->addresses[i], 16 * (i + 1));
    assert_int_equal(heap->addresses[LOOP], 160);
    assert_string_equal(hst_heap_type_name(heap, heap->types[NODE]), "app.Node");
    assert_int_equal(heap->bytes[CLASS], 1064);
    value_is(heap, DATA, "DATA");
    value_is(heap, NUMBER, "-123456789012345678901234");
    value_is(heap, NO, "0");
    value_is(heap, CLASS, "Node");
    value_is(heap, FRAME, "run");
    REFERS(heap, APP, NAMES);
    REFERS(heap, NAMES, DATA, NODE, NUMBER, NO);
    REFERS(heap, CLASS, NAMES);
    REFERS(heap, LOOP, LOOP);
    assert_int_equal(heap->places[heap->first[NAMES] + 3], hst_place_of(HST_PLACE_VALUE, 1));
    assert_int_equal(heap->places[heap->first[NODE] + 1], hst_place_of(HST_PLACE_ITEM, 1));
    /* The frame and the list, which nothing but itself refers to; the module first of all. */
    assert_int_equal(heap->root_count, 3);
    assert_true(heap->roots[0].object == APP && heap->roots[0].kind == HST_ROOT_MODULE);
    assert_string_equal(hst_strings_get(&heap->strings, heap->roots[0].name), "app");
    assert_true(heap->roots[1].object == FRAME && heap->roots[2].object == LOOP);
}

static void test_whole(void **state)
{
    struct read read;
    struct hst_heap_view view;
    uint32_t object;
    (void)state;
    read_good(&read, WHOLE);
    check_whole(&read.heap);
    assert_true(read.summary.lines == 9 && read.summary.bad_lines == 0 && read.summary.repeated == 0);
    assert_true(read.summary.unknown_references == 1 && read.summary.modules == 1 &&
                read.summary.unheld == 2);
    assert_null(read.heap.incomplete);
    /* Paths work, since a module's name and a dict's keys are known. */
    assert_int_equal(hst_heap_view_init(&view, &read.heap, &read.err), HST_OK);
    assert_int_equal(hst_heap_path_resolve(&view, "app.DATA[1]", &object, &read.err), HST_OK);
    assert_int_equal(object, CLASS);
    hst_heap_view_release(&view);
    hst_heap_release(&read.heap);
}

static void test_shapes(void **state)
{
    static const char text[] =
        "[\r\n"
        "  {\"refs\" : [ 2 , 3 ] , \"size\":9,\"type\":\"set\",\"address\":1} ,\r\n"
        "{\"address\":2,\"type\":\"a.\\u0042\\/\\\"\\\\\\n\",\"more\":{\"x\":[1,\"]}\"]},"
        "\"old\":null,\"f\":-1.5e3,\"size\":0},\n"
        "\n"
        "{\"value\": \"\\ud83d\\ude00 \\ud83d\\u00e9 \\udc00\", \"address\": 3, "
        "\"type\": \"str\"}\n"
        "]";
    struct read read;
    (void)state;
    read_good(&read, text);
    assert_int_equal(read.summary.bad_lines, 0);
    assert_int_equal(read.heap.count, 3);
    REFERS(&read.heap, 0, 1, 2);
    assert_string_equal(hst_heap_type_name(&read.heap, read.heap.types[1]), "a.B/\"\\\n");
    value_is(&read.heap, 2, "\xf0\x9f\x98\x80 \xef\xbf\xbd\xc3\xa9 \xef\xbf\xbd");
    hst_heap_release(&read.heap);
}

#define DICT(address, length, references)                                                                    \
    "{\"address\": " address ", \"type\": \"dict\", \"size\": 64" length ", \"refs\": [" references "]}\n"
#define ATOM(address) "{\"address\": " address ", \"type\": \"a\", \"size\": 8}\n"

static void place_is(const struct hst_heap *heap, uint32_t object, uint32_t number, enum hst_place_kind kind,
                     uint32_t index)
{
    assert_int_equal(heap->places[heap->first[object] + number], hst_place_of(kind, index));
}

/* As Python 2 shows them to meliae, and as Python 3 does. */
static void test_pairs(void **state)
{
    struct read read;
    (void)state;
    read_good(&read, DICT("1", ", \"len\": 1", "8, 9, 7") DICT("2", "", "8, 9") DICT("3", "", "8") ATOM("7")
                         ATOM("8") ATOM("9"));
    REFERS(&read.heap, 0, 4, 5, 3);
    place_is(&read.heap, 0, 0, HST_PLACE_KEY, 0);
    place_is(&read.heap, 0, 1, HST_PLACE_VALUE, 0);
    place_is(&read.heap, 0, 2, HST_PLACE_ITEM, 2);
    place_is(&read.heap, 1, 1, HST_PLACE_VALUE, 0);
    place_is(&read.heap, 2, 0, HST_PLACE_ITEM, 0);
    hst_heap_release(&read.heap);
    read_good(&read, DICT("1", ", \"len\": 1", "8, 9") DICT("2", ", \"len\": 2", "8, 7") ATOM("7") ATOM("8")
                         ATOM("9"));
    REFERS(&read.heap, 0, 4, 3);
    REFERS(&read.heap, 1, 3, 2);
    place_is(&read.heap, 0, 0, HST_PLACE_KEY, 0);
    place_is(&read.heap, 0, 1, HST_PLACE_VALUE, 0);
    place_is(&read.heap, 1, 0, HST_PLACE_VALUE, 0);
    place_is(&read.heap, 1, 1, HST_PLACE_VALUE, 1);
    hst_heap_release(&read.heap);
}

static void test_long_value(void **state)
{
    char text[512], long_value[101];
    struct read read;
    size_t length;
    (void)state;
    for (size_t i = 0; i < 100; i += 3)
        memcpy(long_value + i, "\xe2\x82\xac", i + 3 <= 100 ? 3 : 1);
    long_value[99] = '\0';
    (void)snprintf(text, sizeof text, "{\"address\": 1, \"type\": \"str\", \"size\": 1, \"value\": \"%s\"}",
                   long_value);
    read_good(&read, text);
    assert_non_null(hst_heap_value(&read.heap, 0, &length));
    assert_int_equal(length, 63); /* whole characters */
    hst_heap_release(&read.heap);
}

static void bad_line_says(const char *line, const char *why)
{
    char text[1024];
    struct read read;
    (void)snprintf(text, sizeof text, "%s\n%s\n", "{\"address\": 1, \"type\": \"a\", \"size\": 1}", line);
    read_good(&read, text);
    if (read.summary.bad_lines != 1 || strcmp(read.summary.bad[0].why, why) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", line, read.summary.bad_lines ? read.summary.bad[0].why : "", why);
    assert_int_equal(read.summary.bad[0].line, 2);
    assert_int_equal(read.heap.count, 1);
    assert_non_null(read.heap.incomplete);
    hst_heap_release(&read.heap);
}

static void test_bad_lines(void **state)
{
    (void)state;
    bad_line_says("nonsense", "no JSON object");
    bad_line_says("{\"type\": \"a\"}", "no address");
    bad_line_says("{}", "no address");
    bad_line_says("{\"address\": 2, \"size\": 3}", "no type");
    bad_line_says("{\"address\": 2, \"type\": 3}", "no text where one belongs");
    bad_line_says("{\"address\": 2, \"type\": \"a\"", "an object without its end");
    bad_line_says("{\"address\": 2, \"type\": \"a", "a text without its end");
    bad_line_says("{\"address\": 2, \"type\": \"\\q\"}", "an unknown escape in a text");
    bad_line_says("{\"address\": 2, \"type\": \"\\u12x4\"}", "a \\u without four digits");
    bad_line_says("{\"address\" 2}", "a key without a value");
    bad_line_says("{\"address\": -2, \"type\": \"a\"}", "no whole number where one belongs");
    bad_line_says("{\"address\": 2.5, \"type\": \"a\"}", "no whole number where one belongs");
    bad_line_says("{\"address\": 18446744073709551616, \"type\": \"a\"}", "a number of more than 64 bits");
    bad_line_says("{\"address\": 18446744073709551615, \"type\": \"a\"}", "an address that no object has");
    bad_line_says("{\"address\": 0, \"type\": \"a\"}", "an address that no object has");
    bad_line_says("{\"address\": 2, \"type\": \"a\", \"size\": 99999999999999999999}",
                  "a number of more than 64 bits");
    bad_line_says("{\"address\": 2, \"type\": \"a\", \"size\": 9223372036854775807}",
                  "a size that no object has");
    bad_line_says("{\"address\": 2, \"type\": \"a\", \"refs\": 3}", "references that are no list");
    bad_line_says("{\"address\": 2, \"type\": \"a\", \"refs\": [3", "a list without its end");
    bad_line_says("{\"address\": 2, \"type\": \"a\", \"value\": maybe}", "a word that is no value");
    bad_line_says("{\"address\": 2, \"type\": \"a\", \"value\": }", "no value where one belongs");
    bad_line_says("{\"address\": 2, \"type\": \"a\", \"x\": [{]}", "brackets that do not match");
    bad_line_says("{\"address\": 2, \"type\": \"a\", \"x\": [", "a value without its end");
    bad_line_says("{\"address\": 2, \"type\": \"a\"} {}", "more than one object");
}

static void test_deep(void **state)
{
    char line[600] = "{\"address\": 2, \"type\": \"a\", \"x\": ";
    (void)state;
    memset(line + strlen(line), '[', 200);
    bad_line_says(line, "too many values within each other");
}

static void test_many_bad_lines(void **state)
{
    struct read read;
    (void)state;
    read_good(&read, "1\n2\n{\"address\": 3, \"type\": \"a\"}\n4\n5\n6\n7\n8\n"
                     "{\"address\": 3, \"type\": \"other\"}\n{\"address\": 9, \"type\": \"a\"}");
    assert_true(read.summary.lines == 10 && read.summary.bad_lines == 7 && read.summary.repeated == 1);
    assert_int_equal(read.summary.bad[HST_MELIAE_SHOWN - 1].line, 6);
    assert_int_equal(read.heap.count, 2);
    assert_string_equal(hst_heap_type_name(&read.heap, read.heap.types[0]), "a");
    assert_string_equal(read.heap.incomplete, "7 of 10 lines of the dump could not be read");
    hst_heap_release(&read.heap);
}

static void test_refused(void **state)
{
    static const char rubbish[] = "\x7f"
                                  "ELF\0\x01\x02\xff\n\n\x80\x80";
    (void)state;
    refused("", 0, "is empty");
    refused("[\n]\n", 4, "holds no object");
    refused(rubbish, sizeof rubbish - 1, "is no dump of meliae");
    refused("x\ny\n", 4, "line 1: no JSON object");
}

/* --- files ------------------------------------------------------------------------------------------- */

static enum hst_status read_file(struct read *read, const char *path)
{
    memset(read, 0, sizeof *read);
    return read->status = hst_meliae_read(path, &read->heap, &read->summary, &read->err);
}

static void test_files(void **state)
{
    char path[] = "/tmp/hst_meliae_XXXXXX";
    struct read read;
    struct hst_buffer packed;
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0 && close(fd) == 0);
    assert_int_equal(hst_file_write(path, WHOLE, sizeof WHOLE - 1, NULL), HST_OK);
    assert_int_equal(read_file(&read, path), HST_OK);
    check_whole(&read.heap);
    assert_string_equal(read.heap.command, path);
    hst_heap_release(&read.heap);

    gzFile file = gzopen(path, "w");
    assert_int_equal(gzwrite(file, WHOLE, sizeof WHOLE - 1), sizeof WHOLE - 1);
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(read_file(&read, path), HST_OK);
    check_whole(&read.heap);
    assert_false(read.summary.is_cut);
    hst_heap_release(&read.heap);

    hst_buffer_init(&packed, 0);
    assert_int_equal(hst_file_read(path, &packed), HST_OK);
    assert_int_equal(hst_file_write(path, packed.data, packed.length - 30, NULL), HST_OK);
    hst_buffer_release(&packed);
    assert_int_equal(read_file(&read, path), HST_OK);
    assert_true(read.summary.is_cut && read.heap.count > 0);
    assert_non_null(strstr(read.heap.incomplete, "ends before its end"));
    hst_heap_release(&read.heap);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(read_file(&read, path), HST_E_NOENT);
    assert_non_null(strstr(read.err.text, path));
    assert_int_not_equal(read_file(&read, "/tmp"), HST_OK);
    assert_non_null(strstr(read.err.text, "/tmp"));
}

/* --- writing ----------------------------------------------------------------------------------------- */

/* What is written of a heap, as a text; the caller's to hst_buffer_release. */
static void write_heap(const struct hst_heap *heap, struct hst_buffer *ret_text)
{
    char path[] = "/tmp/hst_meliae_XXXXXX";
    struct hst_output output;
    struct hst_error err = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    hst_buffer_init(ret_text, 0);
    assert_int_equal(hst_output_open(&output, path, &err), HST_OK);
    assert_int_equal(hst_meliae_write(heap, &output), HST_OK);
    assert_int_equal(hst_output_commit(&output, &err), HST_OK);
    hst_output_release(&output);
    assert_int_equal(hst_file_read(path, ret_text), HST_OK);
    hst_buffer_add_byte(ret_text, '\0');
    assert_int_equal(hst_buffer_status(ret_text), HST_OK);
    assert_int_equal(unlink(path), 0);
}

static void has_line(const struct hst_buffer *text, const char *line)
{
    const char *at = strstr((const char *)text->data, line);
    if (at == NULL || (at != (const char *)text->data && at[-1] != '\n') || at[strlen(line)] != '\n')
        fail_msg("%s is not a line of\n%s", line, (const char *)text->data);
}

static void test_lines(void **state)
{
    struct small small;
    struct hst_buffer text;
    (void)state;
    small_init(&small);
    uint32_t app = small_module(&small, "app"); /* sys.modules, the module, its dict, the key "app" */
    small_entry(&small, app, "__name__", small_value(&small, "str", "app.\"\\/\xc3\xa9"));
    uint32_t node = small_object(&small, "app.Node", 64), class = small_object(&small, "type", 1000);
    uint32_t function = small_object(&small, "function", 136), code = small_object(&small, "code", 200);
    uint32_t frame = small_object(&small, "frame", 400), list = small_object(&small, "list", 72);
    uint32_t name = small_value(&small, "str", "Node.run"), yes = small_value(&small, "bool", "1");
    uint32_t number = small_value(&small, "int", "-12"), large = small_value(&small, "int", "12...34");
    uint32_t odd = small_value(&small, "str", "\"\\/\xc3\xa9\xf0\x9f\x98\x80\n");
    uint32_t mine = small_value(&small, "app.Text", "\xc3\xa9\xe2\x82\xac");
    struct hst_heap *heap = &small.heap;
    heap->type_rows[heap->types[node]].object = class;
    small_field(&small, node, HST_PLACE_FIELD, 1, "", class);
    small_field(&small, node, HST_PLACE_ATTRIBUTE, 0, "x", yes);
    small_field(&small, function, HST_PLACE_FIELD, 5, "__qualname__", name);
    small_field(&small, frame, HST_PLACE_FIELD, 3, "f_code", code);
    small_field(&small, code, HST_PLACE_FIELD, 9, "co_name", name);
    small_item(&small, list, 0, number);
    small_item(&small, list, 1, large);
    small_edge(&small, app, hst_place_of(HST_PLACE_VALUE, 77), list); /* its key is no known object */
    small_finish(&small);
    write_heap(heap, &text);
#define AT(object) (unsigned long long)heap->addresses[object]
    const struct {
        uint32_t object;
        const char *format;
        uint32_t references[6];
    } lines[] = {
        {1, "\"type\": \"module\", \"size\": 100, \"name\": \"app.?\?/?\"", {2}},
        {node, "\"type\": \"app.Node\", \"size\": 64", {yes, class}},
        {class, "\"type\": \"type\", \"size\": 1000, \"name\": \"app.Node\"", {0}},
        {function, "\"type\": \"function\", \"size\": 136, \"name\": \"Node.run\"", {name}},
        {frame, "\"type\": \"frame\", \"size\": 400, \"value\": \"Node.run\"", {code}},
        {list, "\"type\": \"list\", \"size\": 72, \"len\": 2", {number, large}},
        {name, "\"type\": \"str\", \"size\": 50, \"len\": 8, \"value\": \"Node.run\"", {0}},
        {odd,
         "\"type\": \"str\", \"size\": 50, \"len\": 6, \"value\": "
         "\"\\\"\\\\\\/\\u00e9\\ud83d\\ude00\\u000a\"",
         {0}},
        {mine, "\"type\": \"app.Text\", \"size\": 50, \"value\": \"\\u00e9?\"", {0}},
        {yes, "\"type\": \"bool\", \"size\": 50, \"value\": \"True\"", {0}},
        {number, "\"type\": \"int\", \"size\": 50, \"value\": -12", {0}},
        {large, "\"type\": \"int\", \"size\": 50, \"value\": \"12...34\"", {0}},
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(lines); i++) {
        char line[512];
        int length = snprintf(line, sizeof line, "{\"address\": %llu, %s, \"refs\": [", AT(lines[i].object),
                              lines[i].format);
        for (size_t k = 0; k < 6 && lines[i].references[k] != 0; k++)
            length += snprintf(line + length, sizeof line - (size_t)length, "%s%llu", k > 0 ? ", " : "",
                               AT(lines[i].references[k]));
        (void)snprintf(line + length, sizeof line - (size_t)length, "]}");
        has_line(&text, line);
    }
    char line[200];
    (void)snprintf(
        line, sizeof line,
        "{\"address\": %llu, \"type\": \"dict\", \"size\": 300, \"len\": 2, \"refs\": [%llu, %llu, "
        "0, %llu]}",
        AT(app), AT(5), AT(4), AT(list));
    has_line(&text, line);
    hst_buffer_release(&text);
    small_release(&small);
}

static int compare_ids(const void *a, const void *b)
{
    const uint32_t *one = a, *other = b;
    return *one < *other ? -1 : *one > *other;
}

/* Those of each object. */
static void sort_references(const struct hst_heap *heap)
{
    for (size_t i = 0; i < heap->count; i++)
        qsort(heap->targets + heap->first[i], heap->first[i + 1] - heap->first[i], sizeof *heap->targets,
              compare_ids);
}

/* The same objects, types, sizes and references, whatever their types and values are. */
static void there_and_back(const struct hst_heap *heap)
{
    struct hst_buffer text;
    struct read read;
    write_heap(heap, &text);
    read_bytes(&read, (const char *)text.data, text.length - 1);
    assert_int_equal(read.status, HST_OK);
    assert_true(read.summary.bad_lines == 0 && read.summary.unknown_references == 0);
    assert_int_equal(read.heap.count, heap->count);
    assert_memory_equal(read.heap.addresses, heap->addresses, heap->count * sizeof *heap->addresses);
    assert_memory_equal(read.heap.bytes, heap->bytes, heap->count * sizeof *heap->bytes);
    assert_memory_equal(read.heap.first, heap->first, (heap->count + 1) * sizeof *heap->first);
    sort_references(heap); /* the type of an instance comes last */
    sort_references(&read.heap);
    assert_memory_equal(read.heap.targets, heap->targets, heap->first[heap->count] * sizeof *heap->targets);
    for (uint32_t i = 0; i < heap->count; i++)
        assert_string_equal(hst_heap_type_name(&read.heap, read.heap.types[i]),
                            hst_heap_type_name(heap, heap->types[i]));
    hst_buffer_release(&text);
    hst_heap_release(&read.heap);
}

static void test_there_and_back(void **state)
{
    struct made_heap made;
    (void)state;
    made_small(&made);
    there_and_back(&made.heap);
    made_release(&made);
    for (uint64_t seed = 1; seed < 20; seed++) {
        made_random(&made, seed, 500, 1500);
        there_and_back(&made.heap);
        made_release(&made);
    }
}

static void test_written_as_read(void **state)
{
    struct read read;
    struct hst_buffer once, again;
    (void)state;
    read_good(&read, WHOLE);
    write_heap(&read.heap, &once);
    hst_heap_release(&read.heap);
    read_good(&read, (const char *)once.data);
    write_heap(&read.heap, &again);
    hst_heap_release(&read.heap);
    assert_string_equal(once.data, again.data);
    has_line(&once,
             "{\"address\": 112, \"type\": \"type\", \"size\": 1064, \"name\": \"Node\", \"refs\": [32]}");
    has_line(&once,
             "{\"address\": 128, \"type\": \"frame\", \"size\": 400, \"value\": \"run\", \"refs\": [64]}");
    has_line(&once,
             "{\"address\": 96, \"type\": \"bool\", \"size\": 28, \"value\": \"False\", \"refs\": []}");
    hst_buffer_release(&once);
    hst_buffer_release(&again);
}

/* --- memory that runs out ---------------------------------------------------------------------------- */

enum { OUT_OF_MEMORY = 7, ALLOCATIONS_MAX = 400 };

static int read_all(void)
{
    struct hst_heap heap;
    struct hst_meliae_summary summary;
    struct hst_error err = {0};
    enum hst_status status = hst_meliae_read_bytes("x.json", WHOLE "?", sizeof WHOLE, &heap, &summary, &err);
    if (status == HST_E_NOMEM)
        return OUT_OF_MEMORY;
    int good = status == HST_OK && heap.count == 9 && heap.incomplete != NULL;
    if (status == HST_OK)
        hst_heap_release(&heap);
    return good ? 0 : 1;
}

static void test_out_of_memory(void **state)
{
    int failed = 0, code = OUT_OF_MEMORY;
    (void)state;
    while (code == OUT_OF_MEMORY && failed < ALLOCATIONS_MAX) {
        int status;
        (void)fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            char number[16];
            (void)snprintf(number, sizeof number, "%d", failed + 1);
            (void)setenv("HST_FAIL_ALLOC", number, 1);
            exit(read_all()); /* exit, not _exit: the leak check runs there */
        }
        assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
        code = WEXITSTATUS(status);
        failed += code == OUT_OF_MEMORY;
    }
    assert_int_equal(code, 0);
    if (failed == 0)
        skip(); /* a build without fault_injection */
    assert_true(failed > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_long_value),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_many_bad_lines),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_written_as_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
