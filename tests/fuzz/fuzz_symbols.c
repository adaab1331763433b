/* An ELF file: as it is mapped in a target, and as a file.
 *
 * input   the file; its first byte says at which address it is mapped and is put back to 0x7f */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "target/symbols.h"

enum { READS_MAX = 2000000, MAPPED_BYTES = 1 << 16 };

/* One mapping with the input in it, zeros behind. */
struct mapped {
    struct hst_memory memory;
    hst_raddr base;
    const uint8_t *data;
    size_t size;
};

static enum hst_status mapped_read(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    const struct mapped *mapped = (const struct mapped *)memory;
    FUZZ_REQUIRE(++memory->reads < READS_MAX);
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = pieces[i].address - mapped->base;
        if (offset > MAPPED_BYTES || pieces[i].length > MAPPED_BYTES - offset)
            return HST_E_TORN;
        for (size_t k = 0; k < pieces[i].length; k++)
            ((uint8_t *)pieces[i].into)[k] = offset + k < mapped->size ? mapped->data[offset + k] : 0;
    }
    return HST_OK;
}

static void look_in_memory(const uint8_t *data, size_t size, hst_raddr base)
{
    static char path[] = "/usr/bin/python3.11";
    struct mapped mapped = {.memory = {.read = mapped_read}, .base = base, .data = data, .size = size};
    struct hst_mapping mapping = {.start = base, .end = base + MAPPED_BYTES, .path = path};
    struct hst_elf image;
    if (hst_elf_read(&mapped.memory, &mapping, &image) != HST_OK)
        return;
    (void)hst_elf_symbol(&mapped.memory, &image, "_PyRuntime");
    (void)hst_elf_symbol(&mapped.memory, &image, "Py_Version");
}

static void look_in_file(const uint8_t *data, size_t size, hst_raddr bias)
{
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_REQUIRE(fd >= 0);
    FUZZ_REQUIRE(hst_fd_write_all(fd, data, size) == HST_OK);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct hst_elf image = {.bias = bias};
    (void)hst_file_symbol(path, &image, "_PyRuntime", ".PyRuntime");
    (void)hst_file_symbol(path, &image, "absent", NULL);
    (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t *copy = malloc(size);
    FUZZ_REQUIRE(copy != NULL);
    memcpy(copy, data, size);
    hst_raddr base = data[0] % 2 != 0 ? 0x7f0000000000u : 0x400000u;
    copy[0] = 0x7f;
    look_in_memory(copy, size, base);
    look_in_file(copy, size, base);
    free(copy);
    return 0;
}
