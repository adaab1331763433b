/* Reads from /proc what tells one process from every other, now and later. */
#include "store/writer_mark.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"

#define BOOT_LENGTH 64

/* Field 22 of /proc/PID/stat; 0 when there is no such process, or only its remains. */
static unsigned long long start_ticks(long pid)
{
    char path[64];
    unsigned long long ticks = 0;
    char state = 'X';
    struct hst_buffer text;
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    hst_buffer_init(&text, 8192);
    if (hst_file_read(path, &text) == HST_OK) {
        hst_buffer_add_byte(&text, '\0');
        /* The name before may hold anything, even ") "; the last one ends it. */
        const char *at = text.failed ? NULL : strrchr((const char *)text.data, ')');
        if (at == NULL || sscanf(at + 1, " %c", &state) != 1)
            state = 'X';
        for (int field = 2; at != NULL && field < 22; field++)
            at = strchr(at + 1, ' ');
        if (at == NULL || state == 'X' || state == 'Z' || sscanf(at, " %llu", &ticks) != 1)
            ticks = 0;
    }
    hst_buffer_release(&text);
    return ticks;
}

static void here(char boot[BOOT_LENGTH], unsigned long long *ret_namespace)
{
    struct stat info;
    struct hst_buffer text;
    hst_buffer_init(&text, 4096);
    size_t length = 0;
    if (hst_file_read("/proc/sys/kernel/random/boot_id", &text) == HST_OK)
        for (; length < text.length && length < BOOT_LENGTH - 1 && text.data[length] > ' '; length++)
            boot[length] = (char)text.data[length];
    if (length == 0)
        boot[length++] = '-';
    boot[length] = '\0';
    hst_buffer_release(&text);
    *ret_namespace = stat("/proc/self/ns/pid", &info) == 0 ? (unsigned long long)info.st_ino : 0;
}

void hst_writer_mark(char *ret_mark, size_t size)
{
    char boot[BOOT_LENGTH];
    unsigned long long namespace;
    here(boot, &namespace);
    (void)snprintf(ret_mark, size, "%ld %llu %s %llu", (long)getpid(), start_ticks((long)getpid()), boot,
                   namespace);
}

enum hst_writer_life hst_writer_life(const char *mark)
{
    long pid;
    unsigned long long ticks, namespace, own_namespace;
    char boot[BOOT_LENGTH], own_boot[BOOT_LENGTH];
    if (sscanf(mark, "%ld %llu %63s %llu", &pid, &ticks, boot, &namespace) != 4 || pid <= 0)
        return HST_WRITER_GONE;
    here(own_boot, &own_namespace);
    if (strcmp(boot, own_boot) != 0 || namespace != own_namespace)
        return HST_WRITER_ELSEWHERE;
    return ticks != 0 && start_ticks(pid) == ticks ? HST_WRITER_ALIVE : HST_WRITER_GONE;
}
