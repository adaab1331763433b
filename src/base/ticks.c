/* Asks the kernel what it uses. */
#include "base/ticks.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int hst_ticks_are_tsc;

void hst_ticks_init(void)
{
#ifdef __x86_64__
    /* The kernel gives the counter up as its own clock when it is not constant, stops in deep sleep, or
     * drifts from CPU to CPU. */
    char name[16] = "";
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t got = read(fd, name, sizeof name - 1);
    (void)close(fd);
    hst_ticks_are_tsc = got >= 4 && strncmp(name, "tsc\n", 4) == 0;
#endif
}
