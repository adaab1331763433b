/* Paths of a made heap, spelled and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/heap_path.h"
#include "small_heap.h"

struct program {
    struct small small;
    struct hst_heap_view view;
    uint32_t users, alice, cell_value, local, lost, deep;
};

/* app.CACHE = {'users': [user, ...]}; an instance with a dict; a closure; a frame's variable; a long chain.
 */
static int begin(void **state)
{
    struct program *program = calloc(1, sizeof *program);
    struct small *small = &program->small;
    small_init(small);
    uint32_t app = small_module(small, "app"), inner = small_module(small, "app.inner");
    uint32_t cache = small_object(small, "dict", 400), user = small_object(small, "app.User", 80);
    program->users = small_object(small, "list", 200);
    small_entry(small, app, "CACHE", cache);
    small_entry(small, cache, "users", program->users);
    small_item(small, program->users, 0, user);
    uint32_t attributes = small_object(small, "dict", 120);
    program->alice = small_value(small, "str", "Alice's");
    small_field(small, user, HST_PLACE_FIELD, 1, "__dict__", attributes);
    small_entry(small, attributes, "name", program->alice);
    uint32_t function = small_object(small, "function", 130), closure = small_object(small, "tuple", 60);
    uint32_t cell = small_object(small, "cell", 40);
    program->cell_value = small_object(small, "app.User", 80);
    small_entry(small, inner, "job", function);
    small_field(small, function, HST_PLACE_FIELD, 5, "__closure__", closure);
    small_item(small, closure, 0, cell);
    small_field(small, cell, HST_PLACE_FIELD, 2, "cell_contents", program->cell_value);
    program->local = small_object(small, "list", 90);
    small_root(small, program->local, HST_ROOT_FRAME, "main (app.py:3): rows");
    program->lost = small_object(small, "app.User", 80);
    uint32_t before = user;
    for (int i = 0; i < 100; i++) {
        program->deep = small_object(small, "app.Node", 48);
        small_field(small, before, HST_PLACE_ATTRIBUTE, 0, "next", program->deep);
        before = program->deep;
    }
    assert_int_equal(hst_heap_view_init(&program->view, small_finish(small), NULL), HST_OK);
    *state = program;
    return 0;
}

static int end(void **state)
{
    struct program *program = *state;
    hst_heap_view_release(&program->view);
    small_release(&program->small);
    free(program);
    return 0;
}

static void assert_path(struct program *program, uint32_t object, const char *wanted)
{
    struct hst_buffer text;
    hst_buffer_init(&text, 0);
    assert_int_equal(hst_heap_path_add(&program->view, object, &text), HST_OK);
    hst_buffer_add_byte(&text, '\0');
    assert_string_equal((const char *)text.data, wanted);
    hst_buffer_release(&text);
}

static uint32_t resolved(struct program *program, const char *text)
{
    struct hst_error err = {0};
    uint32_t object = HST_HEAP_NONE;
    if (hst_heap_path_resolve(&program->view, text, &object, &err) != HST_OK)
        fail_msg("%s: %s", text, err.text);
    return object;
}

static void test_paths(void **state)
{
    struct program *program = *state;
    assert_path(program, program->users, "app.CACHE['users']");
    assert_path(program, program->alice, "app.CACHE['users'][0].name");
    assert_path(program, program->cell_value, "app.inner.job.__closure__[0]");
    assert_path(program, program->local, "local main (app.py:3): rows");
    assert_path(program, program->lost, "not reached from any root");
    assert_path(program, program->small.modules, "sys.modules");
}

static void test_long_paths_are_cut(void **state)
{
    struct program *program = *state;
    assert_path(program, program->deep,
                "app.CACHE['users'][0] ... 90 more steps ... "
                ".next.next.next.next.next.next.next.next.next.next");
}

static void test_paths_are_read_back(void **state)
{
    struct program *program = *state;
    assert_int_equal(resolved(program, "app.CACHE['users']"), program->users);
    assert_int_equal(resolved(program, "app.CACHE[\"users\"][0].name"), program->alice);
    assert_int_equal(resolved(program, "app.inner.job.__closure__[0]"),
                     hst_heap_find(program->view.heap, program->view.heap->addresses[program->cell_value]) -
                         1);
    assert_int_equal(resolved(program, "local main (app.py:3): rows"), program->local);
    char address[32];
    (void)snprintf(address, sizeof address, "0x%llx",
                   (unsigned long long)program->view.heap->addresses[program->lost]);
    assert_int_equal(resolved(program, address), program->lost);
}

static void assert_unknown(struct program *program, const char *text, const char *says, const char *hint)
{
    struct hst_error err = {0};
    uint32_t object;
    assert_int_equal(hst_heap_path_resolve(&program->view, text, &object, &err), HST_E_NOENT);
    assert_string_equal(err.text, says);
    assert_string_equal(err.hint, hint);
}

static void test_unknown_ones_are_named(void **state)
{
    struct program *program = *state;
    assert_unknown(program, "app.CACHE['usres']", "app.CACHE has no ['usres']", "app.CACHE['users']");
    assert_unknown(program, "app.CASHE[0]", "app has no .CASHE", "app.CACHE");
    assert_unknown(program, "0x7f0000001001", "no object begins at 0x7f0000001001",
                   "0x7f0000001000, of which it is the inside");
    assert_unknown(program, "apq", "no module of the program is called as 'apq' begins", "app is there");
}

static void test_types(void **state)
{
    struct program *program = *state;
    struct hst_error err = {0};
    const struct hst_heap *heap = program->view.heap;
    uint32_t type;
    assert_int_equal(hst_heap_path_resolve_type(heap, "User", &type, &err), HST_OK);
    assert_string_equal(hst_heap_type_name(heap, type), "app.User");
    assert_int_equal(hst_heap_path_resolve_type(heap, "ser", &type, &err), HST_E_NOENT);
    assert_int_equal(hst_heap_path_resolve_type(heap, "Usre", &type, &err), HST_E_NOENT);
    assert_string_equal(err.hint, "app.User");
}

static void test_a_broken_heap_is_refused(void **state)
{
    struct program *program = *state;
    struct hst_heap_view view;
    struct hst_error err = {0};
    uint32_t *target = &program->small.heap.targets[3], kept = *target;
    *target = (uint32_t)program->small.heap.count;
    assert_int_equal(hst_heap_view_init(&view, &program->small.heap, &err), HST_E_CORRUPT);
    *target = kept;
    program->small.heap.types[0] = 5000;
    assert_int_equal(hst_heap_view_init(&view, &program->small.heap, &err), HST_E_CORRUPT);
    program->small.heap.types[0] = 0;
}

#define PROGRAM_TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(test_paths),
        PROGRAM_TEST(test_long_paths_are_cut),
        PROGRAM_TEST(test_paths_are_read_back),
        PROGRAM_TEST(test_unknown_ones_are_named),
        PROGRAM_TEST(test_types),
        PROGRAM_TEST(test_a_broken_heap_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
