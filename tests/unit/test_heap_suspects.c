/* Leaks and healthy programs, made by hand: who is accused, and who is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/heap_path.h"
#include "analyze/heap_suspects.h"
#include "base/memory.h"
#include "small_heap.h"

enum { ROWS = 400 }; /* in an interval; 100 bytes each */

struct runs {
    struct small small[3];
    struct hst_heap_view views[3];
    struct hst_heap_suspect *rows;
    size_t count;
};

/* Builds the program as it is at each look, from the number of things that it has then. */
typedef void builder(struct small *small, uint32_t app, uint32_t number);

static void look(struct runs *runs, builder *build, const uint32_t *numbers, size_t count)
{
    struct hst_heap_view *views[3];
    *runs = (struct runs){0};
    for (size_t i = 0; i < count; i++) {
        small_init(&runs->small[i]);
        build(&runs->small[i], small_module(&runs->small[i], "app"), numbers[i]);
        views[i] = &runs->views[i];
        assert_int_equal(hst_heap_view_init(views[i], small_finish(&runs->small[i]), NULL), HST_OK);
    }
    assert_int_equal(hst_heap_suspects_find(views, count, &runs->rows, &runs->count), HST_OK);
}

static void release(struct runs *runs)
{
    for (size_t i = 0; i < 3; i++) {
        hst_heap_view_release(&runs->views[i]);
        if (runs->small[i].edges != NULL)
            small_release(&runs->small[i]);
    }
    hst_free(runs->rows);
}

/* The first suspect is this one. */
static void assert_suspect(struct runs *runs, size_t last, enum hst_suspect_reason reason, const char *type,
                           const char *path, int64_t growth_objects)
{
    assert_true(runs->count > 0);
    const struct hst_heap_suspect *suspect = &runs->rows[0];
    assert_int_equal(suspect->reason, reason);
    assert_string_equal(hst_heap_type_name(runs->views[last].heap, suspect->type), type);
    assert_int_equal(suspect->growth_objects, growth_objects);
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    if (suspect->holder != HST_HEAP_NONE)
        assert_int_equal(hst_heap_path_add(&runs->views[last], suspect->holder, &text), HST_OK);
    hst_buffer_add_byte(&text, '\0');
    assert_string_equal((char *)text.data, path);
    hst_buffer_release(&text);
}

static const uint32_t leaking[] = {ROWS, 2 * ROWS, 3 * ROWS}, filled[] = {ROWS, 2 * ROWS, 2 * ROWS},
                      sawtooth[] = {ROWS, 2 * ROWS, ROWS / 2}, slower[] = {ROWS, 3 * ROWS, 3 * ROWS + 50};

static void list_of_rows(struct small *small, uint32_t app, uint32_t number)
{
    uint32_t list = small_object(small, "list", 60);
    small_entry(small, app, "ROWS", list);
    for (uint32_t i = 0; i < number; i++)
        small_item(small, list, i, small_object(small, "app.Row", 100));
}

static void test_a_list_that_grows(void **state)
{
    (void)state;
    struct runs runs;
    look(&runs, list_of_rows, leaking, 3);
    assert_suspect(&runs, 2, HST_SUSPECT_GROWS, "app.Row", "app.ROWS", 2 * ROWS);
    assert_int_equal(runs.count, 1);
    assert_int_equal(runs.rows[0].growth_bytes, 2 * ROWS * 100);
    assert_int_equal(runs.rows[0].bytes, 3 * ROWS * 100 + 60);
    release(&runs);
}

static void test_the_healthy_are_not_accused(void **state)
{
    (void)state;
    const uint32_t *const healthy[] = {filled, sawtooth, slower};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(healthy); i++) {
        struct runs runs;
        look(&runs, list_of_rows, healthy[i], 3);
        assert_int_equal(runs.count, 0);
        release(&runs);
    }
}

/* Bound methods: the type that a person knows is behind them; the list is made anew each time. */
static void tuple_of_methods(struct small *small, uint32_t app, uint32_t number)
{
    small->next_address += 64 * number;
    uint32_t tuple = small_object(small, "tuple", 60), bus = small_object(small, "app.Bus", 48);
    small_entry(small, app, "BUS", bus);
    small_field(small, bus, HST_PLACE_ATTRIBUTE, 0, "listeners", tuple);
    for (uint32_t i = 0; i < number; i++) {
        uint32_t method = small_object(small, "method", 64);
        small_item(small, tuple, i, method);
        small_field(small, method, HST_PLACE_FIELD, 3, "__self__", small_object(small, "app.Window", 200));
    }
}

static void test_a_holder_that_is_replaced(void **state)
{
    (void)state;
    struct runs runs;
    look(&runs, tuple_of_methods, leaking, 3);
    assert_suspect(&runs, 2, HST_SUSPECT_GROWS, "app.Window", "app.BUS.listeners", 4 * ROWS);
    release(&runs);
}

/* Each new one refers to the one before. */
static void linked(struct small *small, uint32_t app, uint32_t number)
{
    uint32_t before = HST_HEAP_NONE, head = small_object(small, "app.Stack", 48);
    for (uint32_t i = 0; i < number; i++) {
        uint32_t node = small_object(small, "app.Node", 100);
        if (before != HST_HEAP_NONE)
            small_field(small, node, HST_PLACE_ATTRIBUTE, 0, "next", before);
        before = node;
    }
    small_entry(small, app, "STACK", head);
    small_field(small, head, HST_PLACE_ATTRIBUTE, 0, "top", before);
}

static void appended(struct small *small, uint32_t app, uint32_t number)
{
    uint32_t before = small_object(small, "app.Node", 100);
    small_entry(small, app, "HEAD", before);
    for (uint32_t i = 0; i < number; i++) {
        uint32_t node = small_object(small, "app.Node", 100);
        small_field(small, before, HST_PLACE_ATTRIBUTE, 0, "next", node);
        before = node;
    }
}

static void test_linked_lists(void **state)
{
    (void)state;
    struct runs runs;
    look(&runs, linked, leaking, 3);
    assert_suspect(&runs, 2, HST_SUSPECT_GROWS, "app.Node", "app.STACK.top", 2 * ROWS);
    release(&runs);
    look(&runs, appended, leaking, 3);
    assert_suspect(&runs, 2, HST_SUSPECT_GROWS, "app.Node", "app.HEAD", 2 * ROWS);
    release(&runs);
}

/* Two refer to the rows, so that neither dominates them. */
static void shared(struct small *small, uint32_t app, uint32_t number)
{
    uint32_t all = small_object(small, "list", 60), some = small_object(small, "list", 60);
    small_entry(small, app, "ALL", all);
    small_entry(small, app, "SOME", some);
    for (uint32_t i = 0; i < number; i++) {
        uint32_t row = small_object(small, "app.Row", 100);
        small_item(small, all, i, row);
        if (i % 2 == 0)
            small_item(small, some, i, row);
        else
            small_entry(small, app, "x", row);
    }
}

static void test_shared_ones_are_told_by_who_refers_to_most(void **state)
{
    (void)state;
    struct runs runs;
    look(&runs, shared, leaking, 3);
    assert_true(runs.count > 0);
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    assert_int_equal(hst_heap_path_add(&runs.views[2], runs.rows[0].holder, &text), HST_OK);
    hst_buffer_add_byte(&text, '\0');
    assert_string_equal((char *)text.data, "app.ALL");
    hst_buffer_release(&text);
    release(&runs);
}

static void by_c_code(struct small *small, uint32_t app, uint32_t number)
{
    (void)app;
    for (uint32_t i = 0; i < number; i++)
        small_root(small, small_object(small, "app.Picture", 400), HST_ROOT_NATIVE, "");
}

static void test_references_of_c_code(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {100, 200, 300}, stopped[] = {100, 300, 300};
    struct runs runs;
    look(&runs, by_c_code, numbers, 3);
    assert_suspect(&runs, 2, HST_SUSPECT_NATIVE, "app.Picture", "", 200);
    release(&runs);
    look(&runs, by_c_code, stopped, 3);
    assert_int_equal(runs.count, 0);
    release(&runs);
}

static void cycles(struct small *small, uint32_t app, uint32_t number)
{
    (void)app;
    for (uint32_t i = 0; i < number; i++) {
        uint32_t parent = small_object(small, "app.Parent", 900),
                 child = small_object(small, "app.Child", 100);
        small_field(small, parent, HST_PLACE_ATTRIBUTE, 0, "child", child);
        small_field(small, child, HST_PLACE_ATTRIBUTE, 0, "parent", parent);
    }
}

static void test_garbage(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {1000, 2000, 3000}, collected[] = {1000, 2000, 500};
    struct runs runs;
    look(&runs, cycles, numbers, 3);
    assert_suspect(&runs, 2, HST_SUSPECT_GARBAGE, "app.Parent", "", 4000);
    release(&runs);
    look(&runs, cycles, collected, 3);
    assert_int_equal(runs.count, 0);
    release(&runs);
}

/* One object of ever more bytes. */
static void buffer(struct small *small, uint32_t app, uint32_t number)
{
    small_entry(small, app, "JOURNAL", small_object(small, "bytearray", (uint64_t)number * 100));
}

static void test_a_buffer_that_grows(void **state)
{
    (void)state;
    struct runs runs;
    look(&runs, buffer, leaking, 3);
    assert_suspect(&runs, 2, HST_SUSPECT_GROWS, "bytearray", "app.JOURNAL", 0);
    release(&runs);
}

/* Copies of instructions for each thread. */
static void code(struct small *small, uint32_t app, uint32_t number)
{
    uint32_t function = small_object(small, "function", 160);
    small_entry(small, app, "work", function);
    small_field(small, function, HST_PLACE_FIELD, 6, "__code__", small_object(small, "code", number * 100));
}

static void test_code_that_grows_is_not_accused(void **state)
{
    (void)state;
    struct runs runs;
    look(&runs, code, leaking, 3);
    assert_int_equal(runs.count, 0);
    release(&runs);
}

static void two_heaps(struct small *small, uint32_t app, uint32_t number)
{
    uint32_t cache = small_object(small, "dict", 60);
    small_entry(small, app, "SMALL", small_object(small, "bytes", 50000));
    small_entry(small, app, "CACHE", cache);
    for (uint32_t i = 0; i < number; i++)
        small_entry(small, cache, "key", small_object(small, "app.Row", 5000));
}

static void test_one_look(void **state)
{
    (void)state;
    static const uint32_t large[] = {ROWS}, little[] = {20};
    struct runs runs;
    look(&runs, two_heaps, large, 1);
    assert_int_equal(runs.count, 1);
    assert_suspect(&runs, 0, HST_SUSPECT_HOLDS, "app.Row", "app.CACHE", 0);
    assert_int_equal(runs.rows[0].objects, ROWS);
    release(&runs);
    look(&runs, two_heaps, little, 1); /* nearly all of a heap that is small */
    assert_int_equal(runs.count, 0);
    release(&runs);
}

/* Each by itself is little, and a module holds them all. */
static void many_names(struct small *small, uint32_t app, uint32_t number)
{
    for (uint32_t i = 0; i < number; i++)
        small_entry(small, app, "name", small_object(small, "app.Row", 5000));
}

static void test_a_type_together(void **state)
{
    (void)state;
    static const uint32_t large[] = {ROWS};
    struct runs runs;
    look(&runs, many_names, large, 1);
    assert_int_equal(runs.count, 1);
    assert_int_equal(runs.rows[0].reason, HST_SUSPECT_TYPE);
    assert_int_equal(runs.rows[0].objects, ROWS);
    release(&runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_that_grows),
        cmocka_unit_test(test_the_healthy_are_not_accused),
        cmocka_unit_test(test_a_holder_that_is_replaced),
        cmocka_unit_test(test_linked_lists),
        cmocka_unit_test(test_shared_ones_are_told_by_who_refers_to_most),
        cmocka_unit_test(test_references_of_c_code),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_a_buffer_that_grows),
        cmocka_unit_test(test_code_that_grows_is_not_accused),
        cmocka_unit_test(test_one_look),
        cmocka_unit_test(test_a_type_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
