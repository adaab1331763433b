/* Parses /proc/PID/maps. */
#include "target/maps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "target/lent.h"

#define MAPS_BYTES_MAX (64u << 20)

static int goes_on(const struct hst_mapping *before, const struct hst_mapping *after)
{
    return before->end == after->start && before->flags == after->flags && before->path[0] != '/' &&
           strcmp(before->path, after->path) == 0;
}

void hst_maps_join(struct hst_maps *maps)
{
    size_t kept = 0;
    for (size_t i = 0; i < maps->count; i++) {
        if (kept > 0 && goes_on(&maps->items[kept - 1], &maps->items[i])) {
            maps->items[kept - 1].end = maps->items[i].end;
            hst_free(maps->items[i].path);
        } else {
            maps->items[kept++] = maps->items[i];
        }
    }
    maps->count = kept;
}

void hst_maps_release(struct hst_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++)
        hst_free(maps->items[i].path);
    hst_free(maps->items);
    *maps = (struct hst_maps){0};
}

static enum hst_status add_line(struct hst_maps *maps, const char *line)
{
    struct hst_mapping m = {0};
    char flags[8] = {0};
    int path_at = -1;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %n", &m.start, &m.end, flags, &m.offset,
               &path_at) < 4 ||
        path_at < 0 || m.end < m.start)
        return HST_E_INVALID;
    m.flags = (flags[0] == 'r' ? HST_MAP_READ : 0) | (flags[1] == 'w' ? HST_MAP_WRITE : 0) |
              (flags[2] == 'x' ? HST_MAP_EXEC : 0) | (flags[3] == 's' ? HST_MAP_SHARED : 0);
    if (!HST_RESERVE(maps->items, maps->capacity, maps->count + 1))
        return HST_E_NOMEM;
    m.path = hst_strdup(line + path_at);
    if (m.path == NULL)
        return HST_E_NOMEM;
    maps->items[maps->count++] = m;
    return HST_OK;
}

enum hst_status hst_maps_parse(const char *text, size_t length, struct hst_maps *maps)
{
    char line[4096 + 128];
    for (const char *at = text, *end = text + length; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop != NULL ? stop : end) - at);
        if (size >= sizeof line)
            size = sizeof line - 1;
        memcpy(line, at, size);
        line[size] = '\0';
        enum hst_status status = size > 0 ? add_line(maps, line) : HST_OK;
        if (status != HST_OK) {
            hst_maps_release(maps);
            return status;
        }
        at = stop != NULL ? stop + 1 : end;
    }
    return HST_OK;
}

enum hst_status hst_maps_read(int pid, struct hst_maps *maps)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/maps", pid);
    struct hst_buffer text;
    hst_buffer_init(&text, MAPS_BYTES_MAX);
    enum hst_status status = hst_file_read(path, &text);
    const struct hst_lent *lent = status == HST_E_PERM ? hst_lent_of(pid) : NULL;
    if (lent != NULL && lent->maps >= 0 && lseek(lent->maps, 0, SEEK_SET) == 0)
        status = hst_fd_read_all(lent->maps, &text);
    if (status == HST_E_NOENT)
        status = HST_E_GONE;
    if (status == HST_OK)
        status = hst_maps_parse((const char *)text.data, text.length, maps);
    hst_buffer_release(&text);
    return status;
}

const struct hst_mapping *hst_maps_find(const struct hst_maps *maps, hst_raddr address)
{
    size_t low = 0, high = maps->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (maps->items[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < maps->count && maps->items[low].start <= address ? &maps->items[low] : NULL;
}
