/* Statuses and the texts that go with them; allocation helpers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/memory.h"
#include "base/status.h"

static void test_error_text(void **state)
{
    (void)state;
    struct hst_error err;
    memset(&err, 'x', sizeof err);
    assert_int_equal(hst_error_set(&err, HST_E_NOENT, "no run %d", 7), HST_E_NOENT);
    assert_int_equal(err.status, HST_E_NOENT);
    assert_string_equal(err.text, "no run 7");
    assert_string_equal(err.hint, ""); /* that of an earlier error is gone */
    hst_error_hint(&err, "try %s", "runs");
    assert_string_equal(err.hint, "try runs");
    char *text = malloc(5000);
    assert_non_null(text);
    memset(text, 'y', 4999);
    text[4999] = '\0';
    (void)hst_error_set(&err, HST_E_IO, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(hst_error_set(NULL, HST_E_IO, "%s", text), HST_E_IO);
    hst_error_hint(NULL, "%s", text);
    free(text);
}

static void test_errno(void **state)
{
    (void)state;
    static const struct {
        int number;
        enum hst_status status;
    } rows[] = {{ENOENT, HST_E_NOENT},   {ESRCH, HST_E_GONE},   {EPERM, HST_E_PERM},
                {EACCES, HST_E_PERM},    {ENOMEM, HST_E_NOMEM}, {ENOSPC, HST_E_FULL},
                {EROFS, HST_E_READONLY}, {EIO, HST_E_IO},       {EINTR, HST_E_INTERRUPTED}};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(rows); i++)
        assert_int_equal(hst_status_from_errno(rows[i].number), rows[i].status);
    for (int number = 1; number < 140; number++)
        assert_int_not_equal(hst_status_from_errno(number), HST_OK);
}

static void test_every_status_has_a_name(void **state)
{
    (void)state;
    for (int a = HST_OK; a <= HST_E_INTERRUPTED; a++)
        for (int b = HST_OK; b < a; b++)
            assert_string_not_equal(hst_status_name((enum hst_status)a), hst_status_name((enum hst_status)b));
    assert_non_null(hst_status_name((enum hst_status)999));
}

static void test_allocation(void **state)
{
    (void)state;
    assert_null(hst_alloc(SIZE_MAX / 2, 4));
    assert_null(hst_realloc(NULL, SIZE_MAX, SIZE_MAX));
    uint64_t *items = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < 1000; i++) {
        assert_true(HST_RESERVE(items, capacity, i + 1));
        assert_true(capacity > i);
        items[i] = i;
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    hst_free(items);
    hst_free(NULL);
    HST_CLEANUP_FREE char *text = hst_asprintf("%s-%d", "a", 5);
    assert_string_equal(text, "a-5");
    char *taken = HST_TAKE(text);
    assert_null(text);
    hst_free(taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_text),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_every_status_has_a_name),
        cmocka_unit_test(test_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
