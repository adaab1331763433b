/* Symbols of this program and of the C library, found in memory and in files, against what the linker says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <unistd.h>

#include "target/symbols.h"

/* In the dynamic table, since the program is linked with -rdynamic; and one that is not. */
int hst_test_exported = 1;
static __attribute__((used, noinline)) int hst_test_hidden(void) { return hst_test_exported; }

struct own {
    struct hst_memory *memory;
    struct hst_maps maps;
};

static int open_own(void **state)
{
    static struct own own;
    *state = &own;
    return hst_memory_live((int)getpid(), &own.memory) != HST_OK ||
           hst_maps_read((int)getpid(), &own.maps) != HST_OK;
}
static int close_own(void **state)
{
    struct own *own = *state;
    hst_memory_free(own->memory);
    hst_maps_release(&own->maps);
    return 0;
}

/* The image that holds address. */
static struct hst_elf image_of(struct own *own, const void *address)
{
    const struct hst_mapping *m = hst_maps_find(&own->maps, (uintptr_t)address);
    struct hst_elf image;
    assert_non_null(m);
    for (size_t i = 0; i < own->maps.count; i++)
        if (strcmp(own->maps.items[i].path, m->path) == 0 && own->maps.items[i].offset == 0) {
            assert_int_equal(hst_elf_read(own->memory, &own->maps.items[i], &image), HST_OK);
            return image;
        }
    fail_msg("no start of %s", m->path);
    return image;
}

static void test_symbol_in_memory(void **state)
{
    struct hst_elf image = image_of(*state, &hst_test_exported);
    struct own *own = *state;
    assert_true(hst_elf_symbol(own->memory, &image, "hst_test_exported") == (uintptr_t)&hst_test_exported);
    assert_true(hst_elf_symbol(own->memory, &image, "hst_test_absent") == 0);
    assert_true(hst_elf_symbol(own->memory, &image, "") == 0);
    struct hst_elf libc = image_of(*state, dlsym(RTLD_DEFAULT, "strtoul"));
    assert_true(hst_elf_symbol(own->memory, &libc, "strtoul") == (uintptr_t)dlsym(RTLD_DEFAULT, "strtoul"));
    assert_true(hst_elf_symbol(own->memory, &libc, "hst_test_exported") == 0);
}

static void test_symbol_in_file(void **state)
{
    struct hst_elf image = image_of(*state, &hst_test_exported);
    assert_true(hst_file_symbol(image.path, &image, "hst_test_hidden", NULL) == (uintptr_t)&hst_test_hidden);
    assert_true(hst_file_symbol(image.path, &image, "hst_test_absent", NULL) == 0);
    hst_raddr text = hst_file_symbol(image.path, &image, "hst_test_absent", ".text");
    const struct hst_mapping *m = hst_maps_find(&((struct own *)*state)->maps, text);
    assert_true(m != NULL && (m->flags & HST_MAP_EXEC) != 0);
    assert_true(hst_file_symbol("/nowhere/at/all", &image, "main", ".text") == 0);
    assert_true(hst_file_symbol("/proc/self/maps", &image, "main", ".text") == 0);
}

static void test_what_is_no_image(void **state)
{
    struct own *own = *state;
    char bytes[8192] = "not ELF";
    struct hst_mapping mapping = {
        .start = (uintptr_t)bytes, .end = (uintptr_t)bytes + sizeof bytes, .path = bytes};
    struct hst_elf image;
    assert_int_equal(hst_elf_read(own->memory, &mapping, &image), HST_E_INVALID);
    mapping.start = 8;
    assert_int_equal(hst_elf_read(own->memory, &mapping, &image), HST_E_TORN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_symbol_in_memory, open_own, close_own),
        cmocka_unit_test_setup_teardown(test_symbol_in_file, open_own, close_own),
        cmocka_unit_test_setup_teardown(test_what_is_no_image, open_own, close_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
