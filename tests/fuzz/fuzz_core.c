/* A core file: opened, and each thread's and mapping's first bytes read. */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "target/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_REQUIRE(fd >= 0);
    FUZZ_REQUIRE(hst_fd_write_all(fd, data, size) == HST_OK);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct hst_core core;
    struct hst_error err = {0};
    if (hst_core_open(path, "/nowhere", &core, &err) == HST_OK) {
        uint8_t bytes[5000];
        for (size_t i = 0; i < core.maps.count && i < 64; i++) {
            (void)!hst_memory_read(core.memory, core.maps.items[i].start, bytes, sizeof bytes);
            (void)!hst_memory_read(core.memory, core.maps.items[i].end - 8, bytes, 16);
        }
        hst_core_release(&core);
    } else {
        FUZZ_REQUIRE(err.text[0] != '\0');
    }
    (void)close(fd);
    return 0;
}
