/* Reads a source file once and cuts it into lines in place. */
#include "report/source.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"

enum hst_status hst_source_init(struct hst_source *source, const char *file, const struct hst_run_info *info)
{
    *source = (struct hst_source){0};
    hst_buffer_init(&source->bytes, HST_SOURCE_BYTES_MAX);
    HST_CLEANUP_FREE char *path =
        file[0] == '/' ? hst_strdup(file) : hst_asprintf("%s/%s", info->directory, file);
    if (path == NULL)
        return HST_E_NOMEM;
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode)) /* a pipe or device would never end */
        return HST_E_NOENT;
    source->newer =
        (uint64_t)found.st_mtim.tv_sec * 1000000000u + (uint64_t)found.st_mtim.tv_nsec > info->start_wall_ns;
    enum hst_status status = hst_file_read(path, &source->bytes);
    if (status == HST_OK) {
        hst_buffer_add_byte(&source->bytes, '\0');
        status = hst_buffer_status(&source->bytes);
    }
    char *at = (char *)source->bytes.data;
    while (status == HST_OK && at != NULL && *at != '\0') {
        if (!HST_RESERVE(source->lines, source->capacity, source->count + 1)) {
            status = HST_E_NOMEM;
            break;
        }
        source->lines[source->count++] = at;
        at = strchr(at, '\n');
        if (at != NULL)
            *at++ = '\0';
    }
    if (status != HST_OK)
        hst_source_release(source);
    return status;
}

void hst_source_release(struct hst_source *source)
{
    hst_free(source->lines);
    hst_buffer_release(&source->bytes);
    *source = (struct hst_source){0};
}

const char *hst_source_line(const struct hst_source *source, uint32_t line)
{
    return line >= 1 && line <= source->count ? source->lines[line - 1] : "";
}
