/* The tables of a profile: rows once, ids that stay, and what validate refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "model/profile.h"

static void test_strings(void **state)
{
    (void)state;
    struct hst_strings strings;
    char text[32];
    assert_true(hst_strings_init(&strings));
    assert_int_equal(hst_strings_add_z(&strings, ""), 0);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 1; i < 5000; i++) {
            (void)snprintf(text, sizeof text, "text %u", i);
            assert_int_equal(hst_strings_add_z(&strings, text), i);
        }
    assert_string_equal(hst_strings_get(&strings, 17), "text 17");
    assert_string_equal(hst_strings_get(&strings, 5000), "");
    assert_string_equal(hst_strings_get(&strings, UINT32_MAX), "");
    uint32_t with_nul = hst_strings_add(&strings, "a\0b", 3);
    assert_string_equal(hst_strings_get(&strings, with_nul), "a\\0b");
    assert_int_equal(hst_strings_add(&strings, "text 17 and more", 7), 17);
    hst_strings_release(&strings);
}

static uint32_t location_of(struct hst_profile *profile, const char *name, uint32_t line)
{
    struct hst_function function = {.name = hst_strings_add_z(&profile->strings, name), .first_line = 1};
    function.qualname = function.name;
    struct hst_location location = {.function = hst_profile_function(profile, &function), .line = line};
    return hst_profile_location(profile, &location);
}

static void test_rows_are_kept_once(void **state)
{
    (void)state;
    struct hst_profile profile;
    assert_true(hst_profile_init(&profile));
    uint32_t a = location_of(&profile, "a", 1), b = location_of(&profile, "b", 1);
    assert_int_not_equal(a, b);
    assert_int_equal(location_of(&profile, "a", 1), a);
    assert_int_not_equal(location_of(&profile, "a", 2), a);
    uint32_t root = hst_profile_stack(&profile, 0, a), leaf = hst_profile_stack(&profile, root, b);
    assert_int_equal(hst_profile_stack(&profile, root, b), leaf);
    assert_int_not_equal(hst_profile_stack(&profile, leaf, b), leaf); /* recursion is another stack */
    assert_int_equal(profile.stacks[leaf].depth, 2);
    assert_int_equal(profile.stacks[leaf].parent, root);
    assert_int_equal(profile.function_count, 2);
    struct hst_process process = {.pid = 4};
    struct hst_thread thread = {.process = hst_profile_add_process(&profile, &process)};
    assert_int_equal(hst_profile_add_thread(&profile, &thread), 0);
    assert_int_equal(hst_profile_add_thread(&profile, &thread), 1);
    assert_int_equal(hst_profile_validate(&profile, NULL), HST_OK);
    hst_profile_release(&profile);
}

static void test_validate_refuses_bad_references(void **state)
{
    (void)state;
    struct hst_profile profile;
    struct hst_error err;
    assert_true(hst_profile_init(&profile));
    uint32_t stack = hst_profile_stack(&profile, 0, location_of(&profile, "a", 1));
    struct hst_process process = {.pid = 4};
    struct hst_thread thread = {.process = hst_profile_add_process(&profile, &process)};
    assert_int_equal(hst_profile_add_thread(&profile, &thread), 0);
    uint32_t *const references[] = {
        &profile.functions[0].name,     &profile.functions[0].file,    &profile.functions[0].qualname,
        &profile.locations[0].function, &profile.stacks[stack].parent, &profile.stacks[stack].location,
        &profile.threads[0].process,    &profile.threads[0].name,      &profile.processes[0].command};
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        uint32_t good = *references[i];
        *references[i] = 77;
        assert_int_not_equal(hst_profile_validate(&profile, &err), HST_OK);
        assert_true(err.text[0] != '\0');
        *references[i] = good;
        assert_int_equal(hst_profile_validate(&profile, &err), HST_OK);
    }
    profile.stacks[stack].parent = stack; /* its own parent */
    assert_int_not_equal(hst_profile_validate(&profile, &err), HST_OK);
    hst_profile_release(&profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_rows_are_kept_once),
        cmocka_unit_test(test_validate_refuses_bad_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
