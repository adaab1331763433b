/* Allocation, growth of arrays, and the functions behind the cleanup attributes. */
#include "base/memory.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HST_FAULT_INJECTION
/* The number of the allocation that fails is in HST_FAIL_ALLOC; 0 or nothing: none does. */
static int refused(void)
{
    static long count, fail_at = -1;
    if (fail_at < 0) {
        const char *text = getenv("HST_FAIL_ALLOC");
        fail_at = text != NULL ? strtol(text, NULL, 10) : 0;
    }
    return fail_at > 0 && ++count == fail_at;
}
#else
static int refused(void) { return 0; }
#endif

void *hst_alloc(size_t count, size_t size)
{
    size_t total;
    if (refused() || __builtin_mul_overflow(count, size, &total))
        return NULL;
    return malloc(total != 0 ? total : 1);
}

void *hst_alloc_zero(size_t count, size_t size)
{
    if (refused())
        return NULL;
    return calloc(count != 0 ? count : 1, size != 0 ? size : 1);
}

void *hst_realloc(void *old, size_t count, size_t size)
{
    size_t total;
    if (refused() || __builtin_mul_overflow(count, size, &total))
        return NULL;
    return realloc(old, total != 0 ? total : 1);
}

void hst_free(void *memory) { free(memory); }

char *hst_strndup(const char *text, size_t length)
{
    char *copy = hst_alloc(length + 1, 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *hst_strdup(const char *text) { return hst_strndup(text, strlen(text)); }

char *hst_asprintf(const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = length < 0 ? NULL : hst_alloc((size_t)length + 1, 1);
    if (text != NULL)
        (void)vsnprintf(text, (size_t)length + 1, fmt, again);
    va_end(again);
    return text;
}

int hst_reserve(void **items, size_t *capacity, size_t needed, size_t item_size)
{
    if (needed <= *capacity)
        return 1;
    size_t wanted = *capacity < 8 ? 8 : *capacity * 2;
    if (wanted < needed)
        wanted = needed;
    void *grown = hst_realloc(*items, wanted, item_size);
    if (grown == NULL)
        return 0;
    *items = grown;
    *capacity = wanted;
    return 1;
}

void hst_cleanup_free_(void *pointer_to_pointer)
{
    void *memory;
    memcpy(&memory, pointer_to_pointer, sizeof memory);
    free(memory);
}

void hst_cleanup_fd_(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

void hst_cleanup_file_(void *pointer_to_file)
{
    FILE *file;
    memcpy(&file, pointer_to_file, sizeof file);
    if (file != NULL)
        (void)fclose(file);
}

void hst_cleanup_dir_(void *pointer_to_dir)
{
    DIR *dir;
    memcpy(&dir, pointer_to_dir, sizeof dir);
    if (dir != NULL)
        (void)closedir(dir);
}
